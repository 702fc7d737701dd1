//! What the private stream told, held against what the venue says when asked: a stream can be connected, answer pings and be deaf
//! (lesson 23).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use portcullis_core::{Execution, OrderReport, Timestamp};

/// Executions and orders remembered; more than pass between two comparisons.
const REMEMBERED: usize = 20_000;

/// What is newer than this may still be on its way.
const ON_ITS_WAY_MS: u64 = 5_000;

/// What the stream told since it was connected.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What happened before is the reconciliation's to tell.
    since: Timestamp,
    executions: Recent,
    orders: BTreeMap<String, Timestamp>,
}

/// The last names, of which each was noted once.
#[derive(Debug, Default)]
struct Recent {
    names: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Recent {
    fn insert(&mut self, name: &str) {
        if self.names.insert(name.to_owned()) {
            self.order.push_back(name.to_owned());
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.names.remove(&oldest);
            }
        }
    }
}

impl Heard {
    /// A connection counts from here on, by the venue's clock; what happened before came with the reconciliation.
    pub(crate) fn start(&self, at: Timestamp) {
        self.with(|state| *state = State { since: at, ..State::default() });
    }

    pub(crate) fn execution(&self, execution: &Execution) {
        self.with(|state| state.executions.insert(execution.exec.as_str()));
    }

    pub(crate) fn order(&self, report: &OrderReport) {
        self.with(|state| {
            if state.orders.len() >= REMEMBERED {
                // The oldest are not compared any more.
                state.orders.retain(|_, at| report.venue_time.since(*at).0 < 600_000_000_000);
            }
            let at = state.orders.entry(report.venue_order.as_str().to_owned()).or_default();
            *at = report.venue_time.max(*at);
        });
    }

    /// The name of something that happened on this connection, long enough ago, and was not told.
    pub(crate) fn missing(
        &self,
        executions: &[Execution],
        orders: &[OrderReport],
        venue_now: Timestamp,
    ) -> Option<String> {
        let settled = Timestamp::from_millis(venue_now.millis().saturating_sub(ON_ITS_WAY_MS));
        self.with(|state| {
            let due = |at: Timestamp| at > state.since && at <= settled;
            let execution = executions
                .iter()
                .find(|one| due(one.venue_time) && !state.executions.names.contains(one.exec.as_str()))
                .map(|one| format!("execution {}", one.exec));
            let order = || {
                let unheard = |one: &&OrderReport| {
                    let told = state.orders.get(one.venue_order.as_str());
                    due(one.venue_time) && told.is_none_or(|told| *told < one.venue_time)
                };
                orders.iter().find(unheard).map(|one| format!("order {}", one.venue_order))
            };
            execution.or_else(order)
        })
    }

    fn with<T>(&self, body: impl FnOnce(&mut State) -> T) -> T {
        body(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::Category;
    use portcullis_wire as wire;

    use super::*;
    use crate::decode;
    use crate::table::tests::table;

    fn execution(name: &str, at: u64) -> Execution {
        let row: wire::Execution = serde_json::from_value(serde_json::json!({
            "symbol": "BTCUSDT", "orderId": "o", "side": "Buy", "execId": name, "execPrice": "100", "execQty": "0.5",
            "execType": "Trade", "execFee": "0", "execTime": at.to_string()
        }))
        .unwrap();
        decode::execution(&table(Category::Linear), &row, Some(Category::Linear)).unwrap()
    }

    #[test]
    fn what_the_stream_kept_to_itself_is_missed() {
        let heard = Heard::default();
        heard.start(Timestamp::from_millis(10_000));
        heard.execution(&execution("told", 11_000));
        let now = Timestamp::from_millis(30_000);
        let missing = |rows: &[Execution]| heard.missing(rows, &[], now);
        assert_eq!(missing(&[execution("told", 11_000), execution("before", 9_000)]), None);
        assert_eq!(missing(&[execution("on-its-way", 29_000)]), None);
        assert_eq!(missing(&[execution("silent", 12_000)]), Some("execution silent".to_owned()));
        heard.start(Timestamp::from_millis(20_000));
        assert_eq!(missing(&[execution("silent", 12_000)]), None, "a new connection begins anew");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut recent = Recent::default();
        for number in 0..REMEMBERED + 10 {
            recent.insert(&number.to_string());
        }
        assert_eq!((recent.names.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!recent.names.contains("9") && recent.names.contains("10"));
    }
}
