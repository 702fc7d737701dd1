//! One connection to a public stream.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Utf8Bytes, WebSocket};
use portcullis_core::Category;
use portcullis_wire::{Ack, Operation, Topic};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::App;
use super::board::{Board, PublicMessage};
use super::socket::{Line, Terms, cut, json, undecodable};
use crate::faults::Channel;

/// Longest sum of topic names of a connection, in bytes.
const TOPICS_MAX: usize = 21_000;
/// Messages looked at before others may be heard.
const BATCH: usize = 256;

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: Arc<App>, socket: WebSocket, category: Category) {
    let mut stream = app.public.subscribe();
    let mut cuts = app.outage.cuts(Channel::Public);
    let mut closing = app.closing.subscribe();
    let mut client = Client { category, name: app.connection(), topics: HashMap::new() };
    let mut line = Line::new(socket, Channel::Public, &Terms::default());
    loop {
        let idle_until = line.idle_until();
        let texts = tokio::select! {
            text = line.hear() => match text {
                Ok(text) => {
                    // Some clients are not ready for an answer that comes at once.
                    tokio::time::sleep(Duration::from_nanos(app.ack_delay.0)).await;
                    client.answer(&app, &text)
                }
                Err(_) => return,
            },
            // A connection that lags loses its place: it is cut, and the client starts over with snapshots.
            message = stream.recv() => match message.ok().and_then(|message| client.take(&message, &mut stream)) {
                Some(texts) => texts,
                None => return,
            },
            _ = cuts.changed() => return,
            _ = closing.changed() => return,
            () = tokio::time::sleep_until(idle_until) => return,
        };
        if line.tell(&app, texts).await.is_err() {
            return;
        }
    }
}

struct Client {
    category: Category,
    name: String,
    /// Subscribed topics, each with the number of the newest message it already covers.
    topics: HashMap<String, u64>,
}

impl Client {
    /// A message and those that wait behind it, as far as they are for this client; `None` when some were missed.
    fn take(
        &self,
        first: &PublicMessage,
        stream: &mut Receiver<Arc<PublicMessage>>,
    ) -> Option<Vec<Utf8Bytes>> {
        let mut texts: Vec<_> = self.mine(first).into_iter().collect();
        for _ in 0..BATCH {
            match stream.try_recv() {
                Ok(message) => texts.extend(self.mine(&message)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed | TryRecvError::Lagged(_)) => return None,
            }
        }
        Some(texts)
    }

    /// The text of a message for this client. It is shared with all the others.
    fn mine(&self, message: &PublicMessage) -> Option<Utf8Bytes> {
        let known = self.topics.get(&message.topic).filter(|_| message.category == self.category);
        known.is_some_and(|since| message.number > *since).then(|| message.text.clone())
    }

    fn answer(&mut self, app: &App, text: &str) -> Vec<Utf8Bytes> {
        let operation: Operation = match serde_json::from_str(text) {
            Ok(operation) => operation,
            Err(error) => return undecodable(&self.name, &error),
        };
        match operation.op.as_str() {
            "ping" => json(&Ack::public_pong(&operation, &self.name)).into_iter().collect(),
            "subscribe" => self.subscribe(app, &operation),
            "unsubscribe" => {
                for topic in operation.args.iter().filter_map(|topic| topic.as_str()) {
                    self.topics.remove(topic);
                }
                self.ack(&operation, true, "")
            }
            _ => self.ack(&operation, false, "error:invalid op"),
        }
    }

    /// One bad topic fails the whole request, as at the venue.
    fn subscribe(&mut self, app: &App, operation: &Operation) -> Vec<Utf8Bytes> {
        let spot = self.category == Category::Spot;
        if spot && operation.args.len() > 10 {
            return self.ack(operation, false, "args size >10");
        }
        let held: usize = self.topics.keys().map(String::len).sum();
        let asked: usize = operation.args.iter().filter_map(|topic| topic.as_str()).map(str::len).sum();
        if held.saturating_add(asked) > TOPICS_MAX {
            return self.ack(operation, false, "error:args size over 21000 characters");
        }
        let now = app.clock.now();
        let mut desk = app.desk();
        let mut topics = Vec::with_capacity(operation.args.len());
        for argument in &operation.args {
            let name = argument.as_str().unwrap_or_default();
            let topic = name
                .parse::<Topic>()
                .ok()
                .filter(|topic| Board::offers(&desk.exchange, self.category, topic));
            let Some(topic) = topic else {
                return self.ack(operation, false, &format!("error:handler not found,topic:{}", cut(name)));
            };
            if self.topics.contains_key(name) || topics.contains(&topic) {
                return self.ack(operation, false, &format!("error:already subscribed,topic:{name}"));
            }
            topics.push(topic);
        }
        let mut replies = self.ack(operation, true, if spot { "subscribe" } else { "" });
        for topic in topics {
            let desk = &mut *desk;
            let snapshot = desk.board.snapshot(&desk.exchange, self.category, &topic, now);
            let since = snapshot.as_ref().map_or(desk.board.published, |message| message.number);
            self.topics.insert(topic.to_string(), since);
            replies.extend(snapshot.map(|message| message.text));
        }
        replies
    }

    fn ack(&self, operation: &Operation, success: bool, words: &str) -> Vec<Utf8Bytes> {
        json(&Ack::of(operation, &self.name, success, words)).into_iter().collect()
    }
}
