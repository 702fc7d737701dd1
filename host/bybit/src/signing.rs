//! The signer as the client uses it: one at a time, and its coming and going is told.

use core::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use portcullis_core::LinkChange;
use portcullis_gateway::VenueEvent;

use crate::events::Events;
use crate::signer::{OrderRequest, OrderSigner, SignError, SignedRequest, SignedStream};

/// The trade key's holder, shared by the pipeline's thread and the tasks.
pub(crate) struct Signing {
    signer: Mutex<Box<dyn OrderSigner>>,
    up: AtomicBool,
    events: Events,
}

impl Signing {
    pub(crate) fn new(signer: Box<dyn OrderSigner>, events: Events) -> Self {
        Self { signer: Mutex::new(signer), up: AtomicBool::new(true), events }
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
        let signed = body(self.signer.lock().unwrap_or_else(PoisonError::into_inner).as_mut());
        let up = !matches!(signed, Err(SignError::Unreachable));
        if self.up.swap(up, Ordering::AcqRel) != up {
            self.events.push(VenueEvent::Link(LinkChange::Signer { up }));
        }
        signed
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("up", &self.up).finish_non_exhaustive()
    }
}
