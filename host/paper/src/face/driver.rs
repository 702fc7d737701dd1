//! The one task that moves the exchange through time: plays the market, tells what became known, publishes books and tickers.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use portcullis_core::{Span, Timestamp};

use super::board::PublicMessage;
use super::damage::damaged;
use super::tell::{Teller, Telling};
use super::{App, Desk};
use crate::exchange::StoreError;
use crate::faults::{Channel, Does, Strike};
use crate::sources::Feed;

/// How often changed books are published.
const BOOKS_EVERY: Span = Span::from_millis(20);
/// How often changed tickers are published and time passes for silent markets.
const TICKERS_EVERY: Span = Span::from_millis(100);
/// How often price limits are published.
const LIMITS_EVERY: Span = Span::from_millis(300);
/// How often open candles are published.
const CANDLES_EVERY: Span = Span::from_secs(1);
/// Market events handled before others may have the lock.
const BATCH: usize = 256;

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
    limits_at: Timestamp,
    candles_at: Timestamp,
    teller: Teller,
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
                    public(app, desk, message, now);
                }
            }
        }
        played == BATCH
    }

    /// Tells the private rows that are due.
    fn tell(&mut self, app: &App, desk: &mut Desk, now: Timestamp) {
        while let Some(rows) = desk.exchange.pop(now) {
            let shown = app.clock.shown(now);
            for telling in Telling::of(&rows, desk.exchange.sequence) {
                let strike = private_strike(app, desk, telling.topic, now);
                let strike = strike.or_else(|| private_strike(app, desk, Channel::Private.name(), now));
                self.teller.take(telling, strike, now, shown);
            }
        }
        for message in self.teller.due(now) {
            // Nobody listening is no error.
            let _ = app.private.send(Arc::new(message));
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
        if now >= self.limits_at {
            self.limits_at = now.after(LIMITS_EVERY);
            messages.extend(desk.board.price_limits(&desk.exchange, now));
        }
        if now >= self.candles_at {
            self.candles_at = now.after(CANDLES_EVERY);
            messages.extend(desk.board.candles(&mut desk.exchange, now));
        }
        for message in messages {
            public(app, desk, message, now);
        }
    }
}

/// What goes wrong with a private message. A cut goes the same way as the message that it follows, or it would overtake that.
fn private_strike(app: &App, desk: &mut Desk, at: &str, now: Timestamp) -> Option<Strike> {
    let strike = desk.faults.strike(at, now)?;
    if strike.does != Does::Disconnect {
        let exchange = &mut desk.exchange;
        app.befall(strike, now, || exchange.forget_closed(now));
    }
    Some(strike)
}

/// Publishes a message as far as a fault lets it.
fn public(app: &App, desk: &mut Desk, mut message: PublicMessage, now: Timestamp) {
    let Some(strike) = app.strike(desk, Channel::Public.name(), now) else {
        let _ = app.public.send(Arc::new(message));
        return;
    };
    if strike.does == Does::DropEvent {
        return;
    }
    message.text = Utf8Bytes::from(damaged(message.text.to_string(), Some(strike.does)));
    let _ = app.public.send(Arc::new(message));
}
