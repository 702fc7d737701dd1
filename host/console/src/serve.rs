//! Start, connections, end.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::api::{openapi, prepare_incoming, router};
use crate::app::{App, Parts};
use crate::client_address::Peer;
use crate::config::{Bounds, ConsoleConfig};
use crate::gateway::Gateway;
use crate::listen::{Connection, Listener, Place};
use crate::passwords::Passwords;
use crate::report::reports;
use crate::store::{Store, StoreError};

/// Most bytes of a request's head, and of what is read ahead on a connection.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// How long to wait when no connection can be accepted, out of descriptors for instance.
const ACCEPT_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Why the console did not start.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The place to listen is taken or cannot be made.
    #[error("cannot listen on {place}: {error}")]
    Listen {
        /// Where.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// Behind a Unix socket nobody can tell under which name browsers come.
    #[error("a console on a Unix socket must be told where browsers reach it: --origin https://NAME")]
    NoOrigin,
    /// The folder for uploads cannot be made or read.
    #[error("the folder for uploads: {0}")]
    Incoming(io::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness, no memory, or a description of the API that is none.
    #[error("{0}")]
    System(String),
}

/// Runs the console until `shutdown` is done. `ready` is told where it listens, once it does.
///
/// # Errors
///
/// [`ConsoleError`]: all of them before `ready` is called.
pub async fn run(
    config: ConsoleConfig,
    ready: impl FnOnce(&Place),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ConsoleError> {
    let incoming = Arc::new(prepare_incoming(&config.dir).map_err(ConsoleError::Incoming)?);
    let store = Store::open(&config.dir)?;
    let passwords = Passwords::new().map_err(|error| ConsoleError::System(error.to_string()))?;
    let openapi = openapi().map_err(|error| ConsoleError::System(error.to_string()))?;
    let (listener, place) =
        Listener::bind(&config.listen).await.map_err(|error| listen_error(&config, error))?;
    let origins = if config.origins.is_empty() { place.origins() } else { config.origins.clone() };
    if origins.is_empty() {
        return Err(ConsoleError::NoOrigin);
    }
    let gateway = Gateway::new(config.control.clone());
    let (reports, teller) = reports(gateway.clone());
    let (stop, stopping) = watch::channel(false);
    let bounds = config.bounds.clone();
    let parts =
        Parts { origins, incoming, store, passwords, gateway, reports, stopping, openapi: openapi.into() };
    let router = router(Arc::new(App::new(config, parts)));
    let telling = tokio::spawn(teller.run());
    ready(&place);

    let graceful = GracefulShutdown::new();
    accept(&listener, &router, &bounds, &graceful, shutdown).await;
    drop(listener);
    if let Place::Unix(path) = &place
        && let Err(error) = std::fs::remove_file(path)
    {
        tracing::debug!(%error, "the socket was gone already");
    }
    // Streams of events would never end by themselves.
    if stop.send(true).is_err() {
        tracing::debug!("nobody follows");
    }
    if tokio::time::timeout(bounds.grace, graceful.shutdown()).await.is_err() {
        tracing::info!("some connections did not end in time");
    }
    drop(router);
    // What waits to be journaled is told once the last request is done.
    if tokio::time::timeout(bounds.grace, telling).await.is_err() {
        tracing::error!("the console ends before every login could be journaled");
    }
    Ok(())
}

fn listen_error(config: &ConsoleConfig, error: io::Error) -> ConsoleError {
    let place = match &config.listen {
        crate::listen::Listen::Tcp(address) => address.to_string(),
        crate::listen::Listen::Unix(path) => path.display().to_string(),
    };
    ConsoleError::Listen { place, error }
}

/// Takes connections until `shutdown` is done; those beyond the bound wait.
async fn accept(
    listener: &Listener,
    router: &Router,
    bounds: &Bounds,
    graceful: &GracefulShutdown,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, listener.accept().await?))
        };
        let accepted = tokio::select! {
            () = &mut shutdown => return,
            accepted = next => accepted,
        };
        match accepted {
            Ok((place, Connection::Tcp(stream, peer))) => {
                // A page's few small answers should not wait for one another.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection is gone already");
                }
                serve(stream, Peer::Tcp(peer), router, bounds, graceful.watcher(), place);
            }
            Ok((place, Connection::Unix(stream))) => {
                serve(stream, Peer::Unix, router, bounds, graceful.watcher(), place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: Peer,
    router: &Router,
    bounds: &Bounds,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
) {
    // Only writing: how long reading may take depends on what is read, and is bounded there.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.stall));
    let router = router.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = watcher.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
        drop(place);
    });
}
