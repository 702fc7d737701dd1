//! `limits simulate`.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_core::{
    ActionKind, Amount, Change, ChangeReason, Command, DecisionChange, LimitsSimulation, Record, Scope,
    Sequence, State, StateCause, Timestamp, TripChange, TripPoint,
};
use serde_json::{Value, json};

use super::read;
use crate::cli::{SimulateLimits, Since};
use crate::clock;
use crate::failure::Failure;
use crate::output;

/// Changed decisions of each kind that are listed for people.
const LINES: usize = 20;

/// The same in JSON.
const JSON_LINES: usize = 1_000;

const CAVEAT: &str = "First-order: every recorded check is held against the other limits with the numbers it saw; a collar's width scales with its \
     fraction, and its ticks bound it from below. What a changed decision would have brought about afterwards is not played out.";

/// Goes through the journal and says what the file would have changed.
pub(super) fn run(arguments: &SimulateLimits, dir: &Path, as_json: bool) -> Result<(), Failure> {
    let candidate = read(&arguments.file)?;
    if !dir.join("journal").is_dir() {
        return Err(Failure::Usage(format!(
            "{} has no journal; name a data directory with --dir",
            dir.display()
        )));
    }
    let since = match arguments.since {
        None => Timestamp::default(),
        Some(Since::At(seconds)) => Timestamp(seconds.saturating_mul(1_000_000_000)),
        Some(Since::Ago(ago)) => {
            let ago = u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX);
            Timestamp(clock::now().0.saturating_sub(ago))
        }
    };
    let from = Sequence(arguments.from.unwrap_or_default());
    let mut outcome = Outcome::new(arguments.lines.unwrap_or(if as_json { JSON_LINES } else { LINES }));
    let mut simulation = LimitsSimulation::new(candidate);
    for entry in portcullis_journal::tail(dir, Sequence(0), false) {
        let stored = entry.map_err(|error| Failure::finding(error.code(), &error))?;
        let sequence = stored.entry.sequence;
        let record = Record::decode(stored.entry.kind, &stored.entry.body).map_err(|error| {
            Failure::finding("JOURNAL_UNREADABLE", format!("entry {}: {error}", sequence.0))
        })?;
        let places = matches!(&record, Record::Intent(intent) if matches!(intent.command, Command::Place(_)));
        let link = places.then(|| stored.link_id()).flatten();
        let judged = sequence >= from && stored.entry.time >= since;
        outcome.entries = outcome.entries.saturating_add(u64::from(judged));
        if let Some(change) = simulation.take(sequence, link, &record, judged) {
            outcome.add(&change, simulation.state());
        }
    }
    outcome.decisions = simulation.decisions();
    outcome.blind = simulation.blind();
    for trip in simulation.trips() {
        outcome.trips.push(trip_json(&trip, simulation.state()));
    }
    if as_json {
        output::json(&outcome.to_json());
    } else {
        outcome.print(&arguments.file);
    }
    Ok(())
}

/// What was found.
struct Outcome {
    lines: usize,
    entries: u64,
    decisions: u64,
    kinds: BTreeMap<&'static str, Kind>,
    trips: Vec<Value>,
    blind: Vec<String>,
}

/// Decisions that change in one way.
#[derive(Default)]
struct Kind {
    count: u64,
    /// How often each key was among the reasons.
    keys: BTreeMap<String, u64>,
    shown: Vec<Value>,
}

const KINDS: [(&str, &str); 3] = [
    ("would_refuse", "would have been refused"),
    ("would_pass", "would have passed"),
    ("unknown", "cannot be told"),
];

impl Outcome {
    fn new(lines: usize) -> Self {
        let kinds = KINDS.into_iter().map(|(name, _)| (name, Kind::default())).collect();
        Self { lines, entries: 0, decisions: 0, kinds, trips: Vec::new(), blind: Vec::new() }
    }

    fn add(&mut self, change: &DecisionChange, state: &State) {
        let name = match change.change {
            Change::WouldRefuse => "would_refuse",
            Change::WouldPass => "would_pass",
            Change::Unknown => "unknown",
        };
        let kind = self.kinds.entry(name).or_default();
        kind.count = kind.count.saturating_add(1);
        for reason in &change.reasons {
            let count = kind.keys.entry(reason.key.clone()).or_default();
            *count = count.saturating_add(1);
        }
        if kind.shown.len() < self.lines {
            kind.shown.push(change_json(change, state));
        }
    }

    fn to_json(&self) -> Value {
        let list = |name: &str| self.kinds.get(name).map(|kind| kind.shown.clone()).unwrap_or_default();
        let count = |name: &str| self.kinds.get(name).map_or(0, |kind| kind.count);
        let keys = |name: &str| self.kinds.get(name).map(|kind| kind.keys.clone()).unwrap_or_default();
        json!({
            "entries": self.entries,
            "decisions": self.decisions,
            "counts": {
                "would_refuse": count("would_refuse"),
                "would_pass": count("would_pass"),
                "unknown": count("unknown"),
            },
            "refusing_keys": keys("would_refuse"),
            "would_refuse": list("would_refuse"),
            "would_pass": list("would_pass"),
            "unknown": list("unknown"),
            "trips": self.trips,
            "not_judged": self.blind,
            "caveat": CAVEAT,
        })
    }

    fn print(&self, file: &Path) {
        output::text(format!("{} decisions held against {}", self.decisions, file.display()));
        for (name, words) in KINDS {
            let Some(kind) = self.kinds.get(name) else { continue };
            output::text(format!("{:>8}  {words}", kind.count));
            for (key, count) in &kind.keys {
                output::text(format!("{count:>18}  {key}"));
            }
        }
        output::text(format!("{:>8}  trips would have moved", self.trips.len()));
        for (name, words) in KINDS {
            let Some(kind) = self.kinds.get(name).filter(|kind| kind.count > 0) else { continue };
            output::text(format!("\n{words}:"));
            for one in &kind.shown {
                output::text(format!("  {}", change_line(one)));
            }
            let more = kind.count.saturating_sub(u64::try_from(kind.shown.len()).unwrap_or(u64::MAX));
            if more > 0 {
                output::text(format!("  … and {more} more; --lines shows them"));
            }
        }
        if !self.trips.is_empty() {
            output::text("\ntrips:");
        }
        for trip in &self.trips {
            output::text(format!("  {}", trip.get("detail").and_then(Value::as_str).unwrap_or_default()));
        }
        if !self.blind.is_empty() {
            output::text(format!(
                "\nnot judged, because no journal shows what they do: {}",
                self.blind.join(", ")
            ));
        }
        output::text(format!("\n{CAVEAT}"));
    }
}

fn change_json(change: &DecisionChange, state: &State) -> Value {
    let spec = change.instrument.and_then(|id| state.instrument(id)).map(|instrument| &instrument.spec);
    let reason = |reason: &ChangeReason| {
        let unit = reason.check.unit();
        let after = reason.after.map(|after| unit.display(after, spec));
        let over = reason.after.and_then(|after| reason.seen.checked_sub(after)).filter(|over| *over > 0);
        json!({
            "check": reason.check.as_str(),
            "key": reason.key,
            "seen": unit.display(reason.seen, spec),
            "before": unit.display(reason.before, spec),
            "after": after,
            "over": over.map(|over| unit.display(over, spec)),
            "unknown": reason.unknown,
        })
    };
    json!({
        "sequence": change.sequence.0,
        "time_ns": change.at.0,
        "strategy": change.strategy.and_then(|id| state.strategy(id)).map(|strategy| strategy.name.to_string()),
        "symbol": spec.map(|spec| spec.symbol.to_string()),
        "order": change.number.0,
        "action": action(change.action),
        "reasons": change.reasons.iter().map(reason).collect::<Vec<_>>(),
    })
}

/// One changed decision, for people.
fn change_line(change: &Value) -> String {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let of = |key: &str| text(change.get(key));
    let reason = |reason: &Value| {
        let of = |key: &str| text(reason.get(key));
        match (reason.get("unknown"), reason.get("after")) {
            (Some(Value::String(why)), _) => format!("{}: {why}", of("key")),
            (_, Some(Value::String(after))) => {
                let over = match reason.get("over") {
                    Some(Value::String(over)) => format!(" ({over} over)"),
                    _ => String::new(),
                };
                format!("{} saw {} against {after}{over}", of("key"), of("seen"))
            }
            _ => format!("{} saw {}, was {}", of("key"), of("seen"), of("before")),
        }
    };
    let reasons: Vec<String> =
        change.get("reasons").and_then(Value::as_array).into_iter().flatten().map(reason).collect();
    format!(
        "entry {} {} #{} {} {}: {}",
        of("sequence"),
        of("strategy"),
        of("order"),
        of("action"),
        of("symbol"),
        reasons.join("; ")
    )
}

fn trip_json(trip: &TripChange, state: &State) -> Value {
    let scope = match trip.scope {
        Scope::Account => "account".to_owned(),
        Scope::Strategy(id) => {
            state.strategy(id).map(|strategy| strategy.name.to_string()).unwrap_or_default()
        }
        Scope::Instrument(id) => {
            state.instrument(id).map(|instrument| instrument.spec.symbol.to_string()).unwrap_or_default()
        }
    };
    let money = matches!(trip.cause, StateCause::DailyLoss | StateCause::Drawdown);
    let number = |value: i128| if money { Amount(value).to_string() } else { value.to_string() };
    let would = |point: &TripPoint| {
        format!("at entry {} with {} against {}", point.sequence.0, number(point.seen), number(point.bound))
    };
    let cause = trip.cause.as_str();
    let detail = match (trip.happened, &trip.candidate) {
        (None, Some(point)) => format!("{scope} {cause}: did not trip, and would have {}", would(point)),
        (Some((sequence, _)), Some(point)) => {
            let when = if point.sequence < sequence { "no later than" } else { "only" };
            format!(
                "{scope} {cause}: tripped at entry {}, and would have {when} {}",
                sequence.0,
                would(point)
            )
        }
        (Some((sequence, _)), None) => {
            format!(
                "{scope} {cause}: tripped at entry {}, and no number in the journal is enough for the other limits",
                sequence.0
            )
        }
        (None, None) => format!("{scope} {cause}"),
    };
    json!({
        "scope": scope,
        "cause": cause,
        "happened": trip.happened.map(|(sequence, at)| json!({"sequence": sequence.0, "time_ns": at.0})),
        "candidate": trip.candidate.as_ref().map(|point| json!({
            "sequence": point.sequence.0,
            "time_ns": point.at.0,
            "seen": number(point.seen),
            "limit": number(point.bound),
        })),
        "detail": detail,
    })
}

const fn action(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Place => "place",
        ActionKind::Amend => "amend",
        ActionKind::Cancel => "cancel",
        ActionKind::CancelAll => "cancel-all",
        ActionKind::Flatten => "flatten",
    }
}
