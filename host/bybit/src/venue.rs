//! Bybit as the pipeline's venue: the network runs on threads of its own, the pipeline's thread only signs and hands over.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portcullis_core::{
    Category, Class, Command, Environment, InstrumentSpec, LinkChange, LinkId, Query, Sequence, Timestamp,
};
use portcullis_gateway::{Venue, VenueEvent};
use portcullis_journal::JournaledCommand;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::backoff::Backoff;
use crate::config::{Config, ConfigError, Wanted};
use crate::counters::Counters;
use crate::events::Events;
use crate::follow::FollowOutcome;
use crate::heard::Heard;
use crate::http::TransportError;
use crate::listing::InstrumentError;
use crate::modes::Modes;
use crate::private_feed::PrivateFeed;
use crate::rest::{QueryError, RestClient};
use crate::rollback::Lookout;
use crate::shared::{Followed, PublicLink, Shared};
use crate::signing::Signing;
use crate::skew::SkewGauge;
use crate::trade_socket::TradeSocket;
use crate::{
    dispatch, follow, policy, price_limits, private_stream, public_stream, snapshot, tls, trade_socket, watch,
};
use portcullis_wire::OrderSigner;

/// Between a task's failure and its new start.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Attempts at a snapshot the gate asked for.
const SNAPSHOT_TRIES: u32 = 10;

/// A live connection to Bybit, or to the paper exchange.
pub struct BybitVenue {
    shared: Arc<Shared>,
    snapshot_under_way: Arc<AtomicBool>,
    // Last, so that what it ran is gone only after the rest.
    runtime: Option<Runtime>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The settings do not hold together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The threads or the TLS configuration could not be set up.
    #[error("cannot set up the client: {0}")]
    SetUp(String),
    /// The HTTP client could not be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A question that must be answered first was not.
    #[error("{what}: {error}")]
    Query {
        /// The question.
        what: String,
        /// What came instead.
        error: QueryError,
    },
    /// An instrument cannot be traded here.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// The account or its keys break the policy (DESIGN §9).
    #[error("the account or its keys break the policy: {0}")]
    Policy(String),
    /// The gateway's key could place orders (RULES S1).
    #[error("the read key can trade: make a read-only one")]
    KeyCanTrade,
}

impl BybitVenue {
    /// Reads clock, key and instruments, and starts the streams. Blocks until the questions are answered. `waker` is called after
    /// every event.
    ///
    /// # Errors
    /// When a question is not answered, or its answer forbids trading.
    pub fn connect(
        config: Config,
        signer: Box<dyn OrderSigner>,
        waker: impl Fn() + Send + Sync + 'static,
    ) -> Result<(Self, Vec<InstrumentSpec>), ConnectError> {
        config.check()?;
        let tls = tls::client_config().map_err(|error| ConnectError::SetUp(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("bybit")
            .enable_all()
            .build()
            .map_err(|error| ConnectError::SetUp(error.to_string()))?;
        let events = Events::new(waker);
        let (rest, listings) = runtime.block_on(async {
            let told = events.clone();
            let skew = SkewGauge::new(move |millis| told.push(VenueEvent::Link(LinkChange::Skew { millis })));
            let rest = RestClient::new(&config, &tls, skew)?;
            rest.server_time().await.map_err(|error| query("server time", error))?;
            let key = rest.api_key().await.map_err(|error| query("read key", error))?;
            if config.environment != Environment::Paper && key.read_only != 1 {
                return Err(ConnectError::KeyCanTrade);
            }
            Ok((rest.clone(), watch::listings(&rest, &config).await?))
        })?;
        let mut specs: Vec<InstrumentSpec> = listings.iter().map(|listing| listing.spec.clone()).collect();
        specs.sort_by_key(|spec| spec.id);
        let followed = Followed { wanted: config.instruments.clone(), private: PrivateFeed::new(listings) };
        let categories: Vec<Category> = followed.table().categories().collect();
        let shared = Arc::new(Shared {
            public: PublicLink::new(categories.iter().copied()),
            last_execution: Mutex::new(config.executions_since),
            followed: tokio::sync::watch::Sender::new(Arc::new(followed)),
            following: tokio::sync::Mutex::default(),
            signing: Signing::new(signer, events.clone()),
            trade: TradeSocket::default(),
            modes: Modes::default(),
            heard: Heard::default(),
            lookout: Lookout::new(config.journal_head.is_some()),
            config,
            rest,
            tls,
            events,
        });
        if let Some(policy) = shared.config.policy.clone() {
            let checked = runtime.block_on(policy::check(&shared, &policy));
            let findings = checked.map_err(|error| query("account policy", error))?;
            policy::warn(&findings);
            let refusals = policy::refusals(&findings);
            if !refusals.is_empty() {
                return Err(ConnectError::Policy(refusals));
            }
            runtime.spawn(keep(Arc::clone(&shared), policy::watch, |_| {}));
        }
        for category in categories {
            runtime.spawn(keep_public(Arc::clone(&shared), category));
        }
        let private_down = |shared: &Shared| {
            shared.events.push(VenueEvent::Link(LinkChange::Private { up: false }));
        };
        runtime.spawn(keep(Arc::clone(&shared), private_stream::run, private_down));
        runtime.spawn(keep(Arc::clone(&shared), watch::clock, |_| {}));
        runtime.spawn(keep(Arc::clone(&shared), watch::rules, |_| {}));
        runtime.spawn(keep(Arc::clone(&shared), watch::bans, |_| {}));
        runtime.spawn(keep(Arc::clone(&shared), watch::modes, |_| {}));
        runtime.spawn(keep(Arc::clone(&shared), price_limits::watch, |_| {}));
        if shared.config.trade_socket {
            runtime.spawn(keep(Arc::clone(&shared), trade_socket::run, |_| {}));
        }
        let venue = Self { shared, snapshot_under_way: Arc::default(), runtime: Some(runtime) };
        Ok((venue, specs))
    }

    /// Follows instruments, too: reads the rules of those that are new, tells them as events, compares the account's state with
    /// theirs, and subscribes. What is followed already is only added to. Never waits; [`try_followed`](Self::try_followed)
    /// answers, under the caller's `ticket`.
    pub fn follow(&mut self, ticket: u64, wanted: Vec<Wanted>) {
        let Some(runtime) = &self.runtime else { return };
        runtime.spawn(follow::run(Arc::clone(&self.shared), ticket, wanted));
    }

    /// The next answer to [`follow`](Self::follow), once every event before it has been polled.
    pub fn try_followed(&mut self) -> Option<FollowOutcome> {
        self.shared.events.pop_followed()
    }

    /// What went wrong without stopping anything.
    pub fn counters(&self) -> &Counters {
        &self.shared.events.counters
    }

    /// Whether the signer's cap is off because the trade stream is switched on; `doctor` and `status` say so (RULES S1).
    pub fn second_cap_off(&self) -> bool {
        self.shared.config.trade_socket
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    #[cfg(test)]
    pub(crate) fn runtime(&self) -> Option<&Runtime> {
        self.runtime.as_ref()
    }

    /// Sends one command; its outcome is told exactly once, whatever happens.
    pub(crate) fn send(&mut self, of: Sequence, class: Class, command: &Command, link: &LinkId) {
        if let Some(runtime) = &self.runtime {
            if matches!(command, Command::Place(_)) {
                self.shared.lookout.sends(link);
            }
            dispatch::send(&self.shared, runtime, of, class, (command, link));
        }
    }
}

impl Venue for BybitVenue {
    fn submit(&mut self, command: JournaledCommand) {
        self.send(command.sequence(), command.class(), command.command(), command.link());
    }

    fn query(&mut self, query: Query) {
        let Some(runtime) = &self.runtime else { return };
        let shared = Arc::clone(&self.shared);
        match query {
            Query::Order { order, link, instrument, .. } => {
                runtime.spawn(async move {
                    let (finding, venue_time) = snapshot::evidence(&shared, instrument, &link).await;
                    shared.events.push(VenueEvent::Evidence { order, finding, venue_time });
                });
            }
            Query::Snapshot { since } => {
                let under_way = Arc::clone(&self.snapshot_under_way);
                if !under_way.swap(true, Ordering::AcqRel) {
                    runtime.spawn(async move {
                        take_snapshot(&shared, since).await;
                        under_way.store(false, Ordering::Release);
                    });
                }
            }
        }
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.shared.events.pop()
    }
}

impl Drop for BybitVenue {
    /// Stops the threads; what was under way is told as unknown.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(500));
        }
    }
}

impl core::fmt::Debug for BybitVenue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BybitVenue")
            .field("environment", &self.shared.config.environment)
            .finish_non_exhaustive()
    }
}

/// Starts a task that never ends, and starts it again should it ever panic: a stream that died unseen would look silent.
async fn keep<F: Future<Output = ()> + Send + 'static>(
    shared: Arc<Shared>,
    start: impl Fn(Arc<Shared>) -> F,
    failed: impl Fn(&Shared),
) {
    loop {
        if let Err(error) = tokio::spawn(start(Arc::clone(&shared))).await {
            tracing::error!(%error, "a task of the client failed and starts again");
        }
        failed(&shared);
        sleep(AFTER_PANIC).await;
    }
}

/// Keeps the public stream of one market.
pub(crate) async fn keep_public(shared: Arc<Shared>, category: Category) {
    let run = move |shared| public_stream::run(shared, category);
    keep(shared, run, move |shared| shared.set_public(category, false)).await;
}

async fn take_snapshot(shared: &Shared, since: Timestamp) {
    let mut backoff = Backoff::new();
    for _ in 0..SNAPSHOT_TRIES {
        match snapshot::take(shared, since).await {
            Ok(snapshot) => return shared.events.push(VenueEvent::Snapshot(snapshot)),
            Err(error) => tracing::warn!(%error, "reconciliation failed"),
        }
        sleep(backoff.wait(Duration::ZERO)).await;
    }
    tracing::error!("reconciliation given up; it is tried again with the next connection");
}

pub(crate) fn query(what: &str, error: QueryError) -> ConnectError {
    ConnectError::Query { what: what.to_owned(), error }
}

#[cfg(test)]
#[path = "venue_tests.rs"]
mod tests;
