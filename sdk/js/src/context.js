/** What a strategy acts through. */

import { i64, instrumentId, u64 } from "./range.js";
import { ACTIONS_PER_EVENT_MAX, Stop } from "./stop.js";

const LOG_LEVELS = ["debug", "info", "warn", "error"];

/**
 * What a strategy acts through: every handler gets one.
 *
 * Calls record *actions*; nothing is sent before the handler returns, and the host then checks every one. There is no answer
 * at once: what became of an order arrives later as an event (`onOwnOrder`, `onFill`, `onRefusal`).
 *
 * One event may cause at most 32 actions. One more throws, which ends the instance, as the host would otherwise do.
 */
export class Context {
  #startTime;
  #frame;
  #cause = 0;
  #actionsBefore = 0;

  constructor(setup) {
    this.#startTime = setup.startTime;
    /** Every instrument, by id, with its trading rules as of this event. */
    this.instruments = setup.instruments;
    /** For the driver. */
    this.stop = new Stop();
    this.actions = [];
    this.placed = 0n;
  }

  /** Time of the event being handled, in nanoseconds since 1970-01-01 UTC. */
  get now() {
    return this.#frame === undefined ? this.#startTime : this.#frame.time;
  }

  /** The trading rules of an instrument, as of this event. The ids that events carry always exist. */
  instrument(id) {
    return this.instruments[id];
  }

  /** Starts a buy order: `ctx.buy(id).market(size)` or `ctx.buy(id).limit(price, size)`. */
  buy(instrument) {
    return new NewOrder(this, "buy", instrument);
  }

  /** Starts a sell order. */
  sell(instrument) {
    return new NewOrder(this, "sell", instrument);
  }

  /**
   * Changes price, total quantity (executed part included), or both; what is left out stays.
   *
   * An order takes one command at a time: until its next own-order event a second one is refused `ORDER_BUSY`.
   */
  amend(order, { price, quantity }) {
    this.#act("amend", {
      order: u64(order, "order"),
      price: price === undefined ? undefined : i64(price, "price"),
      quantity: quantity === undefined ? undefined : i64(quantity, "quantity"),
    });
  }

  /** Cancels one order. */
  cancel(order) {
    this.#act("cancel", u64(order, "order"));
  }

  /** Cancels all own orders of an instrument, or of all with none. */
  cancelAll(instrument) {
    this.#act("cancel-all", instrument === undefined ? undefined : instrumentId(instrument));
  }

  /** Closes the position of an instrument: the host cancels the entries, then reduces to zero. */
  flatten(instrument) {
    this.#act("flatten", instrumentId(instrument));
  }

  /**
   * Sets a timer, or moves it if it is set; `onTimer` gets its id. A time in the past fires at once.
   *
   * At most 64 timers can be set at once. False if this would be one more: then nothing is set. A resync forgets every timer.
   */
  setTimer(id, at) {
    const timer = { id: u64(id, "timer id"), at: u64(at, "time") };
    const set = this.stop.setTimer(this.now, timer.id, timer.at);
    if (set) this.#push("set-timer", timer);
    return set;
  }

  /** Removes a timer; nothing happens if it is not set. */
  clearTimer(id) {
    const timer = { id: u64(id, "timer id"), at: undefined };
    this.stop.setTimer(this.now, timer.id, undefined);
    this.#push("set-timer", timer);
  }

  /** Writes a line to the strategy's log: `debug`, `info`, `warn` or `error`. The host cuts it at 1,024 bytes. */
  log(level, message) {
    if (!LOG_LEVELS.includes(level)) throw new TypeError(`no log level: ${level}`);
    this.#push("log", { level, message: String(message) });
  }

  /** Sets a gauge to a float. The description must name it; the host drops any other. */
  metric(name, value) {
    this.#push("metric", { name, value: Number(value) });
  }

  /** For NewOrder: records the action and returns the order's number. */
  place(order) {
    this.#act("place", order);
    this.placed += 1n;
    return this.placed;
  }

  /** For the driver: an event begins, record number `cause` of the frame. */
  startEvent(frame, cause) {
    this.#frame = frame;
    this.#cause = cause;
    this.#actionsBefore = this.actions.length;
  }

  /** For the driver: the actions of the frame, which then is over. */
  takeActions() {
    const { actions } = this;
    this.actions = [];
    return actions;
  }

  /** Records an action whose consequence the strategy will see. */
  #act(tag, val) {
    this.stop.action(this.now);
    this.#push(tag, val);
  }

  #push(tag, val) {
    if (this.actions.length - this.#actionsBefore >= ACTIONS_PER_EVENT_MAX) {
      throw new RangeError("one event may cause at most 32 actions");
    }
    this.actions.push({ cause: this.#cause, body: { tag, val } });
  }
}

/** An order that has side and instrument, but no price and quantity yet: nothing is placed before `market` or `limit`. */
class NewOrder {
  #ctx;
  #side;
  #instrument;

  constructor(ctx, side, instrument) {
    this.#ctx = ctx;
    this.#side = side;
    this.#instrument = instrumentId(instrument);
  }

  /** Places it at the market; what does not fill at once within the host's collar is cancelled. */
  market(quantity) {
    return this.#place(quantity, { tag: "market" }, "ioc");
  }

  /** Places it at `price` or better; it rests until cancelled. */
  limit(price, quantity) {
    return this.#place(quantity, { tag: "limit", val: i64(price, "price") }, "gtc");
  }

  #place(quantity, kind, timeInForce) {
    const order = {
      instrument: this.#instrument,
      side: this.#side,
      quantity: i64(quantity, "quantity"),
      kind,
      timeInForce,
      reduceOnly: false,
      trigger: undefined,
      takeProfit: undefined,
      stopLoss: undefined,
      goodTill: undefined,
      tag: 0n,
    };
    return new Placed(order, this.#ctx.place(order));
  }
}

/** An order that is placed already, open for its options until the handler returns. Options chain. */
export class Placed {
  #order;

  constructor(order, number) {
    this.#order = order;
    /** The order's number, to amend or cancel it and to know its events. */
    this.number = number;
  }

  /** Sets the strategy's own mark, echoed in every event of the order; 0 without it. */
  tag(tag) {
    return this.#with({ tag: u64(tag, "tag") });
  }

  /** The order may only reduce the position. */
  reduceOnly() {
    return this.#with({ reduceOnly: true });
  }

  /** A limit order that would take is cancelled instead. */
  postOnly() {
    return this.#with({ timeInForce: "post-only" });
  }

  /** What does not fill at once is cancelled. Market orders always are so. */
  immediateOrCancel() {
    return this.#with({ timeInForce: "ioc" });
  }

  /** The order fills whole at once or not at all. */
  fillOrKill() {
    return this.#with({ timeInForce: "fok" });
  }

  /** Holds the order back until the last price is at or above `price`. */
  whenRisenTo(price) {
    return this.#with({ trigger: { price: i64(price, "price"), direction: "rise" } });
  }

  /** Holds the order back until the last price is at or below `price`. */
  whenFallenTo(price) {
    return this.#with({ trigger: { price: i64(price, "price"), direction: "fall" } });
  }

  /** Attaches a take-profit to the position. */
  takeProfit(price) {
    return this.#with({ takeProfit: i64(price, "price") });
  }

  /** Attaches a stop-loss to the position. */
  stopLoss(price) {
    return this.#with({ stopLoss: i64(price, "price") });
  }

  /** The host cancels what is left at `time`. */
  goodTill(time) {
    return this.#with({ goodTill: u64(time, "time") });
  }

  #with(options) {
    Object.assign(this.#order, options);
    return this;
  }
}
