//! Messages in a few words, for stories.

use portcullis_core::{ExecutionReport, InstrumentId, LinkId};

/// A private message in a few words.
pub(crate) fn short(report: &ExecutionReport) -> String {
    let id = |link: &Option<LinkId>| link.as_ref().map_or("-".to_owned(), |link| tail(link).to_owned());
    match report {
        ExecutionReport::Order(order) => format!(
            "order {} {} {} {:?} {:?} {}@{:?} executed {}",
            order.venue_order,
            id(&order.link),
            symbol(order.instrument),
            order.side,
            order.status,
            order.quantity.0,
            order.price.map(|price| price.0),
            order.executed.0
        ),
        ExecutionReport::Execution(execution) => format!(
            "execution {} of {} {} {:?} {:?} {}@{}",
            execution.exec,
            id(&execution.link),
            symbol(execution.instrument),
            execution.kind,
            execution.side,
            execution.quantity.0,
            execution.price.0
        ),
        ExecutionReport::Position(position) => format!(
            "position {} {} stop {:?}",
            symbol(position.instrument),
            position.quantity.0,
            position.stop_loss.map(|price| price.0)
        ),
        ExecutionReport::Wallet(_) => "wallet".to_owned(),
    }
}

/// The sequence in a client id of ours, which is enough to tell it by.
pub(crate) fn tail(link: &LinkId) -> &str {
    link.as_str().get(1..13).unwrap_or(link.as_str())
}

fn symbol(instrument: InstrumentId) -> &'static str {
    ["BTC", "ETH"].get(instrument.0 as usize).copied().unwrap_or("?")
}
