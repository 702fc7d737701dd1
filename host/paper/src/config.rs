//! How a paper exchange is set up.

use std::net::SocketAddr;
use std::path::PathBuf;

use portcullis_core::Span;
use portcullis_wire::Credentials;

use crate::engine::EngineConfig;
use crate::faults::Faults;
use crate::listing::Fees;
use crate::sources::{Live, Speed};

/// How far a limit order may cross the mark: the `priceLimitRatio` that the instruments are listed with.
const PRICE_BAND_BPS: u32 = 500;

/// A paper exchange.
#[derive(Debug, Clone)]
pub struct PaperConfig {
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Market files, merged by time. None means the synthetic market.
    pub data: Vec<PathBuf>,
    /// The public streams of the real exchange instead of files.
    pub live: Option<Live>,
    /// Seed of the synthetic market, and of the names of a new exchange.
    pub seed: u64,
    /// How much faster than recorded the market runs.
    pub speed: Speed,
    /// Whether a recording begins again at its end, re-timed.
    pub repeat: bool,
    /// Folder of the state; without one nothing outlives the process.
    pub state: Option<PathBuf>,
    /// Who may trade and ask. All keys belong to the one account.
    pub keys: Vec<PaperKey>,
    /// The account and the engine.
    pub engine: EngineConfig,
    /// Fee rates.
    pub fees: Fees,
    /// From a request to its acknowledgement.
    pub ack_delay: Span,
    /// From a change to its message on the private stream.
    pub report_delay: Span,
    /// What goes wrong on purpose.
    pub faults: Option<Faults>,
    /// Where those who run the exchange ask for more to go wrong; must be a loopback address.
    pub admin: Option<SocketAddr>,
    /// Whether the venue's rate limits hold, per key and endpoint and per address. Off for measuring only.
    pub limits: bool,
    /// By how many milliseconds the clock that clients see is off.
    pub clock_offset_ms: i64,
}

impl PaperConfig {
    /// The synthetic market at real speed, nothing on disk, 2 ms to an acknowledgement and 5 ms to a report, a price band of
    /// 5 %.
    #[must_use]
    pub fn new(listen: SocketAddr, keys: Vec<PaperKey>) -> Self {
        Self {
            listen,
            data: Vec::new(),
            live: None,
            seed: 1,
            speed: Speed::REAL_TIME,
            repeat: true,
            state: None,
            keys,
            engine: EngineConfig { price_band_bps: Some(PRICE_BAND_BPS), ..EngineConfig::default() },
            fees: Fees::default(),
            ack_delay: Span::from_millis(2),
            report_delay: Span::from_millis(5),
            faults: None,
            admin: None,
            limits: true,
            clock_offset_ms: 0,
        }
    }
}

/// An API key of the paper account.
#[derive(Debug, Clone)]
pub struct PaperKey {
    /// Key and secret.
    pub credentials: Credentials,
    /// Whether it may only ask, as the gateway's read key.
    pub read_only: bool,
}
