//! The V5 face: REST and WebSockets on one port, and a second port for those who run the exchange.

mod account_history;
mod account_queries;
mod account_state;
mod admin;
mod auth;
mod batch;
mod board;
mod bounds;
mod commands;
mod crowd;
mod damage;
mod driver;
mod instruments;
mod market_queries;
mod outage;
mod page;
mod private_socket;
mod public_socket;
mod quota;
mod refusal;
mod request;
mod rest;
mod settings;
mod socket;
mod tell;
mod trade_socket;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use portcullis_core::{Category, Span};
use portcullis_wire::path;
use tokio::sync::{Notify, broadcast, watch};

use crate::clock::Clock;
use crate::config::{PaperConfig, PaperKey};
use crate::exchange::Exchange;
use crate::faults::Injector;

use board::{Board, PublicMessage};
use crowd::Crowd;
use outage::Outage;
use quota::Quotas;
use socket::Terms;
use tell::PrivateMessage;

pub(crate) use admin::router as admin;
pub(crate) use driver::drive;

/// Longest message a client may send on a socket, and longest request body, in bytes.
const MESSAGE_MAX: usize = 64 << 10;
/// Messages a slow socket may lag behind before it is cut.
const BACKLOG: usize = 16_384;

/// What all connections share.
pub(crate) struct App {
    pub(crate) clock: Clock,
    keys: Vec<PaperKey>,
    ack_delay: Span,
    /// Whether the venue's rate limits hold.
    limits: bool,
    desk: Mutex<Desk>,
    public: broadcast::Sender<Arc<PublicMessage>>,
    private: broadcast::Sender<Arc<PrivateMessage>>,
    outage: Outage,
    /// Wakes the driver after a command, whose reports may be due before anything else, and when the live market moved.
    pub(crate) wake: Notify,
    closing: watch::Sender<bool>,
    connections: AtomicU64,
    traces: AtomicU64,
}

/// What is behind the one lock. It is held for microseconds and never over an await.
struct Desk {
    exchange: Exchange,
    board: Board,
    quotas: Quotas,
    crowd: Crowd,
    faults: Injector,
}

impl App {
    pub(crate) fn new(clock: Clock, config: PaperConfig, exchange: Exchange) -> Arc<Self> {
        clock.put_off(config.clock_offset_ms);
        let desk = Desk {
            exchange,
            board: Board::default(),
            quotas: Quotas::default(),
            crowd: Crowd::default(),
            faults: Injector::new(config.faults),
        };
        Arc::new(Self {
            clock,
            keys: config.keys,
            ack_delay: config.ack_delay,
            limits: config.limits,
            desk: Mutex::new(desk),
            public: broadcast::channel(BACKLOG).0,
            private: broadcast::channel(BACKLOG).0,
            outage: Outage::default(),
            wake: Notify::new(),
            closing: watch::channel(false).0,
            connections: AtomicU64::new(0),
            traces: AtomicU64::new(0),
        })
    }

    /// The routes of the exchange.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(path::PUBLIC_LINEAR, any(linear_stream))
            .route(path::PUBLIC_SPOT, any(spot_stream))
            .route(path::PRIVATE, any(private_stream))
            .route(path::TRADE, any(trade_stream))
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

    /// The name of a new answer.
    fn trace(&self) -> String {
        format!("{:032x}", self.traces.fetch_add(1, Ordering::Relaxed))
    }

    fn is_down(&self) -> bool {
        self.outage.is_down(self.clock.now())
    }
}

async fn linear_stream(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    public_stream(app, upgrade, Category::Linear)
}

async fn spot_stream(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    public_stream(app, upgrade, Category::Spot)
}

fn public_stream(app: Arc<App>, upgrade: WebSocketUpgrade, category: Category) -> Response {
    let down = app.is_down();
    admit(down, upgrade, move |socket| public_socket::serve(app, socket, category))
}

async fn private_stream(
    State(app): State<Arc<App>>,
    Query(terms): Query<Terms>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let down = app.is_down();
    admit(down, upgrade, move |socket| private_socket::serve(app, socket, terms))
}

async fn trade_stream(
    State(app): State<Arc<App>>,
    Query(terms): Query<Terms>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let down = app.is_down();
    admit(down, upgrade, move |socket| trade_socket::serve(app, socket, terms))
}

/// Lets a client in, unless the exchange is down.
fn admit<F: Future<Output = ()> + Send + 'static>(
    down: bool,
    upgrade: WebSocketUpgrade,
    serve: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response {
    if down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.max_message_size(MESSAGE_MAX).on_upgrade(serve)
}
