//! The generated bindings, one module a released version of the contract, and the choice between them.
//!
//! A host serves every released version at once: a component says by the name of its export which one it was built for, and
//! keeps it for life. Nothing outside sees a generated type: what comes from a guest is turned into our own types, with its
//! lengths bounded, before anything is kept. A new version is a new directory under `wit/`, a new module here, a new row in
//! [`CONTRACTS`] and a new arm of each `match`, which the compiler then asks for.

mod v0_1;

use portcullis_core::Outcome;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::protocol::{Description, InitRefusal, RestoreRefusal, Setup};

/// The released versions of the contract that cells serve, oldest first.
pub const CONTRACTS: [&str; 1] = [v0_1::CONTRACT];

/// Room in bytes that one action takes on the host before it is converted, for the hostcall fuel; the most of all versions.
pub(crate) const ACTION_BYTES: usize = v0_1::ACTION_BYTES;

/// Why a call has no result.
pub(crate) enum CallError {
    /// The guest trapped, or returned bytes that are no value of the contract's types.
    Wasm(wasmtime::Error),
    /// It returned a value the contract forbids.
    Contract(String),
}

impl From<wasmtime::Error> for CallError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Wasm(error)
    }
}

/// A component that was found to fit a version of the contract, ready to be instantiated.
pub(crate) enum Program<T: 'static> {
    V0_1(v0_1::Program<T>),
}

impl<T> Program<T> {
    /// Finds out which version the component is of, and checks its imports (what `link` offers, and no other) and exports,
    /// function by function.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        link: impl FnOnce(&mut Linker<T>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Self> {
        if component.get_export_index(None, v0_1::EXPORT).is_some() {
            return Ok(Self::V0_1(v0_1::Program::new(engine, component, link)?));
        }
        Err(wasmtime::Error::msg(format!("it exports the interface of none of {}", CONTRACTS.join(", "))))
    }

    pub(crate) fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Instance> {
        match self {
            Self::V0_1(program) => Ok(Instance::V0_1(program.instantiate(store)?)),
        }
    }
}

/// An instance; only good with the store it was made in.
pub(crate) enum Instance {
    V0_1(v0_1::Instance),
}

impl Instance {
    pub(crate) fn describe<T>(&self, store: &mut Store<T>) -> Result<Description, CallError> {
        match self {
            Self::V0_1(instance) => instance.describe(store),
        }
    }

    pub(crate) fn init<T>(
        &self,
        store: &mut Store<T>,
        setup: &Setup,
    ) -> Result<Result<(), InitRefusal>, CallError> {
        match self {
            Self::V0_1(instance) => instance.init(store, setup),
        }
    }

    pub(crate) fn on_frame<T>(
        &self,
        store: &mut Store<T>,
        frame: &[u8],
        log_bytes_max: usize,
    ) -> Result<Outcome, CallError> {
        match self {
            Self::V0_1(instance) => instance.on_frame(store, frame, log_bytes_max),
        }
    }

    pub(crate) fn snapshot<T>(&self, store: &mut Store<T>) -> Result<Vec<u8>, CallError> {
        match self {
            Self::V0_1(instance) => instance.snapshot(store),
        }
    }

    pub(crate) fn restore<T>(
        &self,
        store: &mut Store<T>,
        version: u32,
        bytes: &[u8],
    ) -> Result<Result<(), RestoreRefusal>, CallError> {
        match self {
            Self::V0_1(instance) => instance.restore(store, version, bytes),
        }
    }
}
