//! What every request may use.

use std::sync::Arc;

use axum::body::Bytes;
use portcullis_role::Folder;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::{Bounds, ConsoleConfig};
use crate::gateway::Gateway;
use crate::live::Live;
use crate::origin::Origin;
use crate::passwords::Passwords;
use crate::report::Reports;
use crate::store::Store;

/// The console while it runs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bounds: Bounds,
    pub(crate) bundle_bytes_max: u64,
    pub(crate) clock: Clock,
    pub(crate) origins: Vec<Origin>,
    pub(crate) proxies: Vec<std::net::IpAddr>,
    /// Where uploads go.
    pub(crate) incoming: Arc<Folder>,
    pub(crate) store: Store,
    pub(crate) passwords: Passwords,
    pub(crate) gateway: Gateway,
    pub(crate) live: Live,
    pub(crate) reports: Reports,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) followers: Arc<Semaphore>,
    /// True once the console stops; streams of events end then.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The description of the API.
    pub(crate) openapi: Bytes,
}

/// How handlers get it.
pub(crate) type Shared = Arc<App>;

/// The parts that are made while starting.
pub(crate) struct Parts {
    pub(crate) origins: Vec<Origin>,
    pub(crate) incoming: Arc<Folder>,
    pub(crate) store: Store,
    pub(crate) passwords: Passwords,
    pub(crate) gateway: Gateway,
    pub(crate) reports: Reports,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) openapi: Bytes,
}

impl App {
    pub(crate) fn new(config: ConsoleConfig, parts: Parts) -> Self {
        let bounds = config.bounds;
        Self {
            bundle_bytes_max: config.bundle_bytes_max,
            clock: config.clock,
            origins: parts.origins,
            proxies: config.proxies,
            incoming: parts.incoming,
            store: parts.store,
            passwords: parts.passwords,
            live: Live::new(parts.gateway.clone(), bounds.poll),
            gateway: parts.gateway,
            reports: parts.reports,
            uploads: Arc::new(Semaphore::new(bounds.uploads_max)),
            followers: Arc::new(Semaphore::new(bounds.followers_max)),
            stopping: parts.stopping,
            openapi: parts.openapi,
            bounds,
        }
    }

    /// Whether browsers reach the console over TLS alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.origins.iter().all(Origin::is_secure)
    }
}
