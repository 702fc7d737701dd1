//! Entries for people and tools: what `journal tail` prints.

use portcullis_core::{Actor, Command, Record};
use serde::Serialize;

use crate::Stored;

/// One entry as a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryLine {
    /// Always `entry`.
    pub r#type: &'static str,
    /// Place in the journal.
    pub sequence: u64,
    /// Life of the journal.
    pub epoch: u16,
    /// When it was written, in ns since 1970 UTC.
    pub time: u64,
    /// Number of its kind.
    pub kind: u16,
    /// Name of its kind; absent for one that this version does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// `host`, `strategy`, `operator` or `venue`.
    pub actor: &'static str,
    /// The strategy it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<u16>,
    /// Client id of the order it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its leaf in hex.
    pub leaf: String,
    /// What it says. The causing frame's bytes are left out: its hash stands in the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Its body in hex, when this version cannot decode it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl From<&Stored<'_>> for EntryLine {
    fn from(stored: &Stored<'_>) -> Self {
        let entry = &stored.entry;
        let mut record = Record::decode(entry.kind, &entry.body).ok();
        let mut link = None;
        if let Some(Record::Intent(intent)) = &mut record {
            intent.frame.clear();
            if matches!(intent.command, Command::Place(_)) {
                link = stored.link_id().map(String::from);
            }
        }
        Self {
            r#type: "entry",
            sequence: entry.sequence.0,
            epoch: stored.epoch.get(),
            time: entry.time.0,
            kind: entry.kind,
            name: record.as_ref().map(Record::name),
            actor: actor_name(entry.actor),
            strategy: record.as_ref().and_then(Record::strategy).map(|strategy| strategy.0),
            link,
            leaf: stored.leaf.to_string(),
            body: record.is_none().then(|| hex::encode(&entry.body)),
            record,
        }
    }
}

/// The actor's name in output and in the index.
pub(crate) fn actor_name(actor: Actor) -> &'static str {
    match actor {
        Actor::Host => "host",
        Actor::Strategy(_) => "strategy",
        Actor::Operator => "operator",
        Actor::Venue => "venue",
    }
}
