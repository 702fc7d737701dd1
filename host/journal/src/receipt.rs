//! What the journal gives back for a record.

use portcullis_core::{Digest, Sequence};

/// The place and leaf of an appended record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the journal.
    pub sequence: Sequence,
    /// Its leaf.
    pub leaf: Digest,
}
