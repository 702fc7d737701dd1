//! Commands: what the gate approved comes back journaled, or not at all. The approvals are real ones, of a real gate.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::time::Duration;

use portcullis_core::{
    Amount, Ask, Category, Cause, Class, Command, DEMO_LIMITS, Digest, Effects, Environment, Gate, Input,
    InstrumentId, InstrumentSpec, Level, Limits, LinkChange, Mandate, MarketBody, MarketEvent, OrderNumber,
    Place, Price, Qty, Rate, RawIntent, Record, Release, Sequence, SessionStart, Side, StrategyChange,
    StrategyId, StrategyStarted, Submission, TimeInForce, Timestamp, VenueSnapshot,
};
use portcullis_journal::{
    Committed, Faults, Journal, JournalError, LinkParts, Log, LogConfig, MemStorage, Stored, Wait, Writer,
    link_id,
};

const BTC: InstrumentId = InstrumentId(0);
const TAKER: StrategyId = StrategyId(0);
/// Midday of some day.
const NOW: Timestamp = Timestamp(20_000 * 86_400_000_000_000 + 43_200_000_000_000);

const STALLED: Faults = Faults {
    syncs_until_failure: None,
    disk_full: false,
    sync_stalls: true,
    reserve_fails: false,
    reserve_stalls: false,
};
const BRIEF: Wait = Wait::AtMost(Duration::from_millis(5));

/// A gate with one strategy running on a quiet market.
fn gate() -> Gate {
    let mut gate = Gate::new();
    let spec = InstrumentSpec {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 2,
        quantity_decimals: 3,
        tick: Price(1),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(100_000),
        min_notional: Amount::parse("5").unwrap(),
        taker_fee: Rate(0),
        maker_fee: Rate(0),
        trading: true,
        has_price_limits: false,
    };
    let started = StrategyStarted {
        strategy: TAKER,
        name: "taker".parse().unwrap(),
        digest: Digest([9; 32]),
        instruments: vec![BTC],
        budget: Amount::parse("30000").unwrap(),
        mandate: Mandate::ALL,
        at: NOW,
    };
    let session = SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: "test".to_owned(),
        engine: Digest::default(),
        at: NOW,
    };
    let equity = Amount::parse("100000").unwrap();
    let snapshot = VenueSnapshot::of_cash(equity, NOW);
    let level = |price| Level { price: Price(price), quantity: Qty(1_000) };
    let event = |body| MarketEvent { instrument: BTC, time: NOW, venue_time: NOW, body };
    let quote = event(MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
    let mark = event(MarketBody::Mark {
        mark: Amount::parse("60000").unwrap(),
        index: Amount::parse("60000").unwrap(),
    });
    for input in [
        Input::Limits(Box::new(Limits::parse(DEMO_LIMITS).unwrap())),
        Input::Session(session),
        Input::Instrument(spec),
        Input::Link(LinkChange::Public { up: true }),
        Input::Link(LinkChange::Private { up: true }),
        Input::Link(LinkChange::Skew { millis: 1 }),
        Input::Snapshot(snapshot),
        Input::Market(&quote),
        Input::Market(&mark),
        Input::Strategy(StrategyChange::Started(started)),
        Input::Strategy(StrategyChange::Warm(TAKER)),
        Input::Strategy(StrategyChange::Resynced(TAKER)),
    ] {
        let _ = gate.step(NOW, input);
    }
    gate
}

fn ask(gate: &mut Gate, ask: Ask) -> Effects {
    let cause = Cause { time: NOW, event: 1, frame: Digest::default() };
    gate.step(NOW, Input::Intent { intent: RawIntent { strategy: TAKER, cause, ask }, frame: b"frame" })
}

/// An approved order, with the records that go with it.
fn approved_order(gate: &mut Gate) -> Effects {
    let effects = ask(
        gate,
        Ask::Place(Place {
            instrument: 0,
            side: Side::Buy,
            quantity: Qty(10),
            limit: Some(Price(5_999_000)),
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
            tag: 1,
        }),
    );
    assert_eq!(effects.commands.len(), 1, "{:?}", effects.records);
    assert_eq!(effects.commands[0].1.class(), Class::Adding);
    effects
}

/// An approved cancel of an order that rests.
fn approved_cancel(gate: &mut Gate, journal: &mut impl Journal) -> Effects {
    let effects = approved_order(gate);
    let committed = journal.commit(NOW, &effects.records, effects.commands, Wait::Durable).unwrap();
    let sent = &committed.commands[0];
    let (command, link) = (sent.command(), Some(sent.link().clone()));
    let _ = gate.step(NOW, Input::Committed { command, sequence: sent.sequence(), link });
    let released = gate.step(NOW, Input::Release(sent.sequence())).release;
    assert_eq!(released, Some(Release::Go));
    let _ = gate.step(
        NOW,
        Input::Submission { of: sent.sequence(), outcome: Submission::Accepted { venue_order: None } },
    );
    let effects = ask(gate, Ask::Cancel(OrderNumber(1)));
    assert_eq!(effects.commands[0].1.class(), Class::Cancel);
    effects
}

fn open(disk: &MemStorage, visit: &mut dyn FnMut(&Stored<'_>)) -> Log<MemStorage> {
    Log::open(disk.clone(), LogConfig::lab(Environment::Paper, [1; 32]), visit).unwrap()
}

fn writer(disk: &MemStorage) -> Writer<MemStorage> {
    Writer::new(open(disk, &mut |_| {})).unwrap()
}

/// Both implementations must do the same.
fn with_both(test: impl Fn(&MemStorage, &mut dyn FnMut(Effects, Wait) -> Result<Committed, JournalError>)) {
    let disk = MemStorage::new();
    let mut log = open(&disk, &mut |_| {});
    test(&disk, &mut |effects, wait| log.commit(NOW, &effects.records, effects.commands, wait));
    let disk = MemStorage::new();
    let mut writer = writer(&disk);
    test(&disk, &mut |effects, wait| writer.commit(NOW, &effects.records, effects.commands, wait));
}

#[test]
fn a_commit_mints_what_its_entry_says() {
    with_both(|disk, commit| {
        let mut gate = gate();
        let effects = approved_order(&mut gate);
        let (at, approved) = &effects.commands[0];
        let (at, command) = (*at, approved.command().clone());
        let committed = commit(effects, Wait::Durable).unwrap();
        assert!(committed.durable && committed.withheld.is_empty());
        let minted = &committed.commands[0];
        assert_eq!((minted.command(), minted.class(), minted.approved_at()), (&command, Class::Adding, NOW));
        assert_eq!(
            (minted.sequence(), *minted.leaf()),
            (committed.receipts[at].unwrap().sequence, committed.receipts[at].unwrap().leaf)
        );
        // The id leads back to the entry, and the entry says the same, after a power cut too.
        let parts = LinkParts::parse(minted.link()).unwrap();
        assert!(parts.sequence == minted.sequence() && parts.names(minted.leaf()));
        let mut entries = Vec::new();
        drop(open(&disk.after_crash(|| false), &mut |stored| {
            assert_eq!(
                stored.link_id(),
                link_id(Environment::Paper, stored.epoch, stored.entry.sequence, &stored.leaf)
            );
            entries.push((stored.link_id(), Record::decode(stored.entry.kind, &stored.entry.body).unwrap()));
        }));
        let (link, record) = &entries[usize::try_from(minted.sequence().0).unwrap()];
        assert_eq!(link.as_ref(), Some(minted.link()));
        let Record::Intent(intent) = record else { panic!("{record:?}") };
        assert_eq!(intent.command, command);
    });
}

#[test]
fn an_order_is_never_minted_before_it_is_durable() {
    let disk = MemStorage::new();
    let mut writer = writer(&disk);
    let effects = approved_order(&mut gate());
    let at = effects.commands[0].0;
    disk.set_faults(STALLED);
    let committed = writer.commit(NOW, &effects.records, effects.commands, BRIEF).unwrap();
    assert!(committed.commands.is_empty() && !committed.durable);
    let withheld = committed.withheld.into_iter().next().unwrap();
    assert_eq!(withheld.sequence(), committed.receipts[at].unwrap().sequence);
    let withheld = writer.claim(withheld).unwrap_err();
    disk.set_faults(Faults::default());
    writer.flush().unwrap();
    let (sequence, link) = (withheld.sequence(), withheld.link().clone());
    let claimed = writer.claim(withheld).unwrap();
    assert_eq!((claimed.sequence(), claimed.link()), (sequence, &link));
}

#[test]
fn a_cancel_goes_out_though_the_disk_stalls() {
    let disk = MemStorage::new();
    let mut writer = writer(&disk);
    let effects = approved_cancel(&mut gate(), &mut writer);
    disk.set_faults(STALLED);
    let committed = writer.commit(NOW, &effects.records, effects.commands, BRIEF).unwrap();
    assert!(!committed.durable && committed.withheld.is_empty());
    assert!(matches!(committed.commands[0].command(), Command::Cancel(_)));
    disk.set_faults(Faults::default());
    // The write went on behind.
    writer.flush().unwrap();
    assert_eq!(writer.durable(), writer.head().0);
}

#[test]
fn an_order_is_never_minted_when_the_disk_fails() {
    with_both(|disk, commit| {
        let mut gate = gate();
        let effects = approved_order(&mut gate);
        disk.set_faults(Faults { syncs_until_failure: Some(0), ..Faults::default() });
        let committed = commit(effects, Wait::Durable).unwrap();
        assert!(committed.commands.is_empty() && !committed.durable && committed.withheld.len() == 1);
        // Nor later: what is put aside is not in the journal.
        disk.set_faults(Faults::default());
        let committed = commit(approved_order(&mut self::gate()), Wait::Durable).unwrap();
        assert!(committed.commands.is_empty() && !committed.durable && committed.withheld.len() == 1);
    });
}

#[test]
fn a_command_needs_the_record_of_its_own_intent() {
    let commit = |change: &dyn Fn(&mut Effects)| {
        let disk = MemStorage::new();
        let mut log = open(&disk, &mut |_| {});
        let mut effects = approved_order(&mut gate());
        change(&mut effects);
        let result = log.commit(NOW, &effects.records, effects.commands, Wait::Durable);
        (result.map(|committed| committed.commands.len()), Journal::head(&log).0)
    };
    assert_eq!(commit(&|_| {}).0.unwrap(), 1);
    let wrong: [&dyn Fn(&mut Effects); 4] = [
        &|effects| effects.records.clear(),
        &|effects| effects.commands[0].0 += 1,
        // The record of another order, approved just so.
        &|effects| {
            let at = effects.commands[0].0;
            let Record::Intent(intent) = &mut effects.records[at] else { panic!() };
            let Command::Place(place) = &mut intent.command else { panic!() };
            place.quantity = Qty(11);
        },
        // The record of one entry for two commands.
        &|effects| {
            let mut same = approved_order(&mut gate());
            effects.commands.append(&mut same.commands);
        },
    ];
    for change in wrong {
        let (result, head) = commit(change);
        assert!(matches!(result, Err(JournalError::NoRecord { .. })), "{result:?}");
        assert_eq!(head, Sequence(0), "nothing may be appended");
    }
}
