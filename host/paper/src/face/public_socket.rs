//! One connection to a public stream.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use portcullis_core::Category;
use portcullis_wire::{Ack, Operation, Topic};
use serde::Serialize;
use tokio::time::Instant;

use super::App;
use super::board::Board;
use super::driver::SILENT_FOR;

/// Longest sum of topic names of a connection, in bytes.
const TOPICS_MAX: usize = 21_000;

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: Arc<App>, mut socket: WebSocket, category: Category) {
    let mut stream = app.public.subscribe();
    let mut closing = app.closing.subscribe();
    let mut client = Client { category, name: app.connection(), topics: HashMap::new() };
    let mut last_heard = Instant::now();
    loop {
        tokio::select! {
            message = socket.recv() => {
                last_heard = Instant::now();
                let replies = match message {
                    Some(Ok(Message::Text(text))) => client.answer(&app, &text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                };
                for reply in replies {
                    if socket.send(Message::text(reply)).await.is_err() {
                        return;
                    }
                }
            }
            message = stream.recv() => {
                // A connection that lags loses its place: it is cut, and the client starts over with snapshots.
                let Ok(message) = message else { return };
                let known = client.topics.get(&message.topic);
                if message.category == category
                    && known.is_some_and(|since| message.number > *since)
                    && socket.send(Message::text(message.text.clone())).await.is_err()
                {
                    return;
                }
            }
            _ = closing.changed() => return,
            () = tokio::time::sleep_until(last_heard.checked_add(SILENT_FOR).unwrap_or(last_heard)) => return,
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
    fn answer(&mut self, app: &App, text: &str) -> Vec<String> {
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
    fn subscribe(&mut self, app: &App, operation: &Operation) -> Vec<String> {
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

    fn ack(&self, operation: &Operation, success: bool, words: &str) -> Vec<String> {
        json(&Ack::of(operation, &self.name, success, words)).into_iter().collect()
    }
}

/// The answer to what is no operation; the connection stays.
pub(super) fn undecodable(connection: &str, error: &serde_json::Error) -> Vec<String> {
    let operation = Operation { req_id: None, op: String::new(), args: Vec::new() };
    let words = format!("Failed to decode incoming data:{error}");
    json(&Ack::of(&operation, connection, false, &words)).into_iter().collect()
}

pub(super) fn json(row: &impl Serialize) -> Option<String> {
    serde_json::to_string(row).ok()
}

/// What of a client's text is worth echoing.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(128)).unwrap_or_default()
}
