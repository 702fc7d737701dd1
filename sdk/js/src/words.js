/** The words behind the numbered bytes of a frame. `wit/frame.md` is the list; an index is a number on the wire. */

export const SIDES = [, "buy", "sell"];
export const STATUSES = [
  ,
  "submitted",
  "unknown",
  "working",
  "partially-filled",
  "filled",
  "cancelled",
  "rejected",
  "expired",
  "untriggered",
  "not-sent",
];
export const LIQUIDITIES = [, "maker", "taker"];
export const REFUSED_ACTIONS = [, "place", "amend", "cancel", "cancel-all", "flatten"];
export const TRADING_STATES = ["active", "caution", "reduce-only", "entries-cancelled", "flattening", "locked"];
export const INSTRUMENT_STATUSES = [, "trading", "not-trading"];
export const GAP_CAUSES = [, "conflation", "disconnect", "fault", "skipped-frame"];

const REASONS = [
  "none",
  "would-take",
  "no-liquidity",
  "reduce-only",
  "insufficient-margin",
  "price-limit",
  "by-strategy",
  "by-operator",
  "self-match",
  "good-till",
  "liquidation",
  "venue-rules",
];

/** Why an own order stands where it stands; `other` for 12 and for numbers that this SDK does not know yet. */
export function reasonWord(number) {
  return REASONS[number] ?? "other";
}

/** Whether an order of this status rests at the venue, so that it can be amended and cancelled. */
export function isResting(status) {
  return status === "working" || status === "partially-filled" || status === "untriggered";
}

/** Whether nothing more can happen to an order of this status. */
export function isClosed(status) {
  return ["filled", "cancelled", "rejected", "expired", "not-sent"].includes(status);
}
