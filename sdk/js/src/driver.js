/** Drives a strategy through frames: the one path that components and native tests share. */

import { RestoreError } from "./errors.js";
import { Context } from "./context.js";
import { FrameError } from "./errors.js";
import { Frame } from "./frame.js";
import * as snapshots from "./snapshot.js";

/** A strategy with its context: takes frames, returns outcomes. */
export class Driver {
  /** Makes the strategy; throws what its constructor throws. */
  constructor(Strategy, setup) {
    this.strategy = new Strategy(setup);
    this.ctx = new Context(setup);
    /** Records of kinds that this SDK does not know, skipped so far. */
    this.skipped = 0;
  }

  /**
   * Hands over a frame and takes the actions: `{ consumed, actions }`.
   *
   * Throws on a malformed frame. The strategy may have seen its first events, so the driver must not be used again.
   */
  onFrame(bytes) {
    const frame = new Frame(bytes);
    const { ctx } = this;
    ctx.stop.startFrame(frame.lookahead);
    let consumed = 0;
    while (frame.next()) {
      if (consumed > 0 && ctx.stop.stopsBefore(frame, ctx.actions.length)) break;
      ctx.startEvent(frame, consumed);
      const event = frame.event();
      if (event === undefined) this.skipped += 1;
      else this.#handle(event);
      consumed += 1;
    }
    return { consumed, actions: ctx.takeActions() };
  }

  /** The snapshot: the SDK's own bookkeeping, then the strategy's bytes. */
  snapshot() {
    const { placed, stop } = this.ctx;
    return snapshots.encode({ placed, timers: stop.timers }, this.strategy.snapshot?.() ?? []);
  }

  /** Takes over a snapshot of that version; throws a RestoreError if the SDK's or the strategy's part cannot be read. */
  restore(version, bytes) {
    const { placed, timers, state } = snapshots.decode(bytes);
    if (this.strategy.restore !== undefined) this.strategy.restore(version, state);
    else if (state.length > 0) throw new RestoreError("unsupported-version");
    this.ctx.placed = placed;
    this.ctx.stop.timers = timers;
  }

  #handle(event) {
    const { strategy, ctx } = this;
    const { handler, instrumentIs } = event.constructor;
    // Strategies index their state by instrument, so an id that the set-up does not have never reaches them.
    if (instrumentIs === "must" && ctx.instruments[event.instrument] === undefined) {
      throw new FrameError("unknown instrument");
    }
    switch (event.kind) {
      case "instrument":
        updateInstrument(ctx.instrument(event.instrument), event);
        break;
      case "timer":
        ctx.stop.timerFired(event.id);
        break;
      case "resync":
        // An instance without a snapshot, or one that ran in another's shadow, cannot have counted right.
        ctx.placed = event.nextOrder > 0n ? event.nextOrder - 1n : 0n;
        ctx.stop.forgetTimers();
        break;
      default:
        break;
    }
    strategy[handler]?.(event, ctx);
  }
}

/** Decimals are frozen, so they are not taken over. */
function updateInstrument(instrument, update) {
  instrument.trading = update.status === "trading";
  for (const field of [
    "tick",
    "step",
    "minQuantity",
    "maxQuantity",
    "maxMarketQuantity",
    "minNotional",
    "takerFee",
    "makerFee",
  ]) {
    instrument[field] = update[field];
  }
}
