//! Identities. Each is a newtype, so that one cannot be passed for another.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A SHA-256 digest: of a component, a frame, a limits file or a journal entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A deployment's number in one journal, given when it first starts and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StrategyId(pub u16);

/// An instrument's number in one journal, given when the venue's rules for it are first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstrumentId(pub u32);

/// The host's own number of an order, counted from 1 over the whole journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

/// A strategy's own number of an order: its running count of `place` actions, from 1 (RULES T11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderNumber(pub u64);

/// Position of an entry in the journal, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sequence(pub u64);

/// Why a piece of text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to {max} characters of {allowed}")]
pub struct InvalidId {
    /// Which identity was meant.
    pub what: &'static str,
    /// Longest length allowed, in bytes.
    pub max: usize,
    /// The characters allowed.
    pub allowed: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr, $allowed:expr, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let allowed: fn(u8) -> bool = $ok;
                if text.is_empty() || text.len() > $max || !text.bytes().all(allowed) {
                    return Err(InvalidId { what: stringify!($name), max: $max, allowed: $allowed });
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

text_id!(
    /// The operator's name of a deployment.
    StrategyName, 32, "[a-z0-9-]", |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
);
text_id!(
    /// The venue's name of an instrument, for example `BTCUSDT`; unique within a [`Category`](crate::Category).
    Symbol, 32, "[A-Z0-9-]", |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'
);
text_id!(
    /// The client's name of an order at the venue (`orderLinkId`). Ours are minted by the journal from the entry's leaf; the
    /// venue also reports other people's.
    LinkId, 36, "[A-Za-z0-9_-]", |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
);
text_id!(
    /// The venue's name of an order.
    VenueOrderId, 64, "printable ASCII without space", |b| b.is_ascii_graphic()
);
text_id!(
    /// The venue's name of an execution; each is accounted exactly once.
    ExecId, 64, "printable ASCII without space", |b| b.is_ascii_graphic()
);
text_id!(
    /// Who asks, as the journal cites them: `control-socket`, or `console:USER`.
    ActorName, 64, "printable ASCII", is_printable
);
text_id!(
    /// A user of the console.
    UserName, 64, "printable ASCII", is_printable
);
text_id!(
    /// The network address a request came from.
    PeerAddress, 64, "printable ASCII", is_printable
);

fn is_printable(b: u8) -> bool {
    b.is_ascii_graphic() || b == b' '
}
