/**
 * The ranges of the contract's numbers. A value outside is refused here, because the layer below would cut off its upper
 * bits without a word and another number would reach the host.
 */

/** A signed 64-bit integer, such as a price. */
export function i64(value, what) {
  if (typeof value !== "bigint") throw new TypeError(`${what} must be a bigint`);
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${what} ${value} does not fit in 64 bits`);
  return value;
}

/** An unsigned 64-bit integer, such as a time or a tag; whole numbers are taken too. */
export function u64(value, what) {
  const big = typeof value === "bigint" ? value : BigInt(value);
  if (BigInt.asUintN(64, big) !== big) throw new RangeError(`${what} ${big} does not fit in 64 bits`);
  return big;
}

/** An index of an instrument. */
export function instrumentId(value) {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new TypeError(`no instrument id: ${value}`);
  return value;
}
