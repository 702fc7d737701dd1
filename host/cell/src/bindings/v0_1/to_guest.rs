//! Our types to the contract's.

use portcullis_core::{Amount, Category, InstrumentSpec};

use super::wit;
use crate::protocol::Setup;

pub(super) fn setup(setup: &Setup) -> wit::Setup {
    wit::Setup {
        parameters: setup.parameters.clone(),
        instruments: setup.instruments.iter().map(instrument).collect(),
        budget: amount(setup.budget),
        start_time: setup.start_time.0,
    }
}

fn instrument(spec: &InstrumentSpec) -> wit::Instrument {
    let category = match spec.category {
        Category::Linear => "linear",
        Category::Spot => "spot",
    };
    wit::Instrument {
        symbol: format!("{category}:{}", spec.symbol),
        price_decimals: spec.price_decimals,
        quantity_decimals: spec.quantity_decimals,
        tick: spec.tick.0,
        step: spec.step.0,
        min_quantity: spec.min_quantity.0,
        max_quantity: spec.max_quantity.0,
        max_market_quantity: spec.max_market_quantity.0,
        min_notional: amount(spec.min_notional),
        taker_fee: spec.taker_fee.0,
        maker_fee: spec.maker_fee.0,
    }
}

fn amount(amount: Amount) -> wit::Amount {
    let [low, high] = halves(amount.0);
    wit::Amount { high: high.cast_signed(), low }
}

/// The lower and the upper 64 bits.
fn halves(value: i128) -> [u64; 2] {
    let bytes = value.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    [low, high].map(|half| u64::from_le_bytes(half.first_chunk().copied().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_split_as_twos_complement() {
        let split = |value| (amount(Amount(value)).high, amount(Amount(value)).low);
        assert_eq!(split(-1), (-1, u64::MAX));
        assert_eq!(split((5 << 64) | 7), (5, 7));
        assert_eq!(split(i128::MIN), (i64::MIN, 0));
    }
}
