// Actions as the contract wants them, order numbers, timers, restarts, and the component's exports.

import assert from "node:assert/strict";
import { test } from "node:test";

import { component } from "../src/component.js";
import { InitError, integer, trades } from "../src/index.js";
import { Driver, FrameBuilder, Harness, instrument, setup } from "../src/testing.js";

const BTC = instrument("linear:BTCUSDT");

/** A strategy that runs `act(ctx, event)` at every trade and keeps what else it sees. */
function scripted(act, extra = {}) {
  class Scripted {
    static describe() {
      return { name: "scripted", version: "0.1.0", subscriptions: [trades()] };
    }

    seen = [];

    onTrade(trade, ctx) {
      act.call(this, ctx, trade);
    }

    onOwnOrder(order) {
      this.seen.push([order.order, order.status, order.executed]);
    }
  }
  Object.assign(Scripted.prototype, extra);
  return Scripted;
}

test("orders carry their options and are numbered from 1", () => {
  const numbers = [];
  const Strategy = scripted((ctx) => {
    const order = ctx.buy(0).limit(600_000n, 10n).postOnly().tag(7).goodTill(ctx.now).stopLoss(590_000n);
    numbers.push(order.number);
    numbers.push(ctx.sell(0).market(20n).reduceOnly().whenFallenTo(580_000n).takeProfit(570_000n).number);
  });
  const harness = new Harness(Strategy, [BTC]);
  const time = harness.now;
  const [first, second] = harness.trade(0, "60000", "1", "buy").map(({ val }) => val);
  assert.deepEqual(numbers, [1n, 2n]);
  const plain = { instrument: 0, trigger: undefined, takeProfit: undefined, stopLoss: undefined, goodTill: undefined };
  assert.deepEqual(first, {
    ...plain,
    side: "buy",
    quantity: 10n,
    kind: { tag: "limit", val: 600_000n },
    timeInForce: "post-only",
    reduceOnly: false,
    stopLoss: 590_000n,
    goodTill: time,
    tag: 7n,
  });
  assert.deepEqual(second, {
    ...plain,
    side: "sell",
    quantity: 20n,
    kind: { tag: "market" },
    timeInForce: "ioc",
    reduceOnly: true,
    trigger: { price: 580_000n, direction: "fall" },
    takeProfit: 570_000n,
    tag: 0n,
  });
  harness.fill(1n, "60000", "0.004");
  assert.deepEqual(harness.strategy.seen, [[1n, "partially-filled", 4n]]);
});

test("a resync sets the next number, and a snapshot keeps number and timers", () => {
  let number;
  const Strategy = scripted((ctx) => {
    number = ctx.buy(0).market(1n).number;
    ctx.setTimer(5, ctx.now + 1_000n);
  });
  const driver = new Driver(Strategy, setup(Strategy, [BTC]));
  const trade = (time) => ({ kind: "trade", time, venueTime: time, instrument: 0, price: 1n, quantity: 1n, taker: "buy" });
  const send = (to, event) => to.onFrame(new FrameBuilder(0n).event(event).finish());
  send(driver, { kind: "resync", time: 1n, openOrders: 0, nextOrder: 44n });
  send(driver, trade(2n));
  assert.equal(number, 44n);

  const restarted = new Driver(Strategy, setup(Strategy, [BTC]));
  restarted.restore(0, driver.snapshot());
  assert.deepEqual(restarted.snapshot(), driver.snapshot());
  send(restarted, trade(3n));
  assert.equal(number, 45n);
  assert.throws(() => restarted.restore(0, Uint8Array.of(2)), { kind: "unsupported-version" });
  assert.throws(() => restarted.restore(0, Uint8Array.of(1, 65)), { kind: "malformed" });
});

test("a 33rd action, and numbers that do not fit, end the instance", () => {
  const throws = (act, error) => {
    const harness = new Harness(scripted(act), [BTC]);
    assert.throws(() => harness.trade(0, "60000", "1", "buy"), error);
  };
  throws((ctx) => {
    for (let n = 0; n < 33; n += 1) ctx.log("info", "x");
  }, /32 actions/);
  throws((ctx) => ctx.buy(0).market(2n ** 63n), RangeError);
  throws((ctx) => ctx.buy(0).market(1), TypeError);
  throws((ctx) => ctx.buy(-1), TypeError);
  throws((ctx) => ctx.cancel(-1n), RangeError);
  throws((ctx) => ctx.log("loud", "x"), TypeError);
});

test("trading rules change before the handler runs, decimals never", () => {
  let seen;
  const Strategy = scripted(() => {}, {
    onInstrument(update, ctx) {
      seen = ctx.instrument(update.instrument);
    },
  });
  const harness = new Harness(Strategy, [BTC]);
  const { symbol, ...rules } = BTC;
  harness.send("instrument", { ...rules, instrument: 0, status: "not-trading", tick: 5n, priceDecimals: 9 });
  assert.deepEqual([seen.tick, seen.trading, seen.priceDecimals], [5n, false, 1]);
});

test("an event of an unknown instrument never reaches a strategy", () => {
  const harness = new Harness(scripted(() => {}), [BTC]);
  const fields = { instrument: 1, price: 1n, quantity: 1n, taker: "buy" };
  assert.throws(() => harness.send("trade", fields), /unknown instrument/);
});

test("the component speaks the contract", () => {
  const limits = scripted(() => {}, {});
  class Strategy extends limits {
    static describe() {
      return { name: "scripted", version: "0.1.0", parameters: [integer("length", "Length.", 1, 9, 3)] };
    }

    constructor(setup) {
      super();
      if (setup.integer("length") > 5) throw new InitError("unsuitable-instrument", "too long");
      this.budget = setup.budget;
    }
  }
  const guest = component(Strategy);
  assert.deepEqual(guest.describe(), {
    name: "scripted",
    version: "0.1.0",
    parameters: [
      { name: "length", doc: "Length.", kind: { tag: "integer", val: { min: 1n, max: 9n } }, default: "3" },
    ],
    subscriptions: [],
    metrics: [],
    snapshotVersion: 0,
  });
  const amount = { high: -1n, low: 2n ** 64n - 2n };
  const wit = { instruments: [{ ...BTC, minNotional: amount }], budget: amount, startTime: 1n };
  const init = (length) => guest.init({ ...wit, parameters: [["length", length]] });
  const thrown = (call) => {
    try {
      call();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  assert.deepEqual(thrown(() => init("6")), { tag: "unsuitable-instrument", val: "too long" });
  assert.deepEqual(thrown(() => init("x")), { tag: "bad-parameter", val: "length: not a whole number" });
  assert.equal(thrown(() => init("5")), undefined);
  assert.deepEqual(thrown(() => guest.restore(0, Uint8Array.of(7))), { tag: "unsupported-version" });
  guest.restore(0, guest.snapshot());
  const outcome = guest.onFrame(new FrameBuilder(0n).event({ kind: "timer", time: 1n, id: 1n }).finish());
  assert.deepEqual(outcome, { consumed: 1, actions: [] });
});
