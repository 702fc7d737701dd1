// The stop rule, case by case, from wit/v0.1/golden/stop-rule.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Driver, FrameBuilder, instrument, setup } from "../src/testing.js";

const file = new URL("../../../wit/v0.1/golden/stop-rule.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8"));

/** A strategy that does at each event what the case says. */
function script(actions) {
  let seen = 0;
  const step = (ctx) => actions[seen++].forEach((action) => act(action, ctx));
  return class {
    static describe() {
      return { name: "script", version: "0.1.0", metrics: ["gauge"] };
    }

    onTrade(_trade, ctx) {
      step(ctx);
    }

    onTimer(_timer, ctx) {
      step(ctx);
    }
  };
}

function act(action, ctx) {
  const simple = {
    place: () => ctx.buy(0).market(1n),
    amend: () => ctx.amend(1n, { price: 1n }),
    cancel: () => ctx.cancel(1n),
    "cancel-all": () => ctx.cancelAll(),
    flatten: () => ctx.flatten(0),
    log: () => ctx.log("info", "text"),
    metric: () => ctx.metric("gauge", 1),
  };
  if (typeof action === "string") simple[action]();
  else if (action.times !== undefined) for (let n = 0; n < action.times; n += 1) act(action.action, ctx);
  else if (action["set-timer"].at === null) ctx.clearTimer(BigInt(action["set-timer"].id));
  else ctx.setTimer(BigInt(action["set-timer"].id), BigInt(action["set-timer"].at));
}

const trade = (time) => ({
  kind: "trade",
  time,
  venueTime: time,
  instrument: 0,
  price: 600_000n,
  quantity: 1n,
  taker: "buy",
});

test("the file has its cases", () => assert.ok(cases.length > 25));

for (const { name, lookahead, timers = [], events, consumed } of cases) {
  test(name, () => {
    const all = events.flatMap((event) => Array(event.repeat ?? 1).fill(event));
    // An event may cause 32 actions and a case may start with 64 timers, so each is set by an event of its own.
    const actions = [...timers.map((timer) => [{ "set-timer": timer }]), ...all.map((event) => event.actions ?? [])];
    const Script = script(actions);
    const driver = new Driver(Script, setup(Script, [instrument("linear:BTCUSDT")]));
    for (const _ of timers) driver.onFrame(new FrameBuilder(0n).event(trade(0n)).finish());

    const frame = new FrameBuilder(BigInt(lookahead));
    for (const { time, fires } of all) {
      frame.event(fires === undefined ? trade(BigInt(time)) : { kind: "timer", time: BigInt(time), id: BigInt(fires) });
    }
    const outcome = driver.onFrame(frame.finish());
    assert.equal(outcome.consumed, consumed);
    assert.ok(outcome.actions.every(({ cause }) => cause < outcome.consumed));
  });
}
