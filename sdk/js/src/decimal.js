/** Decimal text to whole numbers and back, without floats. */

/** Decimals of an amount of money: its unit is 1e-18 of the quote coin. */
export const AMOUNT_DECIMALS = 18;

/** Decimals of a fee or funding rate: 0.055 % is 550000000n. */
export const RATE_DECIMALS = 12;

const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;

/**
 * Reads text such as `-12.5` as a whole number of units of 10^-`decimals`, exactly.
 *
 * @throws {RangeError} if the text is no decimal, or has more decimals than the unit and they are not zero.
 */
export function parseDecimal(text, decimals) {
  const parts = DECIMAL.exec(text);
  if (parts === null) throw new RangeError("not a decimal number");
  const [, sign, whole, fraction = ""] = parts;
  if (/[1-9]/.test(fraction.slice(decimals))) throw new RangeError("more decimals than the instrument has");
  const value = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, "0"));
  return sign === "-" ? -value : value;
}

/** Prints `value` units of 10^-`decimals`, without trailing zeros. */
export function formatDecimal(value, decimals) {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}
