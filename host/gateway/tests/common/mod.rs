//! A pipeline between a scripted venue and scripted cells, with a journal in memory and a clock that stands still.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use portcullis_core::{
    Action, ActionBody, Amount, Category, Command, DEMO_LIMITS, Digest, Environment, FaultCode, Gate, Input,
    InstrumentId, InstrumentSpec, Limits, LinkChange, LinkId, Mandate, MarketBody, MarketEvent, Outcome,
    Place, Price, Qty, Query, Rate, Record, Sequence, SessionStart, Side, Span, StrategyId, Submission,
    TimeInForce, Timestamp, VenueSnapshot,
};
use portcullis_gateway::{
    CellEvent, Cells, Deployment, Fault, Pipeline, Snapshot, Stream, Venue, VenueEvent,
};
use portcullis_journal::{Faults, Journal, JournaledCommand, Log, LogConfig, MemStorage};

/// The demo's limits without stops, which would put orders of the host's own among those of the tests, and with next to no window for
/// duplicates: the tests send the same order every ten milliseconds.
fn limits() -> Limits {
    let stop = "protection = \"stop\"\nstop_fraction = \"0.1\"\nstop_missing_ms_max = 10000";
    let edits = [(stop, "protection = \"none\""), ("duplicate_window_ms = 50", "duplicate_window_ms = 1")];
    let text = edits.into_iter().fold(DEMO_LIMITS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    Limits::parse(&text).unwrap()
}

pub(crate) const STRATEGY: StrategyId = StrategyId(0);
pub(crate) const BTC: InstrumentId = InstrumentId(0);

/// What the pipeline asked of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Frame(Vec<u8>),
    Snapshot,
    Revive(Option<Snapshot>),
    Stop,
}

#[derive(Debug, Default)]
pub(crate) struct Wires {
    pub(crate) to_pipeline: VecDeque<VenueEvent>,
    pub(crate) submitted: Vec<(Sequence, Command)>,
    /// The client id of each of them.
    pub(crate) links: Vec<LinkId>,
    pub(crate) queries: Vec<Query>,
    pub(crate) cell_events: VecDeque<CellEvent>,
    pub(crate) asked: Vec<Asked>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted(Rc<RefCell<Wires>>);

impl Venue for Scripted {
    fn submit(&mut self, command: JournaledCommand) {
        let mut wires = self.0.borrow_mut();
        wires.submitted.push((command.sequence(), command.command().clone()));
        wires.links.push(command.link().clone());
    }

    fn query(&mut self, query: Query) {
        self.0.borrow_mut().queries.push(query);
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.0.borrow_mut().to_pipeline.pop_front()
    }
}

impl Cells for Scripted {
    fn frame(&mut self, _: StrategyId, frame: &[u8]) {
        self.0.borrow_mut().asked.push(Asked::Frame(frame.to_vec()));
    }

    fn snapshot(&mut self, _: StrategyId) {
        self.0.borrow_mut().asked.push(Asked::Snapshot);
    }

    fn revive(&mut self, _: StrategyId, snapshot: Option<&Snapshot>) {
        self.0.borrow_mut().asked.push(Asked::Revive(snapshot.cloned()));
    }

    fn stop(&mut self, _: StrategyId) {
        self.0.borrow_mut().asked.push(Asked::Stop);
    }

    fn poll(&mut self) -> Option<(StrategyId, CellEvent)> {
        self.0.borrow_mut().cell_events.pop_front().map(|event| (STRATEGY, event))
    }
}

type Clock = Box<dyn Fn() -> Timestamp>;

/// A pipeline, its world, and a strategy that has just been told its state.
pub(crate) struct World<J = Log<MemStorage>> {
    pub(crate) pipeline: Pipeline<Scripted, Scripted, J, Clock>,
    pub(crate) wires: Rc<RefCell<Wires>>,
    pub(crate) storage: MemStorage,
    now: Rc<Cell<u64>>,
}

impl World {
    /// A strategy on BTCUSDT that reads trades and quotes, ready to trade.
    pub(crate) fn new() -> Self {
        Self::over(|log| log)
    }
}

/// A journal as a disk has it, and the gate that is folded from it.
pub(crate) fn folded(storage: MemStorage) -> (Gate, Log<MemStorage>) {
    let mut gate = Gate::new();
    let log = Log::open(storage, LogConfig::lab(Environment::Paper, [7; 32]), &mut |stored| {
        let record = Record::decode(stored.entry.kind, &stored.entry.body).unwrap();
        let places = matches!(&record, Record::Intent(intent) if intent.command.is_create());
        gate.fold(stored.entry.sequence, places.then(|| stored.link_id()).flatten(), &record);
    });
    (gate, log.unwrap())
}

impl<J: Journal> World<J> {
    /// The same over a journal of one's own choice.
    pub(crate) fn over(journal: impl FnOnce(Log<MemStorage>) -> J) -> Self {
        let now = Rc::new(Cell::new(1_700_000_000_000_000_000));
        let scripted = Scripted::default();
        let wires = Rc::clone(&scripted.0);
        let storage = MemStorage::new();
        let (gate, log) = folded(storage.clone());
        let time = Rc::clone(&now);
        let clock: Clock = Box::new(move || Timestamp(time.get()));
        let pipeline =
            Pipeline::new(gate, journal(log), scripted.clone(), scripted, clock, Span::from_millis(1));
        let mut world = Self { pipeline, wires, storage, now };
        world.connect();
        world.deploy();
        world.turn();
        world
    }

    /// The gateway starts again over what a power cut leaves of the disk, and knows nothing that is not there.
    pub(crate) fn restart(&mut self, journal: impl FnOnce(Log<MemStorage>) -> J) {
        self.storage = self.storage.after_crash(|| false);
        let (gate, log) = folded(self.storage.clone());
        let scripted = Scripted(Rc::clone(&self.wires));
        let time = Rc::clone(&self.now);
        let clock: Clock = Box::new(move || Timestamp(time.get()));
        self.pipeline =
            Pipeline::new(gate, journal(log), scripted.clone(), scripted, clock, Span::from_millis(1));
    }

    pub(crate) fn connect(&mut self) {
        let at = self.now();
        let session = SessionStart {
            environment: Environment::Paper,
            epoch: 1,
            software: "test".to_owned(),
            engine: Digest::default(),
            at,
        };
        let snapshot = VenueSnapshot::of_cash(Amount::parse("1000000").unwrap(), at);
        for input in [
            Input::Session(session),
            Input::Limits(Box::new(limits())),
            Input::Instrument(btc()),
            Input::Link(LinkChange::Public { up: true }),
            Input::Link(LinkChange::Skew { millis: 0 }),
            Input::Snapshot(snapshot),
            Input::Link(LinkChange::Private { up: true }),
        ] {
            self.pipeline.hand_in(input);
        }
        let mark = MarketBody::Mark { mark: Amount(60_000 * 10_i128.pow(18)), index: Amount::ZERO };
        self.market(mark);
        self.market(quote(599_990, 600_010));
    }

    fn deploy(&mut self) {
        let deployment = Deployment {
            name: "test".parse().unwrap(),
            digest: Digest([9; 32]),
            instruments: vec![BTC],
            subscriptions: vec![(BTC, Stream::Trades), (BTC, Stream::Quotes)],
            budget: Amount::parse("30000").unwrap(),
            mandate: Mandate::ALL,
            snapshot: None,
            warm_up: Vec::new(),
        };
        self.pipeline.start(deployment, |_, _| {}).unwrap();
        self.cell(CellEvent::Ready);
        // The frame with the warm-up boundary and the resync.
        self.turn();
        self.consume_all(Vec::new());
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.now.get())
    }

    pub(crate) fn pass(&mut self, span: Span) {
        self.now.set(self.now.get() + span.0);
    }

    pub(crate) fn turn(&mut self) {
        self.pipeline.turn();
    }

    pub(crate) fn venue(&mut self, event: VenueEvent) {
        self.wires.borrow_mut().to_pipeline.push_back(event);
    }

    pub(crate) fn market(&mut self, body: MarketBody) {
        let event = MarketEvent { instrument: BTC, time: self.now(), venue_time: self.now(), body };
        self.wires.borrow_mut().to_pipeline.push_back(VenueEvent::Market(event));
    }

    pub(crate) fn cell(&mut self, event: CellEvent) {
        self.wires.borrow_mut().cell_events.push_back(event);
    }

    /// The last frame handed out.
    pub(crate) fn frame(&self) -> Option<Vec<u8>> {
        self.wires.borrow().asked.iter().rev().find_map(|asked| match asked {
            Asked::Frame(frame) => Some(frame.clone()),
            Asked::Snapshot | Asked::Revive(_) | Asked::Stop => None,
        })
    }

    /// Answers the outstanding frame: all of it consumed, with these actions caused by its last event.
    pub(crate) fn consume_all(&mut self, actions: Vec<ActionBody>) {
        let consumed = records(&self.frame().unwrap());
        let cause = consumed - 1;
        let actions = actions.into_iter().map(|body| Action { cause, body }).collect();
        self.answer(Outcome { consumed, actions });
    }

    pub(crate) fn answer(&mut self, outcome: Outcome) {
        self.cell(CellEvent::Outcome { outcome, fuel: 1 });
        self.turn();
    }

    /// A trade, handed to the strategy, which answers with these actions.
    pub(crate) fn trade_then(&mut self, actions: Vec<ActionBody>) {
        self.pass(Span::from_millis(10));
        self.market(trade());
        self.turn();
        self.consume_all(actions);
    }

    pub(crate) fn fault(&mut self, code: FaultCode) {
        self.cell(CellEvent::Fault(Fault::new(code, "test")));
        self.turn();
    }

    pub(crate) fn submitted(&self) -> Vec<Command> {
        self.wires.borrow().submitted.iter().map(|(_, command)| command.clone()).collect()
    }

    pub(crate) fn last_asked(&self) -> Asked {
        self.wires.borrow().asked.last().cloned().unwrap()
    }

    pub(crate) fn accept_last(&mut self) {
        let of = self.wires.borrow().submitted.last().unwrap().0;
        let outcome = Submission::Accepted { venue_order: None };
        self.wires.borrow_mut().to_pipeline.push_back(VenueEvent::Submission { of, outcome });
        self.turn();
    }

    pub(crate) fn break_disk(&mut self) {
        self.storage.set_faults(Faults { syncs_until_failure: Some(0), ..Faults::default() });
    }
}

/// Every record of the journal.
pub(crate) fn journaled(world: &World) -> Vec<Record> {
    let mut found = Vec::new();
    let config = LogConfig::lab(Environment::Paper, [7; 32]);
    Log::open(world.storage.after_crash(|| true), config, &mut |stored| {
        found.push(Record::decode(stored.entry.kind, &stored.entry.body).unwrap());
    })
    .unwrap();
    found
}

/// Number of records in a frame's header.
pub(crate) fn records(frame: &[u8]) -> u32 {
    u32::from_le_bytes(frame[16..20].try_into().unwrap())
}

/// Kinds of the records in a frame.
pub(crate) fn kinds(frame: &[u8]) -> Vec<u16> {
    let mut kinds = Vec::new();
    let mut at = 24;
    while at < frame.len() {
        kinds.push(u16::from_le_bytes(frame[at..at + 2].try_into().unwrap()));
        at += usize::from(u16::from_le_bytes(frame[at + 2..at + 4].try_into().unwrap()));
    }
    kinds
}

pub(crate) fn trade() -> MarketBody {
    MarketBody::Trade { price: Price(600_000), quantity: Qty(10), taker: Side::Buy }
}

pub(crate) fn quote(bid: i64, ask: i64) -> MarketBody {
    let level = |price| portcullis_core::Level { price: Price(price), quantity: Qty(1_000) };
    MarketBody::Quote { bid: level(bid), ask: level(ask) }
}

/// A limit order below the market.
pub(crate) fn buy() -> ActionBody {
    ActionBody::Place(Place {
        instrument: 0,
        side: Side::Buy,
        quantity: Qty(10),
        limit: Some(Price(599_000)),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
        good_till: None,
        tag: 1,
    })
}

fn btc() -> InstrumentSpec {
    InstrumentSpec {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 1,
        quantity_decimals: 3,
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
