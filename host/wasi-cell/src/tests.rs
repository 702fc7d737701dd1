//! The lesson of the tier, `plugins/dice`, as a component with the imports of this binary.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use portcullis_bundle::{BuildRequest, Tier, admit, build_strategy};
use portcullis_cell::{Artifact, CellEngine, CellLimits, Guest, Program, Setup, compile};
use portcullis_core::frame::FrameBuilder;
use portcullis_core::{
    ActionBody, Amount, Category, InstrumentId, InstrumentSpec, LogLevel, Outcome, Price, Qty, Rate, Side,
    Span, Timestamp,
};

use crate::imports::WasiImports;

const LIMITS: CellLimits = CellLimits {
    memory_bytes_max: 16 << 20,
    fuel_per_event: 1_000_000,
    deadline_ms: 1_000,
    actions_per_event_max: 32,
    log_bytes_max: 4_096,
};

/// 2026-11-24T00:00:00Z.
const START: u64 = 1_795_478_400_000_000_000;

static ARTIFACT: LazyLock<Artifact> = LazyLock::new(|| {
    let manifest_path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dice/Cargo.toml");
    let request = BuildRequest { manifest_path, target_dir: None, locked: true, may_install: false };
    let component = build_strategy(&request, &mut |_| {}).unwrap().component;
    admit(&component, Tier::Wasi, LIMITS.memory_bytes_max).unwrap();
    assert_eq!(
        admit(&component, Tier::Native, LIMITS.memory_bytes_max).unwrap_err().code(),
        "IMPORT_FORBIDDEN"
    );
    compile(&component).unwrap()
});

static ENGINE: LazyLock<Arc<CellEngine>> = LazyLock::new(|| Arc::new(CellEngine::new().unwrap()));

fn guest(start: u64) -> Guest<WasiImports> {
    let program = Program::<WasiImports>::load_with_imports(&ENGINE, &ARTIFACT).unwrap();
    let mut guest = Guest::start(program, LIMITS).unwrap();
    guest.init(&setup(start)).unwrap().unwrap();
    guest
}

fn setup(start: u64) -> Setup {
    let parameters = [("size", "0.01"), ("every", "1")];
    Setup {
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        instruments: vec![btcusdt()],
        budget: Amount::parse("10000").unwrap(),
        start_time: Timestamp(start),
    }
}

fn btcusdt() -> InstrumentSpec {
    InstrumentSpec {
        id: InstrumentId(0),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 1,
        quantity_decimals: 3,
        tick: Price(1),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(1_000_000),
        min_notional: Amount::parse("5").unwrap(),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
        has_price_limits: false,
    }
}

/// One trade this many seconds after the start: host functions of the guest's streams run in an executor, as in the cell.
fn trade(guest: &mut Guest<WasiImports>, second: u64) -> Outcome {
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = executor.enter();
    let time = Timestamp(START + second * 1_000_000_000);
    let mut builder = FrameBuilder::new();
    builder.begin(Span::from_millis(1));
    builder.trade(time, 0, time, Price(600_000), Qty(10), Side::Buy).unwrap();
    guest.on_frame(builder.finish()).unwrap().outcome
}

fn lines(outcome: &Outcome) -> Vec<(LogLevel, String)> {
    let line = |body: &ActionBody| match body {
        ActionBody::Log { level, message } => Some((*level, message.clone())),
        _ => None,
    };
    outcome.actions.iter().filter_map(|action| line(&action.body)).collect()
}

#[test]
fn the_same_setup_and_events_give_the_same_throws_times_and_orders() {
    let run = |start| {
        let mut guest = guest(start);
        (0..64).map(|second| trade(&mut guest, second)).collect::<Vec<Outcome>>()
    };
    let first = run(START);
    assert_eq!(first, run(START));
    assert_ne!(first, run(START + 1), "another start, other dice");
    let orders = first.iter().flat_map(|outcome| &outcome.actions);
    let orders = orders.filter(|action| matches!(action.body, ActionBody::Place(_))).count();
    assert!((16..=48).contains(&orders), "{orders} of 64 throws were even");
}

#[test]
fn output_is_the_strategys_log_with_the_time_of_the_event() {
    let mut guest = guest(START);
    for second in [0, 7] {
        let outcome = trade(&mut guest, second);
        let lines = lines(&outcome);
        let [(LogLevel::Info, line)] = lines.as_slice() else { panic!("{lines:?}") };
        let begins = format!("at {} s the die shows ", START / 1_000_000_000 + second);
        let throw: u64 = line.strip_prefix(&begins).unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        assert!((1..=6).contains(&throw), "{throw}");
    }
}

#[test]
fn a_restart_begins_from_the_same_seed() {
    let mut guest = guest(START);
    let before = trade(&mut guest, 1);
    trade(&mut guest, 2);
    guest.restart().unwrap();
    guest.init(&setup(START)).unwrap().unwrap();
    assert_eq!(trade(&mut guest, 1), before);
}

#[test]
fn without_these_imports_it_does_not_load() {
    let error = Program::load(&ENGINE, &ARTIFACT).unwrap_err().to_string();
    assert!(error.contains("wasi:"), "{error}");
}
