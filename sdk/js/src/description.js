/** Words for a strategy's description. */

/** A parameter: a whole number from `min` to `max`, both included. `byDefault` is taken when the operator names none. */
export function integer(name, doc, min, max, byDefault) {
  return parameter(name, doc, { tag: "integer", val: { min: BigInt(min), max: BigInt(max) } }, byDefault);
}

/** A parameter: a decimal number from `min` to `max`, both included and given as text, so that they are exact. */
export function decimal(name, doc, min, max, byDefault) {
  return parameter(name, doc, { tag: "decimal", val: { min: String(min), max: String(max) } }, byDefault);
}

/** A parameter: `true` or `false`. */
export function boolean(name, doc, byDefault) {
  return parameter(name, doc, { tag: "boolean" }, byDefault);
}

/** A parameter: one of the words. */
export function choice(name, doc, words, byDefault) {
  return parameter(name, doc, { tag: "choice", val: words }, byDefault);
}

function parameter(name, doc, kind, byDefault) {
  return { name, doc, kind, default: byDefault === undefined ? undefined : String(byDefault) };
}

/** A subscription: public trades of one symbol (`category:SYMBOL`), or of every symbol that the signed manifest names. */
export const trades = (symbol) => ({ symbol, stream: { tag: "trades" } });

/** A subscription: best bid and ask. */
export const quotes = (symbol) => ({ symbol, stream: { tag: "quotes" } });

/** A subscription: the best levels of the book on both sides, 1 to 50. */
export const book = (levels, symbol) => ({ symbol, stream: { tag: "book", val: levels } });

/** A subscription: closed bars of that many seconds, `warmUp` of them before `onWarmUpEnd`. */
export const bars = (intervalSeconds, warmUp, symbol) => ({
  symbol,
  stream: { tag: "bars", val: { intervalS: intervalSeconds, warmUp } },
});

/** A subscription: funding rates. */
export const funding = (symbol) => ({ symbol, stream: { tag: "funding" } });

/** A subscription: mark and index prices. */
export const mark = (symbol) => ({ symbol, stream: { tag: "mark" } });

/** Fills in what a description may leave out. */
export function complete({ name, version, parameters = [], subscriptions = [], metrics = [], snapshotVersion = 0 }) {
  return { name, version, parameters, subscriptions, metrics, snapshotVersion };
}
