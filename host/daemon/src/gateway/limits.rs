//! Limits, shown and changed while the gateway runs.
//!
//! New limits are in force as soon as the gate has taken them; `limits.toml` follows once the journal has them on disk, so that after a
//! crash the file is never looser than the journal says.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use portcullis_core::{
    CheckId, Gauge, Input, InstrumentSpec, Limits, OperatorCommand, Reply, Scope, Span, State, Strategy,
    StrategyId, Unit,
};
use portcullis_role::{
    CONTROL_LINE_BYTES_MAX, ControlReply, Folder, GaugeLine, LimitsReport, OverrideLine, OverrideRequest,
    SetLimitsRequest,
};

use crate::clock;
use crate::gateway::answers::{strategy_name, symbol};
use crate::gateway::control;
use crate::gateway::start::Running;
use crate::gateway::wake::Wake;
use crate::gateway::worker::Worker;

/// The file in the data directory.
pub(crate) const FILE: &str = "limits.toml";

/// Longest reason in bytes, as the journal keeps it.
pub(crate) const REASON_BYTES_MAX: usize = 512;

/// Bytes of an answer that are left for what is not counted: hash, overrides, punctuation.
const RESERVE_BYTES: usize = 8 * 1024;

/// Longest text that is sent along with the gauges, in bytes.
const TEXT_BYTES_MAX: usize = 24 * 1024;

/// Most overrides in one answer.
const OVERRIDES_MAX: usize = 16;

/// Where new limits wait for their file.
pub(crate) struct LimitsDesk {
    data: Arc<Folder>,
    worker: Worker<Written>,
    wake: Wake,
    /// In force, but not yet in the file.
    pending: Vec<Pending>,
}

struct Pending {
    text: String,
    detail: String,
    answer: SyncSender<ControlReply>,
}

struct Written {
    result: io::Result<()>,
    detail: String,
    answer: SyncSender<ControlReply>,
}

impl LimitsDesk {
    /// Starts the thread that writes the file.
    pub(crate) fn start(data: &Arc<Folder>, wake: Wake) -> io::Result<Self> {
        let data = Arc::clone(data);
        Ok(Self { data, worker: Worker::start(wake.clone())?, wake, pending: Vec::new() })
    }

    /// Puts other limits in force if the gate agrees. Answered once the file is written.
    pub(crate) fn set(
        &mut self,
        request: SetLimitsRequest,
        answer: SyncSender<ControlReply>,
        running: &mut Running,
    ) {
        match self.hand_in(request, running) {
            Ok((text, detail)) => {
                self.pending.push(Pending { text, detail, answer });
                // The next turn writes the journal, and then the file.
                self.wake.ring();
            }
            Err(reply) => {
                // A client that has gone away needs no answer.
                let _ = answer.send(*reply);
            }
        }
    }

    /// Writes what the journal has by now, and answers for what is written. Called after each turn of the pipeline.
    pub(crate) fn turn(&mut self) {
        for Pending { text, detail, answer } in self.pending.drain(..) {
            let data = Arc::clone(&self.data);
            self.worker.give(move || {
                let result = data.replace(FILE, text.as_bytes());
                Written { result, detail, answer }
            });
        }
        while let Some(Written { result, detail, answer }) = self.worker.try_done() {
            let reply = match result {
                Ok(()) => ControlReply::Done { detail },
                Err(error) => {
                    tracing::error!(%error, file = %self.data.path(FILE).display(), "the limits in force are not in the file");
                    let detail = format!(
                        "{detail}, and journaled; but {} cannot be written: {error}. Write it before the next start, which compares the two",
                        self.data.path(FILE).display()
                    );
                    ControlReply::error("LIMITS_NOT_WRITTEN", detail)
                }
            };
            let _ = answer.send(reply);
        }
    }

    /// The text to be written and what was done, or the answer when nothing is to be written.
    fn hand_in(
        &self,
        request: SetLimitsRequest,
        running: &mut Running,
    ) -> Result<(String, String), Box<ControlReply>> {
        let SetLimitsRequest { toml, reason, code, actor } = request;
        let reason = checked_reason(&reason).ok_or_else(|| Box::new(no_reason()))?;
        let refuse = |code: &str, detail: String| Box::new(ControlReply::error(code, detail));
        let limits =
            Limits::parse(&toml).map_err(|error| refuse("LIMITS_REFUSED", error.violations.join("; ")))?;
        let changes =
            running.pipeline.gate().state().limits().map(|old| old.changes_to(&limits)).unwrap_or_default();
        let actor = control::name(actor);
        let input = Input::SetLimits { actor, limits: Box::new(limits), reason, code };
        match running.pipeline.hand_in(input) {
            Some(Reply::ConfirmWith { code, .. }) => {
                let looser: Vec<String> =
                    changes.iter().filter(|change| change.loosens).map(ToString::to_string).collect();
                let detail = format!(
                    "These limits become looser: {}. The code is good for a minute.",
                    shortened(&looser.join("; "))
                );
                Err(Box::new(ControlReply::Confirm { code, detail }))
            }
            None | Some(Reply::Done) => {
                Ok((toml, format!("{} keys changed; the new limits are in force", changes.len())))
            }
            Some(Reply::Nothing) => {
                let detail = "nothing to do: these limits are in force already".to_owned();
                Err(Box::new(ControlReply::Done { detail }))
            }
            Some(Reply::Refused(why)) => Err(refuse("REFUSED", why)),
            Some(Reply::StartRefused { code, .. }) => Err(refuse(code.as_str(), "refused".to_owned())),
        }
    }
}

/// Lets one order of a strategy pass a bound, in two steps.
pub(crate) fn grant_override(running: &mut Running, request: OverrideRequest) -> ControlReply {
    let OverrideRequest { strategy, check, limit, seconds, reason, code, actor } = request;
    let Some(reason) = checked_reason(&reason) else { return no_reason() };
    let state = running.pipeline.gate().state();
    let known =
        strategy.parse().ok().and_then(|name| state.strategy_named(&name)).and_then(|id| state.strategy(id));
    let Some(known) = known else {
        return ControlReply::error("UNKNOWN_STRATEGY", format!("no strategy {strategy:?} ever started"));
    };
    let Some(of) = CheckId::ALL.iter().copied().find(|of| of.as_str() == check) else {
        return ControlReply::error(
            "UNKNOWN_CHECK",
            format!("no check is called {check:?}; {}", overridable()),
        );
    };
    let Some(bound) = parsed(of.unit(), &limit, known, state) else {
        let detail =
            format!("{limit:?} is no bound of {of}; quantities need instruments with the same decimals");
        return ControlReply::error("MALFORMED", detail);
    };
    let until = clock::now().after(Span::from_secs(seconds));
    let strategy = known.id;
    let command = OperatorCommand::Override { strategy, check: of, limit: bound, until, reason, code };
    let name = known.name.to_string();
    match running.pipeline.hand_in(Input::Operator { actor: control::name(actor), command }) {
        None | Some(Reply::Done) => ControlReply::Done {
            detail: format!(
                "the next order of {name} that needs it may pass {of} up to {limit}, within {seconds} s"
            ),
        },
        Some(Reply::Nothing) => ControlReply::Done { detail: "nothing to do: it is so already".to_owned() },
        Some(Reply::ConfirmWith { code, .. }) => ControlReply::Confirm {
            code,
            detail: format!(
                "One order of {name} may pass {of} up to {limit}, within {seconds} s. The code is good for a minute."
            ),
        },
        Some(Reply::Refused(why)) => ControlReply::error("REFUSED", format!("{why}; {}", overridable())),
        Some(Reply::StartRefused { code, .. }) => ControlReply::error(code.as_str(), "refused"),
    }
}

/// The limits in force, and how far away each is.
pub(crate) fn report(running: &Running) -> ControlReply {
    let state = running.pipeline.gate().state();
    let now = clock::now();
    let toml =
        state.limits().map(|limits| limits.text().to_owned()).filter(|text| text.len() <= TEXT_BYTES_MAX);
    let overrides: Vec<OverrideLine> = state
        .overrides(now)
        .take(OVERRIDES_MAX)
        .map(|row| OverrideLine {
            strategy: strategy_name(state, Some(row.strategy)),
            check: row.check.to_string(),
            limit: row.check.unit().display(row.limit, first_spec(state, row.strategy)),
            until_ns: row.until.0,
            actor: row.actor.clone(),
            reason: row.reason.clone(),
        })
        .collect();
    let mut report = LimitsReport {
        hash: state.limits().map(|limits| limits.hash().to_string()).unwrap_or_default(),
        toml,
        gauges: Vec::new(),
        omitted: 0,
        overrides,
    };
    let mut left =
        CONTROL_LINE_BYTES_MAX.saturating_sub(RESERVE_BYTES).saturating_sub(written_bytes(&report));
    for gauge in running.pipeline.gauges() {
        let line = gauge_line(&gauge, state);
        match left.checked_sub(written_bytes(&line).saturating_add(1)) {
            Some(rest) => {
                left = rest;
                report.gauges.push(line);
            }
            None => report.omitted = report.omitted.saturating_add(1),
        }
    }
    ControlReply::Limits(Box::new(report))
}

fn gauge_line(gauge: &Gauge, state: &State) -> GaugeLine {
    let instrument = match gauge.scope {
        Scope::Instrument(id) => state.instrument(id).map(|instrument| &instrument.spec),
        Scope::Account | Scope::Strategy(_) => None,
    };
    let text = |value: i128| gauge.unit.display(value, instrument);
    GaugeLine {
        key: gauge.key.clone(),
        scope: match gauge.scope {
            Scope::Account => "account".to_owned(),
            Scope::Strategy(id) => strategy_name(state, Some(id)),
            Scope::Instrument(_) => instrument.map(symbol).unwrap_or_default(),
        },
        seen: gauge.seen.ok().map(text),
        limit: text(gauge.limit),
        left: gauge.left().map(text),
        used_percent: gauge.used_percent(),
        why: gauge.seen.err().map(|why| why.as_str().to_owned()),
    }
}

/// A bound as the operator wrote it; a quantity only where all instruments of the strategy have the same decimals.
fn parsed(unit: Unit, text: &str, strategy: &Strategy, state: &State) -> Option<i128> {
    let specs: Vec<&InstrumentSpec> = strategy
        .instruments
        .iter()
        .filter_map(|id| state.instrument(*id))
        .map(|instrument| &instrument.spec)
        .collect();
    let spec = specs.first().copied();
    let same = specs.iter().all(|one| Some(one.quantity_decimals) == spec.map(|spec| spec.quantity_decimals));
    unit.parse(text, spec.filter(|_| same))
}

/// The rules of a strategy's first instrument, whose decimals a quantity was read with.
fn first_spec(state: &State, strategy: StrategyId) -> Option<&InstrumentSpec> {
    let id = state.strategy(strategy)?.instruments.first()?;
    state.instrument(*id).map(|instrument| &instrument.spec)
}

fn overridable() -> String {
    let names: Vec<&str> =
        CheckId::ALL.iter().filter(|check| check.can_be_overridden()).map(|check| check.as_str()).collect();
    format!("an order may be let past {}", names.join(", "))
}

/// A reason as the journal takes it.
pub(crate) fn checked_reason(reason: &str) -> Option<String> {
    let reason = reason.trim();
    let fits =
        !reason.is_empty() && reason.len() <= REASON_BYTES_MAX && !reason.chars().any(char::is_control);
    fits.then(|| reason.to_owned())
}

fn no_reason() -> ControlReply {
    ControlReply::error("MALFORMED", format!("the reason is 1 to {REASON_BYTES_MAX} bytes on one line"))
}

/// What fits an answer beside the rest of it.
fn shortened(text: &str) -> String {
    const BYTES_MAX: usize = 8 * 1024;
    let end = text.floor_char_boundary(BYTES_MAX.min(text.len()));
    let rest = if end < text.len() { "…" } else { "" };
    format!("{}{rest}", text.get(..end).unwrap_or_default())
}

fn written_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}
