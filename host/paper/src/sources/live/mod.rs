//! The public streams of the real exchange as a market source.
//!
//! The market runs in wall time: an event happens when it arrives. While a stream is down, or a book is not what the exchange has,
//! the instrument shows an empty book, in which nothing fills.

mod backoff;
mod queue;
mod socket;
mod stream;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use portcullis_core::{Category, InstrumentSpec};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::http::Uri;

use crate::clock::Clock;
use crate::listing::Listing;

pub(crate) use queue::LiveQueue;

/// How a live source is named where files are named otherwise.
const PREFIX: &str = "live:";
/// Bybit's public streams.
const BYBIT: &str = "wss://stream.bybit.com";
/// A stream without data for this long is dead: contracts tick all the time.
const QUIET: Duration = Duration::from_secs(20);
/// Most instruments: as many as there are trading rules for.
const INSTRUMENTS_MAX: usize = 32;

/// Which streams to follow, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Base URL without a path, `wss://HOST[:PORT]`; `ws://` for another paper exchange on this machine.
    base: String,
    secure: bool,
    host: String,
    port: u16,
    instruments: Vec<(Category, String)>,
    quiet: Duration,
}

/// Why a live source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// No instrument is named, or too many.
    #[error("name 1 to {INSTRUMENTS_MAX} instruments, as in live:BTCUSDT,spot/ETHUSDT")]
    Count,
    /// There are no trading rules for an instrument.
    #[error("no trading rules for {0:?} (spot instruments are named spot/BTCUSDT)")]
    Unlisted(String),
    /// An instrument is named twice.
    #[error("{0} is named twice")]
    Repeated(String),
    /// The URL is none.
    #[error(
        "{url:?} is no address of public streams: write wss://HOST[:PORT], or ws:// for a loopback address"
    )]
    Url {
        /// What was given.
        url: String,
    },
}

impl Live {
    /// Reads `live:SYMBOL,…`, of which `spot/SYMBOL` names a spot instrument. `None` when the text is no live source. Without `base`
    /// the streams are Bybit's own.
    ///
    /// # Errors
    ///
    /// A [`LiveError`] that names the instrument or the address at fault.
    pub fn parse(text: &str, base: Option<&str>) -> Option<Result<Self, LiveError>> {
        text.strip_prefix(PREFIX).map(|names| Self::read(names, base.unwrap_or(BYBIT)))
    }

    /// Takes a stream for dead after another time without data than 20 s.
    #[must_use]
    pub const fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    fn read(names: &str, base: &str) -> Result<Self, LiveError> {
        let mut instruments = Vec::new();
        for name in names.split(',').take(INSTRUMENTS_MAX.saturating_add(1)) {
            let (category, symbol) = match name.strip_prefix("spot/") {
                Some(symbol) => (Category::Spot, symbol),
                None => (Category::Linear, name),
            };
            // The name is shown and kept, so it is looked up first.
            if Listing::default().list(category, symbol).is_none() {
                return Err(LiveError::Unlisted(name.chars().take(40).collect()));
            }
            if instruments.iter().any(|(other, known)| *other == category && known == symbol) {
                return Err(LiveError::Repeated(name.to_owned()));
            }
            instruments.push((category, symbol.to_owned()));
        }
        if instruments.len() > INSTRUMENTS_MAX {
            return Err(LiveError::Count);
        }
        let (secure, host, port) = target(base).ok_or_else(|| LiveError::Url { url: base.to_owned() })?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, secure, host, port, instruments, quiet: QUIET })
    }

    /// Lists the instruments.
    pub(crate) fn list(&self, listing: &mut Listing) {
        for (category, symbol) in &self.instruments {
            listing.list(*category, symbol);
        }
    }

    fn specs(&self, listing: &Listing, category: Category) -> Vec<InstrumentSpec> {
        let mine = self.instruments.iter().filter(|(of, _)| *of == category);
        mine.filter_map(|(_, symbol)| listing.find(category, symbol)).cloned().collect()
    }
}

/// Scheme, host and port of a base URL.
fn target(base: &str) -> Option<(bool, String, u16)> {
    let uri: Uri = base.parse().ok()?;
    let secure = match uri.scheme_str()? {
        "wss" => true,
        "ws" => false,
        _ => return None,
    };
    let plain = uri.path() == "/" && uri.query().is_none() && !uri.authority()?.as_str().contains('@');
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| is_loopback(address));
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    (plain && !host.is_empty() && (secure || loopback)).then_some((secure, host, port))
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address == Ipv6Addr::LOCALHOST,
    }
}

/// Follows the streams for ever. Events go to the queue, and `wake` is told of them.
pub(crate) async fn follow(live: &Live, listing: &Listing, clock: &Clock, queue: &LiveQueue, wake: &Notify) {
    let Some(tls) = socket::tls() else {
        tracing::error!("no TLS: the live feed stays down");
        return std::future::pending().await;
    };
    let run = |category| {
        let specs = live.specs(listing, category);
        let tls = &tls;
        async move {
            if !specs.is_empty() {
                stream::run(live, category, specs, tls, &stream::Sink::new(clock, queue, wake)).await;
            }
        }
    };
    tokio::join!(run(Category::Linear), run(Category::Spot));
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, base: Option<&str>) -> Result<Live, LiveError> {
        Live::parse(text, base).unwrap()
    }

    #[test]
    fn instruments_are_named_by_market() {
        let live = parse("live:BTCUSDT,spot/ETHUSDT", None).unwrap();
        assert_eq!(
            live.instruments,
            [(Category::Linear, "BTCUSDT".to_owned()), (Category::Spot, "ETHUSDT".to_owned())]
        );
        assert_eq!((live.host.as_str(), live.port, live.secure), ("stream.bybit.com", 443, true));
        assert!(Live::parse("trades.csv", None).is_none());
        assert_eq!(parse("live:", None), Err(LiveError::Unlisted(String::new())));
        assert_eq!(parse("live:BTCUSD", None), Err(LiveError::Unlisted("BTCUSD".to_owned())));
        assert_eq!(parse("live:BTCUSDT,BTCUSDT", None), Err(LiveError::Repeated("BTCUSDT".to_owned())));
    }

    #[test]
    fn only_this_machine_goes_without_tls() {
        for (url, port) in
            [("ws://127.0.0.1:9000", 9000), ("ws://[::1]", 80), ("wss://stream.bytick.com/", 443)]
        {
            assert_eq!(parse("live:BTCUSDT", Some(url)).unwrap().port, port, "{url}");
        }
        for url in [
            "ws://stream.bybit.com",
            "http://127.0.0.1",
            "wss://",
            "wss://a/v5",
            "wss://me@a",
            "",
            "127.0.0.1",
        ] {
            assert!(matches!(parse("live:BTCUSDT", Some(url)), Err(LiveError::Url { .. })), "{url}");
        }
    }
}
