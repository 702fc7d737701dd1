//! The paper exchange as a process: bind, then run.

use std::fs::{File, TryLockError};
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use portcullis_core::Category;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::PaperConfig;
use crate::exchange::{Exchange, OpenError, Opening, Store, StoreError};
use crate::face::{App, admin as admin_router, drive};
use crate::listing::Listing;
use crate::sources::{DataError, Feed, LiveQueue, Recording, follow, load, mix};

/// Why the exchange cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The address cannot be listened on: most often another program holds the port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The admin endpoint would be reachable from elsewhere.
    #[error("the admin endpoint listens on loopback only, not on {0}")]
    AdminNotLoopback(SocketAddr),
    /// Market data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Another paper exchange uses the folder.
    #[error("{folder}: another paper exchange uses it", folder = folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The state cannot be read or kept.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The exchange cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An instrument of the saved state has no trading rules any more.
    #[error("the saved state has {symbol}, for which this version has no trading rules")]
    Unlisted {
        /// The instrument.
        symbol: String,
    },
    /// The server stopped by itself.
    #[error("the server stopped: {0}")]
    Server(std::io::Error),
}

/// A bound exchange, ready to run.
#[derive(Debug)]
pub struct Paper {
    listener: TcpListener,
    address: SocketAddr,
    admin: Option<(TcpListener, SocketAddr)>,
    config: PaperConfig,
    exchange: Exchange,
    recording: Option<Recording>,
    clock: Clock,
    /// Held while the exchange lives.
    _lock: Option<File>,
}

/// Takes the port, reads the data and the state. Blocks for as long as reading takes.
///
/// # Errors
///
/// A [`PaperError`] that names the address, the file or the folder at fault.
pub async fn bind(config: PaperConfig) -> Result<Paper, PaperError> {
    let listen = |source| PaperError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let admin = match config.admin {
        Some(address) => Some(bind_admin(address).await?),
        None => None,
    };
    let lock = config.state.as_deref().map(lock).transpose()?;
    let saved = config.state.as_deref().map(Store::read).transpose()?.flatten();
    let mut listing = Listing::new(config.fees);
    for (category, symbol) in saved.iter().flat_map(|saved| &saved.header.instruments) {
        listing.list(*category, symbol).ok_or_else(|| PaperError::Unlisted { symbol: symbol.clone() })?;
    }
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        listing.list(Category::Linear, symbol);
    }
    if let Some(live) = &config.live {
        live.list(&mut listing);
    }
    let recording = if config.data.is_empty() { None } else { Some(load(&config.data, &mut listing)?) };
    if let Some(recording) = &recording {
        let (events, skipped, gaps) = (recording.events.len(), recording.skipped, recording.gaps);
        tracing::info!(events, skipped, gaps, "market data loaded");
        if let Some(gap) = &recording.gap {
            let (file, line) = (gap.file.display(), gap.line);
            tracing::warn!(%file, line, gaps, "market data is missing; the first gap ends here");
        }
    }
    let clock = Clock::default();
    let exchange = Exchange::open(Opening {
        engine: config.engine.clone(),
        listing,
        saved,
        dir: config.state.as_deref(),
        realm: mix(clock.now().0 ^ config.seed),
        report_delay: config.report_delay,
    })?;
    Ok(Paper { listener, address, admin, config, exchange, recording, clock, _lock: lock })
}

impl Paper {
    /// Where it listens, with the real port. `http://` and `ws://` before it are the base URLs.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin endpoint listens, with the real port.
    #[must_use]
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(_, address)| *address)
    }

    /// Market rows left out because their market is not served.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.recording.as_ref().map_or(0, |recording| recording.skipped)
    }

    /// Places at which the recording lacks something: klines, or updates of a book.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.recording.as_ref().map_or(0, |recording| recording.gaps)
    }

    /// Runs the exchange until `shutdown` ends. The market starts now.
    ///
    /// # Errors
    ///
    /// [`PaperError::State`] when the state can no longer be kept, [`PaperError::Server`] when the server stops.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), PaperError> {
        let Self { listener, admin, config, mut exchange, recording, clock, _lock, .. } = self;
        let start = clock.now();
        let (live, listing) = (config.live.clone(), exchange.listing.clone());
        let queue = Arc::new(LiveQueue::default());
        let feed = match recording {
            _ if live.is_some() => Feed::live(Arc::clone(&queue)),
            Some(recording) => {
                Feed::recorded(recording, &exchange.listing, start, config.speed, config.repeat)
            }
            None => Feed::synthetic(config.seed, &mut exchange.listing, start, config.speed),
        };
        let app = App::new(clock, config, exchange);
        let listener = listener.tap_io(|socket| {
            // Small messages must not wait for each other.
            if let Err(error) = socket.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY");
            }
        });
        let router = app.router();
        let operators = admin_router(&app);
        let admin = async {
            match admin {
                Some((listener, _)) => axum::serve(listener, operators).await,
                None => std::future::pending().await,
            }
        };
        let streams = async {
            match &live {
                Some(live) => follow(live, &listing, &app.clock, &queue, &app.wake).await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            () = streams => Ok(()),
            served = admin => served.map_err(PaperError::Server),
            error = drive(Arc::clone(&app), feed) => Err(PaperError::State(error)),
            served = async { axum::serve(listener, router).await } => served.map_err(PaperError::Server),
            () = shutdown => Ok(()),
        };
        app.close();
        result
    }
}

/// Takes a port and runs the exchange on it until `shutdown` ends.
///
/// # Errors
///
/// As [`bind`] and [`Paper::run`].
pub async fn run(config: PaperConfig, shutdown: impl Future<Output = ()>) -> Result<(), PaperError> {
    bind(config).await?.run(shutdown).await
}

async fn bind_admin(address: SocketAddr) -> Result<(TcpListener, SocketAddr), PaperError> {
    if !address.ip().is_loopback() {
        return Err(PaperError::AdminNotLoopback(address));
    }
    let listen = |source| PaperError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}

fn lock(folder: &Path) -> Result<File, PaperError> {
    let path = folder.join("lock");
    let io = |source| StoreError::Io { file: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let file = File::create(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PaperError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io(source).into()),
    }
}
