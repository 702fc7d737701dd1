/**
 * The bytes around a strategy's snapshot: what the SDK itself must remember.
 *
 * Layout, little-endian: u8 version 1, u8 number of timers, u64 orders placed, timers {u64 id, u64 time}, the strategy's bytes.
 */

import { RestoreError } from "./errors.js";
import { StateReader, StateWriter } from "./state.js";
import { TIMERS_MAX } from "./stop.js";

const VERSION = 1;

/** `timers` is a Map of times by id. */
export function encode({ placed, timers }, state) {
  const writer = new StateWriter().u8(VERSION).u8(timers.size).u64(placed);
  const sorted = [...timers].sort(([left], [right]) => (left < right ? -1 : 1));
  for (const [id, at] of sorted) writer.u64(id).u64(at);
  return writer.bytes(state).finish();
}

export function decode(bytes) {
  const reader = new StateReader(bytes);
  if (reader.u8() !== VERSION) throw new RestoreError("unsupported-version");
  const count = reader.u8();
  if (count > TIMERS_MAX) throw new RestoreError("malformed");
  const placed = reader.u64();
  const timers = new Map();
  for (let n = 0; n < count; n += 1) timers.set(reader.u64(), reader.u64());
  return { placed, timers, state: reader.rest() };
}
