//! The proof that a command is in the journal: the only thing a venue accepts. Minted here and nowhere else.

use portcullis_core::{ApprovedCommand, Class, Command, Digest, Environment, LinkId, Sequence, Timestamp};

use crate::link::link_id;
use crate::{Epoch, JournalError, Receipt};

/// A command whose entry is in the journal.
///
/// For a command that can add risk the entry was durable before this was minted. One that only reduces or cancels may have been
/// minted after the wait for the disk ran out (RULES G2). It cannot be copied, built elsewhere or read from bytes: what is sent
/// was journaled, and is sent once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a journaled command that is not submitted must be journaled as not sent"]
pub struct JournaledCommand {
    command: Command,
    class: Class,
    approved_at: Timestamp,
    sequence: Sequence,
    leaf: Digest,
    link: LinkId,
}

impl JournaledCommand {
    /// What is to be sent.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// What it does to risk.
    pub fn class(&self) -> Class {
        self.class
    }

    /// When the gate approved it.
    pub fn approved_at(&self) -> Timestamp {
        self.approved_at
    }

    /// Its entry.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The leaf of its entry.
    pub fn leaf(&self) -> &Digest {
        &self.leaf
    }

    /// The client id derived from its entry. A new order carries it at the venue; other commands name their order themselves.
    pub fn link(&self) -> &LinkId {
        &self.link
    }
}

/// What a commit gives back.
#[derive(Debug)]
pub struct Committed {
    /// One for each record, in order.
    pub receipts: Vec<Receipt>,
    /// The commands that may go out now, in the order given.
    pub commands: Vec<JournaledCommand>,
    /// Entries of commands that can add risk and were not minted, because the disk did not answer in time. They must be journaled
    /// as not sent. Always empty after [`Wait::Durable`](crate::Wait::Durable).
    pub withheld: Vec<Sequence>,
    /// Whether the records are on the disk.
    pub durable: bool,
}

/// Whose journal the commands are minted in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) environment: Environment,
    pub(crate) epoch: Epoch,
}

/// Mints the commands of a commit, each from the receipt of its record.
pub(crate) fn mint(
    identity: Identity,
    receipts: Vec<Receipt>,
    approved: Vec<(usize, ApprovedCommand)>,
    durable: bool,
) -> Result<Committed, JournalError> {
    let mut commands = Vec::with_capacity(approved.len());
    let mut withheld = Vec::new();
    for (record, approved) in approved {
        let receipt = receipts.get(record).ok_or(JournalError::NoRecord { record })?;
        let (sequence, leaf) = (receipt.sequence, receipt.leaf);
        if approved.class() == Class::Adding && !durable {
            withheld.push(sequence);
            continue;
        }
        let link = link_id(identity.environment, identity.epoch, sequence, &leaf)
            .ok_or(JournalError::Exhausted("sequence numbers"))?;
        let (command, class, approved_at) = approved.into_parts();
        commands.push(JournaledCommand { command, class, approved_at, sequence, leaf, link });
    }
    Ok(Committed { receipts, commands, withheld, durable })
}
