//! A small world around the gate: a journal in memory and a venue that does what the test says.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::*;

pub const BTC: InstrumentId = InstrumentId(0);
pub const ETH: InstrumentId = InstrumentId(1);
pub const MAKER: StrategyId = StrategyId(0);
pub const TAKER: StrategyId = StrategyId(1);

/// Midday of a day, so that nothing rolls over unless a test wants it.
pub const START: Timestamp = Timestamp(20_000 * 86_400_000_000_000 + 43_200_000_000_000);

pub struct World {
    pub gate: Gate,
    pub now: Timestamp,
    pub journal: Vec<(Sequence, Option<LinkId>, u16, Vec<u8>)>,
    /// Commands let go, oldest first.
    pub sent: VecDeque<(Sequence, Command)>,
    pub notices: Vec<Notice>,
    pub queries: Vec<Query>,
    pub strikes: Vec<StrategyId>,
    pub reply: Option<Reply>,
    pub not_sent: Vec<RefusalCode>,
    pub execs: u64,
    /// When each command was let go.
    pub released: BTreeMap<Sequence, Timestamp>,
    /// Whether approved commands are committed and released at once.
    pub prompt: bool,
}

/// A trap, as the pipeline tells of it.
pub fn trap() -> StrategyFailure {
    StrategyFailure {
        code: FaultCode::Trap,
        detail: "unreachable".to_owned(),
        evidence: Some("taker-1-trap.fault".to_owned()),
    }
}

impl World {
    /// Both strategies running, warm and resynced, everything connected, prices fresh, the given limits in force.
    pub fn with_limits(limits: &str) -> Self {
        let mut world = Self::empty();
        world.step(Input::Limits(Box::new(Limits::parse(limits).unwrap())));
        world.open();
        world.start(MAKER, "maker", ETH);
        world.start(TAKER, "taker", BTC);
        world
    }

    pub fn new() -> Self {
        Self::with_limits(&calm())
    }

    /// Nothing known yet.
    pub fn empty() -> Self {
        Self {
            gate: Gate::new(),
            now: START,
            journal: Vec::new(),
            sent: VecDeque::new(),
            notices: Vec::new(),
            queries: Vec::new(),
            strikes: Vec::new(),
            reply: None,
            not_sent: Vec::new(),
            execs: 0,
            released: BTreeMap::new(),
            prompt: true,
        }
    }

    /// Starts a session and connects everything.
    pub fn open(&mut self) {
        self.step(Input::Session(session(self.now)));
        self.step(Input::Instrument(spec(BTC, "BTCUSDT", 2, 3)));
        self.step(Input::Instrument(spec(ETH, "ETHUSDT", 2, 2)));
        self.step(Input::Link(LinkChange::Public { up: true }));
        self.step(Input::Link(LinkChange::Private { up: true }));
        self.step(Input::Link(LinkChange::Skew { millis: 3 }));
        let snapshot = self.snapshot();
        self.step(Input::Snapshot(snapshot));
        self.prices("60000.00", "3000.00");
    }

    pub fn start(&mut self, id: StrategyId, name: &str, instrument: InstrumentId) {
        self.start_with(id, name, instrument, "100000");
    }

    /// Starts a strategy with this budget, warm and resynced.
    pub fn start_with(&mut self, id: StrategyId, name: &str, instrument: InstrumentId, budget: &str) {
        let started = StrategyStarted {
            strategy: id,
            name: name.parse().unwrap(),
            digest: Digest([id.0 as u8; 32]),
            instruments: vec![instrument],
            budget: Amount::parse(budget).unwrap(),
            mandate: Mandate::ALL,
            at: self.now,
        };
        self.step(Input::Strategy(StrategyChange::Started(started)));
        self.step(Input::Strategy(StrategyChange::Warm(id)));
        self.step(Input::Strategy(StrategyChange::Resynced(id)));
    }

    /// Fresh prices: asks are these, bids one tick lower.
    pub fn prices(&mut self, bitcoin: &str, ether: &str) {
        for (id, ask) in [(BTC, bitcoin), (ETH, ether)] {
            let ask = Price::parse(ask, 2).unwrap();
            let level = |price| Level { price, quantity: Qty(1_000) };
            self.market(id, MarketBody::Quote { bid: level(Price(ask.0 - 1)), ask: level(ask) });
            self.market(id, MarketBody::Mark { mark: ask.to_amount(2).unwrap(), index: Amount::ZERO });
        }
    }

    pub fn market(&mut self, instrument: InstrumentId, body: MarketBody) {
        let event = MarketEvent { instrument, time: self.now, venue_time: self.now, body };
        assert!(self.gate.step(self.now, Input::Market(&event)).is_empty());
    }

    pub fn wait(&mut self, span: Span) {
        self.now = self.now.after(span);
    }

    /// Time passes with fresh prices, a tick a second.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.wait(Span::from_secs(1));
            self.refresh();
            self.step(Input::Tick);
        }
    }

    /// The prices there are, told again.
    pub fn refresh(&mut self) {
        for id in [BTC, ETH] {
            let Some(view) = self.gate.market(id).copied() else { continue };
            let level = |price: Option<Price>| Level {
                price: price.unwrap_or_default(),
                quantity: Qty(i64::from(price.is_some()) * 1_000),
            };
            self.market(id, MarketBody::Quote { bid: level(view.bid), ask: level(view.ask) });
            if let Some((mark, _)) = view.mark {
                self.market(id, MarketBody::Mark { mark, index: Amount::ZERO });
            }
        }
    }

    /// One input, with all the pipeline does about it.
    pub fn step(&mut self, input: Input<'_>) {
        let effects = self.gate.step(self.now, input);
        self.carry_out(effects);
    }

    pub fn carry_out(&mut self, effects: Effects) {
        let mut commands = effects.commands.into_iter().peekable();
        let mut committed = Vec::new();
        for (index, record) in effects.records.into_iter().enumerate() {
            let sequence = Sequence(self.journal.len() as u64);
            let mut link = None;
            if let Some((_, command)) = commands.next_if(|(of, _)| *of == index) {
                let (command, _, _) = command.into_parts();
                link = command.is_create().then(|| link_of(sequence));
                committed.push((sequence, link.clone(), command));
            }
            self.journal.push((sequence, link, record.kind(), record.encode()));
        }
        assert!(commands.next().is_none(), "a command without its record");
        self.notices.extend(effects.notices);
        self.queries.extend(effects.queries);
        self.strikes.extend(effects.strikes);
        self.reply = effects.reply.or(self.reply.take());
        for (sequence, link, command) in committed {
            self.step(Input::Committed { command: &command, sequence, link });
            if self.prompt {
                self.release(sequence, command);
            }
        }
    }

    pub fn release(&mut self, sequence: Sequence, command: Command) {
        let effects = self.gate.step(self.now, Input::Release(sequence));
        match effects.release {
            Some(Release::Go) => {
                self.released.insert(sequence, self.now);
                self.sent.push_back((sequence, command));
            }
            Some(Release::NotSent(code)) => self.not_sent.push(code),
            None => panic!("a release without an answer"),
        }
        self.carry_out(effects);
    }

    // ------------------------------------------------------------------ what strategies do

    pub fn ask(&mut self, strategy: StrategyId, ask: Ask) {
        // A strategy that asks twice for the same at one moment is refused.
        self.wait(Span::from_millis(1));
        self.ask_now(strategy, ask);
    }

    pub fn ask_now(&mut self, strategy: StrategyId, ask: Ask) {
        let cause = Cause { time: self.now, event: 1, frame: Digest::default() };
        self.step(Input::Intent { intent: RawIntent { strategy, cause, ask }, frame: b"frame" });
    }

    /// Asks for an order, and gives the host's number of it if it was approved.
    pub fn place(&mut self, place: Place) -> Result<OrderId, RefusalCode> {
        let strategy = if place.tag == 2 { MAKER } else { TAKER };
        self.place_as(strategy, place)
    }

    pub fn place_as(&mut self, strategy: StrategyId, place: Place) -> Result<OrderId, RefusalCode> {
        let id = self.gate.state().orders().next_id();
        let told = self.notices.len();
        self.ask(strategy, Ask::Place(place));
        match self.refusal_since(told) {
            Some(code) => Err(code),
            None => Ok(id),
        }
    }

    pub fn refusal_since(&self, told: usize) -> Option<RefusalCode> {
        self.notices[told..].iter().find_map(|notice| match &notice.body {
            NoticeBody::Refusal(refusal) => Some(refusal.code),
            _ => None,
        })
    }

    pub fn ask_for(&mut self, strategy: StrategyId, ask: Ask) -> Result<(), RefusalCode> {
        let told = self.notices.len();
        self.ask(strategy, ask);
        self.refusal_since(told).map_or(Ok(()), Err)
    }

    pub fn order(&self, id: OrderId) -> &Order {
        self.gate.state().orders().get(id).unwrap()
    }

    pub fn status(&self, id: OrderId) -> OrderStatus {
        self.order(id).status
    }

    // ------------------------------------------------------------------ what the venue does

    pub fn next_sent(&mut self) -> (Sequence, Command) {
        self.sent.pop_front().expect("nothing was sent")
    }

    /// Answers a query about an order, by a venue whose clock is ours.
    pub fn find(&mut self, order: OrderId, finding: Evidence) {
        self.step(Input::Evidence { order, finding, venue_time: self.now });
    }

    pub fn answer(&mut self, of: Sequence, outcome: Submission) {
        self.step(Input::Submission { of, outcome });
    }

    pub fn accept(&mut self) -> Command {
        let (of, command) = self.next_sent();
        self.answer(of, Submission::Accepted { venue_order: Some("v".parse().unwrap()) });
        command
    }

    pub fn reject(&mut self, kind: RejectionKind) {
        let (of, _) = self.next_sent();
        let rejection = VenueRejection { kind, code: 1, message: String::new() };
        self.answer(of, Submission::Rejected(rejection));
    }

    pub fn lose(&mut self) {
        let (of, _) = self.next_sent();
        self.answer(of, Submission::Unknown { detail: "timeout".to_owned() });
    }

    pub fn report_of(&self, id: OrderId, status: VenueStatus) -> OrderReport {
        let order = self.order(id);
        OrderReport {
            link: order.link.clone(),
            venue_order: "v".parse().unwrap(),
            instrument: order.instrument,
            side: order.side,
            status,
            price: order.price,
            quantity: order.quantity,
            executed: order.accounted,
            reason: CloseReason::None,
            reduce_only: order.reduce_only,
            created_by: CreatedBy::Client,
            venue_time: self.now,
        }
    }

    pub fn report(&mut self, id: OrderId, status: VenueStatus) {
        let report = self.report_of(id, status);
        self.step(Input::Report(ExecutionReport::Order(report)));
    }

    pub fn execution_of(&mut self, id: OrderId, quantity: Qty, price: Price) -> Execution {
        self.execs += 1;
        let order = self.order(id);
        Execution {
            exec: format!("e{}", self.execs).parse().unwrap(),
            kind: ExecutionKind::Trade,
            link: order.link.clone(),
            venue_order: "v".parse().unwrap(),
            instrument: order.instrument,
            side: order.side,
            price,
            quantity,
            fee: Amount::parse("0.01").unwrap(),
            fee_quantity: Qty(0),
            maker: false,
            created_by: CreatedBy::Client,
            venue_time: self.now,
        }
    }

    pub fn fill(&mut self, id: OrderId, quantity: Qty, price: &str) {
        let price = Price::parse(price, 2).unwrap();
        let execution = self.execution_of(id, quantity, price);
        self.step(Input::Report(ExecutionReport::Execution(execution)));
    }

    /// What the venue would say if it agreed with the books.
    pub fn snapshot(&self) -> VenueSnapshot {
        let state = self.gate.state();
        let seen = |order: &&Order| order.status.is_at_venue();
        let status = |order: &Order| match order.status {
            OrderStatus::PartiallyFilled => VenueStatus::PartiallyFilled,
            OrderStatus::Untriggered => VenueStatus::Untriggered,
            _ => VenueStatus::Working,
        };
        VenueSnapshot {
            time: self.now,
            orders: state.orders().open().filter(seen).map(|o| self.report_of(o.id, status(o))).collect(),
            positions: [BTC, ETH]
                .into_iter()
                .filter(|id| !state.ledger().quantity(*id).is_flat())
                .map(|instrument| PositionReport {
                    instrument,
                    quantity: state.ledger().quantity(instrument),
                    average_price: Amount::ZERO,
                    stop_loss: None,
                    venue_time: self.now,
                })
                .collect(),
            ..VenueSnapshot::of_cash(Amount::parse("1000000").unwrap(), self.now)
        }
    }

    // ------------------------------------------------------------------ what is left behind

    /// Folds the journal, through its bytes, into a new state.
    pub fn folded(&self) -> Gate {
        let mut gate = Gate::new();
        for (sequence, link, kind, body) in &self.journal {
            gate.fold(*sequence, link.clone(), &Record::decode(*kind, body).unwrap());
        }
        gate
    }

    pub fn restart(&mut self) {
        self.gate = self.folded();
        self.sent.clear();
        self.open();
    }

    pub fn records(&self) -> Vec<Record> {
        self.journal.iter().map(|(_, _, kind, body)| Record::decode(*kind, body).unwrap()).collect()
    }

    /// Oddities, alerts about limits left out.
    pub fn findings(&self) -> Vec<FindingKind> {
        let alert = |kind| matches!(kind, FindingKind::LimitNear | FindingKind::LimitReached);
        self.told().into_iter().map(|finding| finding.kind).filter(|kind| !alert(*kind)).collect()
    }

    /// Alerts about limits, with what they say.
    pub fn alerts(&self) -> Vec<(FindingKind, String)> {
        let alert = |kind| matches!(kind, FindingKind::LimitNear | FindingKind::LimitReached);
        let alerts = self.told().into_iter().filter(|finding| alert(finding.kind));
        alerts.map(|finding| (finding.kind, finding.detail)).collect()
    }

    fn told(&self) -> Vec<Finding> {
        self.records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Finding(finding) => Some(finding),
                _ => None,
            })
            .collect()
    }

    pub fn last_checks(&self) -> Vec<CheckOutcome> {
        self.records()
            .into_iter()
            .rev()
            .find_map(|record| match record {
                Record::Intent(intent) => Some(intent.checks),
                Record::Refused(refused) => Some(refused.checks),
                _ => None,
            })
            .unwrap()
    }
}

/// The demo's limits without the rules that act by themselves or forget with time: no stops, wallets that never age.
pub fn calm() -> String {
    DEMO_LIMITS
        .replace(
            "protection = \"stop\"\nstop_fraction = \"0.1\"\nstop_missing_ms_max = 10000",
            "protection = \"none\"",
        )
        .replace("wallet_age_ms_max = 180000", "wallet_age_ms_max = 1000000000")
        .replace("duplicate_window_ms = 50", "duplicate_window_ms = 1")
        .replace("capital = \"40000\"", "capital = \"1000000\"")
}

pub fn session(at: Timestamp) -> SessionStart {
    SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: "test".to_owned(),
        engine: Digest::default(),
        at,
    }
}

pub fn spec(id: InstrumentId, symbol: &str, price_decimals: u8, quantity_decimals: u8) -> InstrumentSpec {
    InstrumentSpec {
        id,
        category: Category::Linear,
        symbol: symbol.parse().unwrap(),
        price_decimals,
        quantity_decimals,
        tick: Price(1),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(100_000),
        min_notional: Amount::parse("5").unwrap(),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
        has_price_limits: false,
    }
}

/// The form of the journal's client ids.
pub fn link_of(sequence: Sequence) -> LinkId {
    format!("p001{:09}-{:0>22}", sequence.0, sequence.0).parse().unwrap()
}

/// A limit buy of bitcoin near the market, by the taker.
pub fn buy(quantity: i64, price: &str) -> Place {
    Place {
        instrument: 0,
        side: Side::Buy,
        quantity: Qty(quantity),
        limit: Some(Price::parse(price, 2).unwrap()),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
        good_till: None,
        tag: 1,
    }
}

pub fn sell(quantity: i64, price: &str) -> Place {
    Place { side: Side::Sell, ..buy(quantity, price) }
}

pub fn market(side: Side, quantity: i64) -> Place {
    Place { side, limit: None, time_in_force: TimeInForce::Ioc, ..buy(quantity, "1") }
}

pub fn reduce(place: Place) -> Place {
    Place { reduce_only: true, ..place }
}
