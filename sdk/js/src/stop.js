/**
 * The stop rule of `wit/frame.md`, here and nowhere else; `wit/v0.1/golden/stop-rule.json` pins it.
 *
 * A frame may hold events that lie after the consequences of a strategy's own actions. Nothing that an action causes can be
 * seen earlier than the lookahead L after its cause, so a strategy may read on until then, and no further.
 */

export const TIMERS_MAX = 64;
export const ACTIONS_PER_EVENT_MAX = 32;
const ACTIONS_PER_FRAME_MAX = 4_096;

/** Where the strategy has to stop reading the frame, and the timers, whose times the rule needs. */
export class Stop {
  constructor() {
    this.lookahead = 0n;
    /** Events at or after this time are not read in this call; undefined: all are. */
    this.bound = undefined;
    /** Time by timer id. */
    this.timers = new Map();
  }

  /** Starts a frame whose header carries `lookahead` nanoseconds. Timers stay. */
  startFrame(lookahead) {
    this.lookahead = lookahead;
    this.bound = undefined;
  }

  /** Notes an action with a consequence (any but log, metric and set-timer), caused at `now`. */
  action(now) {
    this.#arm(now + this.lookahead);
  }

  /** Sets, moves or, without `at`, removes a timer, caused at `now`. False, and nothing changes, if it would be the 65th. */
  setTimer(now, id, at) {
    const old = this.timers.get(id);
    if (old === undefined && at !== undefined && this.timers.size >= TIMERS_MAX) return false;
    // The old firing may lie in this frame already; it must not be read.
    if (old !== undefined) this.#arm(old);
    this.timers.delete(id);
    if (at !== undefined) {
      this.timers.set(id, at);
      this.#arm(at > now ? at : now);
    }
    return true;
  }

  /** Notes that a timer has fired and so is no longer set. */
  timerFired(id) {
    this.timers.delete(id);
  }

  /** Forgets every timer, as the host does at a resync. */
  forgetTimers() {
    this.timers.clear();
  }

  /** Whether the strategy must stop before the record that `frame` stands at, having caused `actions` actions in this frame. */
  stopsBefore(frame, actions) {
    if (actions > ACTIONS_PER_FRAME_MAX - ACTIONS_PER_EVENT_MAX) return true;
    return this.bound !== undefined && frame.time >= this.bound;
  }

  #arm(bound) {
    if (this.bound === undefined || bound < this.bound) this.bound = bound;
  }
}
