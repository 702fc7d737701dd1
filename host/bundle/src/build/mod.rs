//! From a strategy's crate to a component: cargo makes a core module, `wit-component` wraps it.

mod cargo_messages;
mod compile_crate;
mod componentise;
mod error;
mod toolchain;

pub use compile_crate::{BuildNotice, BuildRequest, Built, build_crate};
pub use componentise::componentise;
pub use error::BuildError;
pub use toolchain::Toolchain;
