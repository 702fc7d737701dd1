//! Validation with the smallest set of proposals that current toolchains emit.

use wasmparser::{Validator, WasmFeatures, types::Types};

use super::Inadmissible;
use crate::untrusted_text::shown;

/// The proposals a component may use. Everything else is off: threads, tail calls, multi-memory, memory64, exceptions,
/// function references, garbage collection, relaxed SIMD, stack switching, custom page sizes, wide arithmetic, and every
/// part of the component model beyond its first release, async above all. Each of those is either not in the tier that gets
/// security fixes or had faults in how it is metered.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
}

/// A validator that knows no more.
pub(super) fn validator() -> Validator {
    Validator::new_with_features(features())
}

/// Validates everything, function bodies too, and returns the outermost component's types.
pub(super) fn validate(validator: &mut Validator, component: &[u8]) -> Result<Types, Inadmissible> {
    validator.validate_all(component).map_err(invalid)
}

/// A parser's or validator's complaint as a refusal.
pub(super) fn invalid(error: wasmparser::BinaryReaderError) -> Inadmissible {
    Inadmissible::Invalid { offset: error.offset() as u64, detail: shown(error.message()) }
}
