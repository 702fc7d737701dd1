//! A request of a key that has proved itself, whichever transport it came by: its quota, its faults, its outcome.

use axum::http::Uri;
use portcullis_core::Timestamp;
use portcullis_wire::path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{self, Batch};
use super::quota::Quota;
use super::refusal::Refusal;
use super::{App, Desk, account_queries, commands, settings};
use crate::config::PaperKey;
use crate::faults::{Does, Strike};

/// The payload of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: Value,
    /// Of batches: the codes of the items.
    pub(super) detail: Value,
    /// The words of success, of which the venue has three.
    pub(super) message: &'static str,
}

impl Answer {
    pub(super) fn of(result: Value) -> Self {
        Self { result, detail: json!({}), message: "OK" }
    }
}

/// What became of a request.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) outcome: Result<Answer, Refusal>,
    pub(super) quota: Quota,
    pub(super) strike: Option<Strike>,
}

/// The path a command is known by; `None` when there is no such command.
pub(super) fn command_path(path: &str) -> Option<&'static str> {
    let single = commands::PATHS.iter().chain(&settings::COMMANDS).find(|known| **known == path);
    single.copied().or_else(|| batch::PATHS_ALL.iter().find(|known| **known == path).copied())
}

/// The path a private query is known by.
pub(super) fn query_path(path: &str) -> Option<&'static str> {
    account_queries::PATHS.iter().chain(&settings::QUERIES).find(|known| **known == path).copied()
}

/// Carries out a command of the key at `place`.
pub(super) fn command(app: &App, place: usize, path: &'static str, body: &[u8], now: Timestamp) -> Answered {
    let category = serde_json::from_slice::<Named>(body).map(Named::category).unwrap_or_default();
    let batch = batch::single(path).map(|single| (single, Batch::read(body)));
    let wanted = match &batch {
        Some((_, Ok(batch))) => batch.len(),
        Some((_, Err(_))) | None => 1,
    };
    let read_only = app.keys.get(place).is_none_or(|key| key.read_only);
    let mut desk = app.desk();
    let (quota, granted) = app.ask(&mut desk, place, path, category, wanted, now);
    let strike = app.strike(&mut desk, path, now);
    let outcome = if granted == 0 || is_turned_away(strike) {
        Err(too_many())
    } else if read_only {
        Err(Refusal::new(10_005, "Permission denied, please check your API key permissions."))
    } else if desk.exchange.broken.is_some() {
        Err(Refusal::new(10_016, "the paper exchange cannot keep its state"))
    } else {
        match batch {
            Some((single, batch)) => {
                batch.map(|batch| batch.carry_out(&mut desk.exchange, single, granted, now))
            }
            None => commands::answer(&mut desk.exchange, path, body, now)
                .map(|result| result.map(Answer::of))
                .or_else(|| settings::command(&mut desk.exchange, path, body))
                .unwrap_or_else(|| Err(Refusal::new(10_017, "route not found"))),
        }
    };
    drop(desk);
    app.wake.notify_one();
    Answered { outcome, quota, strike }
}

/// Answers a private query of the key at `place`.
pub(super) fn query(
    app: &App,
    (place, key): (usize, &PaperKey),
    path: &'static str,
    uri: &Uri,
    now: Timestamp,
) -> Answered {
    let category = super::page::parameters::<Named>(uri).map(Named::category).unwrap_or_default();
    let mut desk = app.desk();
    let (quota, granted) = app.ask(&mut desk, place, path, category, 1, now);
    let strike = app.strike(&mut desk, path, now);
    let outcome = if granted == 0 || is_turned_away(strike) {
        Err(too_many())
    } else if matches!(category, "inverse" | "option") && is_list(path) {
        // There are no such instruments, so nothing was ever done with one.
        let page = json!({"category": category, "list": [], "nextPageCursor": ""});
        Ok(Answer::of(page))
    } else {
        account_queries::answer(&desk.exchange, key, uri, now)
            .map(|result| result.map(Answer::of))
            .or_else(|| settings::query(&desk.exchange, uri, now))
            .unwrap_or_else(|| Err(Refusal::new(10_017, "route not found")))
    };
    Answered { outcome, quota, strike }
}

/// Whether a query is answered with rows of a category.
fn is_list(path: &str) -> bool {
    matches!(path, path::REALTIME | path::HISTORY | path::EXECUTIONS | path::POSITIONS | path::CLOSED_PNL)
}

impl App {
    /// Counts requests against the quota. Returns how many of them it lets through.
    fn ask(
        &self,
        desk: &mut Desk,
        place: usize,
        path: &'static str,
        category: &'static str,
        wanted: usize,
        now: Timestamp,
    ) -> (Quota, usize) {
        let (quota, granted) = desk.quotas.ask(place, path, category, wanted, self.clock.shown(now));
        if self.limits { (quota, granted) } else { (Quota { exceeded: false, ..quota }, wanted) }
    }

    /// What goes wrong with a request; what befalls the whole exchange happens here.
    pub(super) fn strike(&self, desk: &mut Desk, at: &str, now: Timestamp) -> Option<Strike> {
        let strike = desk.faults.strike(at, now)?;
        let exchange = &mut desk.exchange;
        self.befall(strike, now, || exchange.forget_closed(now));
        Some(strike)
    }
}

/// Whether a fault keeps a request from being carried out.
pub(super) fn is_turned_away(strike: Option<Strike>) -> bool {
    strike.is_some_and(|strike| {
        matches!(
            strike.does,
            Does::TimeoutBeforeAccept | Does::RateLimit | Does::Forbidden | Does::ServerError
        )
    })
}

pub(super) fn too_many() -> Refusal {
    Refusal::new(10_006, "Too many visits. Exceeded the API Rate Limit.")
}

/// The category of a request, for its quota.
#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    category: String,
}

impl Named {
    /// Out of a closed set: quotas are kept by it.
    fn category(self) -> &'static str {
        match self.category.as_str() {
            "linear" => "linear",
            "spot" => "spot",
            "inverse" => "inverse",
            "option" => "option",
            _ => "",
        }
    }
}
