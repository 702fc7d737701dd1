/**
 * Fields of a record, read at fixed offsets when they are asked for: most strategies look at two of them, and a bigint that
 * nobody reads would cost more than the rest of the event.
 *
 * A field is `{ read(view, at), write(view, at, value), check?(view, at, length), as?, bytes? }`: `at` is where the record
 * starts, `check` says whether the field is well-formed, `as` is its name in `wit/frame.md` where that differs from ours, and
 * `bytes(value)` what it adds to a record whose length varies. Only tests write records.
 */

const u64At = (offset) => ({
  read: (view, at) => view.getBigUint64(at + offset, true),
  write: (view, at, value) => view.setBigUint64(at + offset, value, true),
});

const i64At = (offset) => ({
  read: (view, at) => view.getBigInt64(at + offset, true),
  write: (view, at, value) => view.setBigInt64(at + offset, value, true),
});

/** Nanoseconds since 1970-01-01 UTC. */
export const time = u64At;
/** A price, quantity or rate. */
export const number = i64At;
/** An order number, a tag or a timer's id. */
export const id = u64At;

/** A sum of money in units of 1e-18 of the quote coin. */
export const amount = (offset) => ({
  read: (view, at) => (view.getBigInt64(at + offset + 8, true) << 64n) | view.getBigUint64(at + offset, true),
  write: (view, at, value) => {
    view.setBigUint64(at + offset, BigInt.asUintN(64, value), true);
    view.setBigInt64(at + offset + 8, value >> 64n, true);
  },
});

export const u8 = (offset) => ({
  read: (view, at) => view.getUint8(at + offset),
  write: (view, at, value) => view.setUint8(at + offset, value),
});

export const u16 = (offset) => ({
  read: (view, at) => view.getUint16(at + offset, true),
  write: (view, at, value) => view.setUint16(at + offset, value, true),
});

export const u32 = (offset) => ({
  read: (view, at) => view.getUint32(at + offset, true),
  write: (view, at, value) => view.setUint32(at + offset, value, true),
});

/** One of `words`, by the number in a byte; any other number makes the frame malformed. */
export const word = (offset, words) => ({
  read: (view, at) => words[view.getUint8(at + offset)],
  write: (view, at, value) => view.setUint8(at + offset, words.indexOf(value)),
  check: (view, at) => words[view.getUint8(at + offset)] !== undefined,
});

/** Another field's value as something else, and back. */
export const mapped = (field, to, from) => ({
  ...field,
  read: (view, at) => to(field.read(view, at)),
  write: (view, at, value) => field.write(view, at, from(value)),
});

/** A second reading of another field, which is not a field of the record by itself. */
export const derived = (field, to) => ({ read: (view, at) => to(field.read(view, at)), as: null });

/** The same field under the name that `wit/frame.md` gives it. */
export const named = (as, field) => ({ ...field, as });
