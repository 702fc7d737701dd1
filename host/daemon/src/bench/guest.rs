//! The guests that benches run: the reference strategy, and one that never comes back.

use anyhow::{Context as _, anyhow};
use portcullis_cell::{CellLimits, Setup};
use portcullis_core::frame::FrameBuilder;
use portcullis_core::{Amount, Price, Qty, Side, Span, Timestamp};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::place;
use crate::command::strategy;
use crate::demo::plugin;
use crate::failure::Failure;

/// Limits that the reference strategy stays well below.
pub(super) const LIMITS: CellLimits = CellLimits {
    memory_bytes_max: 16 << 20,
    fuel_per_event: 1_000_000,
    deadline_ms: 100,
    actions_per_event_max: 32,
    log_bytes_max: 4_096,
};

/// The contract, for the guest that never comes back.
const WIT: &str = include_str!("../../../../wit/v0.1/strategy.wit");

/// A core module whose `on-frame` loops for ever; the rest is there because the contract wants it.
const RUNAWAY: &str = r#"(module
  (memory (export "memory") 4)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "portcullis:strategy/guest@0.1.0#on-frame") (param i32 i32) (result i32) (loop $on (br $on)) unreachable)
  (func (export "portcullis:strategy/guest@0.1.0#describe") (result i32) (unreachable))
  (func (export "portcullis:strategy/guest@0.1.0#init") (param i32 i32 i32 i32 i64 i64 i64) (result i32) (unreachable))
  (func (export "portcullis:strategy/guest@0.1.0#snapshot") (result i32) (unreachable))
  (func (export "portcullis:strategy/guest@0.1.0#restore") (param i32 i32 i32) (result i32) (unreachable)))"#;

/// The component of ema-cross, built where the repository is at hand.
pub(super) fn ema_cross() -> Result<Vec<u8>, Failure> {
    let crate_dir = plugin("ema-cross")?
        .ok_or_else(|| anyhow!("no plugins/ema-cross here or above: run this inside the repository"))?;
    Ok(strategy::build_component(&crate_dir, None)?.0)
}

/// A component that never comes back from a frame.
pub(super) fn runaway() -> Result<Vec<u8>, Failure> {
    let mut module = wat::parse_str(RUNAWAY).context("the bench's own module")?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("strategy.wit", WIT).context("the contract")?;
    let world = resolve.select_world(&[package], Some("strategy")).context("the contract's world")?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .context("the bench's own module")?;
    let mut encoder = ComponentEncoder::default().module(&module).context("the bench's own module")?;
    Ok(encoder.encode().context("the bench's own module")?)
}

/// What ema-cross is told at the start.
pub(super) fn setup(parameters: &[(&str, &str)]) -> Result<Setup, Failure> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(Setup {
        parameters: parameters.iter().map(own).collect(),
        instruments: vec![place::instrument()?],
        budget: Amount::parse("1000000").map_err(anyhow::Error::new)?,
        start_time: Timestamp(0),
    })
}

/// A frame of trades at one price, which crosses nothing.
pub(super) fn trades(count: u64) -> Result<Vec<u8>, Failure> {
    let mut builder = FrameBuilder::new();
    builder.begin(Span::from_millis(1));
    for index in 0..count {
        let time = Timestamp(index.saturating_add(1));
        builder.trade(time, 0, time, Price(600_000), Qty(10), Side::Buy).map_err(anyhow::Error::new)?;
    }
    Ok(builder.finish().to_vec())
}
