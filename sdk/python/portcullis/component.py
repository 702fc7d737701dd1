"""A strategy as a component: the exports of ``wit/v0.1``, wired to the driver.

``portcullis strategy build`` makes the module that calls :func:`component`; a strategy does not. ``wit_world`` is there only
inside a component.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import guest as wit

from . import actions, description
from .driver import Driver
from .errors import InitError, InitErrorKind, RestoreError, RestoreErrorKind
from .instrument import Instrument
from .setup import Setup
from .strategy import Strategy

# The one instance of a component. It lives in the module, because every call comes on a new object of the exported class.
_driver: Driver | None = None


def component(strategy: type[Strategy]) -> type[exports.Guest]:
    """The class ``Guest`` of a component that runs ``strategy``."""

    class Guest(exports.Guest):
        def describe(self) -> wit.Description:
            return _description(strategy.describe())

        def init(self, setup: wit.Setup) -> None:
            global _driver
            try:
                _driver = Driver(strategy, _setup(setup))
            except InitError as error:
                raise Err(_INIT_ERRORS[error.kind](error.text)) from error

        def on_frame(self, frame: bytes) -> wit.Outcome:
            outcome = _driver.on_frame(frame)
            return wit.Outcome(
                outcome.consumed, [wit.Action(cause, _action(action)) for cause, action in outcome.actions]
            )

        def snapshot(self) -> bytes:
            return _driver.snapshot()

        def restore(self, version: int, bytes: bytes) -> None:
            try:
                _driver.restore(version, bytes)
            except RestoreError as error:
                raise Err(_RESTORE_ERRORS[error.kind]()) from error

    return Guest


_INIT_ERRORS = {
    InitErrorKind.BAD_PARAMETER: wit.InitError_BadParameter,
    InitErrorKind.UNSUITABLE_INSTRUMENT: wit.InitError_UnsuitableInstrument,
    InitErrorKind.OTHER: wit.InitError_Other,
}

_RESTORE_ERRORS = {
    RestoreErrorKind.UNSUPPORTED_VERSION: wit.RestoreError_UnsupportedVersion,
    RestoreErrorKind.MALFORMED: wit.RestoreError_Malformed,
}

_SIDES = {actions.Side.BUY: wit.Side.BUY, actions.Side.SELL: wit.Side.SELL}

_TIMES_IN_FORCE = {
    actions.TimeInForce.GTC: wit.TimeInForce.GTC,
    actions.TimeInForce.IOC: wit.TimeInForce.IOC,
    actions.TimeInForce.FOK: wit.TimeInForce.FOK,
    actions.TimeInForce.POST_ONLY: wit.TimeInForce.POST_ONLY,
}

_DIRECTIONS = {
    actions.TriggerDirection.RISE: wit.TriggerDirection.RISE,
    actions.TriggerDirection.FALL: wit.TriggerDirection.FALL,
}

_LEVELS = {
    actions.LogLevel.DEBUG: wit.LogLevel.DEBUG,
    actions.LogLevel.INFO: wit.LogLevel.INFO,
    actions.LogLevel.WARN: wit.LogLevel.WARN,
    actions.LogLevel.ERROR: wit.LogLevel.ERROR,
}


def _setup(setup: wit.Setup) -> Setup:
    instruments = [
        Instrument(
            id=id,
            symbol=it.symbol,
            price_decimals=it.price_decimals,
            quantity_decimals=it.quantity_decimals,
            tick=it.tick,
            step=it.step,
            min_quantity=it.min_quantity,
            max_quantity=it.max_quantity,
            max_market_quantity=it.max_market_quantity,
            min_notional=_amount(it.min_notional),
            taker_fee=it.taker_fee,
            maker_fee=it.maker_fee,
        )
        for id, it in enumerate(setup.instruments)
    ]
    return Setup(setup.parameters, instruments, _amount(setup.budget), setup.start_time)


def _amount(amount: wit.Amount) -> int:
    return amount.high << 64 | amount.low


def _description(it: description.Description) -> wit.Description:
    parameters = [wit.Parameter(p.name, p.doc, _parameter_kind(p.kind), p.default) for p in it.parameters]
    subscriptions = [wit.Subscription(s.symbol, _stream(s.stream)) for s in it.subscriptions]
    return wit.Description(it.name, it.version, parameters, subscriptions, it.metrics, it.snapshot_version)


def _parameter_kind(kind) -> wit.ParameterKind:
    match kind:
        case description.IntegerRange(min, max):
            return wit.ParameterKind_Integer(wit.IntegerRange(min, max))
        case description.DecimalRange(min, max):
            return wit.ParameterKind_Decimal(wit.DecimalRange(min, max))
        case description.Boolean():
            return wit.ParameterKind_Boolean()
        case description.Choice(words):
            return wit.ParameterKind_Choice(list(words))
    raise TypeError(f"no kind of parameter: {kind}")


def _stream(stream: description.Stream) -> wit.Stream:
    match stream.kind:
        case "trades":
            return wit.Stream_Trades()
        case "quotes":
            return wit.Stream_Quotes()
        case "book":
            return wit.Stream_Book(stream.levels)
        case "bars":
            return wit.Stream_Bars(wit.Bars(stream.interval_seconds, stream.warm_up))
        case "funding":
            return wit.Stream_Funding()
        case "mark":
            return wit.Stream_Mark()
    raise ValueError(f"no stream: {stream.kind}")


def _action(action: actions.Action) -> wit.ActionBody:
    match action:
        case actions.Place():
            return wit.ActionBody_Place(_place(action))
        case actions.Amend(order, price, quantity):
            return wit.ActionBody_Amend(wit.Amend(order, price, quantity))
        case actions.Cancel(order):
            return wit.ActionBody_Cancel(order)
        case actions.CancelAll(instrument):
            return wit.ActionBody_CancelAll(instrument)
        case actions.Flatten(instrument):
            return wit.ActionBody_Flatten(instrument)
        case actions.SetTimer(id, at):
            return wit.ActionBody_SetTimer(wit.Timer(id, at))
        case actions.Log(level, message):
            return wit.ActionBody_Log(wit.LogLine(_LEVELS[level], message))
        case actions.Metric(name, value):
            return wit.ActionBody_Metric(wit.Metric(name, value))
    raise TypeError(f"no action: {action}")


def _place(place: actions.Place) -> wit.Place:
    match place.kind:
        case actions.Limit(price):
            kind = wit.OrderKind_Limit(price)
        case _:
            kind = wit.OrderKind_Market()
    trigger = place.trigger and wit.Trigger(place.trigger.price, _DIRECTIONS[place.trigger.direction])
    return wit.Place(
        place.instrument,
        _SIDES[place.side],
        place.quantity,
        kind,
        _TIMES_IN_FORCE[place.time_in_force],
        place.reduce_only,
        trigger,
        place.take_profit,
        place.stop_loss,
        place.good_till,
        place.tag,
    )
