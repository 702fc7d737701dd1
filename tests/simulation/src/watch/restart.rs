//! What must hold when the gateway comes back (invariants 5 and 8).

use portcullis_core::{Gate, Sequence, State};
use portcullis_journal::{Log, Tail};

use super::{Told, Watch};
use crate::disk::Disk;
use crate::gateway;

impl Watch {
    /// A new life begins on what a crash left. `before` is the state of the last life, if every fact behind it reached the disk.
    pub(crate) fn restarted(
        &mut self,
        gate: &Gate,
        log: &Log<Disk>,
        disk: &Disk,
        before: Option<&(Sequence, State)>,
    ) {
        self.told = Told::default();
        self.told.limits = gate.state().limits().is_some();
        self.journal = Some(Tail::new(disk.durable(), log.head().0, false));
        self.durable.clear();
        self.own(gate);
        self.check_ladder_survived(gate);
        self.take_over_ladder(gate);
        if let Some((head, state)) = before
            && *head == log.head().0
            && state != gate.state()
        {
            let detail = format!(
                "folding {} entries gives another state: {}",
                head.0,
                difference(state, gate.state())
            );
            self.violate("fold", detail);
        }
    }

    /// Opens the same journal once more and compares.
    pub(crate) fn opened_twice(&mut self, gate: &Gate, disk: &Disk) {
        match gateway::open(disk.after()) {
            Ok((again, _)) if again.state() == gate.state() => {}
            Ok((again, _)) => {
                let detail = difference(gate.state(), again.state());
                self.violate("restart-twice", detail);
            }
            Err(error) => {
                self.violate("restart-twice", format!("the journal opens once and not twice: {error}"))
            }
        }
    }
}

/// In which part two states differ.
pub(super) fn difference(a: &State, b: &State) -> String {
    let parts = [
        (a.orders() == b.orders(), "orders"),
        (a.ledger() == b.ledger(), "ledger"),
        (a.ladder() == b.ladder(), "ladder"),
        (a.limits_hash() == b.limits_hash(), "limits"),
        (a.session() == b.session(), "session"),
        (a.execution_count() == b.execution_count(), "executions"),
        (a.finding_count() == b.finding_count(), "findings"),
        (a.strategies().eq(b.strategies()), "strategies"),
        (a.wallet() == b.wallet(), "wallet"),
    ];
    let mut differ: Vec<String> =
        parts.iter().filter(|(same, _)| !same).map(|(_, part)| (*part).to_owned()).collect();
    let both = a.orders().all().zip(b.orders().all());
    differ.extend(both.filter(|(a, b)| a != b).take(1).map(|(a, b)| format!("{a:?} and {b:?}")));
    if differ.is_empty() { "a part not shown".to_owned() } else { differ.join(", ") }
}
