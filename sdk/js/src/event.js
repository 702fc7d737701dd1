/** What a strategy sees: one class per record kind, written down like the table of `wit/frame.md`. */

import { amount, derived, id, mapped, named, number, time, u16, u32, u8, word } from "./fields.js";
import { FrameError } from "./errors.js";
import { levels } from "./levels.js";
import { refusalName } from "./refusal.js";
import {
  GAP_CAUSES,
  INSTRUMENT_STATUSES,
  LIQUIDITIES,
  REFUSED_ACTIONS,
  SIDES,
  STATUSES,
  TRADING_STATES,
  reasonWord,
} from "./words.js";

const NO_INSTRUMENT = 0xffff_ffff;
const PAYLOAD_BYTES_MAX = 1_024;

/** The id of the instrument that a record is about. */
const INSTRUMENT = mapped(
  u32(4),
  (id) => (id === NO_INSTRUMENT ? undefined : id),
  (id) => id ?? NO_INSTRUMENT,
);

/** Record kinds by number. A kind that is not here is skipped. */
export const KINDS = new Map();

/**
 * Makes the class of a kind. `bytes` is the least a record must have, `handler` the strategy's method that gets it,
 * `instrument` whether it always has one (`must`), may have one (`may`) or never (`none`).
 */
function kind(code, name, bytes, handler, instrument, fields) {
  const all = { time: time(8), ...(instrument === "none" ? {} : { instrument: INSTRUMENT }), ...fields };
  const checks = Object.values(fields).flatMap((field) => field.check ?? []);

  class Event {
    constructor(view, at) {
      this.view = view;
      this.at = at;
    }

    /** Every field by name, for printing and comparing. */
    toJSON() {
      return Object.fromEntries(Object.keys(all).map((name) => [name, this[name]]));
    }
  }
  for (const [name, { read }] of Object.entries(all)) {
    Object.defineProperty(Event.prototype, name, {
      get() {
        return read(this.view, this.at);
      },
      enumerable: true,
    });
  }
  Event.prototype.kind = name;
  Object.assign(Event, { code, bytes, handler, instrumentIs: instrument, fields: all });
  /** The event of a record of `length` bytes; throws a FrameError if it is too short or has an unknown value. */
  Event.decode = (view, at, length) => {
    if (length < bytes) throw new FrameError(`a ${name} record of ${length} bytes`);
    for (const check of checks) {
      if (!check(view, at, length)) throw new FrameError(`unknown value in a ${name} record`);
    }
    return new Event(view, at);
  };
  KINDS.set(code, Event);
  return Event;
}

/** A public trade; `taker` is the side of the order that took liquidity. */
export const Trade = kind(1, "trade", 48, "onTrade", "must", {
  venueTime: time(16),
  price: number(24),
  quantity: number(32),
  taker: named("side", word(40, SIDES)),
});

/** Best bid and ask; a side without orders has quantity 0 and a meaningless price. */
export const Quote = kind(2, "quote", 56, "onQuote", "must", {
  venueTime: time(16),
  bid: named("bid_price", number(24)),
  bidQuantity: number(32),
  ask: named("ask_price", number(40)),
  askQuantity: number(48),
});

/** The best levels of the book: `bids` and `asks` are arrays of `{ price, quantity }`, best first. */
export const Book = kind(3, "book", 40, "onBook", "must", {
  venueTime: time(16),
  update: id(24),
  ...levels(40, 32, 34),
});

/** A closed bar; `venueTime` is when it closed. */
export const Bar = kind(4, "bar", 80, "onBar", "must", {
  venueTime: time(16),
  openTime: time(24),
  intervalSeconds: named("interval", u32(32)),
  open: number(40),
  high: number(48),
  low: number(56),
  close: number(64),
  volume: number(72),
});

/** A funding rate; positive means that long positions pay. */
export const Funding = kind(5, "funding", 40, "onFunding", "must", {
  venueTime: time(16),
  rate: number(24),
  nextTime: time(32),
});

/** Mark and index price as amounts; the index is 0n when unknown. */
export const Mark = kind(6, "mark", 56, "onMark", "must", {
  venueTime: time(16),
  mark: amount(24),
  index: amount(40),
});

/** A change of an own order. */
export const OwnOrder = kind(7, "own-order", 72, "onOwnOrder", "must", {
  venueTime: time(16),
  order: id(24),
  tag: id(32),
  price: number(40),
  quantity: number(48),
  executed: number(56),
  side: word(64, SIDES),
  status: word(65, STATUSES),
  reasonNumber: named("reason", u16(66)),
  reason: derived(u16(66), reasonWord),
});

/** An execution of an own order; `executed` counts this one in, a negative `fee` is a rebate. */
export const Fill = kind(8, "fill", 88, "onFill", "must", {
  venueTime: time(16),
  order: id(24),
  tag: id(32),
  price: number(40),
  quantity: number(48),
  fee: amount(56),
  side: word(72, SIDES),
  liquidity: word(73, LIQUIDITIES),
  executed: number(80),
});

/** The host refused an action; nothing was sent. `order` is undefined if the action named none. */
export const Refusal = kind(9, "refusal", 40, "onRefusal", "may", {
  order: mapped(
    id(16),
    (order) => (order === 0n ? undefined : order),
    (order) => order ?? 0n,
  ),
  tag: id(24),
  code: u16(32),
  name: derived(u16(32), refusalName),
  action: word(34, REFUSED_ACTIONS),
});

/** The position in an instrument; a negative quantity is short. */
export const Position = kind(10, "position", 72, "onPosition", "must", {
  quantity: number(16),
  cost: amount(24),
  realised: amount(40),
  fees: amount(56),
});

/** The strategy's capital, what of it is free for new orders, and what the host lets through. */
export const Budget = kind(11, "budget", 56, "onBudget", "none", {
  capital: amount(16),
  free: amount(32),
  state: word(48, TRADING_STATES),
});

/** New trading rules of an instrument; `ctx.instrument` has them already when the handler runs. */
export const InstrumentUpdate = kind(12, "instrument", 104, "onInstrument", "must", {
  status: word(16, INSTRUMENT_STATUSES),
  priceDecimals: u8(17),
  quantityDecimals: u8(18),
  tick: number(24),
  step: number(32),
  minQuantity: number(40),
  maxQuantity: number(48),
  maxMarketQuantity: number(56),
  minNotional: amount(64),
  takerFee: number(80),
  makerFee: number(88),
  venueTime: time(96),
});

/** A timer fired; it is no longer set. */
export const TimerFired = kind(13, "timer", 24, "onTimer", "none", { id: id(16) });

/** Market data was left out; `dropped` is 0 when nobody knows how much. */
export const Gap = kind(14, "gap", 24, "onGap", "may", { dropped: u32(16), cause: word(20, GAP_CAUSES) });

/** The warm-up is over; orders are possible from here on. */
export const WarmUpEnd = kind(15, "warm-up-boundary", 16, "onWarmUpEnd", "none", {});

/** The truth after a restart: own open orders, position, budget and books follow with the same time. */
export const Resync = kind(16, "resync", 32, "onResync", "none", { openOrders: u32(16), nextOrder: id(24) });

/** An input from outside that the manifest declares; `payload` is a Uint8Array. */
export const Signal = kind(17, "signal", 24, "onSignal", "may", {
  channel: u16(16),
  payload: {
    read: (view, at) => payload(view, at, view.getUint16(at + 18, true)),
    write: (view, at, value) => {
      view.setUint16(at + 18, value.length, true);
      payload(view, at, value.length).set(value);
    },
    bytes: (value) => value.length,
    check: (view, at, length) => {
      const bytes = view.getUint16(at + 18, true);
      return bytes <= PAYLOAD_BYTES_MAX && 24 + bytes <= length;
    },
  },
});

function payload(view, at, length) {
  return new Uint8Array(view.buffer, view.byteOffset + at + 24, length);
}
