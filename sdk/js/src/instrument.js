/** What can be traded, and the one place where numbers are rounded. */

import { AMOUNT_DECIMALS, formatDecimal, parseDecimal } from "./decimal.js";
import { i64 } from "./range.js";

const BOUND = 2 ** 63;

/**
 * The trading rules of one instrument.
 *
 * Every rounding names its direction. The host refuses a price off the tick or a quantity off the step; it never rounds for
 * you. Fields: `id`, `symbol` (`category:SYMBOL`), `priceDecimals`, `quantityDecimals`, `tick`, `step`, `minQuantity`,
 * `maxQuantity`, `maxMarketQuantity`, `minNotional` (amount), `takerFee`, `makerFee` (rates), `trading`.
 */
export class Instrument {
  constructor(fields) {
    Object.assign(this, fields);
    // Every power up to 18 is an exact float.
    this.priceScale = 10 ** this.priceDecimals;
    this.quantityScale = 10 ** this.quantityDecimals;
  }

  /** The highest price on the tick at or below `price`. */
  roundDownToTick(price) {
    return floor(price, this.tick);
  }

  /** The lowest price on the tick at or above `price`. */
  roundUpToTick(price) {
    return -floor(-price, this.tick);
  }

  /** The largest quantity on the step at or below `quantity`. May be zero, which the host refuses. */
  roundDownToStep(quantity) {
    return floor(quantity, this.step);
  }

  /** The smallest quantity on the step at or above `quantity`. */
  roundUpToStep(quantity) {
    return -floor(-quantity, this.step);
  }

  /** The price as a float, for indicators. */
  priceToNumber(price) {
    return Number(price) / this.priceScale;
  }

  /** The quantity as a float, for indicators. */
  quantityToNumber(quantity) {
    return Number(quantity) / this.quantityScale;
  }

  /**
   * The highest price on the tick at or below the float, or undefined if it is not finite or does not fit.
   *
   * Floats carry rounding errors of their own: 0.29 may come out one tick lower when computed as 0.3 − 0.01.
   */
  priceFromNumberRoundedDown(price) {
    return bigintOf(Math.floor(price * this.priceScale), (whole) => this.roundDownToTick(whole));
  }

  /** The lowest price on the tick at or above the float, or undefined if it is not finite or does not fit. */
  priceFromNumberRoundedUp(price) {
    return bigintOf(Math.ceil(price * this.priceScale), (whole) => this.roundUpToTick(whole));
  }

  /** The largest quantity on the step at or below the float, or undefined if it is not finite or does not fit. */
  quantityFromNumberRoundedDown(quantity) {
    return bigintOf(Math.floor(quantity * this.quantityScale), (whole) => this.roundDownToStep(whole));
  }

  /** Reads a price such as `60123.45`, exactly. */
  parsePrice(text) {
    return i64(parseDecimal(text, this.priceDecimals), "price");
  }

  /** Reads a quantity such as `0.01`, exactly. */
  parseQuantity(text) {
    return i64(parseDecimal(text, this.quantityDecimals), "quantity");
  }

  /** Prints a price exactly. */
  formatPrice(price) {
    return formatDecimal(price, this.priceDecimals);
  }

  /** Prints a quantity exactly. */
  formatQuantity(quantity) {
    return formatDecimal(quantity, this.quantityDecimals);
  }

  /** Price × quantity in units of 1e-18 of the quote coin, exact; undefined if the decimals add up to more than 18. */
  notional(price, quantity) {
    const spare = AMOUNT_DECIMALS - this.priceDecimals - this.quantityDecimals;
    return spare < 0 ? undefined : price * quantity * 10n ** BigInt(spare);
  }
}

function floor(value, unit) {
  if (unit <= 0n) return value;
  const rest = value % unit;
  return value - (rest < 0n ? rest + unit : rest);
}

/** A whole float to a rounded bigint that fits in 64 bits. */
function bigintOf(whole, round) {
  // The comparison is false for NaN as well.
  return whole >= -BOUND && whole < BOUND ? round(BigInt(whole)) : undefined;
}
