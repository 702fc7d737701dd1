//! Who came and went, and how many were turned away: told to the gateway, which journals it (RULES O3).
//!
//! Failed attempts are told as a number once a minute, so that strangers cannot fill the journal. What cannot be told now waits,
//! a bounded number of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_role::{AccessKind, ControlRequest, PeerAddress, UserName};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::client_address::ClientAddress;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::names::AccountName;

/// How often the number of failed attempts is told at most.
const FAILURES_EVERY: Duration = Duration::from_secs(60);

/// How often a report that could not be told is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Reports that may wait.
const WAITING_MAX: usize = 256;

/// Takes reports.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    queue: Sender<ControlRequest>,
    failures: Arc<AtomicU64>,
}

/// Tells them; [`Teller::run`] it.
#[derive(Debug)]
pub(crate) struct Teller {
    queue: Receiver<ControlRequest>,
    failures: Arc<AtomicU64>,
    gateway: Gateway,
}

/// Both ends.
pub(crate) fn reports(gateway: Gateway) -> (Reports, Teller) {
    let (send, queue) = channel(WAITING_MAX);
    let failures = Arc::new(AtomicU64::new(0));
    (Reports { queue: send, failures: Arc::clone(&failures) }, Teller { queue, failures, gateway })
}

impl Reports {
    /// Somebody came or went.
    pub(crate) fn access(&self, kind: AccessKind, user: &AccountName, address: ClientAddress) {
        let (Ok(user), Ok(address)) =
            (user.as_str().parse::<UserName>(), address.to_string().parse::<PeerAddress>())
        else {
            return;
        };
        if self.queue.try_send(ControlRequest::Access { kind, user, address }).is_err() {
            tracing::error!("too many logins wait to be journaled; one is lost to the journal");
        }
    }

    /// Somebody was turned away.
    pub(crate) fn failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl Teller {
    /// Tells until every [`Reports`] is gone, then what is left, once.
    pub(crate) async fn run(mut self) {
        let mut ticks = interval_at(after(FAILURES_EVERY), FAILURES_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = self.queue.recv() => match request {
                    None => break,
                    Some(request) => self.insist(request).await,
                },
                _ = ticks.tick() => self.failures().await,
            }
        }
        self.failures().await;
    }

    /// Tells one report, again and again while the gateway is away and the console runs.
    async fn insist(&mut self, request: ControlRequest) {
        while !self.tell(request.clone()).await {
            if self.queue.is_closed() {
                tracing::error!("the console ends before a login could be journaled");
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn failures(&mut self) {
        let count = self.failures.swap(0, Ordering::Relaxed);
        if count > 0 && !self.tell(ControlRequest::FailedAccess { count }).await {
            self.failures.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Whether it need not be tried again.
    async fn tell(&self, request: ControlRequest) -> bool {
        match self.gateway.ask(request).await {
            Ok(_) => true,
            Err(ApiError::Gateway { code, detail })
                if !matches!(&*code, "BUSY" | "STOPPING" | "NO_ANSWER") =>
            {
                tracing::error!(code, detail, "the gateway does not journal an access");
                true
            }
            Err(error) => {
                tracing::debug!(%error, "an access waits to be journaled");
                false
            }
        }
    }
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}
