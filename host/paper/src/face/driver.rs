//! The one task that moves the exchange through time: plays the market, tells what became known, publishes books and tickers.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Span, Timestamp};
use serde::Serialize;

use super::{App, Desk};
use crate::exchange::{PrivateRows, StoreError};
use crate::faults::Does;
use crate::sources::Feed;

/// How often changed books are published.
const BOOKS_EVERY: Span = Span::from_millis(20);
/// How often changed tickers are published and time passes for silent markets.
const TICKERS_EVERY: Span = Span::from_millis(100);
/// How often open candles are published.
const CANDLES_EVERY: Span = Span::from_secs(1);
/// Market events handled before others may have the lock.
const BATCH: usize = 256;

/// A message of the private stream, still without the topic's spelling that each client chose.
#[derive(Debug, Clone)]
pub(super) enum PrivateMessage {
    /// Rows of a topic.
    Rows {
        topic: &'static str,
        id: String,
        time_ms: u64,
        /// The rows as JSON.
        data: String,
    },
    /// Every private connection is to be cut.
    Disconnect,
}

/// Runs until the state can no longer be kept.
pub(crate) async fn drive(app: Arc<App>, mut feed: Feed) -> StoreError {
    let mut driver = Driver::default();
    loop {
        let now = app.clock.now();
        let (broken, due, full) = {
            let mut desk = app.desk();
            let full = driver.play(&app, &mut desk, &mut feed, now);
            driver.tell(&app, &mut desk, now);
            driver.publish(&app, &mut desk, now);
            (desk.exchange.broken.take(), desk.exchange.due(), full)
        };
        if let Some(error) = broken {
            return error;
        }
        if full {
            tokio::task::yield_now().await;
            continue;
        }
        let next = [feed.due(), due, Some(driver.books_at)].into_iter().flatten().min().unwrap_or(now);
        tokio::select! {
            () = tokio::time::sleep_until(app.clock.instant(next, BOOKS_EVERY).into()) => {}
            () = app.wake.notified() => {}
        }
    }
}

#[derive(Default)]
struct Driver {
    books_at: Timestamp,
    tickers_at: Timestamp,
    candles_at: Timestamp,
    messages: u64,
    /// A message that is to come after the next one.
    held: Option<PrivateMessage>,
}

impl Driver {
    /// Plays what is due. Returns whether more may be due already.
    fn play(&self, app: &App, desk: &mut Desk, feed: &mut Feed, now: Timestamp) -> bool {
        let mut news = Vec::new();
        let mut played = 0_usize;
        while played < BATCH
            && let Some(event) = feed.pop(now)
        {
            played = played.saturating_add(1);
            desk.exchange.market(&event, &mut news);
            for (instrument, news) in news.drain(..) {
                let Some(spec) = desk.exchange.listing.get(instrument) else { continue };
                if let Some(message) = desk.board.news(&desk.exchange, spec, news) {
                    // Nobody listening is no error.
                    let _ = app.public.send(Arc::new(message));
                }
            }
        }
        played == BATCH
    }

    /// Tells the private rows that are due.
    fn tell(&mut self, app: &App, desk: &mut Desk, now: Timestamp) {
        while let Some(rows) = desk.exchange.pop(now) {
            self.messages = self.messages.saturating_add(1);
            let Some(message) = message(&rows, self.messages, now) else { continue };
            let PrivateMessage::Rows { topic, .. } = message else { continue };
            let fault = desk.faults.strike(topic);
            let mut sending = Vec::with_capacity(3);
            match fault {
                Some(Does::DropEvent) => {}
                Some(Does::ReorderEvent) if self.held.is_none() => {
                    self.held = Some(message);
                    continue;
                }
                Some(Does::DuplicateEvent) => sending.extend([message.clone(), message]),
                Some(Does::Disconnect) => sending.extend([message, PrivateMessage::Disconnect]),
                Some(Does::ReorderEvent | Does::TimeoutAfterAccept | Does::RateLimit) | None => {
                    sending.push(message)
                }
            }
            sending.extend(self.held.take());
            for message in sending {
                let _ = app.private.send(Arc::new(message));
            }
        }
    }

    fn publish(&mut self, app: &App, desk: &mut Desk, now: Timestamp) {
        if now < self.books_at {
            return;
        }
        self.books_at = now.after(BOOKS_EVERY);
        let mut messages = desk.board.books(&desk.exchange, now);
        if now >= self.tickers_at {
            self.tickers_at = now.after(TICKERS_EVERY);
            let mut news = Vec::new();
            desk.exchange.time(now, &mut news);
            for (instrument, news) in news {
                let Some(spec) = desk.exchange.listing.get(instrument) else { continue };
                messages.extend(desk.board.news(&desk.exchange, spec, news));
            }
            messages.extend(desk.board.tickers(&desk.exchange, now));
        }
        if now >= self.candles_at {
            self.candles_at = now.after(CANDLES_EVERY);
            messages.extend(desk.board.candles(&mut desk.exchange, now));
        }
        for message in messages {
            let _ = app.public.send(Arc::new(message));
        }
    }
}

fn message(rows: &PrivateRows, number: u64, now: Timestamp) -> Option<PrivateMessage> {
    fn json(rows: &impl Serialize) -> Option<String> {
        serde_json::to_string(rows).ok()
    }
    let (topic, data) = match rows {
        PrivateRows::Executions(rows) => ("execution", json(rows)?),
        PrivateRows::Orders(rows) => ("order", json(rows)?),
        PrivateRows::Positions(rows) => ("position", json(rows)?),
        PrivateRows::Wallet(row) => ("wallet", json(&[row])?),
    };
    let id = format!("{:x}-{number:x}", now.millis());
    Some(PrivateMessage::Rows { topic, id, time_ms: now.millis(), data })
}

/// How long a connection may be silent before it is cut.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(600);
