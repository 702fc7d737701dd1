//! Strategies that break the contract: each ends the backtest with its own code.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

use portcullis_core::{
    Action, ActionBody, Amount, BENCH_LIMITS, Digest, Limits, Mandate, Outcome as Answer, Place, Qty, Rate,
    Side, Span, TimeInForce,
};
use portcullis_gateway::Stream;
use portcullis_lab::{
    BacktestError, Candidate, Frames, Guest, GuestFault, Latency, Outcome, Settings, backtest_made,
    h1_instrument, h1_trades,
};

/// A strategy written without the SDK: a function from a frame's records to an answer.
struct Raw<F>(F);

impl<F: FnMut(&[&[u8]]) -> Result<Answer, GuestFault>> Guest for Raw<F> {
    fn on_frame(&mut self, frame: &[u8]) -> Result<Answer, GuestFault> {
        let mut records = Vec::new();
        let mut rest = &frame[24..];
        while !rest.is_empty() {
            let length = usize::from(u16::from_le_bytes([rest[2], rest[3]]));
            records.push(&rest[..length]);
            rest = &rest[length..];
        }
        (self.0)(&records)
    }
}

const TRADE: u8 = 1;

/// The price of a record that is a trade.
fn price(record: &[u8]) -> Option<i64> {
    (record[0] == TRADE).then(|| i64::from_le_bytes(record[24..32].try_into().unwrap()))
}

fn buy(cause: usize) -> Action {
    let place = Place {
        instrument: 0,
        side: Side::Buy,
        quantity: Qty(10),
        limit: None,
        time_in_force: TimeInForce::Ioc,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
        good_till: None,
        tag: 0,
    };
    Action { cause: u32::try_from(cause).unwrap(), body: ActionBody::Place(place) }
}

fn all(records: &[&[u8]]) -> Answer {
    Answer { consumed: u32::try_from(records.len()).unwrap(), actions: Vec::new() }
}

fn run(
    frames: Frames,
    guest: impl FnMut(&[&[u8]]) -> Result<Answer, GuestFault>,
) -> Result<Outcome, BacktestError> {
    run_under(BENCH_LIMITS, frames, guest)
}

fn run_under(
    limits: &str,
    frames: Frames,
    guest: impl FnMut(&[&[u8]]) -> Result<Answer, GuestFault>,
) -> Result<Outcome, BacktestError> {
    let spec = h1_instrument(Rate(550_000_000)).unwrap();
    let capital = Amount::parse("10000000").unwrap();
    let settings = Settings {
        instruments: vec![spec.clone()],
        limits: Limits::parse(limits).unwrap(),
        capital,
        latency: Latency::round_trip(Span::from_millis(10)),
        frames,
    };
    let candidate = Candidate {
        name: "raw".parse().unwrap(),
        digest: Digest::default(),
        instruments: vec![spec.id],
        subscriptions: vec![(spec.id, Stream::Trades)],
        budget: capital,
        mandate: Mandate::ALL,
        guest: Raw(guest),
    };
    backtest_made(&settings, vec![candidate], h1_trades(spec.id, 5_000))
}

fn code(result: Result<Outcome, BacktestError>) -> &'static str {
    match result {
        Ok(outcome) => panic!("{outcome:?}"),
        Err(error) => error.code(),
    }
}

/// Buys when the next trade of the frame is higher: nobody can know that in time.
fn peeks(records: &[&[u8]]) -> Result<Answer, GuestFault> {
    for index in 0..records.len() {
        let next = records.get(index + 1).and_then(|record| price(record));
        let (Some(now), Some(next)) = (price(records[index]), next) else { continue };
        if next > now + 1 {
            // The bound of the stop rule lies before the next trade, 100 ms away, so it stops here.
            return Ok(Answer { consumed: u32::try_from(index + 1).unwrap(), actions: vec![buy(index)] });
        }
    }
    Ok(all(records))
}

#[test]
fn a_strategy_that_peeks_is_given_away_by_where_frames_end() {
    let outcome = run(Frames::Adaptive, peeks).unwrap();
    let again = run(Frames::Random(7), peeks).unwrap();
    let detected = outcome.check_lookahead(&again);
    assert_eq!(detected.map_err(|error| error.code()), Err("LOOKAHEAD_DETECTED"));
    // Strictly, it sees no future at all.
    let strict = run(Frames::Strict, peeks).unwrap();
    assert!(outcome.orders > 100 && strict.orders == 0, "{outcome:#?}\n{strict:#?}");
}

/// Buys when a trade is higher than the one before: it remembers, and does not look ahead.
fn remembers() -> impl FnMut(&[&[u8]]) -> Result<Answer, GuestFault> {
    let mut last = None;
    move |records| {
        for (index, record) in records.iter().enumerate() {
            let Some(price) = price(record) else { continue };
            if last.replace(price).is_some_and(|last| price > last + 1) {
                let consumed = u32::try_from(index + 1).unwrap();
                return Ok(Answer { consumed, actions: vec![buy(index)] });
            }
        }
        Ok(all(records))
    }
}

#[test]
fn an_honest_strategy_is_not_accused() {
    let outcome = run(Frames::Adaptive, remembers()).unwrap();
    let again = run(Frames::Random(7), remembers()).unwrap();
    assert!(outcome.orders > 100, "{outcome:#?}");
    assert!(outcome.check_lookahead(&again).is_ok());
}

#[test]
fn consuming_nothing_or_too_much_breaks_the_protocol() {
    let none = |records: &[&[u8]]| Ok(Answer { consumed: 0, ..all(records) });
    assert_eq!(code(run(Frames::Adaptive, none)), "PROTOCOL");
    let more = |records: &[&[u8]]| Ok(Answer { consumed: all(records).consumed + 1, actions: Vec::new() });
    assert_eq!(code(run(Frames::Adaptive, more)), "PROTOCOL");
}

#[test]
fn reading_on_after_an_order_breaks_the_protocol() {
    let reads_on = |records: &[&[u8]]| {
        let first = records.iter().position(|record| price(record).is_some());
        Ok(Answer { actions: first.map(buy).into_iter().collect(), ..all(records) })
    };
    assert_eq!(code(run(Frames::Adaptive, reads_on)), "PROTOCOL");
}

#[test]
fn stopping_for_no_reason_breaks_the_protocol() {
    let stops = |records: &[&[u8]]| Ok(Answer { consumed: 1, ..all(records) });
    assert_eq!(code(run(Frames::Adaptive, stops)), "PROTOCOL");
}

#[test]
fn a_failing_strategy_ends_the_backtest() {
    let fails = |_: &[&[u8]]| Err(GuestFault { code: "TRAP", detail: "unreachable".to_owned() });
    assert_eq!(code(run(Frames::Adaptive, fails)), "TRAP");
}

#[test]
fn a_timer_that_sets_itself_again_is_stuck() {
    let at = portcullis_core::Timestamp(0);
    let stuck = |records: &[&[u8]]| {
        let timer = Action { cause: 0, body: ActionBody::SetTimer { id: 1, at: Some(at) } };
        Ok(Answer { consumed: 1.min(all(records).consumed), actions: vec![timer] })
    };
    assert_eq!(code(run(Frames::Adaptive, stuck)), "STUCK");
}

#[test]
fn a_flood_of_intents_ends_the_backtest() {
    let flood = |records: &[&[u8]]| {
        let index = records.iter().position(|record| price(record).is_some());
        let Some(index) = index else { return Ok(all(records)) };
        let consumed = u32::try_from(index + 1).unwrap();
        Ok(Answer { consumed, actions: (0..32).map(|_| buy(index)).collect() })
    };
    let limits = BENCH_LIMITS
        .replace("intents_burst_max = 1000000000", "intents_burst_max = 20")
        .replace("intents_per_second_max = 1000000000", "intents_per_second_max = 20");
    assert_eq!(code(run_under(&limits, Frames::Adaptive, flood)), "FLOOD");
}
