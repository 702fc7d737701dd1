//! The proof that a command is in the journal: the only thing a venue accepts. Minted here and nowhere else.

use portcullis_core::{ApprovedCommand, Class, Command, Digest, Environment, LinkId, Sequence, Timestamp};

use crate::link::link_id;
use crate::{Epoch, JournalError, Receipt};

/// A command whose entry is in the journal.
///
/// For a command that can add risk the entry was durable before this was minted. One that only reduces or cancels may have been
/// minted after the wait for the disk ran out, or from the reserve when the journal cannot be written (RULES G2, G7). It cannot be copied, built elsewhere or read from bytes: what is sent
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

/// A command that can add risk, whose entry is not durable yet. [`Journal::claim`](crate::Journal::claim) mints it once that is so; one
/// that is not claimed any more must be journaled as not sent.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a withheld command must be claimed, or journaled as not sent"]
pub struct Withheld(Box<JournaledCommand>);

impl Withheld {
    /// What was to be sent.
    pub fn command(&self) -> &Command {
        &self.0.command
    }

    /// Its entry.
    pub fn sequence(&self) -> Sequence {
        self.0.sequence
    }

    /// The client id derived from its entry.
    pub fn link(&self) -> &LinkId {
        &self.0.link
    }

    /// The command, once entries below `durable` are durable.
    pub(crate) fn claim(self, durable: Sequence) -> Result<JournaledCommand, Self> {
        if self.0.sequence < durable { Ok(*self.0) } else { Err(self) }
    }
}

/// What a commit gives back.
#[derive(Debug)]
pub struct Committed {
    /// One for each record, in order. `None` for a fact left out, because the journal has failed and the reserve is tight.
    pub receipts: Vec<Option<Receipt>>,
    /// The commands that may go out now, in the order given.
    pub commands: Vec<JournaledCommand>,
    /// Commands that can add risk and may not go out yet, because the disk did not answer in time or failed.
    pub withheld: Vec<Withheld>,
    /// Whether the records are durable in the journal.
    pub durable: bool,
}

/// Whose journal the commands are minted in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) environment: Environment,
    pub(crate) epoch: Epoch,
}

/// Mints the commands of a commit, each from the receipt of its record. Those that can add risk only when it is `durable`; the
/// others also when the entry is in the reserve alone, or in memory after a bounded wait (RULES G2, G7).
pub(crate) fn mint(
    identity: Identity,
    receipts: Vec<Option<Receipt>>,
    approved: Vec<(usize, ApprovedCommand)>,
    durable: bool,
) -> Result<Committed, JournalError> {
    let mut commands = Vec::with_capacity(approved.len());
    let mut withheld = Vec::new();
    for (record, approved) in approved {
        let receipt = receipts.get(record).copied().flatten().ok_or(JournalError::NoRecord { record })?;
        let Receipt { sequence, leaf } = receipt;
        let link = link_id(identity.environment, identity.epoch, sequence, &leaf)
            .ok_or(JournalError::Exhausted("sequence numbers"))?;
        let (command, class, approved_at) = approved.into_parts();
        let journaled = JournaledCommand { command, class, approved_at, sequence, leaf, link };
        if class == Class::Adding && !durable {
            withheld.push(Withheld(Box::new(journaled)));
        } else {
            commands.push(journaled);
        }
    }
    Ok(Committed { receipts, commands, withheld, durable })
}
