/** What a strategy is told once, before its first event. */

import { InitError } from "./errors.js";
import { Instrument } from "./instrument.js";

/**
 * What a strategy is told once: `instruments` (an instrument's id is its index), `budget` (amount) and `startTime`, and its
 * parameters, which the host has checked against the description one by one.
 */
export class Setup {
  #parameters;

  constructor({ parameters, instruments, budget, startTime }) {
    this.#parameters = new Map(parameters);
    this.instruments = instruments.map((fields, id) => new Instrument({ trading: true, ...fields, id }));
    this.budget = budget;
    this.startTime = startTime;
  }

  /** The text of a parameter. */
  text(name) {
    const text = this.#parameters.get(name);
    if (text === undefined) throw badParameter(name, "missing");
    return text;
  }

  /** A whole number. */
  integer(name) {
    const value = Number(this.text(name));
    if (!/^-?[0-9]+$/.test(this.text(name)) || !Number.isSafeInteger(value)) {
      throw badParameter(name, "not a whole number");
    }
    return value;
  }

  /** A decimal as a float, for indicators. It rounds: take prices and quantities with `price` and `quantity`. */
  number(name) {
    const value = Number(this.text(name));
    if (this.text(name).trim() === "" || !Number.isFinite(value)) throw badParameter(name, "not a number");
    return value;
  }

  /** `true` or `false`. */
  boolean(name) {
    const text = this.text(name);
    if (text !== "true" && text !== "false") throw badParameter(name, "neither true nor false");
    return text === "true";
  }

  /** A price of `instrument`, exact. */
  price(name, instrument) {
    return exact(name, () => instrument.parsePrice(this.text(name)));
  }

  /** A quantity of `instrument`, exact. */
  quantity(name, instrument) {
    return exact(name, () => instrument.parseQuantity(this.text(name)));
  }
}

function exact(name, parse) {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) throw badParameter(name, error.message);
    throw error;
  }
}

function badParameter(name, problem) {
  return new InitError("bad-parameter", `${name}: ${problem}`);
}
