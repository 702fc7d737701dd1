//! Dice: what a strategy that insists on WASI gets.
//!
//! Every so many trades it throws a die from `wasi:random`, opens or closes a position on an even throw, and tells so on standard output
//! with the time of `wasi:clocks`. Not a strategy to run with money: a lesson in what the host makes of the three. The time is that of
//! the event, the throws come from a seed that the journal implies, and what is written becomes the strategy's log. So a replay
//! throws the same dice at the same times.
//!
//! What to learn here: nothing of WASI is needed for a strategy. The SDK's own time, log and parameters do the same without a second
//! binary and the operator's leave. The `wasi` tier is for code that cannot do without.

mod wasi;

use portcullis_sdk::{
    Context, Description, InitError, Parameter, Qty, RestoreError, Setup, StateReader, StateWriter, Strategy,
    Stream, Trade,
};

/// The strategy: one instrument, long or flat.
#[derive(Debug)]
pub struct Dice {
    size: Qty,
    every: u32,
    seen: u32,
    long: bool,
}

impl Strategy for Dice {
    fn describe() -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .parameter(
                Parameter::decimal("size", "Quantity of each order, in the base coin.", "0.00001", "1000")
                    .default_value("0.01"),
            )
            .parameter(
                Parameter::integer("every", "Trades between two throws.", 1, 1_000_000).default_value("20"),
            )
            .subscribe(Stream::Trades)
            .snapshot_version(1)
    }

    fn new(setup: &Setup) -> Result<Self, InitError> {
        let [instrument] = setup.instruments.as_slice() else {
            return Err(InitError::Other("dice trades one instrument".to_owned()));
        };
        let size = instrument.round_down_to_step(setup.quantity("size", instrument)?);
        Ok(Self { size, every: setup.integer("every")?, seen: 0, long: false })
    }

    fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {
        self.seen = self.seen.saturating_add(1);
        if self.seen < self.every {
            return;
        }
        self.seen = 0;
        let throw = wasi::throw();
        wasi::say(&format!("at {} s the die shows {throw}\n", wasi::seconds()));
        if throw % 2 == 1 {
            return;
        }
        if self.long {
            ctx.sell(trade.instrument).market(self.size).reduce_only();
        } else {
            ctx.buy(trade.instrument).market(self.size);
        }
        self.long = !self.long;
    }

    fn snapshot(&self) -> Vec<u8> {
        StateWriter::new().u32(self.seen).boolean(self.long).finish()
    }

    fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), RestoreError> {
        if version != 1 {
            return Err(RestoreError::UnsupportedVersion);
        }
        let mut state = StateReader::new(bytes);
        (self.seen, self.long) = (state.u32()?, state.boolean()?);
        state.finish()
    }
}

portcullis_sdk::export!(Dice);
