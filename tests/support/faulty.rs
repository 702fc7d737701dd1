//! A strategy that fails: its component and its manifest.

#![allow(dead_code, reason = "each suite uses a part of it")]

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Reads trades, counts events, and from the fortieth on fails in every frame.
const FAULTY: &str = r#"(module
    (memory (export "memory") 8)
    (global $heap (mut i32) (i32.const 0x10000))
    (global $events (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and
            (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
            (i32.sub (i32.const 0) (local.get $align))))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func $over_the_edge unreachable)
    (func (export "portcullis:strategy/guest@0.1.0#on-frame") (param $frame i32) (param i32) (result i32)
        (local $records i32)
        (local.set $records (i32.load offset=16 (local.get $frame)))
        (global.set $heap (i32.const 0x10000))
        (global.set $events (i32.add (global.get $events) (local.get $records)))
        (if (i32.ge_u (global.get $events) (i32.const 40)) (then (call $over_the_edge)))
        (i32.store (i32.const 600) (local.get $records))
        (i32.store (i32.const 604) (i32.const 1024))
        (i32.store (i32.const 608) (i32.const 0))
        (i32.const 600))
    (func (export "portcullis:strategy/guest@0.1.0#describe") (result i32) (i32.const 512))
    (func (export "portcullis:strategy/guest@0.1.0#init") (param i32 i32 i32 i32 i64 i64 i64) (result i32)
        (i32.const 640))
    (func (export "portcullis:strategy/guest@0.1.0#snapshot") (result i32)
        (i32.store (i32.const 700) (global.get $events))
        (i32.store (i32.const 704) (i32.const 700))
        (i32.store (i32.const 708) (i32.const 4))
        (i32.const 704))
    (func (export "portcullis:strategy/guest@0.1.0#restore") (param i32 i32 i32) (result i32)
        (global.set $events (i32.load (local.get 1)))
        (i32.const 640))
    ;; The description: name and version, no parameters, one subscription (the zeros at 800: trades of every symbol), no metrics.
    (data (i32.const 480) "faulty0.1.0")
    (data (i32.const 512) "\e0\01\00\00\06\00\00\00\e6\01\00\00\05\00\00\00")
    (data (i32.const 536) "\20\03\00\00\01\00\00\00")
    (data (i32.const 552) "\01\00\00\00"))"#;

/// What its bundle asks for, on BTCUSDT.
pub(crate) const MANIFEST: &str = r#"format = 1
name = "faulty"
version = "0.1.0"
sequence = 1
tier = "native"
environments = ["paper"]
valid_days = 30

[capabilities]
symbols = ["linear:BTCUSDT"]
order_types = ["market"]

[limits]
memory_bytes_max = 16777216
fuel_per_event = 1000000
deadline_ms = 1000
log_bytes_max = 4096
actions_per_event_max = 32
"#;

/// Its component.
pub(crate) fn component() -> Vec<u8> {
    let mut module = wat::parse_str(FAULTY).unwrap();
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/v0.1");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some("strategy")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
