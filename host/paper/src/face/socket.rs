//! What the three kinds of WebSocket have in common: when a connection ends by itself, and what its client may be told.

use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use portcullis_wire::{Ack, Operation};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::App;
use crate::faults::Channel;

/// How long a connection may be idle unless it asked for another time.
const IDLE_FOR: Duration = Duration::from_secs(600);

/// `?max_active_time=30s` to `10m` on private and trade streams. What is no such time counts as none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Terms {
    max_active_time: String,
}

impl Terms {
    /// How long the connection may be idle.
    pub(super) fn idle_for(&self) -> Duration {
        let (number, unit) = match self.max_active_time.strip_suffix('m') {
            Some(minutes) => (minutes, 60),
            None => (self.max_active_time.strip_suffix('s').unwrap_or_default(), 1),
        };
        let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        seconds.filter(|seconds| (30..=600).contains(seconds)).map_or(IDLE_FOR, Duration::from_secs)
    }
}

/// A connection and how long it has been idle.
pub(super) struct Line {
    socket: WebSocket,
    channel: Channel,
    idle_for: Duration,
    last: Instant,
}

/// The connection is at its end.
pub(super) struct Ended;

impl Line {
    pub(super) fn new(socket: WebSocket, channel: Channel, terms: &Terms) -> Self {
        Self { socket, channel, idle_for: terms.idle_for(), last: Instant::now() }
    }

    /// The next text of the client. Protocol pings are answered on the way.
    pub(super) async fn hear(&mut self) -> Result<Utf8Bytes, Ended> {
        loop {
            let message = self.socket.recv().await;
            self.last = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Ended),
            }
        }
    }

    /// Sends texts in one go; none at all while the stream is silent.
    pub(super) async fn tell(
        &mut self,
        app: &App,
        texts: impl IntoIterator<Item = Utf8Bytes>,
    ) -> Result<(), Ended> {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_none() || app.outage.is_silent(self.channel, app.clock.now()) {
            return Ok(());
        }
        for text in texts {
            self.socket.feed(Message::Text(text)).await.map_err(|_| Ended)?;
        }
        self.last = Instant::now();
        self.socket.flush().await.map_err(|_| Ended)
    }

    /// When the connection has been idle for too long.
    pub(super) fn idle_until(&self) -> Instant {
        self.last.checked_add(self.idle_for).unwrap_or(self.last)
    }
}

/// The answer to what is no operation; the connection stays.
pub(super) fn undecodable(connection: &str, error: &serde_json::Error) -> Vec<Utf8Bytes> {
    let operation = Operation { req_id: None, op: String::new(), args: Vec::new() };
    let words = format!("Failed to decode incoming data:{error}");
    json(&Ack::of(&operation, connection, false, &words)).into_iter().collect()
}

pub(super) fn json(row: &impl Serialize) -> Option<Utf8Bytes> {
    serde_json::to_string(row).ok().map(Utf8Bytes::from)
}

/// What of a client's text is worth echoing.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(128)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_chooses_how_long_it_may_be_idle() {
        let idle = |text: &str| Terms { max_active_time: text.to_owned() }.idle_for().as_secs();
        assert_eq!(["30s", "600s", "1m", "10m"].map(idle), [30, 600, 60, 600]);
        assert_eq!(["", "29s", "11m", "s", "5", "-1m", "99999999999999999999m"].map(idle), [600; 7]);
    }
}
