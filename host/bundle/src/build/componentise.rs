//! The pure half of a build.

use wit_component::ComponentEncoder;

use super::BuildError;
use crate::untrusted_text::shown;

/// Wraps a core module, as built with the SDK, into a component.
///
/// The world travels in a custom section that the SDK's `export!` put there; a module without it has no contract to wrap.
///
/// # Errors
///
/// [`BuildError::NotAStrategy`].
pub fn componentise(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let encode = || ComponentEncoder::default().validate(true).module(module)?.encode();
    // `{:#}` holds the whole chain of causes, of which the last is the useful one.
    encode().map_err(|error| BuildError::NotAStrategy { detail: shown(&format!("{error:#}")) })
}
