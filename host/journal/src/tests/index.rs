//! The SQLite projection: what it holds, and that it never outlives the journal it was made from.

use std::path::Path;

use portcullis_core::{
    Amount, Category, Class, CloseReason, Command, CreatedBy, Digest, ExecId, Execution, ExecutionKind,
    InstrumentId, InstrumentSpec, IntentApproved, LinkId, Mandate, OrderId, OrderNumber, OrderReport, Origin,
    PlaceOrder, Price, Qty, Rate, Record, Sequence, Side, StrategyId, StrategyStarted, Submission, Submitted,
    TimeInForce, Timestamp, VenueOrderId, VenueStatus,
};
use rusqlite::Connection;

use super::config;
use crate::{EntryLine, FileStorage, Index, Indexer, Journal, Log, link_id, reindex, tail, verify};

const BTC: InstrumentId = InstrumentId(1);

fn open(directory: &Path) -> Log<FileStorage> {
    Log::open(FileStorage::open(directory).unwrap(), config(), &mut |_| {}).unwrap()
}

fn venue_order() -> VenueOrderId {
    "v-1".parse().unwrap()
}

/// A strategy's order, from its approval to two executions. Returns its link id.
fn trade(log: &mut Log<FileStorage>) -> LinkId {
    let spec = InstrumentSpec {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 2,
        quantity_decimals: 3,
        tick: Price(10),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(1_000_000),
        min_notional: Amount(0),
        taker_fee: Rate(0),
        maker_fee: Rate(0),
        trading: true,
        has_price_limits: false,
    };
    let started = StrategyStarted {
        strategy: StrategyId(4),
        name: "ema-cross".parse().unwrap(),
        digest: Digest([5; 32]),
        instruments: vec![BTC],
        budget: Amount(0),
        mandate: Mandate::ALL,
        at: Timestamp(1),
    };
    let place = PlaceOrder {
        order: OrderId(1),
        instrument: BTC,
        side: Side::Buy,
        quantity: Qty(20),
        price: Some(Price(6_000_010)),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
    };
    let intent = IntentApproved {
        command: Command::Place(place),
        class: Class::Adding,
        strategy: Some(StrategyId(4)),
        origin: Origin::Strategy,
        number: OrderNumber(1),
        tag: 7,
        good_till: None,
        cause: None,
        frame: vec![1, 2, 3],
        limits: Digest::default(),
        checks: Vec::new(),
        at: Timestamp(2),
    };
    let records = [Record::Instrument(spec), Record::StrategyStarted(started), Record::Intent(intent)];
    let receipt = Journal::append(log, Timestamp(3), &records).unwrap()[2].unwrap();
    let link = link_id(log.environment(), log.epoch(), receipt.sequence, &receipt.leaf).unwrap();
    let submitted = Submitted {
        of: receipt.sequence,
        outcome: Submission::Accepted { venue_order: Some(venue_order()) },
        at: Timestamp(4),
    };
    let records = [Record::Submission(submitted), execution(&link, "e-1", 5)];
    Journal::append(log, Timestamp(5), &records).unwrap();
    log.flush().unwrap();
    link
}

fn execution(link: &LinkId, exec: &str, quantity: i64) -> Record {
    Record::Execution(Execution {
        exec: exec.parse::<ExecId>().unwrap(),
        kind: ExecutionKind::Trade,
        link: Some(link.clone()),
        venue_order: venue_order(),
        instrument: BTC,
        side: Side::Buy,
        price: Price(6_000_000),
        quantity: Qty(quantity),
        fee: Amount(1_500_000_000_000_000_000),
        fee_quantity: Qty(0),
        maker: false,
        created_by: CreatedBy::Client,
        venue_time: Timestamp(6),
    })
}

fn cancelled(link: &LinkId) -> Record {
    Record::Order(OrderReport {
        link: Some(link.clone()),
        venue_order: venue_order(),
        instrument: BTC,
        side: Side::Buy,
        status: VenueStatus::Cancelled,
        price: Some(Price(6_000_010)),
        quantity: Qty(20),
        executed: Qty(5),
        reason: CloseReason::ByStrategy,
        reduce_only: false,
        created_by: CreatedBy::Client,
        venue_time: Timestamp(7),
    })
}

fn text(database: &Connection, query: &str) -> String {
    database.query_row(query, [], |row| row.get(0)).unwrap()
}

const ORDER: &str = "SELECT concat_ws(' ', link, venue_order, strategy, symbol, side, price, quantity, executed, status) FROM orders";

#[test]
fn an_order_is_followed_from_approval_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    let link = trade(&mut log);
    let mut index = Index::open(directory.path()).unwrap();
    assert_eq!(index.catch_up().unwrap(), 5);
    assert_eq!(
        text(index.database(), ORDER),
        format!("{link} v-1 4 BTCUSDT buy 60000.10 0.020 0.005 partially-filled")
    );
    Journal::append(&mut log, Timestamp(8), &[cancelled(&link)]).unwrap();
    assert_eq!(index.catch_up().unwrap(), 0, "it is not written yet");
    log.flush().unwrap();
    assert_eq!(index.catch_up().unwrap(), 1);
    assert_eq!(text(index.database(), "SELECT status FROM orders"), "cancelled");
    assert_eq!(
        text(
            index.database(),
            "SELECT concat_ws(' ', exec, order_id, strategy, price, quantity, fee) FROM executions"
        ),
        "e-1 1 4 60000.00 0.005 1.5"
    );
    assert_eq!(
        text(
            index.database(),
            "SELECT group_concat(concat_ws(':', name, actor, order_id, symbol), ' ') FROM entries"
        ),
        "instrument:venue:BTCUSDT strategy-started:host intent:strategy:1:BTCUSDT submission:venue:1:BTCUSDT \
         execution:venue:1:BTCUSDT order:venue:1:BTCUSDT"
    );
}

#[test]
fn entries_carry_the_digest_of_their_strategys_bundle_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    trade(&mut log);
    log.close().unwrap();
    let mut log = open(directory.path());
    trade(&mut log);
    log.close().unwrap();
    let digests: Vec<_> = tail(directory.path(), Sequence(0), false)
        .map(|stored| stored.unwrap().entry.strategy.0[0])
        .collect();
    assert_eq!(digests, [0, 5, 5, 0, 0, 0, 5, 5, 0, 0]);
}

#[test]
fn it_goes_on_after_a_restart_and_begins_anew_for_another_journal() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    let link = trade(&mut log);
    Index::open(directory.path()).unwrap().catch_up().unwrap();
    Journal::append(&mut log, Timestamp(8), &[cancelled(&link)]).unwrap();
    log.close().unwrap();
    let mut index = Index::open(directory.path()).unwrap();
    assert_eq!(index.next(), Sequence(5));
    assert_eq!(index.catch_up().unwrap(), 1);
    drop(index);

    // The journal is exchanged for a shorter one, as a restore does.
    std::fs::remove_dir_all(directory.path().join("journal")).unwrap();
    let mut log = open(directory.path());
    trade(&mut log);
    let index = Index::open(directory.path()).unwrap();
    assert_eq!(index.next(), Sequence(0));
}

#[test]
fn a_damaged_file_is_built_anew() {
    let directory = tempfile::tempdir().unwrap();
    trade(&mut open(directory.path()));
    assert_eq!(reindex(directory.path()).unwrap(), 5);
    let file = directory.path().join("index.sqlite");
    std::fs::write(&file, b"this is no database, but it is long enough to be taken for one at first sight")
        .unwrap();
    let mut index = Index::open(directory.path()).unwrap();
    assert_eq!(index.catch_up().unwrap(), 5);
}

#[test]
fn the_indexer_catches_up_before_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    let indexer = Indexer::spawn(directory.path()).unwrap();
    trade(&mut log);
    drop(indexer);
    assert_eq!(Index::open(directory.path()).unwrap().next(), Sequence(5));
    assert!(verify(directory.path()).unwrap().ok);
}

#[test]
fn a_line_tells_what_an_entry_says() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    let link = trade(&mut log);
    let lines: Vec<_> =
        tail(directory.path(), Sequence(2), false).map(|stored| EntryLine::from(&stored.unwrap())).collect();
    assert_eq!((lines[0].name, lines[0].actor, lines[0].strategy), (Some("intent"), "strategy", Some(4)));
    assert_eq!(lines[0].link.as_deref(), Some(link.as_str()));
    let Some(Record::Intent(intent)) = &lines[0].record else { panic!("{:?}", lines[0]) };
    assert!(intent.frame.is_empty());
    assert_eq!((lines[1].name, lines[1].link.as_ref()), (Some("submission"), None));
}
