"""The stop rule of ``wit/frame.md``, here and nowhere else; ``wit/v0.1/golden/stop-rule.json`` pins it.

A frame may hold events that lie after the consequences of a strategy's own actions. Nothing that an action causes can be seen
earlier than the lookahead L after its cause, so a strategy may read on until then, and no further.
"""

TIMERS_MAX = 64
ACTIONS_PER_EVENT_MAX = 32
ACTIONS_PER_FRAME_MAX = 4_096
# With more actions than this, a list could not take those of one more event.
_FULL_ABOVE = ACTIONS_PER_FRAME_MAX - ACTIONS_PER_EVENT_MAX
# No time is as late as this.
_NEVER = 1 << 65


class Stop:
    """Where the strategy has to stop reading the frame, and the timers, whose times the rule needs."""

    __slots__ = ("bound", "lookahead", "timers")

    def __init__(self):
        self.lookahead = 0
        # Events at or after this time are not read in this call.
        self.bound = _NEVER
        # Time by timer id.
        self.timers: dict[int, int] = {}

    def start_frame(self, lookahead: int) -> None:
        """Starts a frame whose header carries ``lookahead`` nanoseconds. Timers stay."""
        self.lookahead = lookahead
        self.bound = _NEVER

    def action(self, now: int) -> None:
        """Notes an action with a consequence (any but log, metric and set-timer), caused at ``now``."""
        self.bound = min(self.bound, now + self.lookahead)

    def set_timer(self, now: int, id: int, at: int | None) -> bool:
        """Sets, moves or removes a timer, caused at ``now``. False, and nothing changes, if it would be the 65th."""
        old = self.timers.get(id)
        if old is None and at is not None and len(self.timers) >= TIMERS_MAX:
            return False
        if old is not None:
            # The old firing may lie in this frame already; it must not be read.
            self.bound = min(self.bound, old)
            del self.timers[id]
        if at is not None:
            self.timers[id] = at
            self.bound = min(self.bound, max(at, now))
        return True

    def timer_fired(self, id: int) -> None:
        """Notes that a timer has fired and so is no longer set."""
        self.timers.pop(id, None)

    def forget_timers(self) -> None:
        """Forgets every timer, as the host does at a resync."""
        self.timers.clear()

    def stops_before(self, time: int, actions: int) -> bool:
        """Whether to stop before an event at ``time``, having caused ``actions`` actions in this frame."""
        return time >= self.bound or actions > _FULL_ABOVE
