//! Component bytes to an artifact. A function first; the role around it is what makes it safe to call on a stranger's bytes,
//! because a component can be built to make the compiler take very long and very much (RULES Q4).

use portcullis_core::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::engine::{EngineError, compiling_engine};
use crate::{ARTIFACT_BYTES_MAX, Artifact};

/// Why a component does not compile.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// There is no engine to compile for.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Native code instead of a component: it would skip the compiler.
    #[error("the bytes are compiled code, not a component")]
    Precompiled,
    /// The bytes are no valid component of the proposals we take.
    #[error("the component does not compile: {0:#}")]
    Invalid(#[source] wasmtime::Error),
    /// The artifact is above [`ARTIFACT_BYTES_MAX`].
    #[error("the artifact has {0} bytes, at most {ARTIFACT_BYTES_MAX} are allowed")]
    TooLong(usize),
}

/// Compiles a component for this binary's engine, on the calling thread.
///
/// Takes as long as the component makes it take: give a stranger's bytes to the `compile` role.
///
/// # Errors
///
/// [`CompileError`].
pub fn compile(component: &[u8]) -> Result<Artifact, CompileError> {
    if Engine::detect_precompiled(component).is_some() {
        return Err(CompileError::Precompiled);
    }
    let engine = compiling_engine()?;
    let code = engine.precompile_component(component).map_err(CompileError::Invalid)?;
    if u64::try_from(code.len()).is_ok_and(|length| length > ARTIFACT_BYTES_MAX) {
        return Err(CompileError::TooLong(code.len()));
    }
    Ok(Artifact::assemble(crate::engine::digest(&engine), component_digest(component), &code))
}

/// SHA-256 of a component's bytes.
pub fn component_digest(component: &[u8]) -> Digest {
    Digest(Sha256::digest(component).into())
}
