//! The matching engine against recorded liquidity: terms of orders, queues, protection, margin and funding.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

use Side::{Buy, Sell};
use TimeInForce::{Fok, Gtc, Ioc, PostOnly};
use portcullis_core::{
    Amount, Book, Category, InstrumentId, InstrumentSpec, Level, LinkId, MarketBody, MarketEvent, Price, Qty,
    Rate, Side, SignedQty, TimeInForce, Timestamp,
};
use portcullis_paper::engine::{
    CancelFilter, Change, Closed, Condition, Engine, EngineConfig, Event, Execution, ExecutionKind, NewOrder,
    Order, OrderKey, Reject, SelfMatch, Status, Target, Watched, coins,
};

const BTC: InstrumentId = InstrumentId(0);
const HOUR: u64 = 3_600_000_000_000;

/// Prices have one decimal, quantities three: price 1000 is 100.0, quantity 1000 is one coin.
fn spec() -> InstrumentSpec {
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
        min_notional: coins(5),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
    }
}

struct Bench {
    engine: Engine,
    now: Timestamp,
    out: Vec<Event>,
}

impl Bench {
    fn new() -> Self {
        Self::with(EngineConfig::default())
    }

    fn with(config: EngineConfig) -> Self {
        Self { engine: Engine::new(config, vec![spec()]).unwrap(), now: Timestamp(HOUR), out: Vec::new() }
    }

    fn market(&mut self, body: MarketBody) -> Vec<Execution> {
        self.now = Timestamp(self.now.0 + 1_000_000);
        let event = MarketEvent { instrument: BTC, time: self.now, venue_time: self.now, body };
        self.out.clear();
        self.engine.on_market(&event, &mut self.out);
        self.executions()
    }

    fn trade(&mut self, price: i64, quantity: i64, taker: Side) -> Vec<Execution> {
        self.market(MarketBody::Trade { price: Price(price), quantity: Qty(quantity), taker })
    }

    fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Vec<Execution> {
        let levels = |side: &[(i64, i64)]| {
            side.iter()
                .map(|&(price, quantity)| Level { price: Price(price), quantity: Qty(quantity) })
                .collect()
        };
        self.market(MarketBody::Book(Box::new(Book { update: 0, bids: levels(bids), asks: levels(asks) })))
    }

    fn executions(&self) -> Vec<Execution> {
        let execution =
            |event: &Event| if let Event::Execution(row) = event { Some(row.clone()) } else { None };
        self.out.iter().filter_map(execution).collect()
    }

    fn try_submit(&mut self, order: NewOrder) -> Result<OrderKey, Reject> {
        self.out.clear();
        self.engine.submit(self.now, order, &mut self.out)
    }

    /// Submits and returns the order as last reported.
    fn submit(&mut self, order: NewOrder) -> Order {
        let key = self.try_submit(order).unwrap();
        self.last(key)
    }

    /// The order as last reported in the newest batch of events.
    fn last(&self, key: OrderKey) -> Order {
        let order = |event: &Event| {
            if let Event::Order(row) = event { (row.key == key).then(|| row.clone()) } else { None }
        };
        self.out.iter().rev().find_map(order).unwrap()
    }

    fn size(&self) -> i64 {
        self.engine.positions().next().unwrap().size.0
    }
}

fn limit(side: Side, quantity: i64, price: i64) -> NewOrder {
    NewOrder { price: Some(Price(price)), ..NewOrder::market(BTC, side, Qty(quantity)) }
}

fn market(side: Side, quantity: i64) -> NewOrder {
    NewOrder { price: None, ..limit(side, quantity, 0) }
}

fn reduce(order: NewOrder) -> NewOrder {
    NewOrder { reduce_only: true, ..order }
}

fn quantities(executions: &[Execution]) -> Vec<(i64, i64)> {
    executions.iter().map(|row| (row.price.0, row.quantity.0)).collect()
}

#[test]
fn each_time_in_force_keeps_its_terms() {
    use Closed::{No, NotFull, NothingToTake, WouldTake};
    use Status::{Cancelled, Filled, New, PartiallyFilled};
    // Asks: 300 at 1000, 300 at 1001. Terms, quantity, limit → executed, status, reason.
    let table = [
        (Gtc, 200, 1000, 200, Filled, No),
        (Gtc, 500, 1000, 300, PartiallyFilled, No),
        (Gtc, 500, 1001, 500, Filled, No),
        (Gtc, 500, 999, 0, New, No),
        (Ioc, 500, 1000, 300, Cancelled, NotFull),
        (Ioc, 500, 999, 0, Cancelled, NothingToTake),
        (Fok, 500, 1001, 500, Filled, No),
        (Fok, 700, 1001, 0, Cancelled, NotFull),
        (PostOnly, 500, 1000, 0, Cancelled, WouldTake),
        (PostOnly, 500, 999, 0, New, No),
    ];
    for (time_in_force, quantity, price, executed, status, closed) in table {
        let mut bench = Bench::new();
        bench.book(&[(998, 300)], &[(1000, 300), (1001, 300)]);
        let order = bench.submit(NewOrder { time_in_force, ..limit(Buy, quantity, price) });
        assert_eq!(
            (order.executed, order.status, order.closed),
            (Qty(executed), status, closed),
            "{time_in_force:?} {quantity} at {price}"
        );
        assert_eq!(bench.engine.orders().count(), usize::from(status.is_open()));
    }
}

#[test]
fn a_market_order_stops_at_its_slippage_bound() {
    let mut bench = Bench::new();
    bench.book(&[(9_990, 300)], &[(10_000, 100), (10_500, 100), (10_501, 100)]);
    let order = bench.submit(market(Buy, 300));
    assert_eq!(quantities(&bench.executions()), [(10_000, 100), (10_500, 100)]);
    assert_eq!((order.status, order.closed), (Status::Cancelled, Closed::NotFull));
}

#[test]
fn with_trades_alone_a_market_order_fills_whole_at_ask_last_or_bid_one_tick_below() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 50_000));
    assert_eq!(quantities(&bench.executions()), [(1000, 50_000)]);
    bench.submit(market(Sell, 50_000));
    assert_eq!(quantities(&bench.executions()), [(999, 50_000)]);
}

#[test]
fn with_trades_alone_a_resting_order_fills_from_the_volume_that_reaches_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(limit(Buy, 500, 999));
    assert!(bench.trade(1000, 900, Sell).is_empty());
    assert_eq!(quantities(&bench.trade(999, 200, Sell)), [(999, 200)]);
    let fills = bench.trade(990, 1_000, Sell);
    assert_eq!(
        quantities(&fills),
        [(999, 300)],
        "a trade through the price fills the rest at the order's own price"
    );
    assert!(fills[0].maker && fills[0].leaves == Qty(0));
}

#[test]
fn an_order_waits_behind_what_its_level_held() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 1000));
    assert!(bench.trade(1000, 300, Sell).is_empty());
    bench.book(&[(1000, 600)], &[(1001, 400)]);
    assert_eq!(
        quantities(&bench.trade(1000, 130, Sell)),
        [(1000, 30)],
        "growth queues behind, 100 were left in front"
    );
    bench.book(&[(1000, 600)], &[(1001, 400)]);
    assert!(bench.trade(1000, 1_000, Buy).is_empty(), "a buyer does not hit bids");
    assert_eq!(quantities(&bench.trade(1000, 1_000, Sell)), [(1000, 70)]);
}

#[test]
fn a_level_that_shrinks_lets_the_order_move_up() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 1000));
    bench.book(&[(1000, 50)], &[(1001, 400)]);
    assert_eq!(quantities(&bench.trade(1000, 60, Sell)), [(1000, 10)]);
}

#[test]
fn a_level_below_the_window_has_an_unknown_queue_until_it_is_seen() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 990));
    assert!(bench.trade(990, 500, Sell).is_empty());
    bench.book(&[(990, 80)], &[(1001, 400)]);
    assert_eq!(quantities(&bench.trade(990, 100, Sell)), [(990, 20)]);
}

#[test]
fn price_goes_before_time_and_a_trade_fills_us_once() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let early = bench.submit(limit(Buy, 100, 998)).key;
    let late = bench.submit(limit(Buy, 100, 998)).key;
    let better = bench.submit(limit(Buy, 100, 999)).key;
    let fills = bench.trade(998, 250, Sell);
    let whom: Vec<_> = fills.iter().map(|row| (row.order.unwrap(), row.quantity.0)).collect();
    assert_eq!(whom, [(better, 100), (early, 100), (late, 50)]);
}

#[test]
fn recorded_liquidity_fills_us_once() {
    let mut bench = Bench::new();
    let asks = [(1000, 300), (1001, 300)];
    bench.book(&[(998, 300)], &asks);
    bench.submit(NewOrder { time_in_force: Ioc, ..limit(Buy, 300, 1000) });
    bench.book(&[(998, 300)], &asks);
    let order = bench.submit(NewOrder { time_in_force: Ioc, ..limit(Buy, 300, 1001) });
    assert_eq!((quantities(&bench.executions()), order.status), (vec![(1001, 300)], Status::Filled));
    let order = bench.submit(NewOrder { time_in_force: PostOnly, ..limit(Buy, 100, 1001) });
    assert_eq!(order.status, Status::New, "what we took is no longer there to be taken");
    assert!(bench.book(&[(998, 300)], &asks).is_empty());
    let fills = bench.book(&[(998, 300)], &[(1000, 304), (1001, 300)]);
    assert_eq!(
        quantities(&fills),
        [(1001, 4)],
        "new liquidity that crosses us fills us at our price, as maker"
    );
    assert!(fills[0].maker);
}

#[test]
fn an_amend_keeps_its_place_only_when_it_shrinks() {
    let mut bench = Bench::new();
    bench.book(&[(998, 500)], &[(1000, 500)]);
    let first = bench.submit(limit(Buy, 100, 999)).key;
    let second = bench.submit(limit(Buy, 100, 999)).key;
    let whom = |fills: Vec<Execution>| fills.iter().map(|row| row.order.unwrap()).collect::<Vec<_>>();
    let change = |quantity| Change { quantity: Some(Qty(quantity)), ..Change::default() };
    let mut out = Vec::new();
    bench.engine.amend(bench.now, Target::Key(first), change(80), &mut out).unwrap();
    assert_eq!(whom(bench.trade(999, 10, Sell)), [first]);
    bench.engine.amend(bench.now, Target::Key(first), change(200), &mut out).unwrap();
    assert_eq!(whom(bench.trade(999, 10, Sell)), [second]);
    let rejects = [
        (change(200), Reject::NotModified),
        (change(10), Reject::QuantityExecuted),
        (Change { price: Some(Price(0)), ..Change::default() }, Reject::PriceInvalid(Price(0))),
    ];
    for (change, reject) in rejects {
        assert_eq!(bench.engine.amend(bench.now, Target::Key(first), change, &mut out), Err(reject));
    }
    let across = Change { price: Some(Price(1000)), ..Change::default() };
    out.clear();
    bench.engine.amend(bench.now, Target::Key(first), across, &mut out).unwrap();
    bench.out = out;
    let order = bench.last(first);
    assert_eq!(
        (order.status, order.executed),
        (Status::Filled, Qty(200)),
        "an amend across the spread takes"
    );
}

#[test]
fn reduce_only_is_cut_at_submit_and_at_every_fill_and_never_flips() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    assert_eq!(bench.try_submit(reduce(market(Sell, 100))), Err(Reject::NothingToReduce));
    bench.submit(market(Buy, 100));
    assert_eq!(bench.try_submit(reduce(market(Buy, 100))), Err(Reject::WouldIncrease));
    let resting = bench.submit(reduce(limit(Sell, 500, 1010)));
    assert_eq!(resting.quantity, Qty(100));
    bench.submit(market(Sell, 60));
    let fills = bench.trade(1010, 1_000, Buy);
    assert_eq!(quantities(&fills), [(1010, 40)]);
    let order = bench.last(resting.key);
    assert_eq!((order.status, order.closed, bench.size()), (Status::Cancelled, Closed::ReduceOnly, 0));
    bench.submit(market(Buy, 70));
    let close = bench.submit(reduce(market(Sell, 0)));
    assert_eq!(
        (close.quantity, close.status, bench.size()),
        (Qty(70), Status::Filled, 0),
        "quantity 0 closes all"
    );
}

#[test]
fn requests_are_rejected_with_their_reason() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let link: LinkId = "a-1".parse().unwrap();
    bench.submit(NewOrder { link: Some(link.clone()), ..limit(Buy, 100, 900) });
    bench.engine.cancel(bench.now, Target::Link(&link), &mut Vec::new()).unwrap();
    let condition = |price, rising| {
        let trigger = Some(Condition { price: Price(price), rising, watches: Watched::Last });
        NewOrder { trigger, ..market(Buy, 100) }
    };
    let table = [
        (limit(Buy, 0, 900), Reject::QuantityInvalid(Qty(0))),
        (limit(Buy, 1_000_001, 900), Reject::QuantityInvalid(Qty(1_000_001))),
        (market(Buy, 100_001), Reject::QuantityInvalid(Qty(100_001))),
        (limit(Buy, 100, -1), Reject::PriceInvalid(Price(-1))),
        (limit(Buy, 49, 1000), Reject::NotionalBelowMinimum(Amount(4_900_000_000_000_000_000))),
        (NewOrder { link: Some(link.clone()), ..limit(Buy, 100, 900) }, Reject::DuplicateLink),
        (NewOrder { instrument: InstrumentId(9), ..limit(Buy, 100, 900) }, Reject::UnknownInstrument),
        (condition(1000, true), Reject::TriggerNotAbove { trigger: Price(1000), current: Price(1000) }),
        (condition(1000, false), Reject::TriggerNotBelow { trigger: Price(1000), current: Price(1000) }),
        (
            NewOrder { take_profit: Some(Price(890)), ..limit(Buy, 100, 900) },
            Reject::ProtectionInvalid(Price(890)),
        ),
        // 100,000 USDT at 10× reach 1,000,000; 99,999 coins of 100.0 do not fit.
        (limit(Buy, 1_000_000, 10_001), Reject::Margin),
    ];
    for (order, reject) in table {
        let orders = bench.engine.orders().count();
        assert_eq!(bench.try_submit(order.clone()), Err(reject), "{order:?}");
        assert_eq!((bench.engine.orders().count(), bench.out.len()), (orders, 0));
    }
    let gone = bench.engine.cancel(bench.now, Target::Link(&link), &mut Vec::new());
    assert_eq!(gone, Err(Reject::NoSuchOrderToCancel));
}

#[test]
fn open_orders_are_capped() {
    let mut bench = Bench::with(EngineConfig { orders_max: 2, conditions_max: 1, ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    let condition = Condition { price: Price(1100), rising: true, watches: Watched::Last };
    bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    let again = bench.try_submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    assert_eq!(again, Err(Reject::TooManyConditions));
    bench.submit(limit(Buy, 100, 900));
    bench.submit(limit(Buy, 100, 900));
    assert_eq!(bench.try_submit(limit(Buy, 100, 900)), Err(Reject::TooManyOrders));
}

#[test]
fn a_condition_fires_when_the_last_price_reaches_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let condition = Condition { price: Price(1010), rising: true, watches: Watched::Last };
    let stop = bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    assert_eq!(stop.status, Status::Untriggered);
    assert!(bench.trade(1009, 1, Buy).is_empty());
    assert_eq!(quantities(&bench.trade(1012, 1, Buy)), [(1012, 100)]);
    let states = bench.out.iter().filter_map(|event| match event {
        Event::Order(order) => Some(order.status),
        _ => None,
    });
    assert_eq!(states.collect::<Vec<_>>(), [Status::Triggered, Status::Filled]);
}

#[test]
fn protection_follows_the_position_and_closes_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let mut out = Vec::new();
    let none = bench.engine.set_protection(bench.now, BTC, Some(Some(Price(1100))), None, &mut out);
    assert_eq!(none, Err(Reject::NoPosition));
    bench.submit(NewOrder {
        take_profit: Some(Price(1050)),
        stop_loss: Some(Price(950)),
        ..market(Buy, 100)
    });
    let waiting = |bench: &Bench| -> Vec<(Option<i64>, i64)> {
        bench.engine.orders().map(|row| (row.trigger.map(|at| at.price.0), row.quantity.0)).collect()
    };
    assert_eq!(waiting(&bench), [(Some(1050), 100), (Some(950), 100)]);
    bench.submit(market(Buy, 50));
    assert_eq!(waiting(&bench), [(Some(1050), 150), (Some(950), 150)]);
    let wrong = bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(1001))), &mut out);
    assert_eq!(wrong, Err(Reject::ProtectionInvalid(Price(1001))));
    bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(960))), &mut out).unwrap();
    let same = bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(960))), &mut out);
    assert_eq!(same, Err(Reject::ProtectionNotModified));
    assert_eq!(waiting(&bench), [(Some(1050), 150), (Some(960), 150)]);
    assert_eq!(quantities(&bench.trade(955, 1, Sell)), [(954, 150)]);
    assert_eq!(
        (bench.size(), bench.engine.orders().count()),
        (0, 0),
        "the take-profit goes with the position"
    );
}

#[test]
fn cancel_all_takes_what_its_filter_names() {
    let counts = |filter| {
        let mut bench = Bench::new();
        bench.trade(1000, 1, Buy);
        let condition = Condition { price: Price(1100), rising: true, watches: Watched::Last };
        bench.submit(NewOrder { stop_loss: Some(Price(900)), ..market(Buy, 100) });
        bench.submit(limit(Buy, 100, 950));
        bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
        let cancelled = bench.engine.cancel_all(bench.now, Some(BTC), filter, &mut Vec::new()).len();
        (cancelled, bench.engine.positions().next().unwrap().stop_loss.is_some())
    };
    assert_eq!(counts(CancelFilter::Working), (1, true));
    assert_eq!(counts(CancelFilter::ClientConditions), (1, true));
    assert_eq!(counts(CancelFilter::Waiting), (2, false));
    assert_eq!(counts(CancelFilter::All), (3, false));
}

#[test]
fn meeting_ourselves_does_what_the_taker_chose() {
    let outcome = |self_match| {
        let mut bench = Bench::new();
        bench.book(&[(990, 100)], &[(1010, 100)]);
        let maker = bench.submit(limit(Sell, 100, 1000)).key;
        let taker = bench.submit(NewOrder { self_match, ..limit(Buy, 100, 1000) });
        let maker = bench.out.iter().rev().find_map(|event| match event {
            Event::Order(order) if order.key == maker => Some(order.status),
            _ => None,
        });
        (maker, taker.status, bench.size())
    };
    assert_eq!(outcome(SelfMatch::Allow), (Some(Status::Filled), Status::Filled, 0));
    assert_eq!(outcome(SelfMatch::CancelMaker), (Some(Status::Cancelled), Status::New, 0));
    assert_eq!(outcome(SelfMatch::CancelTaker), (None, Status::Cancelled, 0));
    assert_eq!(outcome(SelfMatch::CancelBoth), (Some(Status::Cancelled), Status::Cancelled, 0));
}

#[test]
fn fees_and_profit_reach_the_wallet_exactly() {
    let mut bench = Bench::new();
    bench.trade(600_005, 1, Buy);
    bench.submit(market(Buy, 3));
    bench.submit(limit(Sell, 3, 600_105));
    bench.trade(600_105, 3, Buy);
    let wallet = *bench.engine.wallet();
    assert_eq!(wallet.realised, Amount(30_000_000_000_000_000), "10.0 × 0.003");
    // 180.0015 × 0.055 % up, and 180.0315 × 0.02 % = 0.0360063.
    assert_eq!(wallet.fees, Amount(99_000_830_000_000_000 + 36_006_300_000_000_000));
    assert_eq!(wallet.balance, Amount(coins(100_000).0 + wallet.realised.0 - wallet.fees.0));
}

#[test]
fn funding_is_paid_at_each_boundary_by_the_side_the_rate_names() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 1_000));
    bench.now = Timestamp(8 * HOUR);
    let paid = bench.trade(1100, 1, Buy);
    assert_eq!(
        (paid[0].kind, paid[0].fee),
        (ExecutionKind::Funding, Amount(10_000_000_000_000_000)),
        "100 × 0.01 %, at the old mark"
    );
    bench.market(MarketBody::Funding { rate: Rate(-200_000_000), next: Timestamp(16 * HOUR) });
    assert!(bench.trade(1100, 1, Buy).is_empty());
    bench.out.clear();
    bench.engine.on_time(Timestamp(40 * HOUR), &mut bench.out);
    let paid = bench.executions();
    assert_eq!(
        (paid.len(), paid[0].fee),
        (1, Amount(-22_000_000_000_000_000)),
        "missed boundaries are paid once"
    );
}

#[test]
fn an_account_without_margin_is_closed_at_mark() {
    let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 9_000));
    bench.submit(limit(Buy, 100, 800));
    assert!(bench.trade(950, 1, Sell).is_empty());
    let bust = bench.trade(890, 1, Sell);
    assert_eq!((bust[0].kind, quantities(&bust)), (ExecutionKind::Bust, vec![(890, 9_000)]));
    assert_eq!((bench.size(), bench.engine.orders().count()), (0, 0));
}

#[test]
fn slow_and_sudden_falls_liquidate_at_the_same_mark() {
    let bust_at = |step: i64| {
        let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
        bench.trade(1000, 1, Buy);
        bench.submit(market(Buy, 9_000));
        let mut price = 1000;
        loop {
            price -= step;
            if let Some(bust) = bench.trade(price, 1, Sell).first() {
                return bust.price.0;
            }
            assert!(price > 800, "never liquidated");
        }
    };
    // 100 − 0.495 of equity, less 9 a point; 0.5 % of the value is to remain: below 893.4.
    assert_eq!((bust_at(1), bust_at(107), bust_at(150)), (893, 893, 850));
}

#[test]
fn a_loss_in_one_market_liquidates_the_whole_account() {
    let eth = InstrumentId(1);
    let other = InstrumentSpec { id: eth, symbol: "ETHUSDT".parse().unwrap(), ..spec() };
    let config = EngineConfig { deposit: coins(100), ..EngineConfig::default() };
    let mut engine = Engine::new(config, vec![spec(), other]).unwrap();
    let (mut now, mut out) = (HOUR, Vec::new());
    let mut trade = |engine: &mut Engine, instrument, price| {
        now += 1_000_000;
        let body = MarketBody::Trade { price: Price(price), quantity: Qty(1), taker: Buy };
        let event = MarketEvent { instrument, time: Timestamp(now), venue_time: Timestamp(now), body };
        out.clear();
        engine.on_market(&event, &mut out);
        out.iter()
            .filter(|event| matches!(event, Event::Execution(row) if row.kind == ExecutionKind::Bust))
            .count()
    };
    for instrument in [BTC, eth] {
        trade(&mut engine, instrument, 1000);
        let order = NewOrder { instrument, ..market(Buy, 4_500) };
        engine.submit(Timestamp(HOUR), order, &mut Vec::new()).unwrap();
    }
    // 100 − 0.495 of equity. BTC loses 4.5 × 10 and stands still; ETH takes the rest, tick by tick.
    for price in (900..1000).rev() {
        assert_eq!(trade(&mut engine, BTC, price), 0);
    }
    let mut price = 1000;
    while trade(&mut engine, eth, price) == 0 {
        price -= 1;
        assert!(price > 800, "never liquidated");
    }
    // 99.505 − 45 − 4.5 × (100 − p) < 0.0225 × (90 + p) at p = 88.78.
    assert_eq!(price, 887);
    assert!(engine.positions().all(|position| position.size == SignedQty(0)));
}

#[test]
fn leverage_decides_what_margin_an_order_needs() {
    let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    let mut out = Vec::new();
    assert_eq!(bench.engine.set_leverage(bench.now, BTC, 1_000, &mut out), Err(Reject::LeverageNotModified));
    assert_eq!(bench.engine.set_leverage(bench.now, BTC, 99, &mut out), Err(Reject::LeverageInvalid));
    bench.engine.set_leverage(bench.now, BTC, 100, &mut out).unwrap();
    assert_eq!(bench.try_submit(limit(Buy, 1_000, 1000)), Err(Reject::Margin), "the fee does not fit");
    bench.submit(limit(Buy, 990, 999));
    assert_eq!(bench.try_submit(limit(Buy, 100, 999)), Err(Reject::Margin), "open orders hold margin");
    bench.submit(limit(Sell, 900, 1100));
    assert_eq!(bench.engine.positions().next().unwrap().size, SignedQty(0));
}

#[test]
fn a_restored_engine_stands_where_the_events_left_it() {
    let mut bench = Bench::new();
    let mut history = Vec::new();
    let mut keep = |bench: &Bench| history.extend(bench.out.iter().cloned());
    bench.trade(1000, 1, Buy);
    let link: LinkId = "x".parse().unwrap();
    bench.submit(NewOrder { stop_loss: Some(Price(900)), link: Some(link.clone()), ..market(Buy, 100) });
    keep(&bench);
    bench.submit(limit(Sell, 100, 1100));
    keep(&bench);
    bench.submit(limit(Sell, 50, 1200));
    keep(&bench);
    bench.trade(1100, 40, Buy);
    keep(&bench);
    let mut restored = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
    for event in &history {
        restored.restore(event);
    }
    let rows = |engine: &Engine| {
        engine.orders().map(|row| (row.key, row.quantity, row.executed, row.status)).collect::<Vec<_>>()
    };
    assert_eq!(rows(&restored), rows(&bench.engine));
    assert!(restored.positions().eq(bench.engine.positions()));
    assert_eq!(restored.wallet(), bench.engine.wallet());
    assert_eq!(restored.key_of(&link), bench.engine.key_of(&link));
    let next = |engine: &mut Engine, now| engine.submit(now, limit(Sell, 50, 1300), &mut Vec::new());
    assert_eq!(next(&mut restored, bench.now), next(&mut bench.engine, bench.now), "numbers go on");
}
