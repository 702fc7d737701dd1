//! The signer as the client uses it: one at a time, and its coming and going is told.

use core::fmt;
use std::sync::{Mutex, PoisonError};

use portcullis_core::LinkChange;
use portcullis_gateway::VenueEvent;
use portcullis_wire::{OrderRequest, OrderSigner, SignError, SignedRequest, SignedStream, SignerReadiness};

use crate::events::Events;

/// The trade key's holder, shared by the pipeline's thread and the tasks.
pub(crate) struct Signing {
    signer: Mutex<Box<dyn OrderSigner>>,
}

impl Signing {
    pub(crate) fn new(mut signer: Box<dyn OrderSigner>, events: Events) -> Self {
        let told = Mutex::new(SignerReadiness::FULL);
        signer.watch(Box::new(move |new| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let old = std::mem::replace(&mut *told, new);
            if old.up != new.up {
                events.push(VenueEvent::Link(LinkChange::Signer { up: new.up }));
            }
            // A signer that is gone is told by the other link alone.
            let latched = |readiness: SignerReadiness| readiness.up && !readiness.adds;
            if latched(old) != latched(new) {
                events.push(VenueEvent::Link(LinkChange::SignerCap { up: !latched(new) }));
            }
        }));
        Self { signer: Mutex::new(signer) }
    }

    /// Signs a command.
    pub(crate) fn sign(&self, request: &OrderRequest) -> Result<SignedRequest, SignError> {
        self.with(|signer| signer.sign(request))
    }

    /// Signs the question what the trade key may do.
    pub(crate) fn key_query(&self) -> Result<SignedRequest, SignError> {
        self.with(|signer| signer.sign_key_query())
    }

    /// Signs the authentication of the trade stream.
    pub(crate) fn stream(&self) -> Result<SignedStream, SignError> {
        self.with(|signer| signer.sign_stream())
    }

    fn with<T>(
        &self,
        body: impl FnOnce(&mut dyn OrderSigner) -> Result<T, SignError>,
    ) -> Result<T, SignError> {
        body(self.signer.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}
