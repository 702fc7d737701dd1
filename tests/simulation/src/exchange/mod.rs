//! The venue, with a truth of its own: its positions are the sum of its executions, whatever the gateway believes.

mod account;
mod market;
mod matching;
mod orders;

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{
    AccountMode, Amount, CloseReason, CreatedBy, ExecId, Execution, ExecutionKind, ExecutionReport,
    InstrumentId, LinkId, MarginMode, OrderReport, PositionReport, Price, Qty, Rate, Side, SignedQty,
    TimeInForce, Timestamp, VenueOrderId, VenueStatus, WalletReport,
};

pub(crate) use market::{Market, SPECS, specs};
pub(crate) use orders::Refusal;

use crate::rng::Rng;

/// One order at the venue.
#[derive(Debug, Clone)]
pub(crate) struct Resting {
    pub(crate) number: u64,
    /// The client's name; none for what the venue or a person made.
    pub(crate) link: Option<LinkId>,
    pub(crate) instrument: usize,
    pub(crate) side: Side,
    pub(crate) price: Option<i64>,
    pub(crate) quantity: i64,
    pub(crate) executed: i64,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) reduce_only: bool,
    pub(crate) trigger: Option<portcullis_core::Trigger>,
    pub(crate) stop_loss: Option<i64>,
    pub(crate) take_profit: Option<i64>,
    pub(crate) created_by: CreatedBy,
    pub(crate) status: VenueStatus,
    pub(crate) reason: CloseReason,
    /// When it last changed, at the venue's resolution of a millisecond.
    pub(crate) updated: Timestamp,
}

impl Resting {
    pub(crate) fn is_open(&self) -> bool {
        matches!(
            self.status,
            VenueStatus::Working
                | VenueStatus::PartiallyFilled
                | VenueStatus::Untriggered
                | VenueStatus::Triggered
        )
    }

    pub(crate) fn left(&self) -> i64 {
        self.quantity - self.executed
    }

    pub(crate) fn report(&self) -> OrderReport {
        OrderReport {
            link: self.link.clone(),
            venue_order: name(self.number),
            instrument: InstrumentId(self.instrument as u32),
            side: self.side,
            status: self.status,
            price: self.price.map(Price),
            quantity: Qty(self.quantity),
            executed: Qty(self.executed),
            reason: self.reason,
            reduce_only: self.reduce_only,
            created_by: self.created_by.clone(),
            venue_time: self.updated,
        }
    }
}

/// Take-profit and stop-loss of a position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) take_profit: Option<i64>,
    pub(crate) stop_loss: Option<i64>,
}

/// The venue.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) markets: [Market; SPECS],
    pub(crate) orders: BTreeMap<u64, Resting>,
    /// The numbers of those that are open.
    open: BTreeSet<u64>,
    pub(crate) by_link: BTreeMap<LinkId, u64>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) positions: [i64; SPECS],
    pub(crate) protection: [Protection; SPECS],
    /// What the private stream is to say, oldest first.
    pub(crate) out: Vec<ExecutionReport>,
    /// Whether something traded that was no open order of ours: until the gateway hears of that it cannot keep a bound alone.
    pub(crate) disturbed: [bool; SPECS],
    rng: Rng,
    last_order: u64,
    now: u64,
}

impl Exchange {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "exchange");
        Self {
            markets: market::markets(&mut rng),
            orders: BTreeMap::new(),
            open: BTreeSet::new(),
            by_link: BTreeMap::new(),
            executions: Vec::new(),
            positions: [0; SPECS],
            protection: [Protection::default(); SPECS],
            out: Vec::new(),
            disturbed: [false; SPECS],
            rng,
            last_order: 0,
            now: 0,
        }
    }

    /// The venue's clock, at the resolution of its messages.
    fn stamp(&self) -> Timestamp {
        Timestamp::from_millis(self.now / 1_000_000)
    }

    pub(crate) fn order_of(&self, link: &LinkId) -> Option<&Resting> {
        self.by_link.get(link).and_then(|number| self.orders.get(number))
    }

    /// Open orders, oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Resting> {
        self.open.iter().filter_map(|number| self.orders.get(number))
    }

    /// Open orders of one instrument.
    pub(crate) fn open_in(&self, instrument: usize) -> impl Iterator<Item = &Resting> {
        self.open().filter(move |order| order.instrument == instrument)
    }

    pub(crate) fn executions_since(&self, since: Timestamp) -> Vec<Execution> {
        self.executions.iter().filter(|execution| execution.venue_time >= since).cloned().collect()
    }

    pub(crate) fn executions_of(&self, link: &LinkId) -> Vec<Execution> {
        self.executions.iter().filter(|execution| execution.link.as_ref() == Some(link)).cloned().collect()
    }

    pub(crate) fn position_reports(&self) -> Vec<PositionReport> {
        let held = (0..SPECS).filter(|instrument| self.positions[*instrument] != 0);
        held.map(|instrument| self.position_report(instrument)).collect()
    }

    fn position_report(&self, instrument: usize) -> PositionReport {
        PositionReport {
            instrument: InstrumentId(instrument as u32),
            quantity: SignedQty(self.positions[instrument]),
            average_price: Amount::ZERO,
            stop_loss: self.protection[instrument].stop_loss.map(Price),
            venue_time: self.stamp(),
        }
    }

    /// How the account is set up.
    pub(crate) fn mode(&self) -> AccountMode {
        AccountMode { hedged: false, margin: MarginMode::Cross }
    }

    pub(crate) fn wallet(&self) -> WalletReport {
        let equity = Amount::parse("1000000").unwrap();
        WalletReport {
            equity,
            balance: equity,
            available: equity,
            initial_margin: Some(Rate(0)),
            maintenance_margin: Some(Rate(0)),
            spot: Vec::new(),
            venue_time: self.stamp(),
        }
    }

    /// Sets the venue's clock before anything is asked of it.
    pub(crate) fn at(&mut self, now: u64) -> &mut Self {
        self.now = self.now.max(now);
        self
    }

    fn next_number(&mut self) -> u64 {
        self.last_order += 1;
        self.last_order
    }

    /// Books an execution: the only place where a position changes.
    fn execute(&mut self, order: &Resting, kind: ExecutionKind, price: i64, quantity: i64, maker: bool) {
        let change = if order.side == Side::Buy { quantity } else { -quantity };
        if kind != ExecutionKind::Funding {
            self.positions[order.instrument] += change;
        }
        let position = self.positions[order.instrument];
        if position == 0 {
            self.protection[order.instrument] = Protection::default();
        }
        let execution = Execution {
            exec: format!("E{}", self.executions.len() + 1).parse::<ExecId>().unwrap(),
            kind,
            link: order.link.clone(),
            venue_order: name(order.number),
            instrument: InstrumentId(order.instrument as u32),
            side: order.side,
            price: Price(price),
            quantity: Qty(quantity),
            fee: Amount::ZERO,
            fee_quantity: Qty(0),
            maker,
            created_by: order.created_by.clone(),
            venue_time: self.stamp(),
        };
        self.executions.push(execution.clone());
        self.out.push(ExecutionReport::Execution(execution));
        self.out.push(ExecutionReport::Position(self.position_report(order.instrument)));
    }

    /// Puts an order back and tells of it.
    fn tell(&mut self, mut order: Resting) {
        order.updated = self.stamp();
        self.out.push(ExecutionReport::Order(order.report()));
        if order.is_open() {
            self.open.insert(order.number);
        } else {
            self.open.remove(&order.number);
        }
        self.orders.insert(order.number, order);
    }

    fn close(&mut self, mut order: Resting, status: VenueStatus, reason: CloseReason) {
        order.status = status;
        order.reason = reason;
        self.tell(order);
    }
}

pub(crate) fn name(number: u64) -> VenueOrderId {
    format!("V{number}").parse().unwrap()
}
