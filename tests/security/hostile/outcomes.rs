//! What guests return: malformed actions of every kind, strings that are none, floods, descriptions, snapshots, floats.

use libtest_mimic::Trial;
use portcullis_cell::{CellLimits, FaultKind, Guest, InitRefusal, RestoreRefusal};
use portcullis_core::{ActionBody, OrderNumber};

use crate::common::{Entry, LIMITS, Source, guest, program, setup};
use crate::expect::{Case, Expect, leak};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = actions()
        .into_iter()
        .chain(counts())
        .chain(strings())
        .chain(floats())
        .chain(descriptions())
        .chain(states())
        .map(Case::trial)
        .collect();
    let trial = |name: &str, check: fn()| {
        Trial::test(format!("outcomes::{name}"), move || {
            check();
            Ok(())
        })
    };
    trials.extend([
        trial("init::a_refusal_is_cut_and_put_on_one_line", init_refusals),
        trial("restore::foreign_bytes", foreign_bytes),
        trial("restore::another_version", another_version),
        trial("snapshot::of_a_guest_that_counts_its_calls", snapshots_do_not_change_state),
    ]);
    trials
}

fn protocol(words: &'static str) -> Expect {
    Expect::Fault(Entry::Frame, FaultKind::Protocol, words)
}

/// A frame answered with one action of this kind, whose payload `stores` fills from `$at` on.
fn one(kind: u32, stores: &str) -> String {
    format!(
        "(local $at i32)
        (local.set $at (call $action (i32.const 0) (i32.const 0) (i32.const {kind})))
        {stores}
        (call $outcome (local.get $records) (i32.const 1))"
    )
}

fn byte(offset: u32, value: u32) -> String {
    format!("(i32.store8 offset={offset} (local.get $at) (i32.const {value}))")
}

fn actions() -> Vec<Case> {
    let mut cases = Vec::new();
    // Kind of the action, where in its payload, and a value that no case has.
    for (name, kind, offset, value) in [
        ("place_side", 0, 4, 2),
        ("place_kind", 0, 16, 2),
        ("place_time_in_force", 0, 32, 4),
        ("place_trigger", 0, 40, 2),
        ("place_take_profit", 0, 64, 2),
        ("place_stop_loss", 0, 80, 255),
        ("place_good_till", 0, 96, 2),
        ("amend_price", 1, 8, 2),
        ("amend_quantity", 1, 24, 7),
        ("cancel_all", 3, 0, 2),
        ("set_timer", 5, 8, 2),
        ("log_level", 6, 0, 4),
    ] {
        let expect = protocol("");
        cases.push(Case::frame(
            format!("outcomes::malformed::{name}"),
            one(kind, &byte(offset, value)),
            expect,
        ));
    }
    let direction = format!("{} {}", byte(40, 1), byte(56, 2));
    cases.push(Case::frame("outcomes::malformed::place_trigger_direction", one(0, &direction), protocol("")));
    for kind in [8, 9, 127, 255] {
        cases.push(Case::frame(format!("outcomes::malformed::kind_{kind}"), one(kind, ""), protocol("")));
    }
    // Values that mean nothing here are well-formed all the same: the gate judges them, and nothing is lost on the way.
    cases.push(Case::frame(
        "outcomes::extremes_of_every_number",
        one(
            0,
            "(i32.store (local.get $at) (i32.const -1))
            (i64.store offset=8 (local.get $at) (i64.const 0x8000000000000000))
            (i32.store8 offset=16 (local.get $at) (i32.const 1))
            (i64.store offset=24 (local.get $at) (i64.const -1))
            (i32.store8 offset=33 (local.get $at) (i32.const 255))
            (i64.store offset=112 (local.get $at) (i64.const -1))",
        ),
        Expect::Harmless(|life| {
            let ActionBody::Place(place) = &life.frames[0].outcome.actions[0].body else {
                panic!("{life:?}")
            };
            assert_eq!((place.instrument, place.quantity.0, place.tag), (u32::MAX, i64::MIN, u64::MAX));
            assert_eq!((place.limit.map(|price| price.0), place.reduce_only), (Some(-1), true));
        }),
    ));
    cases
}

fn counts() -> Vec<Case> {
    let frame =
        |name: &str, body: &str, expect| Case::frame(format!("outcomes::counts::{name}"), body, expect);
    let cancels = |count: u32| {
        format!(
            "(local $i i32)
            (loop $next
                (drop (call $action (local.get $i) (i32.const 0) (i32.const 2)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const {count}))))
            (call $outcome (local.get $records) (i32.const {count}))"
        )
    };
    let caused = |first: u32, second: u32| {
        format!(
            "(drop (call $action (i32.const 0) (i32.const {first}) (i32.const 2)))
            (drop (call $action (i32.const 1) (i32.const {second}) (i32.const 2)))
            (call $outcome (i32.const 3) (i32.const 2))"
        )
    };
    vec![
        frame("a_million_actions", "(call $outcome (local.get $records) (i32.const 1000000))", protocol("")),
        frame(
            "ten_thousand_actions",
            "(call $outcome (local.get $records) (i32.const 10000))",
            protocol("handed over more than"),
        ),
        frame("four_billion_actions", "(call $outcome (local.get $records) (i32.const -1))", protocol("")),
        frame("thirty_three_for_one_event", &cancels(33), protocol("more than 32 actions caused by event 0")),
        frame(
            "nothing_consumed",
            "(call $outcome (i32.const 0) (i32.const 0))",
            protocol("0 of 3 events consumed"),
        ),
        frame(
            "more_consumed_than_given",
            "(call $outcome (i32.const 4) (i32.const 0))",
            protocol("4 of 3 events consumed"),
        ),
        frame(
            "four_billion_consumed",
            "(call $outcome (i32.const -1) (i32.const 0))",
            protocol("4294967295 of 3"),
        ),
        frame("caused_by_an_event_to_come", &caused(0, 3), protocol("event 3 of 3 consumed")),
        frame("caused_by_an_event_not_given", &caused(0, 0xffff_ffff), protocol("event 4294967295 of 3")),
        frame("causes_that_go_back", &caused(1, 0), protocol("event 0 after one caused by 1")),
        frame(
            "a_list_outside_memory",
            "(i32.store (i32.const 604) (i32.const 0x7fff0000)) (i32.store (i32.const 608) (i32.const 1)) (i32.store (i32.const 600) (i32.const 1)) (i32.const 600)",
            protocol(""),
        ),
        frame(
            "a_list_out_of_line",
            "(i32.store (i32.const 604) (i32.const 0x200001)) (i32.store (i32.const 608) (i32.const 1)) (i32.store (i32.const 600) (i32.const 1)) (i32.const 600)",
            protocol(""),
        ),
        frame("an_outcome_outside_memory", "(i32.const 0x7ffffff0)", protocol("")),
        frame("an_outcome_at_the_end", "(i32.const -4)", protocol("")),
        frame("an_outcome_out_of_line", "(i32.const 601)", protocol("")),
    ]
}

/// A log line of `$length` bytes at `$from`.
const LINE: &str = "(func $line (param $index i32) (param $from i32) (param $length i32)
    (local $at i32)
    (local.set $at (call $action (local.get $index) (i32.const 0) (i32.const 6)))
    (i32.store offset=4 (local.get $at) (local.get $from))
    (i32.store offset=8 (local.get $at) (local.get $length)))";

fn strings() -> Vec<Case> {
    let mut cases = Vec::new();
    let line = |name: &str, data: &str, from: &str, length: &str, expect| {
        let extra = leak(format!("{LINE} (data (i32.const 0x10000) \"{data}\")"));
        let body = format!(
            "(call $line (i32.const 0) (i32.const {from}) (i32.const {length})) (call $outcome (local.get $records) (i32.const 1))"
        );
        let source = Source { extra, on_frame: leak(body), ..Source::default() };
        Case::guest(format!("outcomes::strings::{name}"), source, expect)
    };
    for (name, data, length) in [
        ("a_lone_continuation", "\\80", "1"),
        ("a_byte_that_never_is", "\\ff", "1"),
        ("an_overlong_slash", "\\c0\\af", "2"),
        ("a_surrogate", "\\ed\\a0\\80", "3"),
        ("beyond_unicode", "\\f4\\90\\80\\80", "4"),
        ("a_character_cut_short", "\\e2\\82", "2"),
    ] {
        cases.push(line(name, data, "0x10000", length, protocol("utf-8")));
    }
    cases.extend([
        line("outside_memory", "x", "0x7fff0000", "10", protocol("")),
        line("across_the_edge", "x", "0x3fffff", "2", protocol("")),
        line("four_gigabytes", "x", "0x10000", "-1", protocol("")),
        line("two_megabytes", "x", "0x10000", "2000000", protocol("handed over more than")),
        line(
            "two_hundred_kilobytes_are_cut",
            "x",
            "0x100000",
            "200000",
            Expect::Harmless(|life| {
                assert_eq!(message(&life.frames[0].outcome.actions[0].body).len(), 1_024)
            }),
        ),
        line(
            "empty",
            "x",
            "0x10000",
            "0",
            Expect::Harmless(|life| assert!(life.frames[0].outcome.actions.is_empty())),
        ),
    ]);
    let flood = "(local $i i32)
        (loop $next
            (call $line (local.get $i) (i32.const 0x10000) (i32.const 1024))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 32))))
        (call $outcome (local.get $records) (i32.const 32))";
    let source = Source { extra: LINE, on_frame: flood, ..Source::default() };
    let limits = CellLimits { log_bytes_max: 5_000, ..LIMITS };
    let cut = Expect::Harmless(|life| {
        let written: usize =
            life.frames[0].outcome.actions.iter().map(|action| message(&action.body).len()).sum();
        assert_eq!(written, 5_000);
    });
    cases.push(Case::guest("outcomes::strings::a_flood_of_lines_is_cut", source, cut).limits(limits));
    let silent = CellLimits { log_bytes_max: 0, ..LIMITS };
    let none = Expect::Harmless(|life| assert!(life.frames[0].outcome.actions.is_empty()));
    let source = Source { extra: LINE, on_frame: flood, ..Source::default() };
    cases.push(
        Case::guest("outcomes::strings::without_a_log_nothing_is_written", source, none).limits(silent),
    );
    let metric = one(
        7,
        "(i32.store (local.get $at) (i32.const 0x100000)) (i32.store offset=4 (local.get $at) (i32.const 100000))",
    );
    cases.push(Case::frame(
        "outcomes::strings::a_metric_with_a_huge_name",
        metric,
        Expect::Harmless(|life| {
            let ActionBody::Metric { name, .. } = &life.frames[0].outcome.actions[0].body else {
                panic!("{life:?}")
            };
            assert!(name.len() <= 48 && name.ends_with('~'), "{name}");
        }),
    ));
    cases
}

fn message(body: &ActionBody) -> &str {
    let ActionBody::Log { message, .. } = body else { panic!("{body:?}") };
    message
}

/// Each operation that makes a NaN, and must make the one that every processor makes.
const NANS: [(&str, &str); 14] = [
    ("zero_over_zero", "(f64.div (f64.const 0) (f64.const 0))"),
    ("root_of_minus_one", "(f64.sqrt (f64.const -1))"),
    ("infinity_less_infinity", "(f64.sub (f64.const inf) (f64.const inf))"),
    ("zero_times_infinity", "(f64.mul (f64.const 0) (f64.const inf))"),
    ("sum_with_a_payload", "(f64.add (f64.const nan:0x4000000000123) (f64.const 1))"),
    ("sum_with_a_sign", "(f64.add (f64.const -nan) (f64.const 1))"),
    ("minimum", "(f64.min (f64.const nan:0x4000000000123) (f64.const 1))"),
    ("maximum", "(f64.max (f64.const -nan:0xfffffffffffff) (f64.const 1))"),
    ("ceiling", "(f64.ceil (f64.const nan:0x4000000000123))"),
    ("nearest", "(f64.nearest (f64.const -nan:0x4000000000123))"),
    ("promotion", "(f64.promote_f32 (f32.const -nan:0x200123))"),
    ("demotion", "(f64.promote_f32 (f32.demote_f64 (f64.const nan:0x4000000000123)))"),
    ("vector_lane", "(f64x2.extract_lane 1 (f64x2.div (v128.const f64x2 1 0) (v128.const f64x2 1 0)))"),
    (
        "narrow_vector_lane",
        "(f64.promote_f32 (f32x4.extract_lane 3 (f32x4.sqrt (v128.const f32x4 -1 -1 -1 -1))))",
    ),
];

fn floats() -> Vec<Case> {
    let mut cases: Vec<Case> = NANS
        .iter()
        .map(|(name, nan)| {
            let stores = format!("(i64.store (local.get $at) (i64.reinterpret_f64 {nan}))");
            let expect = Expect::Harmless(|life| {
                let canonical = ActionBody::Cancel(OrderNumber(0x7ff8_0000_0000_0000));
                assert_eq!(life.frames[0].outcome.actions[0].body, canonical);
            });
            Case::frame(format!("outcomes::nan::{name}"), one(2, &stores), expect)
        })
        .collect();
    for (name, bits) in
        [("signalling", "0x7ff0000000000001"), ("negative_with_payload", "0xfff8dead0000beef")]
    {
        let stores = format!("(i64.store offset=8 (local.get $at) (i64.const {bits}))");
        let expect = Expect::Harmless(|life| {
            let ActionBody::Metric { value, .. } = life.frames[0].outcome.actions[0].body else {
                panic!("{life:?}")
            };
            assert_eq!(value.to_bits(), 0x7ff8_0000_0000_0000);
        });
        cases.push(Case::frame(format!("outcomes::nan::metric_{name}"), one(7, &stores), expect));
    }
    cases
}

fn descriptions() -> Vec<Case> {
    let describe = |name: &str, stores: &str, words| {
        // The parameter at 0x30000 has the name "test" and no default; what is wrong with it is stored behind that.
        let body = format!(
            "(i32.store (i32.const 0x30000) (i32.const 480)) (i32.store (i32.const 0x30004) (i32.const 4))
            (i32.store8 (i32.const 0x30010) (i32.const 2))
            {stores} (i32.const 512)"
        );
        let extra = "(data (i32.const 0x10000) \"line\\0a\\1b[31mred\\e2\\80\\aereversed\")";
        let source = Source { describe: leak(body), extra, ..Source::default() };
        let expect = Expect::Fault(Entry::Describe, FaultKind::Protocol, words);
        Case::guest(format!("outcomes::description::{name}"), source, expect)
    };
    let list = |field: u32, at: u32, length: u32| {
        format!(
            "(i32.store (i32.const {field}) (i32.const {at})) (i32.store (i32.const {}) (i32.const {length}))",
            field + 4
        )
    };
    let parameter = |stores: &str| format!("{} {stores}", list(528, 0x30000, 1));
    let doc = |from: u32, length: u32| list(0x30008, from, length);
    vec![
        describe("a_name_of_forty_zeroes", &list(512, 0x20000, 40), "name"),
        describe("no_name", &list(512, 480, 0), "name"),
        describe("a_name_in_capitals", "(i32.store8 (i32.const 480) (i32.const 84))", "name"),
        describe(
            "a_version_with_a_control_character",
            "(i32.store8 (i32.const 490) (i32.const 27))",
            "version",
        ),
        describe("sixty_five_parameters", &list(528, 0x40000, 65), "parameters"),
        describe("a_hundred_thousand_parameters", &list(528, 0x40000, 50_000), "handed over more than"),
        describe("sixty_five_subscriptions", &list(536, 0x40000, 65), "subscriptions"),
        describe("thirty_three_metrics", &list(544, 0x40000, 33), "metrics"),
        describe("a_metric_without_a_name", &list(544, 0x40000, 1), "metrics"),
        describe("a_document_that_draws", &parameter(&doc(0x10000, 24)), "parameter doc"),
        describe("a_document_of_a_kilobyte", &parameter(&doc(0x20000, 1_024)), "parameter doc"),
        describe(
            "a_parameter_twice",
            &format!(
                "(memory.copy (i32.const 0x30038) (i32.const 0x30000) (i32.const 56)) {}",
                list(528, 0x30000, 2)
            ),
            "parameters",
        ),
        describe("a_kind_that_is_none", &parameter("(i32.store8 (i32.const 0x30010) (i32.const 4))"), ""),
        describe(
            "an_empty_range",
            &parameter(
                "(i32.store8 (i32.const 0x30010) (i32.const 0)) (i64.store (i32.const 0x30018) (i64.const 9))",
            ),
            "range",
        ),
        describe(
            "a_choice_of_nothing",
            &parameter("(i32.store8 (i32.const 0x30010) (i32.const 3))"),
            "choice",
        ),
    ]
}

fn states() -> Vec<Case> {
    let snapshot = |name: &str, from: i64, length: i64, words| {
        let body = format!(
            "(i32.store (i32.const 704) (i32.const {from})) (i32.store (i32.const 708) (i32.const {length})) (i32.const 704)"
        );
        let source = Source { snapshot: leak(body), ..Source::default() };
        Case::guest(
            format!("outcomes::snapshot::{name}"),
            source,
            Expect::Fault(Entry::Snapshot, FaultKind::Protocol, words),
        )
    };
    let restore = |name: &str, body: &'static str, kind| {
        let source = Source { restore: body, ..Source::default() };
        Case::guest(format!("outcomes::restore::{name}"), source, Expect::Fault(Entry::Restore, kind, ""))
    };
    let init = |name: &str, body: &'static str, extra: &'static str| {
        let source = Source { init: body, extra, ..Source::default() };
        Case::guest(
            format!("outcomes::init::{name}"),
            source,
            Expect::Fault(Entry::Init, FaultKind::Protocol, ""),
        )
    };
    vec![
        snapshot("one_byte_too_long", 0, 262_145, "262145 bytes, at most 262144"),
        snapshot("a_bomb_of_megabytes", 0, 3_000_000, "handed over more than"),
        snapshot("a_bomb_of_gigabytes", 0, -1, ""),
        snapshot("outside_memory", 0x7fff_0000, 16, ""),
        restore(
            "an_answer_that_is_none",
            "(i32.store8 (i32.const 660) (i32.const 2)) (i32.const 660)",
            FaultKind::Protocol,
        ),
        restore(
            "a_reason_that_is_none",
            "(i32.store8 (i32.const 660) (i32.const 1)) (i32.store8 (i32.const 661) (i32.const 2)) (i32.const 660)",
            FaultKind::Protocol,
        ),
        restore(
            "bytes_taken_for_a_pointer",
            "(drop (i32.load (i32.or (i32.load (local.get $bytes)) (i32.const 0x80000000)))) (i32.const 640)",
            FaultKind::Trap,
        ),
        init("an_answer_that_is_none", "(i32.store8 (i32.const 660) (i32.const 2)) (i32.const 660)", ""),
        init(
            "a_reason_that_is_none",
            "(i32.store8 (i32.const 660) (i32.const 1)) (i32.store8 (i32.const 664) (i32.const 3)) (i32.const 660)",
            "",
        ),
        init(
            "a_reason_that_is_no_text",
            "(i32.store8 (i32.const 660) (i32.const 1)) (i32.store (i32.const 668) (i32.const 0x10000)) (i32.store (i32.const 672) (i32.const 1)) (i32.const 660)",
            "(data (i32.const 0x10000) \"\\ff\")",
        ),
    ]
}

/// `err(bad-parameter(text))`, with a text of `length` bytes at 0x10000.
fn refusing(length: u32) -> Source {
    let init = format!(
        "(i32.store8 (i32.const 660) (i32.const 1))
        (i32.store (i32.const 668) (i32.const 0x10000)) (i32.store (i32.const 672) (i32.const {length})) (i32.const 660)"
    );
    let extra = "(data (i32.const 0x10000) \"no\\0a2026-01-01 ERROR halted\\1b[2J\\e2\\80\\ae\")";
    Source { init: leak(init), extra, ..Source::default() }
}

fn init_refusals() {
    let text = |length| {
        let mut guest = Guest::start(program(&refusing(length)), LIMITS).unwrap();
        let refusal = guest.init(&setup()).unwrap().unwrap_err();
        let InitRefusal::BadParameter(text) = refusal else { panic!("{refusal:?}") };
        text
    };
    assert_eq!(text(33), "no 2026-01-01 ERROR halted [2J ");
    let long = text(200_000);
    assert!(long.len() <= 256 && !long.chars().any(char::is_control), "{long:?}");
}

fn foreign_bytes() {
    let mut guest = guest(&Source::default(), LIMITS);
    for bytes in [&b""[..], b"\xff", b"not a snapshot of yours", &[0xff; 4], &[0x80; 256 << 10]] {
        guest.restore(7, bytes).unwrap().unwrap();
        assert!(guest.is_live());
    }
}

fn another_version() {
    let mut guest = guest(&Source::default(), LIMITS);
    for version in [0, 6, 8, u32::MAX] {
        assert_eq!(guest.restore(version, b"abcd").unwrap(), Err(RestoreRefusal::UnsupportedVersion));
    }
}

fn snapshots_do_not_change_state() {
    let mut guest = guest(&Source::default(), LIMITS);
    let first = guest.snapshot().unwrap();
    assert_eq!(guest.snapshot().unwrap(), first);
}
