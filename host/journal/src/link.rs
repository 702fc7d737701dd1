//! Client ids of orders, derived from the journal so that the venue's own history witnesses it (RULES J4).

use core::fmt;

use portcullis_core::{Digest, Environment, LinkId, LinkNumber, Sequence};
use serde::{Deserialize, Serialize};

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters of the leaf in a link id: 132 bits.
const LEAF_CHARS: usize = 22;
/// Which life of the journal an entry belongs to. A restore raises it, so that ids of a rolled-back stretch are never
/// reused (RULES J5). Three base-32 digits hold 32,768 values; the upper half is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Epoch(u16);

impl Epoch {
    /// The first life of every journal.
    pub const FIRST: Self = Self(1);
    /// The last epoch a journal can have.
    pub const MAX: Self = Self(16_383);

    /// An epoch from 1 to 16,383.
    pub fn new(number: u16) -> Option<Self> {
        (1..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }

    /// The epoch after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0.checked_add(1)?)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u16> for Epoch {
    type Error = &'static str;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("an epoch is 1 to 16383")
    }
}

impl From<Epoch> for u16 {
    fn from(epoch: Epoch) -> Self {
        epoch.0
    }
}

/// The client id of the order that the entry at `sequence` with leaf `leaf` asks for: 36 characters,
/// `env(1) epoch(3) sequence(9) "-" leaf(22)`.
///
/// `None` when `sequence` is above 2^45 - 1; the journal refuses to grow that far, so an id of a journaled entry always exists.
pub fn link_id(environment: Environment, epoch: Epoch, sequence: Sequence, leaf: &Digest) -> Option<LinkId> {
    if sequence.0 > LinkNumber::SEQUENCE_MAX {
        return None;
    }
    let mut text = String::with_capacity(36);
    text.push(environment.letter());
    text.push_str(&LinkNumber { epoch: epoch.0, sequence }.to_string());
    text.push('-');
    push_leaf(&mut text, leaf);
    text.parse().ok()
}

/// What a client id says about the entry it was minted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkParts {
    /// Environment of the journal.
    pub environment: Environment,
    /// Life of the journal.
    pub epoch: Epoch,
    /// The entry.
    pub sequence: Sequence,
    leaf: Box<str>,
}

impl LinkParts {
    /// Reads an id of ours; `None` when it cannot be one.
    pub fn parse(link: &LinkId) -> Option<Self> {
        let text = link.as_str();
        let (head, leaf) = text.split_once('-')?;
        if leaf.len() != LEAF_CHARS || head.len() != LinkNumber::CHARS.checked_add(1)? {
            return None;
        }
        let number = LinkNumber::of(link)?;
        Some(Self {
            environment: environment_of(*head.as_bytes().first()?)?,
            epoch: Epoch::new(number.epoch)?,
            sequence: number.sequence,
            leaf: leaf.into(),
        })
    }

    /// Whether the id was minted from an entry with this leaf.
    pub fn names(&self, leaf: &Digest) -> bool {
        let mut expected = String::with_capacity(LEAF_CHARS);
        push_leaf(&mut expected, leaf);
        *self.leaf == *expected
    }
}

/// The environment with this letter in ids and segment headers.
pub(crate) fn environment_of(letter: u8) -> Option<Environment> {
    [Environment::Paper, Environment::Testnet, Environment::Demo, Environment::Live]
        .into_iter()
        .find(|environment| environment.letter() == char::from(letter))
}

/// The first 132 bits of the leaf in base64url, six bits to a character.
fn push_leaf(text: &mut String, leaf: &Digest) {
    let letters = leaf.0.chunks_exact(3).flat_map(|triple| {
        let bits = triple.iter().fold(0_u64, |bits, &byte| (bits << 8) | u64::from(byte));
        [18, 12, 6, 0].map(|shift| letter((bits >> shift) & 63))
    });
    text.extend(letters.take(LEAF_CHARS));
}

fn letter(value: u64) -> char {
    usize::try_from(value).ok().and_then(|at| BASE64URL.get(at)).map_or('-', |&byte| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Digest {
        Digest(core::array::from_fn(|at| u8::try_from(at.saturating_mul(8)).unwrap()))
    }

    #[test]
    fn an_id_is_36_characters_and_reads_back() {
        let epoch = Epoch::new(16_383).unwrap();
        let id = link_id(Environment::Live, epoch, Sequence(LinkNumber::SEQUENCE_MAX), &leaf()).unwrap();
        assert_eq!(id.as_str().len(), 36);
        assert_eq!(id.as_str(), "lfzzzzzzzzzzz-AAgQGCAoMDhASFBYYGhweI");
        let parts = LinkParts::parse(&id).unwrap();
        assert_eq!(
            (parts.environment, parts.epoch, parts.sequence),
            (Environment::Live, epoch, Sequence(LinkNumber::SEQUENCE_MAX))
        );
        assert!(parts.names(&leaf()));
        assert!(!parts.names(&Digest::default()));
    }

    #[test]
    fn ids_sort_as_their_entries_do() {
        let id = |epoch, sequence| {
            link_id(Environment::Paper, Epoch::new(epoch).unwrap(), Sequence(sequence), &leaf()).unwrap()
        };
        assert!(id(1, 31) < id(1, 32));
        assert!(id(1, 1 << 40) < id(2, 0));
    }

    #[test]
    fn beyond_the_range_there_is_no_id() {
        assert_eq!(link_id(Environment::Paper, Epoch::FIRST, Sequence(1 << 45), &leaf()), None);
        assert_eq!(Epoch::new(0), None);
        assert_eq!(Epoch::MAX.next(), None);
    }

    #[test]
    fn foreign_ids_are_not_ours() {
        for text in [
            "x",
            "web-1",
            "p001000000000-short",
            "q001000000001-AAgQGCAoMDhASFBYYGhweI",
            "p00100000000i-AAgQGCAoMDhASFBYYGhweI",
        ] {
            assert_eq!(LinkParts::parse(&text.parse().unwrap()), None, "{text}");
        }
    }
}
