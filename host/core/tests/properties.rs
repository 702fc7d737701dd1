//! What holds whatever happens: the fold, the limits under the worst fills, the books, executions once.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "test code"
)]

mod support;

use std::collections::BTreeMap;

use portcullis_core::*;
use proptest::prelude::*;
use proptest::strategy::Strategy;
use support::*;

/// One thing that happens. Indices are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Place {
        side: bool,
        quantity: i64,
        price: i64,
        reduce: bool,
        market: bool,
        good_till: bool,
    },
    Amend {
        order: usize,
        price: Option<i64>,
        quantity: Option<i64>,
    },
    Cancel(usize),
    CancelAll,
    Flatten,
    /// The next command reaches the venue (or not), which does it (or not), and the answer comes back (or not).
    Deliver {
        arrives: bool,
        answered: bool,
        refused: bool,
    },
    /// The next command goes astray: nothing comes back.
    Lose,
    /// A command that went astray reaches the venue after all.
    Arrive,
    /// The venue fills part of an order.
    Fill {
        order: usize,
        part: i64,
    },
    /// The venue cancels an order by itself.
    Drop(usize),
    /// The venue sends the order's state.
    Show(usize),
    /// An old execution comes again.
    Repeat(usize),
    /// The venue answers what was asked.
    Answer {
        fails: bool,
    },
    Pass(u64),
    /// The market moves up to so many ticks above where it began.
    Move(i64),
    Raise(u8),
    Rearm,
    Crash,
    /// The strategy is stopped and comes back with so many USDT.
    Bounce(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place =
        (any::<bool>(), 1..200_i64, -300_000..300_000_i64, any::<bool>(), any::<bool>(), any::<bool>());
    let place = place.prop_map(|(side, quantity, price, reduce, market, good_till)| Step::Place {
        side,
        quantity,
        price,
        reduce,
        market,
        good_till,
    });
    let amend = (any::<usize>(), prop::option::of(-300_000..300_000_i64), prop::option::of(1..300_i64))
        .prop_map(|(order, price, quantity)| Step::Amend { order, price, quantity });
    let deliver = (prop::bool::weighted(0.9), prop::bool::weighted(0.8), prop::bool::weighted(0.1))
        .prop_map(|(arrives, answered, refused)| Step::Deliver { arrives, answered, refused });
    let step = prop_oneof![
        8 => place,
        3 => amend,
        3 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::CancelAll),
        1 => Just(Step::Flatten),
        12 => deliver,
        2 => Just(Step::Lose),
        2 => Just(Step::Arrive),
        8 => (any::<usize>(), 1..200_i64).prop_map(|(order, part)| Step::Fill { order, part }),
        1 => any::<usize>().prop_map(Step::Drop),
        8 => any::<usize>().prop_map(Step::Show),
        1 => any::<usize>().prop_map(Step::Repeat),
        3 => prop::bool::weighted(0.2).prop_map(|fails| Step::Answer { fails }),
        3 => (1..15_u64).prop_map(Step::Pass),
        3 => (0..60_000_i64).prop_map(Step::Move),
        1 => (1..5_u8).prop_map(Step::Raise),
        1 => Just(Step::Rearm),
        1 => Just(Step::Crash),
        1 => (0..25_000_i64).prop_map(Step::Bounce),
    ];
    prop::collection::vec(step, 1..200)
}

/// A venue that keeps its own truth and tells it only sometimes.
#[derive(Default)]
struct Venue {
    orders: BTreeMap<LinkId, VenueOrder>,
    position: i64,
    /// Minus what was paid, plus what was received, in 1e-5 USDT: the product of the mantissas.
    cash: i128,
    executions: Vec<Execution>,
    astray: Vec<(Sequence, Command)>,
}

impl Venue {
    /// The largest position either way if the orders that are open here filled in the worst way.
    fn worst(&self) -> i64 {
        let open = |side: Side| -> i64 {
            let orders =
                self.orders.values().filter(|order| order.open && order.side == side && !order.reduce_only);
            orders.map(|order| order.quantity - order.executed).sum()
        };
        // Reductions can fill first and take away what the others would have to turn round.
        (self.position.max(0) + open(Side::Buy)).max(open(Side::Sell) - self.position.min(0))
    }
}

#[derive(Clone)]
struct VenueOrder {
    side: Side,
    price: Option<Price>,
    quantity: i64,
    executed: i64,
    reduce_only: bool,
    open: bool,
}

struct Run {
    world: World,
    venue: Venue,
}

impl Run {
    fn new() -> Self {
        Self { world: World::new(), venue: Venue::default() }
    }

    fn step(&mut self, step: &Step) {
        let world = &mut self.world;
        let price = |offset: i64| Price(6_000_000 + offset);
        match *step {
            Step::Place { side, quantity, price: offset, reduce, market, good_till } => {
                let place = Place {
                    side: if side { Side::Buy } else { Side::Sell },
                    limit: (!market).then(|| price(offset)),
                    time_in_force: if market { TimeInForce::Ioc } else { TimeInForce::Gtc },
                    reduce_only: reduce,
                    good_till: (good_till && !market).then(|| world.now.after(Span::from_secs(7))),
                    ..buy(quantity, "1")
                };
                world.ask(TAKER, Ask::Place(place));
            }
            Step::Amend { order, price: offset, quantity } => {
                let amend = Amend {
                    order: own_number(world, order),
                    limit: offset.map(price),
                    quantity: quantity.map(Qty),
                };
                world.ask(TAKER, Ask::Amend(amend));
            }
            Step::Cancel(order) => {
                let number = own_number(world, order);
                world.ask(TAKER, Ask::Cancel(number));
            }
            Step::CancelAll => world.ask(TAKER, Ask::CancelAll(None)),
            Step::Flatten => world.ask(TAKER, Ask::Flatten(0)),
            Step::Deliver { arrives, answered, refused } => self.deliver(arrives, answered, refused),
            Step::Lose => {
                if let Some((of, command)) = world.sent.pop_front() {
                    world.answer(of, Submission::Unknown { detail: "timeout".to_owned() });
                    self.venue.astray.push((of, command));
                }
            }
            Step::Arrive => {
                if let Some((of, command)) = self.venue.astray.pop()
                    && self.admits(of)
                {
                    self.execute(of, &command);
                }
            }
            Step::Fill { order, part } => self.fill(order, part),
            Step::Drop(order) => {
                if let Some(link) = self.pick(order) {
                    self.venue.orders.get_mut(&link).unwrap().open = false;
                    self.show(&link);
                }
            }
            Step::Show(order) => {
                let links: Vec<LinkId> = self.venue.orders.keys().cloned().collect();
                if let Some(link) = links.get(order % links.len().max(1)) {
                    self.show(link);
                }
            }
            Step::Repeat(index) => {
                let all = &self.venue.executions;
                if let Some(execution) = all.get(index % all.len().max(1)).cloned() {
                    self.world.step(Input::Report(ExecutionReport::Execution(execution)));
                }
            }
            Step::Answer { fails } => self.answer_queries(fails),
            Step::Pass(seconds) => world.pass(seconds),
            Step::Move(ticks) => world.prices(&Price(6_000_000 + ticks).display(2).to_string(), "3000.00"),
            Step::Raise(to) => {
                let to = [
                    TradingState::Caution,
                    TradingState::ReduceOnly,
                    TradingState::EntriesCancelled,
                    TradingState::Flattening,
                ][usize::from(to) - 1];
                let command =
                    OperatorCommand::Raise { scope: Scope::Strategy(TAKER), to, reason: String::new() };
                world.step(Input::Operator { actor: String::new(), command });
            }
            Step::Rearm => {
                let scope = Scope::Strategy(TAKER);
                let command = OperatorCommand::RearmRequest { scope, reason: String::new() };
                world.step(Input::Operator { actor: String::new(), command });
                if let Some(Reply::ConfirmWith { code, .. }) = world.reply.take() {
                    let command = OperatorCommand::RearmConfirm { scope, code, new_baseline: false };
                    world.step(Input::Operator { actor: String::new(), command });
                }
            }
            Step::Crash => {
                // What was sent is on its way; the answers are lost with the process.
                while !self.world.sent.is_empty() {
                    self.deliver(true, false, false);
                }
                let world = &mut self.world;
                world.gate = world.folded();
                world.step(Input::Session(session(world.now)));
                for change in [LinkChange::Public { up: true }, LinkChange::Private { up: true }] {
                    world.step(Input::Link(change));
                }
                world.step(Input::Link(LinkChange::Skew { millis: 0 }));
                world.start(MAKER, "maker", ETH);
                world.start(TAKER, "taker", BTC);
                world.prices("60000.00", "3000.00");
                self.answer_queries(false);
            }
            Step::Bounce(budget) => {
                world.step(Input::Strategy(StrategyChange::Stopped {
                    strategy: TAKER,
                    reason: String::new(),
                }));
                world.start_with(TAKER, "taker", BTC, &budget.to_string());
            }
        }
    }

    /// The largest position that could come about, while only reductions pass.
    fn held_and_worst(&self) -> Option<u128> {
        let state = self.world.gate.state();
        let held = state.trading_state(TAKER) >= TradingState::ReduceOnly;
        held.then(|| state.orders().exposure(BTC).largest(state.ledger().quantity(BTC)))
    }

    /// What could come of each side in the worst case, long and short, and how much of the position nothing open closes yet.
    fn sides(&self) -> [(i128, i128); 2] {
        let state = self.world.gate.state();
        let (exposure, position) = (state.orders().exposure(BTC), state.ledger().quantity(BTC));
        let held = i128::from(position.0);
        [
            (exposure.longest(position), -held - exposure.buys - exposure.reducing_buys),
            (-exposure.shortest(position), held - exposure.sells - exposure.reducing_sells),
        ]
    }

    /// Where a decision lets a worst case grow, it stays inside the strategy's means, or all that is open on that side only closes
    /// what is held: then nothing gets larger than it is, however much that is.
    fn check_means(&self, before: [(i128, i128); 2], step: &Step) -> Result<(), TestCaseError> {
        let budget = self.world.gate.state().strategy(TAKER).map_or(0, |taker| taker.budget.0);
        for ((before, _), (after, left)) in before.into_iter().zip(self.sides()) {
            // A thousandth is worth 60 USDT and more.
            let fits = after * 60 * 10_i128.pow(18) <= budget;
            prop_assert!(after <= before || fits || left >= 0, "{} became {} by {:?}", before, after, step);
        }
        Ok(())
    }

    /// What the last decision saw of the account is what a plain count over the books gives.
    fn check_sums(&self) -> Result<(), TestCaseError> {
        let Some(Record::Refused(Refused { checks, at, .. })) = self.world.records().pop() else {
            return Ok(());
        };
        let gate = &self.world.gate;
        let seen =
            |check| checks.iter().find(|outcome: &&CheckOutcome| outcome.check == check).map(|o| o.seen);
        let Some(loss) = seen(CheckId::LossAccount) else { return Ok(()) };
        let day = gate.profit(at).day.map_or(0, |profit| -profit.0);
        prop_assert_eq!(loss, day, "the account's profit");
        prop_assert_eq!(
            seen(CheckId::DrawdownStrategy),
            seen(CheckId::DrawdownAccount),
            "one strategy trades"
        );
        Ok(())
    }

    fn deliver(&mut self, arrives: bool, answered: bool, refused: bool) {
        let Some((of, command)) = self.world.sent.pop_front() else { return };
        if refused {
            let kind = if command.is_create() { RejectionKind::Margin } else { RejectionKind::Other };
            let rejection = VenueRejection { kind, code: 1, message: String::new() };
            return self.world.answer(of, Submission::Rejected(rejection));
        }
        let arrives = arrives && self.admits(of);
        let mut known = true;
        if arrives {
            known = self.execute(of, &command);
        }
        let outcome = match (arrives && answered, known) {
            (true, true) => Submission::Accepted { venue_order: None },
            (true, false) => Submission::Rejected(VenueRejection {
                kind: RejectionKind::NoSuchOrder,
                code: 1,
                message: String::new(),
            }),
            (false, _) => Submission::Unknown { detail: "timeout".to_owned() },
        };
        self.world.answer(of, outcome);
    }

    /// The venue admits nothing that is older than the receive window.
    fn admits(&self, of: Sequence) -> bool {
        self.world.now.since(self.world.released[&of]) < Span::from_secs(5)
    }

    fn execute(&mut self, of: Sequence, command: &Command) -> bool {
        match command {
            Command::Place(place) => {
                let order = VenueOrder {
                    side: place.side,
                    price: place.price,
                    quantity: place.quantity.0,
                    executed: 0,
                    reduce_only: place.reduce_only,
                    open: true,
                };
                self.venue.orders.insert(link_of(of), order);
                true
            }
            Command::Amend(amend) => {
                let order = self.venue.orders.get_mut(&amend.link);
                order.filter(|order| order.open).is_some_and(|order| {
                    order.price = amend.price.or(order.price);
                    order.quantity = amend.quantity.map_or(order.quantity, |quantity| quantity.0);
                    order.open = order.executed < order.quantity;
                    true
                })
            }
            Command::Cancel(cancel) => {
                let order = self.venue.orders.get_mut(&cancel.link);
                order.filter(|order| order.open).is_some_and(|order| {
                    order.open = false;
                    true
                })
            }
            Command::CancelAll(_) => {
                self.venue.orders.values_mut().for_each(|order| order.open = false);
                true
            }
            Command::SetProtection(_) => true,
        }
    }

    fn pick(&self, index: usize) -> Option<LinkId> {
        let open: Vec<&LinkId> =
            self.venue.orders.iter().filter(|(_, order)| order.open).map(|(link, _)| link).collect();
        open.get(index % open.len().max(1)).map(|link| (*link).clone())
    }

    fn fill(&mut self, index: usize, part: i64) {
        let Some(link) = self.pick(index) else { return };
        let order = self.venue.orders.get_mut(&link).unwrap();
        let mut quantity = part.min(order.quantity - order.executed);
        if order.reduce_only {
            let closable = if order.side == Side::Buy { -self.venue.position } else { self.venue.position };
            quantity = quantity.min(closable);
        }
        if quantity <= 0 {
            order.open = !order.reduce_only && order.open;
            return;
        }
        order.executed += quantity;
        order.open = order.executed < order.quantity;
        let price = order.price.unwrap_or(Price(6_000_000));
        let signed = if order.side == Side::Buy { quantity } else { -quantity };
        self.venue.position += signed;
        self.venue.cash -= i128::from(signed) * i128::from(price.0);
        let execution = Execution {
            exec: format!("e{}", self.venue.executions.len()).parse().unwrap(),
            kind: ExecutionKind::Trade,
            link: Some(link),
            venue_order: "v".parse().unwrap(),
            instrument: BTC,
            side: order.side,
            price,
            quantity: Qty(quantity),
            fee: Amount(1),
            fee_quantity: Qty(0),
            maker: false,
            created_by: CreatedBy::Client,
            venue_time: self.world.now,
        };
        self.venue.executions.push(execution.clone());
        self.world.step(Input::Report(ExecutionReport::Execution(execution)));
    }

    fn report(&self, link: &LinkId) -> OrderReport {
        let order = &self.venue.orders[link];
        let status = match (order.open, order.executed) {
            (true, 0) => VenueStatus::Working,
            (true, _) => VenueStatus::PartiallyFilled,
            (false, executed) if executed >= order.quantity => VenueStatus::Filled,
            (false, _) => VenueStatus::Cancelled,
        };
        OrderReport {
            link: Some(link.clone()),
            venue_order: "v".parse().unwrap(),
            instrument: BTC,
            side: order.side,
            status,
            price: order.price,
            quantity: Qty(order.quantity),
            executed: Qty(order.executed),
            reason: CloseReason::None,
            reduce_only: order.reduce_only,
            created_by: CreatedBy::Client,
            venue_time: self.world.now,
        }
    }

    fn show(&mut self, link: &LinkId) {
        let report = self.report(link);
        self.world.step(Input::Report(ExecutionReport::Order(report)));
    }

    fn answer_queries(&mut self, fails: bool) {
        for query in std::mem::take(&mut self.world.queries) {
            match query {
                Query::Order { order, link, .. } => {
                    let finding = match self.venue.orders.contains_key(&link) {
                        _ if fails => Evidence::Unavailable,
                        true => Evidence::Found(self.report(&link)),
                        false => Evidence::Absent,
                    };
                    self.world.find(order, finding);
                }
                Query::Snapshot { .. } if fails => {}
                Query::Snapshot { .. } => {
                    let open = self.venue.orders.iter().filter(|(_, order)| order.open);
                    let snapshot = VenueSnapshot {
                        orders: open.map(|(link, _)| self.report(link)).collect(),
                        executions: self.venue.executions.clone(),
                        positions: vec![PositionReport {
                            instrument: BTC,
                            quantity: SignedQty(self.venue.position),
                            average_price: Amount::ZERO,
                            stop_loss: None,
                            venue_time: self.world.now,
                        }],
                        ..self.world.snapshot()
                    };
                    self.world.step(Input::Snapshot(snapshot));
                }
            }
        }
    }
}

/// The number of one of the taker's open orders, and now and then of one that does not exist.
fn own_number(world: &World, index: usize) -> OrderNumber {
    let open: Vec<OrderNumber> = world.gate.state().orders().open_in(BTC).map(|order| order.number).collect();
    open.get(index % (open.len() + 1)).copied().unwrap_or(OrderNumber(3))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_hold(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            let before = run.held_and_worst();
            let sides = run.sides();
            run.step(step);
            let after = run.held_and_worst();
            // While only reductions pass, no step makes the worst case larger: not an order, not a fill, not a restart.
            if let (Some(before), Some(after)) = (before, after) {
                prop_assert!(after <= before, "{} became {} by {:?}", before, after, step);
            }
            if matches!(step, Step::Place { .. } | Step::Amend { .. }) {
                run.check_sums()?;
                run.check_means(sides, step)?;
            }
            // 20,000 USDT at 60,000 are 333 thousandths: whatever the venue holds and however it fills.
            prop_assert!(run.venue.worst() <= 333, "{} after {:?}", run.venue.worst(), step);
        }
        let state = run.world.gate.state();

        // The journal's bytes fold to the very state that decided.
        let folded = run.world.folded();
        prop_assert!(folded.state() == state, "fold(records) differs from the live state");

        // The books say what the venue did: quantity, and cash in exact numbers.
        let position = state.ledger().position(BTC, Some(TAKER));
        prop_assert_eq!(position.quantity, SignedQty(run.venue.position));
        let cash = position.realised.checked_sub(position.cost).unwrap();
        prop_assert_eq!(cash.0, run.venue.cash * 10_i128.pow(13));
        prop_assert_eq!(position.fees.0, run.venue.executions.len() as i128);

        // Each order's exposure covers what the venue may still do.
        for (link, order) in run.venue.orders.iter().filter(|(_, order)| order.open) {
            let ours = state.orders().by_link(link).unwrap();
            prop_assert!(ours.status.is_open(), "{} is open at the venue", link);
            prop_assert!(ours.exposure().0 >= order.quantity - order.executed, "{}", link);
        }

        // Indices agree with a plain count.
        let open = state.orders().all().filter(|order| order.status.is_open());
        prop_assert_eq!(state.orders().open_count(), open.count() as u64);
        let buys = state.orders().all().filter(|o| o.side == Side::Buy && !o.reduce_only);
        prop_assert_eq!(state.orders().exposure(BTC).buys, buys.map(|o| i128::from(o.exposure().0)).sum::<i128>());

        // Telling every execution again changes nothing.
        let before = run.world.journal.len();
        for execution in run.venue.executions.clone() {
            run.world.step(Input::Report(ExecutionReport::Execution(execution)));
        }
        prop_assert_eq!(run.world.journal.len(), before);
    }

    #[test]
    fn a_second_restart_changes_nothing(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        run.step(&Step::Crash);
        let once = run.world.gate.state().clone();
        run.step(&Step::Crash);
        let twice = run.world.gate.state();
        prop_assert!(once.orders() == twice.orders(), "orders differ");
        prop_assert!(once.ledger() == twice.ledger(), "the ledger differs");
        prop_assert!(once.ladder() == twice.ladder(), "trading states differ");
        prop_assert!(run.world.sent.is_empty(), "nothing is sent again");
    }

    #[test]
    fn a_halt_always_comes_to_rest(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        let command = OperatorCommand::Raise { scope: Scope::Account, to: TradingState::Flattening, reason: String::new() };
        run.world.step(Input::Operator { actor: String::new(), command });
        // The venue does everything it is told, and answers what it is asked.
        for _ in 0..90 {
            while !run.world.sent.is_empty() {
                run.deliver(true, true, false);
            }
            let closing: Vec<LinkId> =
                run.venue.orders.iter().filter(|(_, o)| o.open && o.reduce_only).map(|(link, _)| link.clone()).collect();
            for _ in closing {
                run.fill(0, i64::MAX);
            }
            run.answer_queries(false);
            run.world.pass(1);
        }
        prop_assert_eq!(run.venue.position, 0);
        prop_assert_eq!(run.world.gate.state().orders().open_count(), 0);
        prop_assert_eq!(run.world.sent.len(), 0);
    }
}
