//! Messages of the private stream: what they say, and what faults do to their order.

use std::collections::BTreeMap;

use portcullis_core::{Span, Timestamp};
use portcullis_wire as wire;
use serde::Serialize;

use crate::exchange::PrivateRows;
use crate::faults::{Does, Strike};

/// A message of the private stream, still without the topic's spelling that each client chose.
#[derive(Debug, Clone)]
pub(super) enum PrivateMessage {
    /// Rows of a topic.
    Rows {
        topic: &'static str,
        /// Which of the topic's names by category it goes by too.
        category: Option<&'static str>,
        id: Option<String>,
        time_ms: u64,
        /// The rows as JSON.
        data: String,
        /// How the message is broken, if it is.
        damage: Option<Does>,
    },
    /// Every private connection is to be cut.
    Disconnect,
}

/// Rows of one topic and one category, as JSON.
#[derive(Debug, Clone)]
pub(super) struct Telling {
    pub(super) topic: &'static str,
    category: Option<&'static str>,
    data: String,
}

impl Telling {
    /// What rows have to tell. Those of several categories are told apart, because topics may be.
    pub(super) fn of(rows: &PrivateRows, sequence: u64) -> Vec<Self> {
        match rows {
            PrivateRows::Executions(rows) => {
                let mut all = by_category("execution", rows, |row| row.category.as_ref());
                let fast: Vec<_> = rows.iter().filter_map(|row| fast(row, sequence)).collect();
                all.extend(by_category("execution.fast", &fast, |row| Some(&row.category)));
                all
            }
            PrivateRows::Orders(rows) => by_category("order", rows, |row| row.category.as_ref()),
            PrivateRows::Positions(rows) => by_category("position", rows, |row| row.category.as_ref()),
            PrivateRows::Wallet(row) => by_category("wallet", &[row], |_| None),
        }
    }
}

fn by_category<T: Serialize>(
    topic: &'static str,
    rows: &[T],
    category: impl Fn(&T) -> Option<&wire::Category>,
) -> Vec<Telling> {
    let mut told: Vec<(Option<&'static str>, Vec<&T>)> = Vec::new();
    for row in rows {
        let category = category(row).map(|category| match category {
            wire::Category::Spot => "spot",
            wire::Category::Linear => "linear",
            wire::Category::Inverse => "inverse",
            wire::Category::Option => "option",
            wire::Category::Other(_) => "",
        });
        match told.iter_mut().find(|(other, _)| *other == category) {
            Some((_, rows)) => rows.push(row),
            None => told.push((category, vec![row])),
        }
    }
    let telling = |(category, rows): (_, Vec<&T>)| {
        serde_json::to_string(&rows).ok().map(|data| Telling { topic, category, data })
    };
    told.into_iter().filter_map(telling).collect()
}

/// An execution as the fast topic tells it: trades only, without fees.
fn fast(row: &wire::Execution, sequence: u64) -> Option<wire::FastExecution> {
    (row.exec_type == wire::ExecType::Trade).then(|| wire::FastExecution {
        category: row.category.clone().unwrap_or_default(),
        symbol: row.symbol.clone(),
        exec_id: row.exec_id.clone(),
        exec_price: row.exec_price.clone(),
        exec_qty: row.exec_qty.clone(),
        order_id: row.order_id.clone(),
        is_maker: row.is_maker,
        order_link_id: if row.is_maker { String::new() } else { row.order_link_id.clone() },
        side: row.side.clone(),
        exec_time: row.exec_time.clone(),
        seq: i64::try_from(sequence).unwrap_or(i64::MAX),
    })
}

/// Puts messages in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Teller {
    messages: u64,
    /// Messages to send, by when and in which order.
    waiting: BTreeMap<(Timestamp, u64), PrivateMessage>,
    /// A message that is to come after the next one.
    held: Option<PrivateMessage>,
}

impl Teller {
    pub(super) fn take(
        &mut self,
        telling: Telling,
        strike: Option<Strike>,
        now: Timestamp,
        shown: Timestamp,
    ) {
        self.messages = self.messages.saturating_add(1);
        let Telling { topic, category, data } = telling;
        let does = strike.map(|strike| strike.does);
        let id = (topic != "execution.fast").then(|| format!("{:x}-{:x}", shown.millis(), self.messages));
        let message =
            PrivateMessage::Rows { topic, category, id, time_ms: shown.millis(), data, damage: does };
        match does {
            Some(Does::DropEvent) => {}
            Some(Does::ReorderEvent) if self.held.is_none() => {
                self.held = Some(message);
                return;
            }
            Some(Does::DelayEvent) => {
                let late = Span::from_millis(strike.map_or(0, |strike| strike.for_ms));
                self.send(message, now.after(late));
                return;
            }
            Some(Does::DuplicateEvent) => {
                self.send(message.clone(), now);
                self.send(message, now);
            }
            Some(Does::Disconnect) => {
                self.send(message, now);
                self.send(PrivateMessage::Disconnect, now);
            }
            Some(_) | None => self.send(message, now),
        }
        if let Some(held) = self.held.take() {
            self.send(held, now);
        }
    }

    /// Messages that are to be sent now.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<PrivateMessage> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }

    fn send(&mut self, message: PrivateMessage, at: Timestamp) {
        self.messages = self.messages.saturating_add(1);
        self.waiting.insert((at, self.messages), message);
    }
}
