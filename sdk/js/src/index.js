/**
 * Write trading strategies for Portcullis in JavaScript.
 *
 * A strategy is a class with a static `describe()` and a constructor that takes the {@link Setup}. Every event has a
 * handler, all of them optional; `README.md` lists them. Handlers act through the {@link Context} they are given.
 *
 * Prices, quantities, times, tags and sums of money are `bigint`s: exact, and wide enough for every bit of the contract.
 * Instrument ids, counts and codes are plain numbers.
 */

export { Context, Placed } from "./context.js";
export { AMOUNT_DECIMALS, RATE_DECIMALS, formatDecimal, parseDecimal } from "./decimal.js";
export { bars, book, boolean, choice, decimal, funding, integer, mark, quotes, trades } from "./description.js";
export { InitError, RestoreError } from "./errors.js";
export { Instrument } from "./instrument.js";
export { refusalName } from "./refusal.js";
export { Setup } from "./setup.js";
export { StateReader, StateWriter } from "./state.js";
export { MILLISECOND, SECOND } from "./time.js";
export { isClosed, isResting } from "./words.js";
