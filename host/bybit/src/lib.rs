//! The Bybit V5 client: commands by REST, market data and executions by stream, reconciliation by query.
//!
//! [`BybitVenue`] is the whole of it. Paper, testnet, demo and live run the same code and differ in their [`Endpoints`].

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod backoff;
mod book;
mod budget;
mod clock;
mod config;
mod counters;
mod decode;
mod dispatch;
mod encode;
mod endpoints;
mod entry_canceller;
mod events;
mod feed;
mod follow;
mod heard;
mod http;
#[cfg(test)]
#[path = "lessons_tests.rs"]
mod lessons;
mod listing;
mod live_gate;
mod modes;
mod policy;
mod post;
mod price_limits;
mod private_feed;
mod private_stream;
mod public_stream;
mod queries;
mod region;
mod rest;
mod rollback;
mod shared;
mod signing;
mod skew;
mod snapshot;
mod socket;
mod table;
#[cfg(test)]
mod test_exchange;
mod tls;
mod trade_socket;
mod venue;
mod watch;

pub use book::BookFault;
pub use clock::{Clock, system_clock};
pub use config::{Config, ConfigError, Decimals, Slippage, Wanted};
pub use counters::Counters;
pub use decode::Quarantine;
pub use encode::{EncodeError, encode};
pub use endpoints::{Endpoints, InvalidEndpoint};
pub use entry_canceller::{CancelError, EntryCanceller};
pub use feed::{Feed, FrameFault};
pub use follow::FollowOutcome;
pub use http::TransportError;
pub use listing::{InstrumentError, listing};
pub use live_gate::{
    AccountFacts, AccountPolicy, PolicyFinding, PolicyRule, key_text, live_gate, shared_keys,
};
pub use portcullis_wire::{LocalSigner, OrderRequest, OrderSigner, SignError, SignedRequest, SignedStream};
pub use private_feed::PrivateFeed;
pub use region::{Region, UnknownRegion};
pub use rest::QueryError;
pub use rollback::{JournalHead, newer_than_journal};
pub use table::Listing;
pub use venue::{BybitVenue, ConnectError};
