//! The stop rule, against its golden cases and against answers that break it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::fs;
use std::path::PathBuf;

use portcullis_core::frame::{
    FrameBuilder, ProtocolFault, RecordMark, TIMERS_MAX, TimerEffect, Timers, check_outcome,
};
use portcullis_core::{
    Action, ActionBody, Amend, LogLevel, OrderNumber, Outcome, Place, Qty, Side, Span, TimeInForce, Timestamp,
};
use serde_json::Value;

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn time(value: &Value) -> Option<Timestamp> {
    (!value.is_null()).then(|| Timestamp(number(value)))
}

fn place() -> ActionBody {
    ActionBody::Place(Place {
        instrument: 0,
        side: Side::Buy,
        quantity: Qty(1),
        limit: None,
        time_in_force: TimeInForce::Ioc,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
        good_till: None,
        tag: 0,
    })
}

fn log() -> ActionBody {
    ActionBody::Log { level: LogLevel::Info, message: String::new() }
}

fn set_timer(id: u64, at: Option<u64>) -> ActionBody {
    ActionBody::SetTimer { id, at: at.map(Timestamp) }
}

/// The actions that one entry of a case stands for.
fn actions(entry: &Value) -> Vec<ActionBody> {
    if let Some(times) = entry.get("times") {
        let one = actions(&entry["action"]);
        return std::iter::repeat_n(one, times.as_u64().unwrap().try_into().unwrap()).flatten().collect();
    }
    if let Some(timer) = entry.get("set-timer") {
        return vec![ActionBody::SetTimer { id: number(&timer["id"]), at: time(&timer["at"]) }];
    }
    vec![match entry.as_str().unwrap() {
        "place" => place(),
        "amend" => ActionBody::Amend(Amend { order: OrderNumber(1), limit: None, quantity: Some(Qty(2)) }),
        "cancel" => ActionBody::Cancel(OrderNumber(1)),
        "cancel-all" => ActionBody::CancelAll(None),
        "flatten" => ActionBody::Flatten(0),
        "log" => log(),
        "metric" => ActionBody::Metric { name: "gauge".to_owned(), value: 1.0 },
        other => panic!("action {other}"),
    }]
}

/// A case: the frame's marks and, for each record, what the strategy does at it.
struct Case {
    timers: Timers,
    lookahead: Span,
    marks: Vec<RecordMark>,
    actions: Vec<Vec<ActionBody>>,
}

impl Case {
    fn read(case: &Value) -> Self {
        let mut read = Self {
            timers: Timers::default(),
            lookahead: Span(number(&case["lookahead"])),
            marks: Vec::new(),
            actions: Vec::new(),
        };
        if let Some(timers) = case.get("timers") {
            let set = timers.as_array().unwrap().iter();
            read.timers = set.map(|timer| (number(&timer["id"]), Timestamp(number(&timer["at"])))).collect();
        }
        for event in case["events"].as_array().unwrap() {
            let repeat = event.get("repeat").map_or(1, |repeat| repeat.as_u64().unwrap());
            for _ in 0..repeat {
                let fires = event.get("fires");
                let timers = fires.map_or(TimerEffect::None, |id| TimerEffect::Fires(number(id)));
                read.marks.push(RecordMark { time: Timestamp(number(&event["time"])), timers });
                let listed = event.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
                read.actions.push(listed.iter().flat_map(actions).collect());
            }
        }
        read
    }

    /// What a strategy that handles `consumed` records returns.
    fn outcome(&self, consumed: usize) -> Outcome {
        let acted = self.actions.iter().take(consumed).zip(0_u32..);
        let actions = acted
            .flat_map(|(bodies, cause)| bodies.iter().map(move |body| Action { cause, body: body.clone() }))
            .collect();
        Outcome { consumed: consumed.try_into().unwrap(), actions }
    }

    fn check(&self, consumed: usize) -> Result<Timers, ProtocolFault> {
        check_outcome(&self.marks, &self.timers, self.lookahead, &self.outcome(consumed))
    }
}

#[test]
fn golden_cases_allow_one_answer_and_no_other() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit/v0.1/golden/stop-rule.json");
    let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = json["cases"].as_array().unwrap();
    assert!(cases.len() >= 40, "cases are missing");
    for value in cases {
        let name = value["name"].as_str().unwrap();
        let case = Case::read(value);
        let right: usize = value["consumed"].as_u64().unwrap().try_into().unwrap();
        for consumed in 1..=case.marks.len() {
            let result = case.check(consumed);
            match consumed.cmp(&right) {
                std::cmp::Ordering::Equal => assert!(result.is_ok(), "{name}: {result:?}"),
                std::cmp::Ordering::Less => assert!(
                    matches!(result, Err(ProtocolFault::StoppedEarly { .. })),
                    "{name}, {consumed} consumed: {result:?}"
                ),
                std::cmp::Ordering::Greater => assert!(
                    matches!(
                        result,
                        Err(ProtocolFault::ReadPastBound { .. } | ProtocolFault::TooManyActions { .. })
                    ),
                    "{name}, {consumed} consumed: {result:?}"
                ),
            }
        }
    }
}

/// Checks an answer to trades at these times.
fn check(times: &[u64], consumed: u32, actions: Vec<(u32, ActionBody)>) -> Result<Timers, ProtocolFault> {
    let mark = |time: &u64| RecordMark { time: Timestamp(*time), timers: TimerEffect::None };
    let marks: Vec<_> = times.iter().map(mark).collect();
    let actions = actions.into_iter().map(|(cause, body)| Action { cause, body }).collect();
    check_outcome(&marks, &Timers::default(), Span(100), &Outcome { consumed, actions })
}

#[test]
fn answers_out_of_shape_are_faults() {
    assert_eq!(check(&[1, 2], 0, vec![]), Err(ProtocolFault::NothingConsumed));
    assert_eq!(check(&[1, 2], 3, vec![]), Err(ProtocolFault::ConsumedTooMany { consumed: 3, records: 2 }));
    assert_eq!(
        check(&[1, 2], u32::MAX, vec![]),
        Err(ProtocolFault::ConsumedTooMany { consumed: u32::MAX, records: 2 })
    );
    assert_eq!(
        check(&[1, 2], 2, vec![(2, log())]),
        Err(ProtocolFault::CauseNotConsumed { cause: 2, consumed: 2 })
    );
    assert_eq!(
        check(&[1, 2], 2, vec![(1, log()), (0, log())]),
        Err(ProtocolFault::CauseDecreases { cause: 0, after: 1 })
    );
}

#[test]
fn an_event_may_cause_32_actions_and_a_frame_4096() {
    let logs = |count: usize, cause: u32| std::iter::repeat_n((cause, log()), count).collect::<Vec<_>>();
    assert!(check(&[1, 2], 2, logs(32, 1)).is_ok());
    assert_eq!(check(&[1, 2], 2, logs(33, 1)), Err(ProtocolFault::TooManyActionsOfEvent { cause: 1 }));
    assert_eq!(check(&[1, 2], 2, logs(4_097, 1)), Err(ProtocolFault::TooManyActions { actions: 4_097 }));
}

#[test]
fn the_timers_after_the_call_are_returned() {
    let timers = check(&[1, 2], 2, vec![(0, set_timer(7, Some(900))), (1, set_timer(3, Some(900)))]).unwrap();
    assert_eq!(timers.iter().collect::<Vec<_>>(), [(3, Timestamp(900)), (7, Timestamp(900))]);
    assert_eq!(timers.first(), Some((3, Timestamp(900))));
    let timers = check(&[1, 2], 2, vec![(0, set_timer(7, Some(900))), (1, set_timer(7, None))]).unwrap();
    assert!(timers.is_empty() && timers.first().is_none());
}

#[test]
fn a_timer_that_fires_beyond_the_stop_stays_set() {
    let mut frame = FrameBuilder::new();
    frame.warm_up_boundary(Timestamp(1_000)).unwrap();
    frame.timer(Timestamp(1_300), 1).unwrap();
    let before: Timers = [(1, Timestamp(1_300))].into_iter().collect();
    let stopped = Outcome { consumed: 1, actions: vec![Action { cause: 0, body: place() }] };
    assert_eq!(check_outcome(frame.marks(), &before, Span(100), &stopped), Ok(before.clone()));
    let read_on = Outcome { consumed: 2, actions: vec![] };
    assert_eq!(check_outcome(frame.marks(), &before, Span(100), &read_on), Ok(Timers::default()));
}

#[test]
fn a_resync_forgets_the_timers() {
    let mut frame = FrameBuilder::new();
    frame.resync(Timestamp(1_000), 0, OrderNumber(1)).unwrap();
    frame.warm_up_boundary(Timestamp(1_300)).unwrap();
    let before: Timers = (0..64).map(|id| (id, Timestamp(1_200))).collect();
    assert_eq!(before.len(), TIMERS_MAX);
    // Timer 0 has no old time any more, and there is room for a new one.
    let actions = [set_timer(0, Some(1_500)), set_timer(64, Some(1_600))];
    let actions = actions.into_iter().map(|body| Action { cause: 0, body }).collect();
    let after = check_outcome(frame.marks(), &before, Span(100), &Outcome { consumed: 2, actions }).unwrap();
    assert_eq!(after.iter().collect::<Vec<_>>(), [(0, Timestamp(1_500)), (64, Timestamp(1_600))]);
}
