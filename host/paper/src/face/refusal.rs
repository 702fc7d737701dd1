//! What a request is refused with: Bybit's code and words.

use portcullis_core::{Category, InstrumentSpec, Price};
use portcullis_wire::format_mantissa;

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

/// Gives the engine's reason its code and words. Spot and derivatives differ for the same reason.
pub(super) fn refusal(reject: &Reject, spec: Option<&InstrumentSpec>) -> Refusal {
    let spot = spec.is_some_and(|spec| spec.category == Category::Spot);
    let code = code(reject, spot);
    let text =
        |price: &Price| spec.map_or_else(String::new, |spec| format_mantissa(price.0, spec.price_decimals));
    let message = if let Reject::TriggerNotAbove { trigger, current } = reject {
        let (trigger, current) = (scaled(*trigger, spec), scaled(*current, spec));
        format!("expect Rising, but trigger_price[{trigger}] <= current[{current}]??LastPrice")
    } else if let Reject::TriggerNotBelow { trigger, current } = reject {
        let (trigger, current) = (scaled(*trigger, spec), scaled(*current, spec));
        format!("expect Falling, but trigger_price[{trigger}] >= current[{current}]??LastPrice")
    } else if let Reject::PriceAboveBand(most) = reject {
        format!("Order price cannot be higher than {}, the price limitation.", text(most))
    } else if let Reject::PriceBelowBand(least) = reject {
        format!("Order price cannot be lower than {}, the price limitation.", text(least))
    } else {
        words(reject, spot)
    };
    Refusal { code, message }
}

fn words(reject: &Reject, spot: bool) -> String {
    let spot_words = if spot {
        match code(reject, true) {
            170_141 => Some("Duplicate clientOrderId"),
            170_213 => Some("Order does not exist."),
            _ => None,
        }
    } else {
        (*reject == Reject::Balance).then_some("Insufficient available balance")
    };
    spot_words.map_or_else(|| reject.to_string(), str::to_owned)
}

fn code(reject: &Reject, spot: bool) -> i32 {
    let of = |derivatives, of_spot| if spot { of_spot } else { derivatives };
    match reject {
        Reject::UnknownInstrument => of(10_001, 170_121),
        Reject::NotTradable => of(110_074, 170_121),
        Reject::PriceInvalid(_)
        | Reject::NoPrice
        | Reject::QuantityInvalid(_)
        | Reject::ProtectionInvalid(_)
        | Reject::ProtectionOnReduceOnly
        | Reject::LimitOnFull
        | Reject::ProtectionFixed
        | Reject::PositionIndex
        | Reject::NotModified
        | Reject::LeverageInvalid
        | Reject::NoPosition => 10_001,
        Reject::PriceOutOfRange(_) => 110_003,
        Reject::PriceTooFine => 170_134,
        Reject::PriceAboveBand(_) => 170_372,
        Reject::PriceBelowBand(_) => 170_371,
        Reject::QuantityTooFine => 170_137,
        Reject::QuantityBelowMinimum => 170_136,
        Reject::QuantityAboveMaximum => 170_124,
        Reject::NotionalBelowMinimum(_) => 110_094,
        Reject::ValueBelowMinimum => 170_140,
        Reject::ProtectionTooLarge => 110_059,
        Reject::ProtectionPartlyFilled => 110_060,
        Reject::TooManyExits => 110_061,
        Reject::Margin => 110_007,
        Reject::Balance => of(110_012, 170_131),
        Reject::RiskLimit => 110_090,
        Reject::NothingToReduce | Reject::WouldIncrease => 110_017,
        Reject::DuplicateLink => of(110_072, 170_141),
        Reject::TooManyOrders => of(110_020, 170_810),
        Reject::TooManyConditions => of(110_009, 170_810),
        Reject::TriggerNotAbove { .. } => of(110_092, 170_130),
        Reject::TriggerNotBelow { .. } => of(110_093, 170_130),
        Reject::NoSuchOrderToCancel | Reject::NoSuchOrderToAmend => of(110_001, 170_213),
        Reject::QuantityExecuted => of(110_064, 170_313),
        Reject::LeverageNotModified => 110_043,
        Reject::LeverageTooHigh { .. } => 110_013,
        Reject::ModeNotModified => 110_025,
        Reject::ModeWithPosition => 110_024,
        Reject::ModeWithOrders => 110_028,
        Reject::ProtectionNotModified => 34_040,
    }
}

/// Trigger prices are written times 10,000, as Bybit does.
fn scaled(price: Price, spec: Option<&InstrumentSpec>) -> i64 {
    let decimals = spec.map_or(4, |spec| u32::from(spec.price_decimals));
    let up = 10_i64.checked_pow(4_u32.saturating_sub(decimals)).unwrap_or(1);
    let down = 10_i64.checked_pow(decimals.saturating_sub(4)).unwrap_or(1);
    price.0.saturating_mul(up).checked_div(down).unwrap_or(0)
}
