// Numbers are exact, and every rounding goes the way it says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Instrument, formatDecimal, parseDecimal } from "../src/index.js";
import { instrument } from "../src/testing.js";

const btc = (changes) => new Instrument({ id: 0, ...instrument("linear:BTCUSDT", changes) });

test("decimals are read exactly or not at all", () => {
  const cases = [["60123.45", 2, 6_012_345n], ["-0.5", 3, -500n], ["7", 0, 7n], ["1.500", 1, 15n], ["0.1", 18, 10n ** 17n]];
  for (const [text, decimals, value] of cases) assert.equal(parseDecimal(text, decimals), value, text);
  for (const text of ["", "-", ".5", "5.", "1e3", "+1", "1.2.3", " 1", "1,0", "0x1", "1.0a", "1.05"]) {
    assert.throws(() => parseDecimal(text, 1), RangeError, text);
  }
});

test("decimals are printed without trailing zeros", () => {
  const cases = [[6_012_345n, 2, "60123.45"], [-500n, 3, "-0.5"], [0n, 8, "0"], [7n, 0, "7"], [100n, 2, "1"]];
  for (const [value, decimals, text] of cases) assert.equal(formatDecimal(value, decimals), text);
});

test("rounding goes the way it says on both sides of zero", () => {
  const it = btc({ tick: 5n, step: 3n });
  assert.deepEqual([14n, -1n, 10n].map((price) => it.roundDownToTick(price)), [10n, -5n, 10n]);
  assert.deepEqual([11n, -1n, 10n].map((price) => it.roundUpToTick(price)), [15n, 0n, 10n]);
  assert.deepEqual([it.roundDownToStep(8n), it.roundUpToStep(7n)], [6n, 9n]);
  assert.equal(btc({ step: 0n }).roundDownToStep(7n), 7n);
});

test("floats convert with a direction or not at all", () => {
  const it = btc();
  assert.equal(it.priceToNumber(600_001n), 60_000.1);
  assert.equal(it.priceFromNumberRoundedDown(60_000.19), 600_001n);
  assert.equal(it.priceFromNumberRoundedUp(60_000.11), 600_002n);
  assert.equal(it.quantityFromNumberRoundedDown(0.0109), 10n);
  for (const bad of [NaN, Infinity, -Infinity, 1e300, -1e300]) {
    assert.equal(it.priceFromNumberRoundedDown(bad), undefined);
    assert.equal(it.priceFromNumberRoundedUp(bad), undefined);
    assert.equal(it.quantityFromNumberRoundedDown(bad), undefined);
  }
});

test("what does not fit in the contract's 64 bits is refused", () => {
  assert.throws(() => btc().parsePrice("9".repeat(30)), RangeError);
  assert.equal(btc().parseQuantity("0.01"), 10n);
  assert.equal(btc().notional(600_001n, 10n), 600_001n * 10n ** 15n);
  assert.equal(btc({ priceDecimals: 10, quantityDecimals: 9 }).notional(1n, 1n), undefined);
});
