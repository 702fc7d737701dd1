//! A strategy's whole state, as the events of a resync (`wit/frame.md`).

use portcullis_core::{Gate, NoticeBody, StrategyId, Timestamp};

use crate::event::{Event, EventBody};

/// The resync record, the strategy's open orders, its positions and its means.
pub fn events(gate: &Gate, strategy: StrategyId, now: Timestamp) -> Vec<Event> {
    let Some(state) = gate.resync(strategy, now) else { return Vec::new() };
    let orders = u32::try_from(state.orders.len()).unwrap_or(u32::MAX);
    let mut bodies = vec![EventBody::Resync { orders, next_order: state.next_order }];
    bodies.extend(state.orders.into_iter().map(|order| EventBody::Notice(NoticeBody::Order(order))));
    bodies.extend(
        state.positions.into_iter().map(|position| EventBody::Notice(NoticeBody::Position(position))),
    );
    bodies.push(EventBody::Notice(NoticeBody::Budget(state.budget)));
    bodies.into_iter().map(|body| Event::now(now, body)).collect()
}
