//! The programs of one process, each loaded once however many strategies run it.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcullis_core::Digest;

use crate::{Artifact, CellEngine, Imports, Program};

/// An engine and what is loaded into it.
pub(super) struct Programs<I: Imports> {
    /// The error: no strategy can run here, whichever it is.
    engine: Result<Arc<CellEngine>, String>,
    /// By the component they were compiled from.
    loaded: BTreeMap<Digest, Program<I>>,
}

impl<I: Imports> Programs<I> {
    /// None yet, in an engine with room for this many strategies.
    pub(super) fn new(strategies: u32) -> Self {
        let engine = CellEngine::for_strategies(strategies).map(Arc::new).map_err(|error| error.to_string());
        Self { engine, loaded: BTreeMap::new() }
    }

    /// The program of a sealed artifact.
    ///
    /// # Errors
    ///
    /// In words, for the gateway: the artifact does not load here.
    pub(super) fn load(&mut self, artifact: OwnedFd) -> Result<Program<I>, String> {
        let engine = self.engine.as_ref().map_err(Clone::clone)?;
        let artifact = Artifact::receive(artifact).map_err(|error| error.to_string())?;
        if let Some(program) = self.loaded.get(&artifact.component()) {
            return Ok(program.clone());
        }
        let program = Program::load_with_imports(engine, &artifact).map_err(|error| error.to_string())?;
        self.loaded.insert(artifact.component(), program.clone());
        Ok(program)
    }

    /// Lets go of the programs that no strategy runs any more.
    pub(super) fn forget_unused(&mut self) {
        self.loaded.retain(|_, program| program.is_shared());
    }
}
