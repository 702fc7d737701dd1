//! One frame of the public stream: from its text to the events of quote and book.

use std::hint::black_box;
use std::time::Instant;

use anyhow::anyhow;
use portcullis_bybit::{Feed, Wanted};
use portcullis_core::{Category, InstrumentId, Timestamp};

use super::{Figures, Samples, place};
use crate::failure::Failure;

const FRAMES: u64 = 50_000;

/// When the exchange sent the snapshot, ms; the client leaves out what claims to be from a later time than now.
const SENT_MS: u64 = 1_764_000_000_000;

/// Best bid of the snapshot in ticks of 0.1, and best ask.
const BID: u64 = 600_000;
const ASK: u64 = 600_001;

/// Measures `feed_frame_ns`: a delta of the 50-level book with four changes a side, ten levels of which are passed on.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let spec = place::instrument()?;
    let wanted = Wanted {
        id: InstrumentId(spec.id.0),
        category: Category::Linear,
        symbol: spec.symbol.clone(),
        decimals: None,
        book_depth: 10,
        bars_s: Vec::new(),
    };
    let symbol = spec.symbol.to_string();
    let mut feed = Feed::new(Category::Linear, &[wanted], &[spec]);
    let mut events = 0_u64;
    let mut take = |text: &str, now| {
        let counted = &mut |event| {
            black_box(event);
            events = events.saturating_add(1);
        };
        feed.frame(text, now, counted).map_err(|fault| anyhow!("a bench frame was not taken: {fault}"))
    };
    take(&frame(&symbol, "snapshot", 1, 0..50), Timestamp::from_millis(SENT_MS))?;
    let mut samples = Samples::default();
    for update in 2..FRAMES.saturating_add(2) {
        let first = update.wrapping_mul(7) % 46;
        let text = frame(&symbol, "delta", update, first..first.saturating_add(4));
        let started = Instant::now();
        take(black_box(&text), Timestamp::from_millis(SENT_MS.saturating_add(update)))?;
        samples.push(started.elapsed());
    }
    if events < FRAMES {
        return Err(Failure::Environment(anyhow!("{FRAMES} bench frames gave {events} events")));
    }
    figures.insert("feed_frame_ns".to_owned(), samples.rank(500).into());
    Ok(())
}

/// A frame of some levels of both sides, each with a size that the update decides.
fn frame(symbol: &str, kind: &str, update: u64, levels: std::ops::Range<u64>) -> String {
    let level = |price: u64, at: u64| {
        let size = update.wrapping_add(at) % 9_000;
        format!(
            r#"["{}.{}","{}.{:03}"]"#,
            price / 10,
            price % 10,
            (size / 1_000).saturating_add(1),
            size % 1_000
        )
    };
    let side = |price: &dyn Fn(u64) -> u64| {
        let levels = levels.clone().map(|at| level(price(at), at));
        levels.collect::<Vec<String>>().join(",")
    };
    let bids = side(&|at| BID.saturating_sub(at));
    let asks = side(&|at| ASK.saturating_add(at));
    format!(
        r#"{{"topic":"orderbook.50.{symbol}","type":"{kind}","ts":{SENT_MS},"data":{{"s":"{symbol}","b":[{bids}],"a":[{asks}],"u":{update},"seq":{update}}},"cts":{SENT_MS}}}"#
    )
}
