//! One entry: its deterministic bytes and its leaf.
//!
//! Little-endian, fixed places, no padding:
//!
//! ```text
//!   0  sequence        u64   counted from 0 over the whole journal
//!   8  time            u64   ns since 1970 UTC, as the gateway saw it
//!  16  monotonic       u64   ns on the machine's own clock since boot
//!  24  boot            16    the machine's boot id
//!  40  salt            16    hides guessable bodies behind the leaf
//!  56  previous        32    leaf of the entry before; zero in the first
//!  88  strategy        32    digest of the strategy's bundle; zero when none is concerned
//! 120  kind            u16   of the record in the body; unknown kinds are kept verbatim
//! 122  actor           u16   0 host, 1 strategy, 2 operator, 3 venue
//! 124  actor's number  u32   the strategy's number; zero otherwise
//! 128  body length     u32
//! 132  body
//! ```

use std::borrow::Cow;

use portcullis_core::{Actor, Digest, Sequence, StrategyId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::bytes::{array, len_u32, u16_at, u32_at, u64_at};

/// Bytes of an entry before its body.
pub(crate) const ENTRY_FIXED: usize = 132;

/// Largest body of one entry, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Largest entry, in bytes.
pub(crate) const ENTRY_BYTES_MAX: usize = ENTRY_FIXED + BODY_BYTES_MAX;

/// The actor's number in an entry, and the number of its strategy.
fn actor_code(actor: Actor) -> (u16, u32) {
    match actor {
        Actor::Host => (0, 0),
        Actor::Strategy(id) => (1, u32::from(id.0)),
        Actor::Operator => (2, 0),
        Actor::Venue => (3, 0),
    }
}

fn actor_of(code: u16, number: u32) -> Option<Actor> {
    match (code, number) {
        (0, 0) => Some(Actor::Host),
        (1, number) => u16::try_from(number).ok().map(|id| Actor::Strategy(StrategyId(id))),
        (2, 0) => Some(Actor::Operator),
        (3, 0) => Some(Actor::Venue),
        _ => None,
    }
}

/// One entry of the journal. Borrows its body from the segment while the journal is walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Place in the journal, counted from 0.
    pub sequence: Sequence,
    /// When the gateway wrote it, by its own clock.
    pub time: Timestamp,
    /// Nanoseconds on the machine's monotonic clock; comparable only within one boot.
    pub monotonic_ns: u64,
    /// The machine's boot id; zero in the lab.
    pub boot: [u8; 16],
    /// Random bytes, so that a published leaf or root says nothing about a guessable body.
    pub salt: [u8; 16],
    /// Leaf of the entry before; zero in the first entry.
    pub previous: Digest,
    /// Digest of the bundle of the strategy concerned; zero when none is.
    pub strategy: Digest,
    /// Kind of the record in the body.
    pub kind: u16,
    /// Who brought it about.
    pub actor: Actor,
    /// The record's bytes, at most [`BODY_BYTES_MAX`].
    pub body: Cow<'a, [u8]>,
}

impl<'a> Entry<'a> {
    /// The entry's bytes: the same on every machine.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENTRY_FIXED.saturating_add(self.body.len()));
        self.encode_into(&mut out);
        out
    }

    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let (actor, number) = actor_code(self.actor);
        out.extend_from_slice(&self.sequence.0.to_le_bytes());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.monotonic_ns.to_le_bytes());
        out.extend_from_slice(&self.boot);
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.previous.0);
        out.extend_from_slice(&self.strategy.0);
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&actor.to_le_bytes());
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(&len_u32(self.body.len()).to_le_bytes());
        out.extend_from_slice(&self.body);
    }

    /// Reads an entry's bytes. `None` when they are not exactly one entry, so that [`Entry::encode`] always gives them back.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let body = bytes.get(ENTRY_FIXED..)?;
        if body.len() > BODY_BYTES_MAX || u32_at(bytes, 128)? != len_u32(body.len()) {
            return None;
        }
        Some(Self {
            sequence: Sequence(u64_at(bytes, 0)?),
            time: Timestamp(u64_at(bytes, 8)?),
            monotonic_ns: u64_at(bytes, 16)?,
            boot: array(bytes, 24)?,
            salt: array(bytes, 40)?,
            previous: Digest(array(bytes, 56)?),
            strategy: Digest(array(bytes, 88)?),
            kind: u16_at(bytes, 120)?,
            actor: actor_of(u16_at(bytes, 122)?, u32_at(bytes, 124)?)?,
            body: Cow::Borrowed(body),
        })
    }

    /// The entry's leaf: SHA-256 over a zero byte and the entry's bytes, as in RFC 6962.
    pub fn leaf(&self) -> Digest {
        leaf_of(&self.encode())
    }

    /// The entry with a body of its own.
    pub fn into_owned(self) -> Entry<'static> {
        Entry { body: Cow::Owned(self.body.into_owned()), ..self }
    }
}

/// The leaf of an entry given as bytes.
pub(crate) fn leaf_of(entry: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(entry);
    Digest(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Entry<'static> {
        Entry {
            sequence: Sequence(7),
            time: Timestamp(1_700_000_000_000_000_000),
            monotonic_ns: 5,
            boot: [1; 16],
            salt: [2; 16],
            previous: Digest([3; 32]),
            strategy: Digest([4; 32]),
            kind: 65_000,
            actor: Actor::Strategy(StrategyId(9)),
            body: Cow::Owned(b"fact".to_vec()),
        }
    }

    #[test]
    fn bytes_round_trip_and_pin_the_leaf() {
        let bytes = sample().encode();
        assert_eq!(Entry::decode(&bytes), Some(sample()));
        // Pinned: a change of this value breaks every journal in existence.
        assert_eq!(
            sample().leaf().to_string(),
            "e718fe7473a974adf13d09e12f327911459eea662d7ee5053481471435f0e00b"
        );
    }

    #[test]
    fn other_lengths_and_actors_are_not_entries() {
        let bytes = sample().encode();
        assert_eq!(Entry::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Entry::decode(&[bytes.as_slice(), &[0]].concat()), None);
        assert_eq!(Entry::decode(&[]), None);
        let mut odd = bytes;
        odd[122] = 4;
        assert_eq!(Entry::decode(&odd), None);
    }
}
