/** The frame, read in place: `wit/frame.md` is the definition, `wit/v0.1/golden/` pins it. */

import { FrameError } from "./errors.js";
import { KINDS } from "./event.js";

export const MAGIC = 0x3146_4350;
export const VERSION = 1;
export const HEADER_BYTES = 24;
export const RECORD_HEADER_BYTES = 16;
export const RECORDS_MAX = 4_096;
export const FRAME_BYTES_MAX = 1_048_576;

/** Walks over the records of a frame, in order. */
export class Frame {
  /** Checks the header; records are checked when they are reached. `bytes` is a Uint8Array. */
  constructor(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw new FrameError("no frame header");
    const version = view.getUint16(4, true);
    if (version !== VERSION) throw new FrameError(`version ${version} is not supported`);
    if (view.byteLength > FRAME_BYTES_MAX || view.getUint32(20, true) !== view.byteLength) {
      throw new FrameError("wrong length");
    }
    /** Number of records. */
    this.count = view.getUint32(16, true);
    if (this.count === 0 || this.count > RECORDS_MAX) throw new FrameError("wrong number of records");
    /** The lookahead L, in nanoseconds. */
    this.lookahead = view.getBigUint64(8, true);
    this.view = view;
    this.left = this.count;
    /** Where the current record starts; it is `length` bytes long. */
    this.at = 0;
    this.length = HEADER_BYTES;
    this.lastHigh = 0;
    this.lastLow = 0;
  }

  /** Moves to the next record; false after the last. */
  next() {
    if (this.left === 0) return false;
    this.left -= 1;
    const { view } = this;
    const at = this.at + this.length;
    if (at + RECORD_HEADER_BYTES > view.byteLength) throw new FrameError("a record ends beyond the frame");
    const length = view.getUint16(at + 2, true);
    if (length < RECORD_HEADER_BYTES || length % 8 !== 0 || at + length > view.byteLength) {
      throw new FrameError(`a record of ${length} bytes`);
    }
    if (this.left === 0 && at + length !== view.byteLength) throw new FrameError("wrong number of records");
    // Two plain numbers compare faster than two bigints.
    const low = view.getUint32(at + 8, true);
    const high = view.getUint32(at + 12, true);
    if (high < this.lastHigh || (high === this.lastHigh && low < this.lastLow)) {
      throw new FrameError("record times go back");
    }
    this.lastHigh = high;
    this.lastLow = low;
    this.at = at;
    this.length = length;
    return true;
  }

  /** Kind of the current record. */
  get kind() {
    return this.view.getUint16(this.at, true);
  }

  /** When the strategy sees the current record. */
  get time() {
    return this.view.getBigUint64(this.at + 8, true);
  }

  /** The current record as an event; undefined if this SDK does not know its kind. */
  event() {
    return KINDS.get(this.view.getUint16(this.at, true))?.decode(this.view, this.at, this.length);
  }
}
