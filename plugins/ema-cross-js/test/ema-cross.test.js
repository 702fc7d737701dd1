// The strategy against an independent reference, and against itself in other frames and after a restart.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Driver, FrameBuilder, Harness, instrument, setup } from "@portcullis/sdk/testing";

import EmaCross from "../src/ema-cross.js";

const BTC = instrument("linear:BTCUSDT");
const ETH = instrument("linear:ETHUSDT");
const FOREVER = 2n ** 64n - 1n;
const mask = (value) => BigInt.asUintN(64, value);

/** The series of the benchmarks: a random walk of ticks of 0.1, made by counting, so that any language can make it. */
function series(length) {
  let ticks = 600_000n;
  return Array.from({ length }, (_, n) => {
    let z = mask(42n + mask(BigInt(n + 1) * 0x9e3779b97f4a7c15n));
    z = mask((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = mask((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    const r = z ^ (z >> 31n);
    ticks += (r % 5n) - 2n;
    const time = 1_735_689_600_000_000_000n + BigInt(n) * 100_000_000n;
    const taker = (r >> 20n) & 1n ? "buy" : "sell";
    return {
      kind: "trade",
      time,
      venueTime: time,
      instrument: 0,
      price: ticks,
      quantity: 1n + ((r >> 8n) % 1_000n),
      taker,
    };
  });
}

/** The crosses of a series: index of the trade, and the side of its order. */
function reference(trades, fast, slow) {
  const weights = [2 / (fast + 1), 2 / (slow + 1)];
  const prices = trades.map(({ price }) => Number(price) / 10);
  let [f, s, before] = [prices[0], prices[0], undefined];
  const crosses = [];
  prices.forEach((price, n) => {
    f = weights[0] * price + (1 - weights[0]) * f;
    s = weights[1] * price + (1 - weights[1]) * s;
    if (n + 1 < slow) return;
    if (before !== undefined && before !== f > s) crosses.push([n, f > s ? "buy" : "sell"]);
    before = f > s;
  });
  return crosses;
}

function frameOf(trades, lookahead = FOREVER) {
  return trades.reduce((frame, trade) => frame.event(trade), new FrameBuilder(lookahead)).finish();
}

/** Runs the strategy in frames of at most `size` trades, and gives its orders by the index of their trade. */
function run(trades, lookahead, size) {
  const driver = new Driver(EmaCross, setup(EmaCross, [BTC]));
  const orders = [];
  for (let next = 0; next < trades.length; ) {
    const { consumed, actions } = driver.onFrame(frameOf(trades.slice(next, next + size), lookahead));
    for (const { cause, body } of actions) {
      assert.equal(body.tag, "place");
      orders.push([next + cause, body.val]);
    }
    next += consumed;
  }
  return orders;
}

test("every cross is a market order of the right side", () => {
  const trades = series(20_000);
  const orders = run(trades, FOREVER, 4_096);
  assert.deepEqual(orders.map(([n, { side }]) => [n, side]), reference(trades, 10, 20));
  assert.ok(orders.length > 500);
  for (const [, order] of orders) {
    assert.deepEqual(order, {
      instrument: 0,
      side: order.side,
      quantity: 10n,
      kind: { tag: "market" },
      timeInForce: "ioc",
      reduceOnly: false,
      trigger: undefined,
      takeProfit: undefined,
      stopLoss: undefined,
      goodTill: undefined,
      tag: order.side === "buy" ? 1n : 2n,
    });
  }
});

test("frames and lookahead change nothing", () => {
  const trades = series(2_000);
  const whole = run(trades, FOREVER, 4_096);
  for (const [lookahead, size] of [[0n, 1], [0n, 64], [250_000_000n, 64], [FOREVER, 7]]) {
    assert.deepEqual(run(trades, lookahead, size), whole, `L = ${lookahead}, frames of ${size}`);
  }
});

test("a restart forgets nothing", () => {
  const trades = series(500);
  for (const cut of [0, 1, 19, 20, 21, 300]) {
    const straight = new Driver(EmaCross, setup(EmaCross, [BTC, ETH]));
    if (cut > 0) straight.onFrame(frameOf(trades.slice(0, cut)));
    const restarted = new Driver(EmaCross, setup(EmaCross, [BTC, ETH]));
    restarted.restore(1, straight.snapshot());
    const rest = frameOf(trades.slice(cut));
    assert.deepEqual(restarted.onFrame(rest), straight.onFrame(rest), `cut at ${cut}`);
    assert.deepEqual(restarted.snapshot(), straight.snapshot());
  }
});

test("damaged snapshots are refused", () => {
  const fresh = () => new Driver(EmaCross, setup(EmaCross, [BTC]));
  const snapshot = fresh().snapshot();
  for (let length = 0; length < snapshot.length; length += 1) {
    assert.throws(() => fresh().restore(1, snapshot.slice(0, length)), { kind: "malformed" });
  }
  assert.throws(() => fresh().restore(1, Uint8Array.of(...snapshot, 0)), { kind: "malformed" });
  assert.throws(() => fresh().restore(2, snapshot), { kind: "unsupported-version" });
});

test("each instrument has its own averages", () => {
  const harness = new Harness(EmaCross, [BTC, ETH], { fast: "1", slow: "2" });
  for (const price of ["60000", "59990"]) {
    assert.deepEqual(harness.trade(0, price, "1", "buy"), []);
    assert.deepEqual(harness.trade(1, "3000", "1", "buy"), []);
  }
  const [{ tag, val }] = harness.trade(0, "60010", "1", "buy");
  assert.deepEqual([tag, val.instrument, val.side], ["place", 0, "buy"]);
  assert.deepEqual(harness.trade(1, "3000", "1", "buy"), []);
});

test("without orders, crosses are counted", () => {
  const harness = new Harness(EmaCross, [BTC], { fast: "1", slow: "2", orders: "false" });
  for (const price of ["60000", "59990"]) harness.trade(0, price, "1", "buy");
  assert.deepEqual(harness.trade(0, "60010", "1", "buy"), [{ tag: "metric", val: { name: "crosses", value: 1 } }]);
});

test("parameters that make no sense together are refused", () => {
  for (const parameters of [{ fast: "20" }, { size: "0.0001" }, { size: "0" }, { fast: "x" }]) {
    assert.throws(() => new Harness(EmaCross, [BTC], parameters), { kind: "bad-parameter" });
  }
});

test("name and version are those of the package and of the manifest", () => {
  const { name, version } = EmaCross.describe();
  const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
  const manifest = JSON.parse(file("../package.json"));
  assert.deepEqual([name, version], [manifest.name, manifest.version]);
  assert.match(file("../strategy.toml"), new RegExp(`^name = "${name}"\nversion = "${version}"$`, "m"));
});
