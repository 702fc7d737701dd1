/**
 * Moving-average cross: the smallest strategy worth running.
 *
 * Two exponential averages follow the trade price. When the fast one crosses above the slow one, buy; when it crosses
 * below, sell. Plain market orders, one per cross, on every symbol that the manifest names.
 *
 * What to learn here: a description with parameters, one state per instrument, floats for indicators while sizes stay exact
 * (they are bigints), and a snapshot, so that a restart does not forget the averages.
 */

import { InitError, RestoreError, StateReader, StateWriter, boolean, decimal, integer, trades } from "@portcullis/sdk";

export default class EmaCross {
  static describe() {
    return {
      name: "ema-cross-js",
      version: "0.1.0",
      parameters: [
        integer("fast", "Length of the fast average, in trades.", 1, 10_000, 10),
        integer("slow", "Length of the slow average, in trades.", 2, 10_000, 20),
        decimal("size", "Quantity of each order, in the base coin.", "0.00001", "1000", "0.01"),
        boolean("orders", "Whether to place orders; otherwise crosses are only counted.", true),
      ],
      subscriptions: [trades()],
      metrics: ["crosses"],
      snapshotVersion: 1,
    };
  }

  #markets;
  #orders;
  #crosses = 0;

  constructor(setup) {
    const [fast, slow] = [setup.integer("fast"), setup.integer("slow")];
    // The host checks each parameter by itself; what they mean together is ours to check.
    if (fast >= slow) throw new InitError("bad-parameter", "fast: must be below slow");
    this.#markets = setup.instruments.map((instrument) => {
      const size = instrument.roundDownToStep(setup.quantity("size", instrument));
      if (size < instrument.minQuantity) {
        throw new InitError("bad-parameter", `size: below the minimum of ${instrument.symbol}`);
      }
      return { size, averages: new Averages(fast, slow) };
    });
    this.#orders = setup.boolean("orders");
  }

  onTrade(trade, ctx) {
    const on = trade.instrument;
    const { size, averages } = this.#markets[on];
    // Indicators may round, so they may be floats. Prices and sizes of orders never are.
    const cross = averages.update(ctx.instrument(on).priceToNumber(trade.price));
    if (cross === undefined) return;
    if (!this.#orders) {
      this.#crosses += 1;
      ctx.metric("crosses", this.#crosses);
    } else if (cross === "up") {
      ctx.buy(on).market(size).tag(1);
    } else {
      ctx.sell(on).market(size).tag(2);
    }
  }

  snapshot() {
    return this.#markets.reduce((writer, { averages }) => averages.save(writer), new StateWriter()).finish();
  }

  restore(version, bytes) {
    if (version !== 1) throw new RestoreError("unsupported-version");
    const state = new StateReader(bytes);
    for (const { averages } of this.#markets) averages.load(state);
    state.finish();
  }
}

/** The two averages of one instrument. */
class Averages {
  #fastWeight;
  #slowWeight;
  /** Trades still to come until the slow average means something. */
  #warmUpLeft;
  /** Undefined before the first trade. */
  #values;
  /** Whether the fast average was above the slow one; undefined before the warm-up is over. */
  #above;

  constructor(fast, slow) {
    this.#fastWeight = 2 / (fast + 1);
    this.#slowWeight = 2 / (slow + 1);
    this.#warmUpLeft = slow;
  }

  /** Takes the next price and says whether the averages crossed: `up`, `down` or undefined. */
  update(price) {
    const before = this.#values ?? { fast: price, slow: price };
    const fast = this.#fastWeight * price + (1 - this.#fastWeight) * before.fast;
    const slow = this.#slowWeight * price + (1 - this.#slowWeight) * before.slow;
    this.#values = { fast, slow };

    this.#warmUpLeft = Math.max(this.#warmUpLeft - 1, 0);
    if (this.#warmUpLeft > 0) return undefined;
    const [was, above] = [this.#above, fast > slow];
    this.#above = above;
    if (was === undefined || was === above) return undefined;
    return above ? "up" : "down";
  }

  save(writer) {
    return writer
      .u32(this.#warmUpLeft)
      .optional(this.#values, (w, { fast, slow }) => w.f64(fast).f64(slow))
      .optional(this.#above, (w, above) => w.boolean(above));
  }

  load(state) {
    this.#warmUpLeft = state.u32();
    this.#values = state.optional((s) => ({ fast: s.f64(), slow: s.f64() }));
    this.#above = state.optional((s) => s.boolean());
  }
}
