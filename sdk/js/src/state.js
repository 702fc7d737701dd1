/** Bytes of a snapshot, written and read field by field, little-endian. */

import { RestoreError } from "./errors.js";
import { i64, u64 } from "./range.js";

/** Writes the bytes of a snapshot: `new StateWriter().i64(-3n).optional(7n, (w, v) => w.u64(v)).finish()`. */
export class StateWriter {
  #bytes = [];

  u8(value) {
    return this.#number(1, (view) => view.setUint8(0, value));
  }

  u32(value) {
    return this.#number(4, (view) => view.setUint32(0, value, true));
  }

  u64(value) {
    return this.#number(8, (view) => view.setBigUint64(0, u64(value, "value"), true));
  }

  i64(value) {
    return this.#number(8, (view) => view.setBigInt64(0, i64(value, "value"), true));
  }

  f64(value) {
    return this.#number(8, (view) => view.setFloat64(0, value, true));
  }

  boolean(value) {
    return this.u8(value ? 1 : 0);
  }

  bytes(bytes) {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** Writes whether there is a value, and the value with `write(writer, value)`. */
  optional(value, write) {
    this.boolean(value !== undefined);
    if (value !== undefined) write(this, value);
    return this;
  }

  /** The bytes. */
  finish() {
    return Uint8Array.from(this.#bytes);
  }

  #number(length, set) {
    const view = new DataView(new ArrayBuffer(length));
    set(view);
    return this.bytes(new Uint8Array(view.buffer));
  }
}

/** Reads what a StateWriter wrote, in the same order. Damaged bytes throw a RestoreError. */
export class StateReader {
  #view;
  #at = 0;

  constructor(bytes) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8() {
    return this.#view.getUint8(this.#take(1));
  }

  u32() {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64() {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  i64() {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  f64() {
    return this.#view.getFloat64(this.#take(8), true);
  }

  boolean() {
    const byte = this.u8();
    if (byte > 1) throw new RestoreError("malformed");
    return byte === 1;
  }

  /** Reads whether there is a value, and the value with `read(reader)`; undefined if there is none. */
  optional(read) {
    return this.boolean() ? read(this) : undefined;
  }

  /** What is left to read, as bytes. */
  rest() {
    const { buffer, byteOffset, byteLength } = this.#view;
    return new Uint8Array(buffer, byteOffset + this.#at, byteLength - this.#at);
  }

  /** Ends the reading; bytes that are left are an error. */
  finish() {
    if (this.#at !== this.#view.byteLength) throw new RestoreError("malformed");
  }

  #take(length) {
    const at = this.#at;
    if (at + length > this.#view.byteLength) throw new RestoreError("malformed");
    this.#at = at + length;
    return at;
  }
}
