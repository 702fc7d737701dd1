//! What is asked of the sentinel: to watch over a gateway by lease, and to halt on its own (RULES S4).

use portcullis_core::{ActorName, Category};
use serde::{Deserialize, Serialize};

use super::server::Answer;

/// A question to the sentinel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SentinelRequest {
    /// From the gateway, about once a second: its pipeline turns. When the last one is older than the lease, the sentinel cancels
    /// entries.
    Renew(Lease),
    /// From an operator: cancels entries without the gateway, and owes it the halt until it has taken it.
    Halt {
        /// Why.
        reason: String,
        /// Who asks; `sentinel-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// How it stands.
    Status {},
}

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The markets it may have orders in.
    pub markets: Vec<Category>,
    /// Whether the account's entries are cancelled, so that a halt has been taken.
    pub halted: bool,
    /// Whether it ends in order: the lease then lasts long enough for a restart.
    pub leaving: bool,
}

/// The sentinel's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SentinelReply {
    /// To a renewal.
    Renewed {
        /// A halt that an operator asked for and the gateway has not taken yet.
        halt: Option<OwedHalt>,
    },
    /// To `status` and `halt`.
    Status(SentinelStatus),
    /// It was not done.
    Error {
        /// Stable, upper case with underscores.
        code: String,
        /// For the operator.
        detail: String,
    },
}

impl Answer for SentinelReply {
    fn error(code: &str, detail: String) -> Self {
        Self::Error { code: code.to_owned(), detail }
    }
}

/// A halt for the gateway to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwedHalt {
    /// Who asked for it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// How the sentinel stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentinelStatus {
    /// `waiting` for a first lease, `holding` one, `cancelling` entries, or `cancelled` them.
    pub state: String,
    /// Milliseconds since the last renewal; none without one.
    pub renewed_ms: Option<u64>,
    /// Whether an operator's halt is owed to the gateway.
    pub halt_owed: bool,
    /// Entries that the venue still showed at the last look; none before the first.
    pub entries_left: Option<u64>,
    /// What went wrong last; empty when nothing did.
    pub trouble: String,
}
