//! Set-ups to start a strategy with.

use crate::{Amount, InitError, Instrument, InstrumentId, Price, Qty, Rate, Setup, Strategy, Time};

/// A linear instrument with a tick of 0.1, a step of 0.001, one price decimal and three quantity decimals.
///
/// Change what a test needs with struct update: `Instrument { tick: …, ..testing::instrument("linear:BTCUSDT") }`.
#[must_use]
pub fn instrument(symbol: &str) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: symbol.to_owned(),
        price_decimals: 1,
        quantity_decimals: 3,
        tick: Price::from_mantissa(1),
        step: Qty::from_mantissa(1),
        min_quantity: Qty::from_mantissa(1),
        max_quantity: Qty::from_mantissa(1_000_000),
        max_market_quantity: Qty::from_mantissa(100_000),
        min_notional: Amount::from_units(5_000_000_000_000_000_000),
        taker_fee: Rate::from_units(550_000_000),
        maker_fee: Rate::from_units(200_000_000),
        trading: true,
    }
}

/// A set-up for `S`: the given instruments, numbered in their order, and the parameters of the description with their
/// defaults, replaced or completed by `parameters`. The budget is 100,000, the start time 0.
///
/// # Errors
///
/// [`InitError::BadParameter`] if a parameter has neither a default nor a value, or a value names no parameter.
pub fn setup<S: Strategy>(
    instruments: &[Instrument],
    parameters: &[(&str, &str)],
) -> Result<Setup, InitError> {
    let described = S::describe().parameters;
    if let Some((name, _)) =
        parameters.iter().find(|(name, _)| !described.iter().any(|known| known.name == *name))
    {
        return Err(InitError::BadParameter(format!("{name}: not in the description")));
    }
    let mut values = Vec::new();
    for parameter in described {
        let given =
            parameters.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| (*value).to_owned());
        match given.or(parameter.default) {
            Some(value) => values.push((parameter.name, value)),
            None => return Err(InitError::BadParameter(format!("{}: missing", parameter.name))),
        }
    }
    let numbered = (0..)
        .map(InstrumentId)
        .zip(instruments)
        .map(|(id, instrument)| Instrument { id, ..instrument.clone() });
    Ok(Setup {
        parameters: values,
        instruments: numbered.collect(),
        budget: Amount::from_units(100_000 * 1_000_000_000_000_000_000),
        start_time: Time::from_nanos(0),
    })
}
