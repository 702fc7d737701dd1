//! What the tasks of one connection to the venue have in common.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::{Category, LinkChange, Timestamp};
use portcullis_gateway::VenueEvent;

use crate::config::Config;
use crate::events::Events;
use crate::private_feed::PrivateFeed;
use crate::rest::RestClient;
use crate::table::InstrumentTable;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Holds the instruments, as they were at the start: decoding and encoding need decimals alone, and those are frozen.
    pub(crate) private: PrivateFeed,
    pub(crate) rest: RestClient,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) events: Events,
    pub(crate) public: PublicLink,
    pub(crate) last_execution: Mutex<Timestamp>,
}

impl Shared {
    pub(crate) fn table(&self) -> &InstrumentTable {
        self.private.table()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    pub(crate) fn set_public(&self, category: Category, up: bool) {
        if let Some(up) = self.public.set(category, up) {
            self.events.push(VenueEvent::Link(LinkChange::Public { up }));
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

/// The public link is up when the streams of every market are.
#[derive(Debug)]
pub(crate) struct PublicLink {
    all: BTreeSet<Category>,
    up: Mutex<BTreeSet<Category>>,
}

impl PublicLink {
    pub(crate) fn new(all: impl IntoIterator<Item = Category>) -> Self {
        Self { all: all.into_iter().collect(), up: Mutex::default() }
    }

    /// Notes one market's stream; the new state of the whole when that changed.
    fn set(&self, category: Category, is_up: bool) -> Option<bool> {
        let mut up = self.up.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *up == self.all;
        if is_up {
            up.insert(category);
        } else {
            up.remove(&category);
        }
        let after = *up == self.all;
        (before != after).then_some(after)
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
}
