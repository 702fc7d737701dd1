//! The gateway's process: opened, folded, put on the road, as the daemon does it.

use portcullis_core::{
    Amount, Command, Digest, Environment, Gate, Mandate, Record, SessionStart, Span, StrategyId,
    StrategyStarted, Timestamp,
};
use portcullis_gateway::Road;
use portcullis_journal::{JournalError, Log, LogConfig};

use crate::clock::SimClock;
use crate::disk::Disk;
use crate::wire::Wire;

/// Small segments, so that runs see many of them.
const SEGMENT_BYTES: u64 = 64 * 1024;

/// The code under test.
pub(crate) type SimRoad = Road<Wire, Log<Disk>, SimClock>;

/// Opens the journal and folds it into a gate.
pub(crate) fn open(disk: Disk) -> Result<(Gate, Log<Disk>), JournalError> {
    let mut config = LogConfig::lab(Environment::Paper, [7; 32]);
    config.segment_bytes = SEGMENT_BYTES;
    let mut gate = Gate::new();
    let log = Log::open(disk, config, &mut |stored| {
        let record = Record::decode(stored.entry.kind, &stored.entry.body).unwrap();
        let creates =
            matches!(&record, Record::Intent(intent) if matches!(intent.command, Command::Place(_)));
        let link = creates.then(|| stored.link_id()).flatten();
        gate.fold(stored.entry.sequence, link, &record);
    })?;
    Ok((gate, log))
}

/// Puts an opened journal and its gate on the road.
pub(crate) fn road(gate: Gate, log: Log<Disk>, wire: Wire, clock: SimClock) -> SimRoad {
    Road::new(gate, log, wire, clock, Span::from_millis(1))
}

pub(crate) fn session(at: Timestamp) -> SessionStart {
    SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: "simulation".to_owned(),
        engine: Digest::default(),
        at,
    }
}

/// A strategy has the number of its only instrument. `budget` is in USDT.
pub(crate) fn started(which: usize, budget: i64, at: Timestamp) -> StrategyStarted {
    let id = StrategyId(which as u16);
    StrategyStarted {
        strategy: id,
        name: format!("chaos-{which}").parse().unwrap(),
        digest: digest_of(id),
        instruments: vec![portcullis_core::InstrumentId(which as u32)],
        budget: Amount(i128::from(budget) * 10_i128.pow(18)),
        mandate: Mandate::ALL,
        at,
    }
}

/// The digest of a strategy's component.
pub(crate) fn digest_of(strategy: StrategyId) -> Digest {
    Digest([strategy.0 as u8 + 1; 32])
}
