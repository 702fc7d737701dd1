//! The V5 face: REST and WebSockets on one port.

mod account_history;
mod account_queries;
mod auth;
mod board;
mod commands;
mod driver;
mod market_queries;
mod page;
mod private_socket;
mod public_socket;
mod quota;
mod refusal;
mod rest;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::any;
use portcullis_core::{Category, Span};
use portcullis_wire::path;
use tokio::sync::{Notify, broadcast, watch};

use crate::clock::Clock;
use crate::config::PaperKey;
use crate::exchange::Exchange;
use crate::faults::Injector;

use board::{Board, PublicMessage};
use driver::PrivateMessage;
use quota::Quotas;

pub(crate) use driver::drive;

/// Longest message a client may send on a socket, and longest request body, in bytes.
const MESSAGE_MAX: usize = 64 << 10;
/// Messages a slow socket may lag behind before it is cut.
const BACKLOG: usize = 16_384;

/// What all connections share.
pub(crate) struct App {
    clock: Clock,
    keys: Vec<PaperKey>,
    ack_delay: Span,
    desk: Mutex<Desk>,
    public: broadcast::Sender<Arc<PublicMessage>>,
    private: broadcast::Sender<Arc<PrivateMessage>>,
    /// Wakes the driver after a command, whose reports may be due before anything else.
    wake: Notify,
    closing: watch::Sender<bool>,
    connections: AtomicU64,
}

/// What is behind the one lock. It is held for microseconds and never over an await.
struct Desk {
    exchange: Exchange,
    board: Board,
    quotas: Quotas,
    faults: Injector,
}

impl App {
    pub(crate) fn new(
        clock: Clock,
        keys: Vec<PaperKey>,
        ack_delay: Span,
        exchange: Exchange,
        faults: Injector,
    ) -> Arc<Self> {
        let desk = Desk { exchange, board: Board::default(), quotas: Quotas::default(), faults };
        Arc::new(Self {
            clock,
            keys,
            ack_delay,
            desk: Mutex::new(desk),
            public: broadcast::channel(BACKLOG).0,
            private: broadcast::channel(BACKLOG).0,
            wake: Notify::new(),
            closing: watch::channel(false).0,
            connections: AtomicU64::new(0),
        })
    }

    /// The routes of the exchange.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(path::PUBLIC_LINEAR, any(linear_stream))
            .route(path::PUBLIC_SPOT, any(spot_stream))
            .route(path::PRIVATE, any(private_stream))
            .fallback(rest::answer)
            .with_state(Arc::clone(self))
    }

    /// Ends all sockets.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing panics under the lock; were it poisoned, the state would still be whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of a new connection.
    fn connection(&self) -> String {
        format!("paper-{}", self.connections.fetch_add(1, Ordering::Relaxed))
    }
}

async fn linear_stream(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    public_stream(app, upgrade, Category::Linear)
}

async fn spot_stream(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    public_stream(app, upgrade, Category::Spot)
}

fn public_stream(app: Arc<App>, upgrade: WebSocketUpgrade, category: Category) -> axum::response::Response {
    let upgrade = upgrade.max_message_size(MESSAGE_MAX);
    upgrade.on_upgrade(move |socket| public_socket::serve(app, socket, category))
}

async fn private_stream(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    let upgrade = upgrade.max_message_size(MESSAGE_MAX);
    upgrade.on_upgrade(move |socket| private_socket::serve(app, socket))
}
