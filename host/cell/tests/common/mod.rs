//! Guests written in the text format against the contract's canonical ABI, and frames to feed them.
//!
//! Each guest is one core module, made a component the way `strategy build` does it. The functions a test does not name have
//! well-behaved bodies, so a test shows the one thing that is wrong.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    reason = "test code, of which each binary uses its part"
)]

use portcullis_cell::{
    Artifact, CellEngine, CellFault, CellLimits, FrameOutcome, Guest, Program, Setup, compile,
};
use portcullis_core::{Amount, Timestamp};
use std::sync::Arc;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Limits that no well-behaved guest here comes near.
pub(crate) const LIMITS: CellLimits = CellLimits {
    memory_bytes_max: 8 << 20,
    fuel_per_event: 100_000,
    deadline_ms: 1_000,
    actions_per_event_max: 32,
    log_bytes_max: 4_096,
};

/// The parts of a guest that tests replace, as bodies in the text format.
///
/// Helpers they may call: `$outcome (consumed, actions) → pointer` and `$action (index, cause, kind) → pointer to the
/// payload`, with kinds as in the contract (2 cancel, 4 flatten, 6 log, 7 metric). `$events` counts events over all calls.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    /// `(param $frame i32) (param $length i32) (result i32)`; `$records` is set.
    pub(crate) on_frame: &'static str,
    /// `(result i32)`.
    pub(crate) describe: &'static str,
    /// `(result i32)`.
    pub(crate) init: &'static str,
    /// `(result i32)`: pointer to pointer and length.
    pub(crate) snapshot: &'static str,
    /// `(param $version i32) (param $bytes i32) (param $length i32) (result i32)`.
    pub(crate) restore: &'static str,
    /// Runs first in every allocation that the host asks for.
    pub(crate) realloc: &'static str,
    /// Runs after a frame's outcome was taken.
    pub(crate) post_return: &'static str,
    /// Start function.
    pub(crate) start: &'static str,
    /// Further fields of the module.
    pub(crate) extra: &'static str,
    /// Pages of memory at the start, and after them the most it declares for itself, if any.
    pub(crate) pages: &'static str,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            on_frame: CANCEL_EVERY_OTHER,
            describe: "(i32.const 512)",
            init: "(i32.const 640)",
            snapshot: "(i32.store (i32.const 700) (global.get $events))
                (i32.store (i32.const 704) (i32.const 700))
                (i32.store (i32.const 708) (i32.const 4))
                (i32.const 704)",
            restore: "(if (i32.ne (local.get $version) (i32.const 7)) (then
                (i32.store8 (i32.const 660) (i32.const 1))
                (return (i32.const 660))))
                (global.set $events (i32.load (local.get $bytes)))
                (i32.const 640)",
            realloc: "",
            post_return: "",
            start: "",
            extra: "",
            pages: "64",
        }
    }
}

/// One `cancel` for every second event, numbered by the events seen over the guest's life: state that shows in the output.
pub(crate) const CANCEL_EVERY_OTHER: &str = r#"
    (local $i i32) (local $n i32)
    (loop $next
        (global.set $events (i32.add (global.get $events) (i32.const 1)))
        (if (i32.and (global.get $events) (i32.const 1)) (then
            (i64.store (call $action (local.get $n) (local.get $i) (i32.const 2))
                (i64.extend_i32_u (global.get $events)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (local.get $records))))
    (call $outcome (local.get $i) (local.get $n))"#;

/// Consumes everything and does nothing.
pub(crate) const IDLE: &str = "(call $outcome (local.get $records) (i32.const 0))";

/// The bytes of the component.
pub(crate) fn component(source: &Source) -> Vec<u8> {
    let Source { on_frame, describe, init, snapshot, restore, realloc, post_return, start, extra, pages } =
        source;
    let text = format!(
        r#"(module
        (memory (export "memory") {pages})
        (global $heap (mut i32) (i32.const 0x20000))
        (global $events (mut i32) (i32.const 0))
        (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            {realloc}
            (local.set $at (i32.and
                (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $heap (i32.add (local.get $at) (local.get $size)))
            (local.get $at))
        ;; The outcome lies at 600, its actions of 136 bytes from 0x200000 on.
        (func $outcome (param $consumed i32) (param $actions i32) (result i32)
            (global.set $heap (i32.const 0x20000))
            (i32.store (i32.const 600) (local.get $consumed))
            (i32.store (i32.const 604) (i32.const 0x200000))
            (i32.store (i32.const 608) (local.get $actions))
            (i32.const 600))
        (func $action (param $index i32) (param $cause i32) (param $kind i32) (result i32)
            (local $at i32)
            (local.set $at (i32.add (i32.const 0x200000) (i32.mul (local.get $index) (i32.const 136))))
            (i32.store (local.get $at) (local.get $cause))
            (i32.store8 offset=8 (local.get $at) (local.get $kind))
            (i32.add (local.get $at) (i32.const 16)))
        (func $on_frame (param $frame i32) (param $length i32) (param $records i32) (result i32) {on_frame})
        (func (export "portcullis:strategy/guest@0.1.0#on-frame") (param i32 i32) (result i32)
            (call $on_frame (local.get 0) (local.get 1) (i32.load offset=16 (local.get 0))))
        (func (export "portcullis:strategy/guest@0.1.0#describe") (result i32) {describe})
        (func (export "portcullis:strategy/guest@0.1.0#init") (param i32 i32 i32 i32 i64 i64 i64) (result i32) {init})
        (func (export "portcullis:strategy/guest@0.1.0#snapshot") (result i32) {snapshot})
        (func (export "portcullis:strategy/guest@0.1.0#restore")
            (param $version i32) (param $bytes i32) (param $length i32) (result i32) {restore})
        (func (export "cabi_post_portcullis:strategy/guest@0.1.0#on-frame") (param i32) {post_return})
        ;; The description: name and version at 480, no lists, snapshot version 7. An `ok` of any result at 640.
        (data (i32.const 480) "test-guest1.0.0")
        (data (i32.const 512) "\e0\01\00\00\0a\00\00\00\ea\01\00\00\05\00\00\00")
        (data (i32.const 552) "\07\00\00\00")
        {extra}
        (func $start {start}) (start $start))"#
    );
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1")).unwrap();
    let world = resolve.select_world(&[package], Some("strategy")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// The compiled guest.
pub(crate) fn artifact(source: &Source) -> Artifact {
    compile(&component(source)).unwrap()
}

/// The guest loaded into an engine of its own.
pub(crate) fn program(source: &Source) -> Program {
    Program::load(&Arc::new(CellEngine::new().unwrap()), &artifact(source)).unwrap()
}

/// The guest running under these limits, with `init` behind it.
pub(crate) fn guest(source: &Source, limits: CellLimits) -> Guest {
    let mut guest = Guest::start(program(source), limits).unwrap();
    guest.init(&setup()).unwrap().unwrap();
    guest
}

/// A set-up without instruments.
pub(crate) fn setup() -> Setup {
    Setup { parameters: Vec::new(), instruments: Vec::new(), budget: Amount(0), start_time: Timestamp(0) }
}

/// A frame of this many trades.
pub(crate) fn frame(records: u32) -> Vec<u8> {
    let length = 24 + 48 * records;
    let mut frame = Vec::new();
    frame.extend_from_slice(b"PCF1");
    frame.extend_from_slice(&[1, 0, 0, 0]);
    frame.extend_from_slice(&1_000_000_u64.to_le_bytes());
    frame.extend_from_slice(&records.to_le_bytes());
    frame.extend_from_slice(&length.to_le_bytes());
    for number in 0..records {
        frame.extend_from_slice(&[1, 0, 48, 0, 0, 0, 0, 0]);
        let time = u64::from(number);
        for field in [time, time, 6_000_000 + time, 100] {
            frame.extend_from_slice(&field.to_le_bytes());
        }
        frame.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    }
    frame
}

/// Never ends.
pub(crate) const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

/// The six entries into a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Instantiate,
    Describe,
    Init,
    Frame,
    Snapshot,
    Restore,
}

impl Entry {
    pub(crate) const ALL: [Self; 6] =
        [Self::Instantiate, Self::Describe, Self::Init, Self::Frame, Self::Snapshot, Self::Restore];

    /// A guest in which this entry alone has `body`.
    pub(crate) fn doing(self, body: &'static str) -> Source {
        let good = Source { on_frame: IDLE, ..Source::default() };
        match self {
            Self::Instantiate => Source { start: body, ..good },
            Self::Describe => Source { describe: body, ..good },
            Self::Init => Source { init: body, ..good },
            Self::Frame => Source { on_frame: body, ..good },
            Self::Snapshot => Source { snapshot: body, ..good },
            Self::Restore => Source { restore: body, ..good },
        }
    }

    /// The fuel of one such entry, with a frame of `records` events.
    pub(crate) fn fuel(self, limits: &CellLimits, records: u32) -> u64 {
        match self {
            Self::Describe => 10_000_000,
            Self::Frame => limits.fuel_per_event * u64::from(records),
            Self::Instantiate | Self::Init | Self::Snapshot | Self::Restore => 250_000_000,
        }
    }
}

/// What a guest did that got through its whole life.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) frames: Vec<FrameOutcome>,
    pub(crate) memory_bytes: usize,
}

/// Goes through a guest's whole life with frames of `records` events, and names the entry that failed. Twice, because an
/// allowance that is set once covers the first time only.
pub(crate) fn live(program: Program, limits: CellLimits, records: u32) -> Result<Life, (Entry, CellFault)> {
    let mut guest = Guest::start(program, limits).map_err(|boxed| (Entry::Instantiate, boxed.1))?;
    let mut frames = Vec::new();
    for _ in 0..2 {
        guest.describe().map_err(|fault| (Entry::Describe, fault))?;
        let _a_guests_own_no = guest.init(&setup()).map_err(|fault| (Entry::Init, fault))?;
        frames.push(guest.on_frame(&frame(records)).map_err(|fault| (Entry::Frame, fault))?);
        let snapshot = guest.snapshot().map_err(|fault| (Entry::Snapshot, fault))?;
        let restored = guest.restore(snapshot.version, &snapshot.bytes);
        let _a_guests_own_no = restored.map_err(|fault| (Entry::Restore, fault))?;
    }
    Ok(Life { frames, memory_bytes: guest.memory_bytes() })
}
