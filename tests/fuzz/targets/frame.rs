//! Frames, as a strategy's SDK reads them.

use std::path::Path;

use portcullis_sdk::frame::{Frame, decode};
use portcullis_sdk::testing::{self, Driver, FrameBuilder};
use portcullis_sdk::{Context, Description, Event, InitError, Setup, Strategy, Trade};

/// The golden vectors of the contract, which both sides are held to.
pub fn seeds() -> Vec<Vec<u8>> {
    // From wherever this is compiled: the suite and libFuzzer's runner are different packages.
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let golden = above.map(|folder| folder.join("wit/v0.1/golden")).find(|folder| folder.is_dir()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "frame"));
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Sees everything and does nothing.
struct Idle;

impl Strategy for Idle {
    fn describe() -> Description {
        Description::new("idle", "0.1.0")
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn on_trade(&mut self, _trade: &Trade, _ctx: &mut Context) {}
}

/// What is read whole reads the same when it is written again, and a strategy that does nothing consumes all of it.
pub fn run(input: &[u8]) -> bool {
    let setup = testing::setup::<Idle>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap();
    let consumed = Driver::<Idle>::new(&setup).unwrap().on_frame(input).map(|outcome| outcome.consumed);
    let Ok(frame) = Frame::parse(input) else {
        assert!(consumed.is_err());
        return false;
    };
    let mut again = FrameBuilder::new(frame.lookahead());
    let (mut count, mut known) = (0, Vec::new());
    for record in frame.records() {
        let Ok(event) = record.and_then(decode) else {
            assert!(consumed.is_err(), "a broken frame was consumed");
            return false;
        };
        count += 1;
        if let Some(event) = event {
            again.push(&event);
            known.push(event);
        }
    }
    // The driver also refuses instruments that its strategy does not have.
    if let Ok(consumed) = consumed {
        assert_eq!(consumed, count, "it did nothing, and yet it stopped early");
    }
    if !known.is_empty() {
        let bytes = again.finish();
        let frame = Frame::parse(&bytes).unwrap();
        let read: Vec<Event<'_>> =
            frame.records().filter_map(|record| decode(record.unwrap()).unwrap()).collect();
        assert_eq!(read, known);
    }
    true
}
