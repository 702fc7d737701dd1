//! Settling what is not known: queries, evidence, and the comparison of the books with the venue (RULES J6).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AccountMode, Adjustment, Answer, Category, Evidence, Finding, FindingKind, Inhibit, InstrumentId,
    LinkChange, LinkId, MarginMode, Order, OrderId, OrderReport, OrderStatus, PendingKind, Query, Record,
    Resolution, Resolved, Scope, Sequence, SessionStart, SignedQty, Span, StateCause, Submission, Submitted,
    TimeInForce, Timestamp, TradingState, VenueSnapshot,
};

use super::desk::Asked;
use super::turn::Turn;

/// How long after a create was let go an absence proves anything: receive window plus clock skew, and to spare. The time an
/// approval may wait before it is let go comes on top.
const CREATE_SETTLED: Span = Span::from_secs(6);

/// The same for an amend or cancel: receive window plus five seconds (RULES J6).
const CHANGE_SETTLED: Span = Span::from_secs(10);

/// Queries that must show the old values before an amend or cancel counts as not applied.
const UNCHANGED_MIN: u32 = 2;

/// After this the venue's history forgets cancelled orders, so that an absence proves nothing any more.
const HISTORY: Span = Span::from_secs(24 * 3_600);

/// Longest pause between two queries about the same order.
const PAUSE_MAX_S: u64 = 30;

/// A query without an answer for this long is asked again.
const QUERY_LOST: Span = Span::from_secs(10);

/// An acknowledged command whose effect the stream has not shown for this long is asked about.
const EFFECT_DUE: Span = Span::from_secs(5);

/// An order that is unknown for this long is a finding.
const UNKNOWN_LONG: Span = Span::from_secs(60);

/// Pause between two snapshots while the books and the venue differ.
const SNAPSHOT_PAUSE: Span = Span::from_secs(2);

/// A snapshot without an answer for this long is asked for again.
const SNAPSHOT_LOST: Span = Span::from_secs(15);

/// How often the books are compared with the venue even when nothing seems wrong: an event can be lost.
pub(super) const SNAPSHOT_EVERY: Span = Span::from_secs(60);

/// Executions are asked for from this long before the last one known, because venues publish late.
const OVERLAP: Span = Span::from_secs(600);

/// Clock difference above which nothing that adds risk is sent.
const SKEW_MAX_MS: u64 = 500;

impl Turn<'_> {
    /// A session starts: what was under way has no answer now, and the books are to be compared.
    pub(super) fn session(&mut self, start: SessionStart) {
        self.record(Record::Session(start));
        for since in self.desk.holding.values_mut() {
            *since = self.now;
        }
        self.desk.swept_at = self.now;
        // A create has no answer as long as its order is reserved, even where a cancel took its place in flight.
        let create = |order: &Order| order.sequence.filter(|_| order.status == OrderStatus::Reserved);
        let change = |order: &Order| {
            let pending = order.pending.filter(|_| order.is_waiting_for_answer());
            pending.and_then(|pending| pending.sequence).filter(|of| order.sequence != Some(*of))
        };
        let unanswered: Vec<Sequence> =
            self.state.orders().open().flat_map(|order| [create(order), change(order)]).flatten().collect();
        for of in unanswered {
            let outcome = Submission::Unknown { detail: "the gateway restarted".to_owned() };
            self.record(Record::Submission(Submitted { of, outcome, at: self.now }));
        }
        self.roll_day();
        self.ask_for_snapshot();
        self.ask_about_orders();
    }

    /// A connection, the clock or a neighbour changed.
    pub(super) fn link(&mut self, change: LinkChange) {
        let now = self.now;
        match change {
            LinkChange::Public { up } => self.desk.hold(Inhibit::PublicFeed, !up, now),
            LinkChange::Book { instrument, up: true } => drop(self.desk.gaps.remove(&instrument)),
            LinkChange::Book { instrument, up: false } => drop(self.desk.gaps.insert(instrument)),
            LinkChange::Private { up } => {
                self.desk.hold(Inhibit::PrivateStream, !up, now);
                if up {
                    self.hurry_halts();
                    if self.desk.holding.contains_key(&Inhibit::Reconciling) {
                        self.ask_for_snapshot();
                    }
                } else {
                    // What happened while the stream was down is not known.
                    self.desk.hold(Inhibit::Reconciling, true, now);
                    self.desk.reconciliation.differences.clear();
                }
            }
            LinkChange::Skew { millis } => {
                self.desk.hold(Inhibit::ClockSkew, millis.unsigned_abs() > SKEW_MAX_MS, now);
            }
            LinkChange::Signer { up } => {
                self.desk.hold(Inhibit::Signer, !up, now);
                if up {
                    self.hurry_unsigned();
                }
            }
            LinkChange::SignerCap { up } => self.desk.hold(Inhibit::SignerLatched, !up, now),
            LinkChange::Journal { up } => self.desk.hold(Inhibit::Journal, !up, now),
            LinkChange::Disk { up } => self.desk.hold(Inhibit::Disk, !up, now),
            LinkChange::RateBudget { up } => {
                self.desk.hold(Inhibit::RateBudget, !up, now);
                if up {
                    self.hurry_cancels();
                }
            }
            LinkChange::Watchdog { up } => self.desk.hold(Inhibit::Watchdog, !up, now),
        }
    }

    /// Everything the venue says is ours.
    pub(super) fn snapshot(&mut self, snapshot: VenueSnapshot) {
        self.desk.reconciliation.waiting = false;
        self.desk.reconciliation.wanted = false;
        let VenueSnapshot { time, orders, executions, positions, wallet, mode } = snapshot;
        self.account_mode(mode);
        for execution in executions {
            self.execution(execution);
        }
        let there: BTreeSet<LinkId> = orders.iter().filter_map(|order| order.link.clone()).collect();
        for order in &orders {
            self.order(order.clone());
        }
        self.desk.foreign.keep(&orders);
        self.desk.totals.touch_all();
        self.ask_about_missing(&there, time);
        let mut theirs: BTreeMap<InstrumentId, SignedQty> =
            positions.iter().map(|position| (position.instrument, position.quantity)).collect();
        theirs.extend(wallet.spot.iter().map(|balance| (balance.instrument, balance.quantity)));
        // With it the journal has what the books were compared with.
        self.record(Record::Wallet(wallet));
        let agree = self.compare_positions(&theirs);
        if agree {
            self.desk.hold(Inhibit::Reconciling, false, self.now);
        }
        for position in &positions {
            self.position(position);
        }
        self.confirm_halts(&orders, time);
        self.desk.reconciliation.answered_at = Some(self.now);
    }

    /// The answer about one order.
    pub(super) fn evidence(&mut self, id: OrderId, finding: Evidence, venue_time: Timestamp) {
        let Some(asked) = self.desk.asked.get_mut(&id) else { return };
        asked.waiting = false;
        match finding {
            // Nothing is known, so nothing changes; it is asked again.
            Evidence::Unavailable => {}
            Evidence::Found(report) => self.found(id, report, venue_time),
            Evidence::Absent => self.absent(id, venue_time),
        }
        if self.state.orders().get(id).is_none_or(|order| !self.needs_query(order)) {
            self.desk.asked.remove(&id);
        }
    }

    /// Asks about every order that is not settled, each at its own growing pace.
    pub(super) fn ask_about_orders(&mut self) {
        let unsettled: Vec<OrderId> = self
            .state
            .orders()
            .unresolved()
            .chain(self.state.orders().open())
            .filter(|o| self.needs_query(o))
            .map(|o| o.id)
            .collect();
        for id in unsettled {
            self.ask(id);
        }
    }

    /// Asks for a snapshot when one is due: soon while the books are not known to agree, else once a minute.
    pub(super) fn keep_reconciling(&mut self) {
        let urgent = self.desk.holding.contains_key(&Inhibit::Reconciling)
            || self.desk.reconciliation.wanted
            || !self.desk.reconciliation.differences.is_empty();
        let pause = match self.desk.reconciliation.waiting {
            true => SNAPSHOT_LOST,
            false if urgent => SNAPSHOT_PAUSE,
            false => SNAPSHOT_EVERY,
        };
        if self.now.since(self.desk.reconciliation.asked_at) >= pause {
            self.ask_for_snapshot();
        }
    }

    pub(super) fn ask_for_snapshot(&mut self) {
        self.desk.reconciliation.asked_at = self.now;
        self.desk.reconciliation.waiting = true;
        let since = Timestamp(self.state.last_execution.0.saturating_sub(OVERLAP.0));
        self.effects.queries.push(Query::Snapshot { since });
    }

    /// How the account is set up; a change is worth a look, and the review refuses while it is wrong.
    fn account_mode(&mut self, mode: AccountMode) {
        if self.desk.mode.replace(mode) == Some(mode) {
            return;
        }
        let wanted = self.state.limits().map(|limits| limits.account.margin_mode);
        if mode.hedged || wanted.is_some_and(|wanted| wanted != mode.margin) {
            self.finding(Finding {
                kind: FindingKind::AccountMode,
                order: None,
                instrument: None,
                detail: mode_words(mode, wanted),
                at: self.now,
            });
        }
    }

    fn found(&mut self, id: OrderId, report: OrderReport, venue_time: Timestamp) {
        self.order(report.clone());
        let Some(order) = self.state.orders().get(id).filter(|order| order.status.is_open()) else { return };
        // The report was taken in above; had it shown new values, or the end, nothing would be left to settle.
        let change = match order.pending.map(|pending| (pending.kind, pending.at)) {
            Some((PendingKind::Amend { .. } | PendingKind::Cancel(_), at)) => Some(at),
            Some((PendingKind::Place, _)) | None => None,
        };
        let Some(at) = change.max(order.doubt.map(|doubt| doubt.at)) else { return };
        if venue_time.since(at) < self.settled(CHANGE_SETTLED) {
            return;
        }
        let Some(asked) = self.desk.asked.get_mut(&id) else { return };
        asked.unchanged = asked.unchanged.saturating_add(1);
        if asked.unchanged >= UNCHANGED_MIN {
            self.resolve(id, Resolution::NotApplied, venue_time);
        }
    }

    fn absent(&mut self, id: OrderId, venue_time: Timestamp) {
        let Some(order) = self.state.orders().get(id) else { return };
        let (sent, status) = (order.approved_at, order.status);
        if matches!(status, OrderStatus::Unknown | OrderStatus::Reserved) {
            let age = venue_time.since(sent);
            let proves = age >= self.settled(CREATE_SETTLED) && age < HISTORY;
            if proves && order.accounted.0 == 0 {
                self.resolve(id, Resolution::Absent, venue_time);
            }
        } else if status.is_open() {
            let told =
                self.desk.asked.get_mut(&id).is_some_and(|asked| std::mem::replace(&mut asked.told, true));
            if !told {
                let detail = format!("was {}, and the venue knows nothing of it", status.as_str());
                self.order_finding(FindingKind::OrderVanished, id, detail);
            }
        }
    }

    /// How long after its approval a command is settled at the venue, one way or the other. Counted on the venue's clock from the stamp
    /// that the venue itself goes by: ours may be set meanwhile, and an answer may belong to an earlier question.
    fn settled(&self, after_release: Span) -> Span {
        Span(after_release.0.saturating_add(self.release_age_max().0))
    }

    fn resolve(&mut self, order: OrderId, resolution: Resolution, asked_at: Timestamp) {
        let before = self.visible(order);
        self.record(Record::Resolved(Resolved { order, resolution, asked_at, at: self.now }));
        self.tell_order(order, before.as_ref(), self.now);
        self.retry_cancel(order);
    }

    fn needs_query(&self, order: &Order) -> bool {
        let overdue = |since: Timestamp| self.now.since(since) >= EFFECT_DUE;
        let effect_due =
            order.pending.is_some_and(|pending| pending.answer == Answer::Accepted && overdue(pending.at));
        // Neither a bare acknowledgement nor an order that cannot rest lasts.
        let brief = order.status == OrderStatus::Acknowledged
            || matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let unseen = order.status.is_open() && brief && overdue(order.approved_at);
        order.link.is_some()
            && (order.is_unresolved() || effect_due || unseen || self.desk.asked.contains_key(&order.id))
    }

    fn ask(&mut self, id: OrderId) {
        let Some(order) = self.state.orders().get(id) else { return };
        let Some(link) = order.link.clone() else { return };
        let (instrument, since) = (order.instrument, order.approved_at);
        let unknown = order.status == OrderStatus::Unknown;
        let now = self.now;
        let new = Asked { at: Timestamp::default(), times: 0, waiting: false, unchanged: 0, told: false };
        let asked = self.desk.asked.entry(id).or_insert(new);
        let pause_s = 1_u64.checked_shl(asked.times).unwrap_or(PAUSE_MAX_S).min(PAUSE_MAX_S);
        let pause = if asked.waiting { QUERY_LOST } else { Span::from_secs(pause_s) };
        if asked.times > 0 && now.since(asked.at) < pause {
            return;
        }
        asked.at = now;
        asked.times = asked.times.saturating_add(1);
        asked.waiting = true;
        let tell = unknown && !asked.told && now.since(since) > UNKNOWN_LONG;
        asked.told |= tell;
        self.effects.queries.push(Query::Order { order: id, link, instrument, since });
        if tell {
            let detail = "no proof yet whether it exists; its exposure stays reserved".to_owned();
            self.order_finding(FindingKind::StillUnknown, id, detail);
        }
    }

    /// Orders that are open here and were not among the venue's open ones.
    fn ask_about_missing(&mut self, there: &BTreeSet<LinkId>, time: Timestamp) {
        let missing: Vec<OrderId> = self
            .state
            .orders()
            .open()
            .filter(|order| order.status != OrderStatus::Reserved && order.approved_at <= time)
            .filter(|order| order.link.as_ref().is_some_and(|link| !there.contains(link)))
            .map(|order| order.id)
            .collect();
        for id in missing {
            self.ask(id);
        }
    }

    /// Compares positions, and for spot what the wallet holds; a difference that shows twice in the same way is adjusted and trips. True
    /// when all agree. A wallet may hold more than the books: that is the owner's.
    fn compare_positions(&mut self, theirs: &BTreeMap<InstrumentId, SignedQty>) -> bool {
        let earlier = std::mem::take(&mut self.desk.reconciliation.differences);
        let all: Vec<(InstrumentId, Category)> = self
            .state
            .instruments()
            .map(|instrument| (instrument.spec.id, instrument.spec.category))
            .collect();
        for (id, category) in all {
            let ours = self.state.ledger().quantity(id);
            let venue = theirs.get(&id).copied().unwrap_or_default();
            let agrees = match category {
                Category::Linear => ours == venue,
                Category::Spot => ours <= venue,
            };
            if agrees {
                continue;
            }
            // Executions can be on their way; only a difference that stays is one.
            if earlier.get(&id) == Some(&(ours, venue)) {
                self.adjust(id, ours, venue);
            } else {
                self.desk.reconciliation.differences.insert(id, (ours, venue));
            }
        }
        self.desk.reconciliation.differences.is_empty()
    }

    fn adjust(&mut self, instrument: InstrumentId, from: SignedQty, to: SignedQty) {
        let Some(spec) = self.state.spec(instrument) else { return };
        let market = self.desk.markets.get(instrument);
        let strategy = self.state.owner(instrument);
        // Valued at the market, or at the position's own cost when there is none, so that no profit is invented.
        let own = self.state.ledger().position(instrument, strategy).average_price(spec);
        let price = market.and_then(|market| market.valuation(spec)).or(own).unwrap_or_default();
        let symbol = spec.symbol.clone();
        self.record(Record::Adjustment(Adjustment { instrument, strategy, from, to, price, at: self.now }));
        let detail = format!("{symbol}: {} in the books, {} at the venue", from.0, to.0);
        self.instrument_finding(FindingKind::PositionMismatch, instrument, detail.clone());
        if let Some(strategy) = strategy {
            self.tell_position(strategy, instrument, self.now);
        }
        self.raise(Scope::Account, TradingState::ReduceOnly, StateCause::UnexplainedPosition, detail);
    }
}

/// How the account is set up, how it should be, and what to do about it.
fn mode_words(mode: AccountMode, wanted: Option<MarginMode>) -> String {
    let mut words = Vec::new();
    if mode.hedged {
        words.push("a symbol is in hedge mode, wanted is one-way mode: switch it at the venue".to_owned());
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != mode.margin) {
        let (seen, wanted) = (mode.margin.as_str(), wanted.as_str());
        words.push(format!(
            "the margin mode is {seen}, wanted is {wanted}: set it at the venue, or margin_mode in limits.toml"
        ));
    }
    words.join("; ")
}
