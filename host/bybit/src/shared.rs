//! What the tasks of one connection to the venue have in common.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::{Category, LinkChange, Timestamp, VenueAlarm};
use portcullis_gateway::VenueEvent;
use tokio::sync::watch;

use crate::config::{Config, Wanted};
use crate::decode::Quarantine;
use crate::events::Events;
use crate::heard::Heard;
use crate::modes::Modes;
use crate::private_feed::PrivateFeed;
use crate::rest::RestClient;
use crate::rollback::Lookout;
use crate::signing::Signing;
use crate::table::InstrumentTable;
use crate::trade_socket::TradeSocket;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// What is followed; streams wait for it to change.
    pub(crate) followed: watch::Sender<Arc<Followed>>,
    pub(crate) rest: RestClient,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) events: Events,
    pub(crate) public: PublicLink,
    pub(crate) last_execution: Mutex<Timestamp>,
    pub(crate) signing: Signing,
    pub(crate) trade: TradeSocket,
    pub(crate) modes: Modes,
    pub(crate) heard: Heard,
    /// For orders at the venue that are newer than the journal.
    pub(crate) lookout: Lookout,
    /// Held while more is taken on, so that no two tasks do it at once.
    pub(crate) following: tokio::sync::Mutex<()>,
}

/// The instruments followed, at one moment. Decoding and encoding need their decimals alone, and those are frozen.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) private: PrivateFeed,
}

impl Followed {
    pub(crate) fn table(&self) -> &InstrumentTable {
        self.private.table()
    }
}

impl Shared {
    /// The instruments followed now. Work that reads them twice keeps what it got.
    pub(crate) fn followed(&self) -> Arc<Followed> {
        Arc::clone(&self.followed.borrow())
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    pub(crate) fn set_public(&self, category: Category, up: bool) {
        if let Some(up) = self.public.set(category, up) {
            self.events.push(VenueEvent::Link(LinkChange::Public { up }));
        }
    }

    /// A private row was left out. It is counted, and told to the gate on its first, second, fourth… time: the journal keeps that our
    /// books may miss something, and they are compared with the venue.
    pub(crate) fn quarantined(&self, error: &Quarantine) {
        if self.events.counters.quarantined.count() {
            tracing::error!(%error, "private row quarantined: our books may miss it");
            let detail = format!("private row: {error}");
            self.events.push(VenueEvent::Alarm(VenueAlarm::Quarantined { detail }));
        }
    }

    /// Remembers the newest execution, so that a reconnect knows how far back to ask.
    pub(crate) fn saw_execution(&self, at: Timestamp) {
        let mut last = self.last_execution.lock().unwrap_or_else(PoisonError::into_inner);
        *last = at.max(*last);
    }

    pub(crate) fn executions_seen_until(&self) -> Timestamp {
        *self.last_execution.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The public link is up when the streams of every market are. A market taken on later counts from when it is first up, so that the
/// others go on meanwhile.
#[derive(Debug)]
pub(crate) struct PublicLink {
    streams: Mutex<PublicStreams>,
}

#[derive(Debug, Default)]
struct PublicStreams {
    all: BTreeSet<Category>,
    up: BTreeSet<Category>,
    told: bool,
}

impl PublicLink {
    pub(crate) fn new(all: impl IntoIterator<Item = Category>) -> Self {
        let streams = PublicStreams { all: all.into_iter().collect(), ..PublicStreams::default() };
        Self { streams: Mutex::new(streams) }
    }

    /// Notes one market's stream; the new state of the whole when that changed.
    fn set(&self, category: Category, is_up: bool) -> Option<bool> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if is_up {
            streams.all.insert(category);
            streams.up.insert(category);
        } else {
            streams.up.remove(&category);
        }
        let whole = !streams.up.is_empty() && streams.up == streams.all;
        let changed = whole != streams.told;
        streams.told = whole;
        changed.then_some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_streams_make_the_link() {
        let link = PublicLink::new([Category::Linear, Category::Spot]);
        assert_eq!(link.set(Category::Linear, true), None);
        assert_eq!(link.set(Category::Spot, true), Some(true));
        assert_eq!(link.set(Category::Spot, true), None);
        assert_eq!(link.set(Category::Linear, false), Some(false));
        assert_eq!(link.set(Category::Spot, false), None);
    }

    #[test]
    fn a_market_taken_on_later_does_not_hold_the_others_up() {
        let link = PublicLink::new([]);
        assert_eq!(link.set(Category::Linear, false), None);
        assert_eq!(link.set(Category::Linear, true), Some(true));
        assert_eq!(link.set(Category::Spot, false), None);
        assert_eq!(link.set(Category::Spot, true), None);
        assert_eq!(link.set(Category::Spot, false), Some(false));
        assert_eq!(link.set(Category::Spot, true), Some(true));
    }
}
