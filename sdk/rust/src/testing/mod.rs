//! Test a strategy natively.
mod fixture;
mod frame_builder;

pub use crate::driver::Driver;
pub use fixture::{instrument, setup};
pub use frame_builder::FrameBuilder;
