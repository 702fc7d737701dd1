//! From a strategy's folder to a component. Of a crate cargo makes a core module and `wit-component` wraps it; of a script the
//! tools of its language make the component.

mod cargo_messages;
mod compile_crate;
mod componentise;
mod error;
mod process;
mod request;
mod script;
mod toolchain;

pub use componentise::componentise;
pub use error::BuildError;
pub use request::{BuildNotice, BuildRequest, Built, build_strategy};
pub use toolchain::Toolchain;
