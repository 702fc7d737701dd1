//! The end of a demo: everything stopped in order, the journal verified, and the numbers of the run from the journal itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use portcullis_core::{Command, Origin, Record, Sequence, Submission};
use portcullis_role::{ControlReply, ControlRequest, PositionLine, StatusReport};
use serde::Serialize;

use crate::command::operate;
use crate::failure::Failure;
use crate::places::Places;
use crate::supervise::Supervisor;

/// The last line of a demo.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    r#type: &'static str,
    venue: String,
    strategies: Vec<StrategySummary>,
    /// Events handed to strategies by the gateway that ended the run.
    events: u64,
    /// Intents journaled, approved or refused.
    intents: u64,
    /// Creates the venue acknowledged.
    orders: u64,
    /// Orders with any execution.
    fills: u64,
    executions: u64,
    refused: BTreeMap<&'static str, u64>,
    positions: Vec<PositionLine>,
    /// Realised and open profit, less fees and funding, in USDT.
    net_pnl: String,
    journal: JournalSummary,
    /// What went wrong while closing; empty when nothing did.
    trouble: Vec<String>,
    exit: u8,
}

#[derive(Debug, Serialize)]
struct StrategySummary {
    name: String,
    state: String,
    events: u64,
    faults: u64,
}

#[derive(Debug, Serialize)]
struct JournalSummary {
    records: u64,
    verified: bool,
    root: String,
}

impl Summary {
    /// Whether everything held.
    pub(crate) fn ok(&self) -> bool {
        self.exit == 0
    }
}

/// Stops the roles and sums the run up.
pub(crate) fn close(supervisor: Supervisor, dir: &Path) -> Result<Summary, Failure> {
    let places = Places::new(Some(dir), None);
    let mut trouble = Vec::new();
    let status = match operate::ask(&places, &ControlRequest::Status {}) {
        Ok(ControlReply::Status(status)) => *status,
        Ok(other) => {
            trouble.push(format!("the gateway answered {other:?} to a status request"));
            StatusReport::default()
        }
        Err(error) => {
            trouble.push(error.to_string());
            StatusReport::default()
        }
    };
    let positions = match operate::ask(&places, &ControlRequest::Positions {}) {
        Ok(ControlReply::Positions { positions }) => positions,
        _ => Vec::new(),
    };
    for role in supervisor.stop() {
        trouble.push(format!("the role {role} did not end in time and was killed"));
    }
    let report = portcullis_journal::verify(dir).map_err(|error| Failure::finding(error.code(), &error))?;
    let counts = Counts::of(dir)?;
    if !report.ok {
        trouble.push("the journal does not verify; run `portcullis journal verify`".to_owned());
    }
    Ok(Summary {
        r#type: "summary",
        venue: status.environment.clone(),
        events: status.strategies.iter().map(|strategy| strategy.events).sum(),
        strategies: status
            .strategies
            .into_iter()
            .map(|line| StrategySummary {
                name: line.name,
                state: line.state,
                events: line.events,
                faults: line.faults,
            })
            .collect(),
        intents: counts.intents,
        orders: counts.acknowledged,
        fills: u64::try_from(counts.filled.len()).unwrap_or(u64::MAX),
        executions: counts.executions,
        refused: counts.refused,
        positions,
        net_pnl: status.net_pnl,
        journal: JournalSummary { records: report.records, verified: report.ok, root: report.root },
        exit: u8::from(!trouble.is_empty()),
        trouble,
    })
}

/// What the journal says happened.
#[derive(Debug, Default)]
struct Counts {
    intents: u64,
    creates: BTreeSet<Sequence>,
    acknowledged: u64,
    filled: BTreeSet<String>,
    executions: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn of(dir: &Path) -> Result<Self, Failure> {
        let mut counts = Self::default();
        for entry in portcullis_journal::tail(dir, Sequence(0), false) {
            let stored = entry.map_err(|error| Failure::finding(error.code(), &error))?;
            let entry = &stored.entry;
            // A kind this version does not know is not one of those counted here.
            if let Ok(record) = Record::decode(entry.kind, &entry.body) {
                counts.add(entry.sequence, &record);
            }
        }
        Ok(counts)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a summary is about a handful of kinds of record")]
    fn add(&mut self, sequence: Sequence, record: &Record) {
        match record {
            Record::Intent(approved) => {
                if approved.origin == Origin::Strategy {
                    self.intents = self.intents.saturating_add(1);
                }
                if matches!(approved.command, Command::Place(_)) {
                    self.creates.insert(sequence);
                }
            }
            Record::Refused(refused) => {
                self.intents = self.intents.saturating_add(1);
                self.refuse(refused.code.as_str(), 1);
            }
            Record::RefusedSummary(summary) => {
                self.intents = self.intents.saturating_add(summary.count);
                self.refuse(summary.code.as_str(), summary.count);
            }
            Record::Submission(submitted) => {
                let create = self.creates.contains(&submitted.of);
                if create && matches!(submitted.outcome, Submission::Accepted { .. }) {
                    self.acknowledged = self.acknowledged.saturating_add(1);
                }
            }
            Record::Execution(execution) => {
                self.executions = self.executions.saturating_add(1);
                self.filled.insert(execution.venue_order.as_str().to_owned());
            }
            _ => {}
        }
    }

    fn refuse(&mut self, code: &'static str, count: u64) {
        let total = self.refused.entry(code).or_default();
        *total = total.saturating_add(count);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "venue       {}", self.venue)?;
        for strategy in &self.strategies {
            writeln!(
                f,
                "strategy    {} {}, {} events, {} faults",
                strategy.name, strategy.state, strategy.events, strategy.faults
            )?;
        }
        writeln!(f, "intents     {}", self.intents)?;
        writeln!(
            f,
            "orders      {}, of which {} were executed, in {} executions",
            self.orders, self.fills, self.executions
        )?;
        for (code, count) in &self.refused {
            writeln!(f, "refused     {count} {code}")?;
        }
        for position in &self.positions {
            writeln!(f, "position    {} {} {}", position.strategy, position.symbol, position.quantity)?;
        }
        writeln!(f, "net profit  {} USDT", self.net_pnl)?;
        let verified = if self.journal.verified { "verified" } else { "NOT VERIFIED" };
        write!(f, "journal     {} records, {verified}, root {}", self.journal.records, self.journal.root)?;
        for trouble in &self.trouble {
            write!(f, "\ntrouble     {trouble}")?;
        }
        Ok(())
    }
}
