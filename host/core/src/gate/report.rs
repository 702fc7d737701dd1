//! The private stream: what the venue says about orders and executions.

use crate::{
    CreatedBy, Execution, ExecutionKind, FindingKind, ForeignOrders, InstrumentId, LinkId, Order, OrderEvent,
    OrderReport, Record, Scope, StateCause, TradingState,
};

use super::turn::Turn;

impl Turn<'_> {
    /// The venue's word on an order, from the stream or from a query.
    pub(super) fn order(&mut self, report: OrderReport) {
        match &report.created_by {
            // The position's protection, and the venue's own doing: only its executions matter (RULES J4).
            CreatedBy::Protection | CreatedBy::Venue => return,
            CreatedBy::Split(whole) if self.state.orders().by_link(whole).is_some() => {
                if self.state.orders().whole_of(&report.venue_order).is_none() {
                    self.record(Record::Order(report));
                }
                return;
            }
            CreatedBy::Split(_) | CreatedBy::Client => {}
        }
        let Some(order) = report.link.as_ref().and_then(|link| self.state.orders().by_link(link)) else {
            return self.foreign_order(&report);
        };
        // Messages can overtake each other; the venue's time tells.
        if report.venue_time < order.venue_time {
            return;
        }
        let (id, from, was_open) = (order.id, order.status, order.status.is_open());
        if let Err(illegal) = from.next(OrderEvent::Reported(report.status)) {
            if !is_repetition(order, &report) {
                self.order_finding(FindingKind::IllegalTransition, id, illegal.to_string());
            }
            return;
        }
        if self.changes_nothing(id, &report) {
            return;
        }
        let before = self.visible(id);
        let venue_time = report.venue_time;
        self.record(Record::Order(report));
        self.tell_order(id, before.as_ref(), venue_time);
        let is_open = self.state.orders().get(id).is_some_and(|order| order.status.is_open());
        if is_open && !was_open {
            let detail = format!("was {} and lives after all", from.as_str());
            self.order_finding(FindingKind::IllegalTransition, id, detail);
        }
        self.retry_cancel(id);
    }

    /// An execution: accounted exactly once, whatever else is odd about it.
    pub(super) fn execution(&mut self, execution: Execution) {
        if self.state.has_execution(&execution.exec) {
            return;
        }
        if self.state.instrument(execution.instrument).is_none() {
            let detail = format!("execution {} in an instrument without rules", execution.exec);
            return self.instrument_finding(FindingKind::ForeignExecution, execution.instrument, detail);
        }
        let order = self.state.order_of(&execution).cloned();
        let id = order.as_ref().map(|order| order.id);
        let before = id.and_then(|id| self.visible(id));
        self.record(Record::Execution(execution.clone()));
        let moves_position = execution.kind != ExecutionKind::Funding;
        match &order {
            Some(order) if moves_position => self.odd_execution(order, &execution),
            Some(_) => {}
            None => self.execution_without_order(&execution),
        }
        let strategy = match &order {
            Some(order) => order.strategy,
            None => self.state.owner(execution.instrument),
        };
        if let Some(strategy) = strategy {
            if moves_position {
                self.tell_fill(strategy, id, &execution);
            }
            if let Some(id) = id {
                self.tell_order(id, before.as_ref(), execution.venue_time);
            }
            self.tell_position(strategy, execution.instrument, execution.venue_time);
        }
        if self.state.ledger().is_unsound() {
            let detail = format!("execution {} does not fit the books", execution.exec);
            self.raise(Scope::Account, TradingState::EntriesCancelled, StateCause::Unsound, detail);
        }
        if let Some(id) = id {
            self.retry_cancel(id);
        }
        if let Some(strategy) = strategy {
            self.check_repeats(strategy);
        }
        self.continue_flatten(execution.instrument);
        if moves_position {
            self.watch_protection(execution.instrument);
        }
    }

    fn odd_execution(&mut self, before: &Order, execution: &Execution) {
        let after = before.accounted.0.saturating_add(execution.quantity.0);
        if after > before.reserved_quantity().0 {
            let detail = format!("executed {after} of {}", before.reserved_quantity().0);
            self.order_finding(FindingKind::Overfill, before.id, detail);
        } else if !before.status.is_open() && after > before.reported.0 {
            let detail = format!("{} after it was {}", execution.exec, before.status.as_str());
            self.order_finding(FindingKind::LateFill, before.id, detail);
        }
    }

    fn execution_without_order(&mut self, execution: &Execution) {
        let detail = || format!("{:?} {} without an order of ours", execution.kind, execution.exec);
        match (execution.kind, &execution.created_by) {
            (ExecutionKind::Funding, _) | (ExecutionKind::Trade, CreatedBy::Protection) => {}
            (ExecutionKind::Trade, CreatedBy::Client | CreatedBy::Split(_)) => match &execution.link {
                Some(link) if self.is_our_pattern(link) => {
                    let link = link.clone();
                    self.key_misuse(&link, execution.instrument);
                }
                Some(_) | None => self.foreign(execution.instrument, FindingKind::ForeignExecution, detail()),
            },
            (ExecutionKind::Trade, CreatedBy::Venue)
            | (ExecutionKind::Deleveraging | ExecutionKind::Liquidation | ExecutionKind::Settlement, _) => {
                self.instrument_finding(FindingKind::ForeignExecution, execution.instrument, detail());
            }
        }
    }

    /// An order that is in none of our entries: someone else's, or our form of name in other hands (RULES J4). While it is open it
    /// counts in the limits.
    fn foreign_order(&mut self, report: &OrderReport) {
        let noted = self.desk.foreign.note(report, self.state.spec(report.instrument));
        self.desk.totals.touch(report.instrument);
        if noted.too_many {
            let detail = "more foreign orders than can be followed".to_owned();
            self.raise(Scope::Account, TradingState::EntriesCancelled, StateCause::ForeignOrder, detail);
        }
        if !noted.is_new {
            return;
        }
        match &report.link {
            Some(link) if self.is_our_pattern(link) => self.key_misuse(link, report.instrument),
            Some(link) => self.foreign(report.instrument, FindingKind::ForeignOrder, format!("order {link}")),
            None => {
                let detail = format!("order {} without a client id", report.venue_order);
                self.foreign(report.instrument, FindingKind::ForeignOrder, detail);
            }
        }
    }

    fn key_misuse(&mut self, link: &LinkId, instrument: InstrumentId) {
        if self.is_rolled_back(link) {
            return self.roll_back(link);
        }
        let detail = format!("{link} has our form but no entry");
        self.instrument_finding(FindingKind::KeyMisuse, instrument, detail.clone());
        self.raise(Scope::Account, TradingState::EntriesCancelled, StateCause::KeyMisuse, detail);
    }

    fn foreign(&mut self, instrument: InstrumentId, kind: FindingKind, detail: String) {
        self.instrument_finding(kind, instrument, detail.clone());
        let halts =
            self.state.limits().is_none_or(|limits| limits.account.foreign_orders == ForeignOrders::Halt);
        if halts {
            self.raise(Scope::Account, TradingState::EntriesCancelled, StateCause::ForeignOrder, detail);
        }
    }

    /// Environment letter, epoch, sequence, a dash and the leaf: the form of every client id of ours in this environment.
    fn is_our_pattern(&self, link: &LinkId) -> bool {
        let Some(session) = self.state.session() else { return false };
        let bytes = link.as_str().as_bytes();
        let base32 = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        bytes.len() == 36
            && bytes.first().is_some_and(|first| char::from(*first) == session.environment.letter())
            && bytes.get(1..13).is_some_and(|middle| middle.iter().all(base32))
            && bytes.get(13) == Some(&b'-')
    }

    /// Whether taking a report in would leave the order as it is.
    fn changes_nothing(&self, id: crate::OrderId, report: &OrderReport) -> bool {
        self.state.orders().get(id).is_some_and(|order| order.would_ignore(report))
    }
}

/// A report of what is known already, about an order that is over.
fn is_repetition(order: &Order, report: &OrderReport) -> bool {
    !order.status.is_open() && report.executed <= order.executed()
}
