//! What a request is refused with: Bybit's code and words.

use portcullis_core::InstrumentSpec;

use crate::engine::Reject;

/// A code and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The catch-all.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(10_001, message)
    }
}

/// Gives the engine's reason its code. Trigger prices are written times 10,000, as Bybit does.
pub(super) fn refusal(reject: &Reject, spec: Option<&InstrumentSpec>) -> Refusal {
    let code = match reject {
        Reject::UnknownInstrument
        | Reject::PriceInvalid(_)
        | Reject::QuantityInvalid(_)
        | Reject::ProtectionInvalid(_)
        | Reject::ProtectionOnReduceOnly
        | Reject::NotModified
        | Reject::LeverageInvalid
        | Reject::NoPosition => 10_001,
        Reject::NotTradable => 110_066,
        Reject::NotionalBelowMinimum(_) => 110_094,
        Reject::Margin => 110_007,
        Reject::NothingToReduce | Reject::WouldIncrease => 110_017,
        Reject::DuplicateLink => 110_072,
        Reject::TooManyOrders => 110_020,
        Reject::TooManyConditions => 110_009,
        Reject::TriggerNotAbove { .. } => 110_092,
        Reject::TriggerNotBelow { .. } => 110_093,
        Reject::NoSuchOrderToCancel | Reject::NoSuchOrderToAmend => 110_001,
        Reject::QuantityExecuted => 110_064,
        Reject::LeverageNotModified => 110_043,
        Reject::ProtectionNotModified => 34_040,
    };
    let scaled = |price: portcullis_core::Price| {
        let decimals = spec.map_or(4, |spec| u32::from(spec.price_decimals));
        let factor = 10_i64.checked_pow(4_u32.saturating_sub(decimals)).unwrap_or(1);
        price.0.saturating_mul(factor)
    };
    let mut message = reject.to_string();
    if let Reject::TriggerNotAbove { trigger, current } = reject {
        let (trigger, current) = (scaled(*trigger), scaled(*current));
        message = format!("expect Rising, but trigger_price[{trigger}] <= current[{current}]??LastPrice");
    }
    if let Reject::TriggerNotBelow { trigger, current } = reject {
        let (trigger, current) = (scaled(*trigger), scaled(*current));
        message = format!("expect Falling, but trigger_price[{trigger}] >= current[{current}]??LastPrice");
    }
    Refusal { code, message }
}
