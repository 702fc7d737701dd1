//! Money and sizes. No floats; every operation that can overflow says so (RULES G10).

mod amount;
mod decimal;
mod notional;
mod price;
mod quantity;
mod rate;
mod rounding;
mod wide;

pub use amount::Amount;
pub use decimal::{DECIMALS_MAX, DecimalError};
pub use notional::{notional, notional_of};
pub use price::Price;
pub use quantity::{Qty, SignedQty};
pub use rate::Rate;
pub use rounding::Rounding;
