//! What one or more decisions of the gate want done, in the order it must be done.

use portcullis_core::{ApprovedCommand, Class, Effects, Notice, Query, Record, StrategyId, Timestamp};

/// Decisions, collected so that one wait for the disk serves all of them.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Records and their commands, split wherever the wait for the disk changes.
    pub(crate) runs: Vec<Run>,
    /// What strategies are told, each with the time before which it may not be seen.
    pub(crate) notices: Vec<(Timestamp, Notice)>,
    /// What the venue is asked.
    pub(crate) queries: Vec<Query>,
    /// Strategies that flooded the gate.
    pub(crate) strikes: Vec<StrategyId>,
}

/// Records that are written together. Cancels and reductions do not share a run with commands that add risk, because those wait for
/// the disk however long it takes and these do not (RULES G2).
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The facts.
    pub(crate) records: Vec<Record>,
    /// The commands, each with the index of its record.
    pub(crate) commands: Vec<(usize, ApprovedCommand)>,
    /// Whether a command adds risk; `None` without commands.
    pub(crate) adding: Option<bool>,
}

impl Batch {
    /// One decision.
    pub(crate) fn of(effects: Effects, due: Timestamp) -> Self {
        let mut batch = Self::default();
        batch.add(effects, due);
        batch
    }

    /// Adds a decision. Its consequences may be seen by strategies from `due` on.
    pub(crate) fn add(&mut self, effects: Effects, due: Timestamp) {
        let mut commands = effects.commands.into_iter().peekable();
        let mut run = self.runs.pop().unwrap_or_default();
        for (index, record) in effects.records.into_iter().enumerate() {
            let command = commands.next_if(|(of, _)| *of == index).map(|(_, command)| command);
            let adding = command.as_ref().map(|command| command.class() == Class::Adding);
            if adding.is_some() && run.adding.is_some() && adding != run.adding {
                self.runs.push(std::mem::take(&mut run));
            }
            if let Some(command) = command {
                run.commands.push((run.records.len(), command));
                run.adding = adding;
            }
            run.records.push(record);
        }
        if !run.records.is_empty() {
            self.runs.push(run);
        }
        self.notices.extend(effects.notices.into_iter().map(|notice| (due, notice)));
        self.queries.extend(effects.queries);
        self.strikes.extend(effects.strikes);
    }
}
