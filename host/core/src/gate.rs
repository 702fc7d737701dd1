//! The gate: the whole decision core behind one function.

use crate::{Effects, Input, LinkId, Record, Sequence, State, Timestamp};

/// The gate. Pure: it reads no clock, does no I/O, and the same inputs give the same effects.
#[derive(Debug, Default)]
pub struct Gate {
    state: State,
}

impl Gate {
    /// A gate that knows nothing: without limits, instruments and market data it refuses everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a record of an earlier session, in the order of the journal. `link` is the client id that the journal minted for
    /// a place; `None` for anything else.
    pub fn fold(&mut self, sequence: Sequence, link: Option<LinkId>, record: &Record) {
        self.state.apply(record);
        if let Record::Intent(intent) = record {
            self.state.committed(&intent.command, sequence, link);
        }
    }

    /// Decides about one input. The records in the answer are already in force here; the caller journals them.
    pub fn step(&mut self, now: Timestamp, input: Input<'_>) -> Effects {
        let _ = (now, input);
        Effects::default()
    }

    /// The durable state.
    pub fn state(&self) -> &State {
        &self.state
    }
}
