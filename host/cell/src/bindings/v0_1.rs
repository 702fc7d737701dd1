//! `portcullis:strategy@0.1.0`.

mod from_guest;
mod to_guest;

use portcullis_core::Outcome;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use super::CallError;
use crate::protocol::{Description, InitRefusal, RestoreRefusal, Setup};

/// The version as manifests name it.
pub(super) const CONTRACT: &str = "portcullis:strategy@0.1.0";

/// The instance a component of this version exports.
pub(super) const EXPORT: &str = "portcullis:strategy/guest@0.1.0";

mod generated {
    wasmtime::component::bindgen!({ path: "../../wit/v0.1", world: "strategy" });
}

use generated::exports::portcullis::strategy::guest as wit;

/// Room in bytes that one action takes on the host before it is converted, for the hostcall fuel.
pub(super) const ACTION_BYTES: usize = size_of::<wit::Action>();

/// A component that was found to fit this version, ready to be instantiated.
pub(crate) struct Program<T: 'static>(generated::StrategyPre<T>);

impl<T> Program<T> {
    /// Checks imports (what `link` offers, and no other) and exports, function by function.
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        link: impl FnOnce(&mut Linker<T>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        link(&mut linker)?;
        Ok(Self(generated::StrategyPre::new(linker.instantiate_pre(component)?)?))
    }

    pub(super) fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Instance> {
        Ok(Instance(self.0.instantiate(store)?))
    }
}

/// An instance; only good with the store it was made in.
pub(crate) struct Instance(generated::Strategy);

impl Instance {
    pub(super) fn describe<T>(&self, store: &mut Store<T>) -> Result<Description, CallError> {
        let description = self.guest().call_describe(store)?;
        from_guest::description(description).map_err(|invalid| CallError::Contract(invalid.to_string()))
    }

    pub(super) fn init<T>(
        &self,
        store: &mut Store<T>,
        setup: &Setup,
    ) -> Result<Result<(), InitRefusal>, CallError> {
        let answer = self.guest().call_init(store, &to_guest::setup(setup))?;
        Ok(answer.map_err(from_guest::init_refusal))
    }

    pub(super) fn on_frame<T>(
        &self,
        store: &mut Store<T>,
        frame: &[u8],
        log_bytes_max: usize,
    ) -> Result<Outcome, CallError> {
        let outcome = self.guest().call_on_frame(store, frame)?;
        Ok(from_guest::outcome(outcome, log_bytes_max))
    }

    pub(super) fn snapshot<T>(&self, store: &mut Store<T>) -> Result<Vec<u8>, CallError> {
        Ok(self.guest().call_snapshot(store)?)
    }

    pub(super) fn restore<T>(
        &self,
        store: &mut Store<T>,
        version: u32,
        bytes: &[u8],
    ) -> Result<Result<(), RestoreRefusal>, CallError> {
        let answer = self.guest().call_restore(store, version, bytes)?;
        Ok(answer.map_err(from_guest::restore_refusal))
    }

    fn guest(&self) -> &wit::Guest {
        self.0.portcullis_strategy_guest()
    }
}
