/**
 * Test a strategy natively: no component, no host, the same code path.
 *
 * {@link Harness} plays the market and the host, one event at a time; {@link Driver} and {@link FrameBuilder} are the level
 * below: whole frames with a lookahead, as a component gets them.
 */

import { complete } from "./description.js";
import { Driver } from "./driver.js";
import { InitError } from "./errors.js";
import { KINDS } from "./event.js";
import { FRAME_BYTES_MAX, HEADER_BYTES, MAGIC, RECORDS_MAX, RECORD_HEADER_BYTES, VERSION } from "./frame.js";
import { Setup } from "./setup.js";
import { MILLISECOND, SECOND } from "./time.js";

export { Driver };

/** Rules of a linear instrument with a tick of 0.1 and a step of 0.001; `changes` replace some of them. */
export function instrument(symbol, changes = {}) {
  return {
    symbol,
    priceDecimals: 1,
    quantityDecimals: 3,
    tick: 1n,
    step: 1n,
    minQuantity: 1n,
    maxQuantity: 1_000_000n,
    maxMarketQuantity: 100_000n,
    minNotional: 5_000_000_000_000_000_000n,
    takerFee: 550_000_000n,
    makerFee: 200_000_000n,
    ...changes,
  };
}

/**
 * A set-up for `Strategy`: the instruments and the parameters of its description with their defaults, replaced or completed
 * by `parameters`, an object of texts. The budget is 100,000, the start time 0.
 */
export function setup(Strategy, instruments, parameters = {}) {
  const described = complete(Strategy.describe()).parameters;
  const unknown = Object.keys(parameters).find((name) => !described.some((known) => known.name === name));
  if (unknown !== undefined) throw new InitError("bad-parameter", `${unknown}: not in the description`);
  const values = described.map((known) => {
    const value = parameters[known.name] ?? known.default;
    if (value === undefined) throw new InitError("bad-parameter", `${known.name}: missing`);
    return [known.name, value];
  });
  return new Setup({ parameters: values, instruments, budget: 100_000n * 10n ** 18n, startTime: 0n });
}

const CODES = new Map([...KINDS].map(([code, kind]) => [kind.prototype.kind, code]));

/** The record of an event: `kind` as in `wit/frame.md`, and the fields of its class. */
function record({ kind, ...values }) {
  const code = CODES.get(kind);
  const { bytes, fields } = KINDS.get(code);
  const written = Object.entries(fields).filter(([, field]) => field.write !== undefined);
  const extra = written.reduce((sum, [name, field]) => sum + (field.bytes?.(values[name]) ?? 0), 0);
  const length = Math.ceil((bytes + extra) / 8) * 8;
  const view = new DataView(new ArrayBuffer(length));
  view.setUint16(0, code, true);
  view.setUint16(2, length, true);
  view.setUint32(4, 0xffff_ffff, true);
  for (const [name, field] of written) {
    if (values[name] === undefined && name !== "instrument" && name !== "order") {
      throw new TypeError(`a ${kind} needs ${name}`);
    }
    field.write(view, 0, values[name]);
  }
  return new Uint8Array(view.buffer);
}

/** Builds a frame out of events: `new FrameBuilder(0n).event({ kind: "timer", time: 1n, id: 7n }).finish()`. */
export class FrameBuilder {
  #lookahead;
  #records = [];

  constructor(lookahead) {
    this.#lookahead = lookahead;
  }

  /** Adds an event. */
  event(event) {
    return this.record(record(event));
  }

  /** Adds raw bytes as one record, header included, such as one of a kind that this SDK does not know. */
  record(bytes) {
    if (bytes.length < RECORD_HEADER_BYTES) throw new RangeError("a record has at least 16 bytes");
    this.#records.push(bytes);
    return this;
  }

  /** The frame. */
  finish() {
    const count = this.#records.length;
    const length = this.#records.reduce((sum, bytes) => sum + bytes.length, HEADER_BYTES);
    if (count < 1 || count > RECORDS_MAX || length > FRAME_BYTES_MAX) throw new RangeError("no such frame");
    const frame = new Uint8Array(length);
    const view = new DataView(frame.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint16(4, VERSION, true);
    view.setBigUint64(8, this.#lookahead, true);
    view.setUint32(16, count, true);
    view.setUint32(20, length, true);
    this.#records.reduce((at, bytes) => {
      frame.set(bytes, at);
      return at + bytes.length;
    }, HEADER_BYTES);
    return frame;
  }
}

/**
 * Plays the market and the host for one strategy, one event at a time; every event comes one millisecond after the last.
 *
 * It keeps book of the orders that the strategy places and of the position, so that a test says only what happens to an
 * order. Nothing happens by itself. Each call returns the actions that it caused, as `{ tag, val }`.
 */
export class Harness {
  #Strategy;
  #setup;
  #driver;
  #orders = new Map();
  #positions = new Map();

  constructor(Strategy, instruments, parameters = {}) {
    this.#Strategy = Strategy;
    this.#setup = () => setup(Strategy, instruments, parameters);
    this.#driver = new Driver(Strategy, this.#setup());
    /** Time of the next event. */
    this.now = 1_700_000_000n * SECOND;
  }

  /** The strategy. */
  get strategy() {
    return this.#driver.strategy;
  }

  /** Sends any event, alone in its frame, and lets a millisecond pass. */
  send(kind, fields) {
    const event = { kind, time: this.now, venueTime: this.now, ...fields };
    this.now = event.time + MILLISECOND;
    const { actions } = this.#driver.onFrame(new FrameBuilder(0n).event(event).finish());
    const bodies = actions.map(({ body }) => body);
    for (const { tag, val } of bodies) {
      if (tag === "place") this.#orders.set(BigInt(this.#orders.size + 1), { ...val, executed: 0n });
      const amended = tag === "amend" ? this.#orders.get(val.order) : undefined;
      if (amended !== undefined) {
        amended.quantity = val.quantity ?? amended.quantity;
        amended.kind = val.price === undefined ? amended.kind : { tag: "limit", val: val.price };
      }
    }
    return bodies;
  }

  /** A public trade; price and quantity are text. */
  trade(on, price, quantity, taker) {
    const known = this.#instrument(on);
    return this.send("trade", {
      instrument: on,
      price: known.parsePrice(price),
      quantity: known.parseQuantity(quantity),
      taker,
    });
  }

  /** Best bid and ask, with a quantity of one each. */
  quote(on, bid, ask) {
    const known = this.#instrument(on);
    const one = known.parseQuantity("1");
    return this.send("quote", {
      instrument: on,
      bid: known.parsePrice(bid),
      bidQuantity: one,
      ask: known.parsePrice(ask),
      askQuantity: one,
    });
  }

  /** A timer that fires. */
  timer(id) {
    return this.send("timer", { id });
  }

  /** What became of an order, with the price and quantity it has after its amends. */
  order(number, status) {
    const { instrument, tag, kind, quantity, executed, side } = this.#placed(number);
    const price = kind.val ?? 0n;
    const fields = { instrument, order: number, tag, price, quantity, executed, side, status, reasonNumber: 0 };
    return this.send("own-order", fields);
  }

  /** An execution: the fill, then the order's new state, then the position. Fee and money are zero. */
  fill(number, price, quantity) {
    const order = this.#placed(number);
    const known = this.#instrument(order.instrument);
    const filled = known.parseQuantity(quantity);
    order.executed += filled;
    const actions = this.send("fill", {
      instrument: order.instrument,
      order: number,
      tag: order.tag,
      price: known.parsePrice(price),
      quantity: filled,
      fee: 0n,
      side: order.side,
      liquidity: order.kind.tag === "market" ? "taker" : "maker",
      executed: order.executed,
    });
    actions.push(...this.order(number, order.executed >= order.quantity ? "filled" : "partially-filled"));
    const held = this.#positions.get(order.instrument) ?? 0n;
    this.#positions.set(order.instrument, order.side === "buy" ? held + filled : held - filled);
    return actions.concat(this.#position(order.instrument));
  }

  /** A refusal of an action on an order. */
  refuse(number, action, code) {
    const { instrument, tag } = this.#placed(number);
    return this.send("refusal", { instrument, order: number, tag, code, action });
  }

  /** A restart: the strategy's snapshot moves into a new instance. */
  restart() {
    const fresh = new Driver(this.#Strategy, this.#setup());
    fresh.restore(complete(this.#Strategy.describe()).snapshotVersion, this.#driver.snapshot());
    this.#driver = fresh;
  }

  /** A resync: the given orders are still working, no other is; then every position. */
  resync(open) {
    const actions = this.send("resync", { openOrders: open.length, nextOrder: BigInt(this.#orders.size + 1) });
    for (const number of open) actions.push(...this.order(number, "working"));
    this.#driver.ctx.instruments.forEach((_, on) => actions.push(...this.#position(on)));
    return actions;
  }

  #position(on) {
    const quantity = this.#positions.get(on) ?? 0n;
    return this.send("position", { instrument: on, quantity, cost: 0n, realised: 0n, fees: 0n });
  }

  #placed(number) {
    const order = this.#orders.get(number);
    if (order === undefined) throw new RangeError(`order ${number} was never placed`);
    return order;
  }

  #instrument(on) {
    return this.#driver.ctx.instruments[on];
  }
}
