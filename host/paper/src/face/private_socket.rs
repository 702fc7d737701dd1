//! One connection to the private stream.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Utf8Bytes, WebSocket};
use portcullis_wire::{Ack, Operation};
use serde_json::Value;

use super::App;
use super::auth::authenticate_stream;
use super::damage::damaged;
use super::socket::{Line, Terms, cut, json, undecodable};
use super::tell::PrivateMessage;
use crate::faults::Channel;

/// Topics there are: all-in-one and, where the venue has it, of one category alone. On some of them nothing ever comes.
const TOPICS: [&str; 26] = [
    "order",
    "order.linear",
    "order.spot",
    "order.inverse",
    "order.option",
    "execution",
    "execution.linear",
    "execution.spot",
    "execution.inverse",
    "execution.option",
    "execution.fast",
    "execution.fast.linear",
    "execution.fast.spot",
    "execution.fast.inverse",
    "execution.fast.option",
    "position",
    "position.linear",
    "position.inverse",
    "position.option",
    "wallet",
    "greeks",
    "dcp",
    "dcp.future",
    "dcp.spot",
    "dcp.option",
    "spread.order",
];

/// The last part of a topic of one category.
const CATEGORIES: [&str; 4] = ["linear", "spot", "inverse", "option"];

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: Arc<App>, socket: WebSocket, terms: Terms) {
    let mut stream = app.private.subscribe();
    let mut cuts = app.outage.cuts(Channel::Private);
    let mut closing = app.closing.subscribe();
    let mut client = Client { name: app.connection(), authenticated: false, topics: BTreeSet::new() };
    let mut line = Line::new(socket, Channel::Private, &terms);
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
            message = stream.recv() => match message.as_deref() {
                Ok(PrivateMessage::Disconnect) | Err(_) => return,
                Ok(message) => client.told(message),
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
    name: String,
    authenticated: bool,
    topics: BTreeSet<&'static str>,
}

impl Client {
    fn answer(&mut self, app: &App, text: &str) -> Vec<Utf8Bytes> {
        let operation: Operation = match serde_json::from_str(text) {
            Ok(operation) => operation,
            Err(error) => return undecodable(&self.name, &error),
        };
        let now = app.clock.shown(app.clock.now());
        match operation.op.as_str() {
            "ping" => {
                let pong = Ack::private_pong(&operation, &self.name, now.millis());
                json(&pong).into_iter().collect()
            }
            "auth" => match authenticate_stream(&app.keys, &operation.args, now) {
                Ok(_) => {
                    self.authenticated = true;
                    self.ack(&operation, true, "")
                }
                Err(refusal) => self.ack(&operation, false, &format!("error:{}", refusal.message)),
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

    /// One bad topic fails the whole request, and so do all-in-one and one-category names of the same rows together.
    fn subscribe(&mut self, operation: &Operation) -> Vec<Utf8Bytes> {
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
        let mixed = topics.iter().find(|topic| whole(topic).is_some_and(|whole| topics.contains(whole)));
        if let Some(topic) = mixed {
            let words = format!("error:all-in-one and categorised topics cannot be mixed,topic:{topic}");
            return self.ack(operation, false, &words);
        }
        self.topics.extend(topics);
        self.ack(operation, true, "")
    }

    /// A message of the stream in each way the client spelled its topic.
    fn told(&self, message: &PrivateMessage) -> Vec<Utf8Bytes> {
        let PrivateMessage::Rows { topic, category, id, time_ms, data, damage } = message else {
            return Vec::new();
        };
        let spelled = self.topics.iter().filter(|name| {
            *name == topic
                || whole(name) == Some(topic)
                    && category.is_some_and(|category| name.rsplit('.').next() == Some(category))
        });
        let text = |name: &&'static str| {
            // The topic comes first, as in the venue's own messages, and is one of a closed list.
            let id = id.as_ref().map_or_else(String::new, |id| format!(r#""id":"{id}","#));
            let text = format!(r#"{{"topic":"{name}",{id}"creationTime":{time_ms},"data":{data}}}"#);
            Utf8Bytes::from(damaged(text, *damage))
        };
        spelled.map(text).collect()
    }

    fn ack(&self, operation: &Operation, success: bool, words: &str) -> Vec<Utf8Bytes> {
        json(&Ack::of(operation, &self.name, success, words)).into_iter().collect()
    }
}

/// The all-in-one topic that a topic of one category is a part of.
fn whole(topic: &str) -> Option<&str> {
    let (whole, category) = topic.rsplit_once('.')?;
    CATEGORIES.contains(&category).then_some(whole)
}
