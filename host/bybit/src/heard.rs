//! What the private stream told, held against what the venue says when asked: a stream can be connected, answer pings and be deaf
//! (lesson 23).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use portcullis_core::{Execution, OrderReport, Qty, Timestamp};

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
    orders: BTreeMap<String, Known>,
}

/// What is known of an order.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    at: Timestamp,
    executed: Qty,
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
                state.orders.retain(|_, known| report.venue_time.since(known.at).0 < 600_000_000_000);
            }
            let known = state.orders.entry(report.venue_order.as_str().to_owned()).or_default();
            known.at = report.venue_time.max(known.at);
            known.executed = report.executed.max(known.executed);
        });
    }

    /// The name of something of ours that happened on this connection, long enough ago, and was not told: an execution, an order, or
    /// that one was executed further. Times of change alone prove nothing, since the venue need not push what changed nothing.
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
                .filter(|one| one.link.is_some() && due(one.venue_time))
                .find(|one| !state.executions.names.contains(one.exec.as_str()))
                .map(|one| format!("execution {}", one.exec));
            let order = || {
                let unheard = |one: &&OrderReport| {
                    let known = state.orders.get(one.venue_order.as_str());
                    let is_news = known.is_none_or(|known| known.executed < one.executed);
                    one.link.is_some() && due(one.venue_time) && is_news
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
            "symbol": "BTCUSDT", "orderId": "o", "orderLinkId": "p001", "side": "Buy", "execId": name, "execPrice": "100", "execQty": "0.5",
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
    fn an_order_is_missed_when_it_is_new_or_executed_further() {
        let heard = Heard::default();
        heard.start(Timestamp::from_millis(10_000));
        let order = |name: &str, link: &str, executed: &str, at: u64| {
            let row: wire::Order = serde_json::from_value(serde_json::json!({
                "symbol": "BTCUSDT", "orderId": name, "orderLinkId": link, "side": "Buy", "orderStatus": "New",
                "orderType": "Limit", "price": "100", "qty": "1", "cumExecQty": executed, "updatedTime": at.to_string()
            }))
            .unwrap();
            decode::order(&table(Category::Linear), &row, Some(Category::Linear)).unwrap()
        };
        heard.order(&order("known", "p001", "0", 9_000));
        let missing = |row: OrderReport| heard.missing(&[], &[row], Timestamp::from_millis(30_000)).is_some();
        assert!(!missing(order("known", "p001", "0", 12_000)), "touched, and nothing changed");
        assert!(missing(order("known", "p001", "0.5", 12_000)));
        assert!(missing(order("new", "p002", "0", 12_000)));
        assert!(!missing(order("theirs", "", "0", 12_000)), "a stop of the position, or somebody else's");
        assert!(!missing(order("old", "p003", "0", 9_500)));
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
