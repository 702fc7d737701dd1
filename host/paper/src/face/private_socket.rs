//! One connection to the private stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use portcullis_wire::{Ack, Operation};
use serde_json::Value;
use tokio::time::Instant;

use super::App;
use super::driver::{PrivateMessage, SILENT_FOR};
use super::public_socket::{cut, json, undecodable};

/// Topics there are: all-in-one and, where the venue has it, of linear contracts alone.
const TOPICS: [&str; 7] =
    ["order", "execution", "position", "wallet", "order.linear", "execution.linear", "position.linear"];

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: Arc<App>, mut socket: WebSocket) {
    let mut stream = app.private.subscribe();
    let mut closing = app.closing.subscribe();
    let mut client = Client { name: app.connection(), authenticated: false, topics: BTreeSet::new() };
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
                let Ok(message) = message else { return };
                let PrivateMessage::Rows { topic, id, time_ms, data } = &*message else { return };
                for spelling in client.spellings(topic) {
                    // The topic comes first, as in the venue's own messages, and is one of a closed list.
                    let text = format!(r#"{{"topic":"{spelling}","id":"{id}","creationTime":{time_ms},"data":{data}}}"#);
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
            }
            _ = closing.changed() => return,
            () = tokio::time::sleep_until(last_heard.checked_add(SILENT_FOR).unwrap_or(last_heard)) => return,
        }
    }
}

struct Client {
    name: String,
    authenticated: bool,
    topics: BTreeSet<&'static str>,
}

impl Client {
    fn answer(&mut self, app: &App, text: &str) -> Vec<String> {
        let operation: Operation = match serde_json::from_str(text) {
            Ok(operation) => operation,
            Err(error) => return undecodable(&self.name, &error),
        };
        match operation.op.as_str() {
            "ping" => {
                let pong = Ack::private_pong(&operation, &self.name, app.clock.now().millis());
                json(&pong).into_iter().collect()
            }
            "auth" => match authenticate(app, &operation.args) {
                Ok(()) => {
                    self.authenticated = true;
                    self.ack(&operation, true, "")
                }
                Err(words) => self.ack(&operation, false, words),
            },
            "subscribe" | "unsubscribe" if !self.authenticated => {
                self.ack(&operation, false, "Request not authorized")
            }
            "subscribe" => self.subscribe(&operation),
            "unsubscribe" => {
                let named: Vec<_> = operation.args.iter().filter_map(Value::as_str).collect();
                self.topics.retain(|topic| !named.contains(topic));
                self.ack(&operation, true, "")
            }
            _ => self.ack(&operation, false, "error:invalid op"),
        }
    }

    fn subscribe(&mut self, operation: &Operation) -> Vec<String> {
        let mut topics = BTreeSet::new();
        for argument in &operation.args {
            let name = argument.as_str().unwrap_or_default();
            let Some(topic) = TOPICS.iter().find(|topic| **topic == name).copied() else {
                return self.ack(operation, false, &format!("error:handler not found,topic:{}", cut(name)));
            };
            if self.topics.contains(topic) || !topics.insert(topic) {
                return self.ack(operation, false, &format!("error:already subscribed,topic:{topic}"));
            }
        }
        self.topics.extend(topics);
        self.ack(operation, true, "")
    }

    /// How the client spelled its subscriptions to a topic.
    fn spellings(&self, topic: &str) -> impl Iterator<Item = &'static str> {
        let of_topic = |name: &str| name.split('.').next() == Some(topic);
        self.topics.iter().copied().filter(move |name| of_topic(name)).collect::<Vec<_>>().into_iter()
    }

    fn ack(&self, operation: &Operation, success: bool, words: &str) -> Vec<String> {
        json(&Ack::of(operation, &self.name, success, words)).into_iter().collect()
    }
}

/// Checks `[key, expires, signature]`; the time may be text or a number and is signed as it was written.
fn authenticate(app: &App, arguments: &[Value]) -> Result<(), &'static str> {
    let [key, expires, signature] = arguments else {
        return Err("error:auth needs key, expires and signature");
    };
    let (Some(key), Some(signature)) = (key.as_str(), signature.as_str()) else {
        return Err("error:auth needs key, expires and signature");
    };
    let expires = expires.as_str().map_or_else(|| expires.to_string(), str::to_owned);
    if expires.parse::<u64>().is_ok_and(|expires| expires > app.clock.now().millis()) {
        let known = app
            .keys
            .iter()
            .find(|known| known.credentials.key() == key)
            .ok_or("error:API key is invalid.")?;
        known.credentials.verify_stream(&expires, signature).map_err(|_| "error:signature is invalid")
    } else {
        Err("error:auth has expired")
    }
}
