//! What an operator's command is about, by name.

use portcullis_core::{Rung, Scope, State};
use portcullis_role::{ControlReply, RaisedLine, ScopeName};

use crate::gateway::candidate::parse_market;

/// The scope of a name; the whole account without one. A name that nothing has is an answer for the operator, never another scope.
pub(super) fn resolve(name: Option<&ScopeName>, state: &State) -> Result<Scope, Box<ControlReply>> {
    let unknown = |code: &str, detail: String| Err(Box::new(ControlReply::error(code, detail)));
    match name {
        None => Ok(Scope::Account),
        Some(ScopeName::Strategy(name)) => {
            let id = name.parse().ok().and_then(|name| state.strategy_named(&name));
            match id {
                Some(id) => Ok(Scope::Strategy(id)),
                None => unknown("UNKNOWN_STRATEGY", format!("no strategy {name:?} ever started here")),
            }
        }
        Some(ScopeName::Instrument(name)) => {
            let id = parse_market(name)
                .ok()
                .and_then(|(category, symbol)| state.instrument_named(category, &symbol));
            match id {
                Some(id) => Ok(Scope::Instrument(id)),
                None => unknown(
                    "UNKNOWN_INSTRUMENT",
                    format!("{name:?} is no instrument of this gateway; name it like linear:BTCUSDT"),
                ),
            }
        }
    }
}

/// A scope in words.
pub(super) fn words(scope: Scope, state: &State) -> String {
    match scope {
        Scope::Account => "account".to_owned(),
        Scope::Strategy(id) => {
            let name =
                state.strategy(id).map_or_else(|| id.0.to_string(), |strategy| strategy.name.to_string());
            format!("strategy {name}")
        }
        Scope::Instrument(id) => {
            let market = state.instrument(id).map(|instrument| super::answers::symbol(&instrument.spec));
            format!("instrument {}", market.unwrap_or_else(|| id.0.to_string()))
        }
    }
}

/// Every scope that is not active.
pub(super) fn raised(state: &State) -> Vec<RaisedLine> {
    let line = |(scope, rung): (Scope, Rung)| RaisedLine {
        scope: words(scope, state),
        state: rung.state.to_string(),
        cause: rung.cause.as_str().to_owned(),
        since_ns: rung.since.0,
    };
    state.ladder().rungs().map(line).collect()
}
