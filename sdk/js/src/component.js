/**
 * A strategy as a component: the exports of `wit/v0.1`, wired to the driver. `portcullis strategy build` makes the module
 * that calls {@link component}; a strategy does not.
 */

import { complete } from "./description.js";
import { Driver } from "./driver.js";
import { InitError, RestoreError } from "./errors.js";
import { Setup } from "./setup.js";

/** The export `guest` of a component that runs `Strategy`. A component has one thread and one instance. */
export function component(Strategy) {
  let driver;
  return {
    describe: () => complete(Strategy.describe()),

    init(setup) {
      driver = answering(InitError, (error) => ({ tag: error.kind, val: error.message }), () => {
        return new Driver(Strategy, setupOf(setup));
      });
    },

    onFrame: (frame) => driver.onFrame(frame),

    snapshot: () => driver.snapshot(),

    restore(version, bytes) {
      answering(RestoreError, (error) => ({ tag: error.kind }), () => driver.restore(version, bytes));
    },
  };
}

/** Answers with the error's variant instead of trapping, as a function with a result does. */
function answering(Kind, variant, call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof Kind) throw variant(error);
    throw error;
  }
}

function setupOf({ parameters, instruments, budget, startTime }) {
  const rules = instruments.map((instrument) => ({ ...instrument, minNotional: amountOf(instrument.minNotional) }));
  return new Setup({ parameters, instruments: rules, budget: amountOf(budget), startTime });
}

function amountOf({ high, low }) {
  return (high << 64n) | low;
}
