/** The errors that a strategy answers with; any other exception ends the instance. */

/**
 * Why a strategy cannot start; thrown by its constructor. The host cuts the text at 256 bytes and shows it to the operator.
 *
 * `kind` is `bad-parameter` (the text names it), `unsuitable-instrument` (the text says why) or `other`.
 */
export class InitError extends Error {
  constructor(kind, text) {
    super(text);
    this.name = "InitError";
    this.kind = kind;
  }
}

/** Why a snapshot was not taken over: `unsupported-version` or `malformed`. The host then starts without it. */
export class RestoreError extends Error {
  constructor(kind) {
    super(kind);
    this.name = "RestoreError";
    this.kind = kind;
  }
}

/** What is wrong with a frame. The host never sends such a frame, so it is never caught: the call traps. */
export class FrameError extends Error {
  constructor(text) {
    super(`malformed frame: ${text}`);
    this.name = "FrameError";
  }
}
