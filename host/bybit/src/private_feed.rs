//! Frames of the private stream to execution reports.

use portcullis_core::{ExecutionReport, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{PrivateFrame, redact};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::decode::{self, Quarantine};
use crate::table::{InstrumentTable, Listing};

/// Decodes the private stream.
#[derive(Debug, Clone)]
pub struct PrivateFeed {
    table: InstrumentTable,
}

impl PrivateFeed {
    /// A feed of the listed instruments.
    pub fn new(listings: impl IntoIterator<Item = Listing>) -> Self {
        Self { table: InstrumentTable::new(listings) }
    }

    pub(crate) fn table(&self) -> &InstrumentTable {
        &self.table
    }

    /// Decodes one data frame, row by row, in the frame's order: a row that does not fit never hides the others.
    pub fn frame(&self, text: &str, emit: &mut impl FnMut(Result<ExecutionReport, Quarantine>)) {
        let frame: PrivateFrame<'_, &RawValue> = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return emit(Err(unreadable("frame", &error))),
        };
        for row in &frame.data {
            emit(self.row(frame.topic.as_ref(), frame.creation_time, row));
        }
    }

    fn row(&self, topic: &str, made_ms: u64, row: &RawValue) -> Result<ExecutionReport, Quarantine> {
        let table = &self.table;
        // A topic may name its market: `order.linear`.
        match topic.split('.').next().unwrap_or_default() {
            "order" => decode::order(table, &read(row)?, None).map(ExecutionReport::Order),
            "execution" => decode::execution(table, &read(row)?, None).map(ExecutionReport::Execution),
            "position" => decode::position(table, &read(row)?).map(ExecutionReport::Position),
            "wallet" => {
                let wallet: wire::Wallet = read(row)?;
                decode::wallet(table, &wallet, Timestamp::from_millis(made_ms)).map(ExecutionReport::Wallet)
            }
            _ => Err(Quarantine::Member { member: "topic", value: redact(topic, "") }),
        }
    }
}

fn read<T: DeserializeOwned>(row: &RawValue) -> Result<T, Quarantine> {
    serde_json::from_str(row.get()).map_err(|error| unreadable("row", &error))
}

fn unreadable(member: &'static str, error: &serde_json::Error) -> Quarantine {
    Quarantine::Member { member, value: redact(&error.to_string(), "") }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Category, Qty};

    use super::*;
    use crate::table::tests::spec;

    fn reports(text: &str) -> Vec<Result<ExecutionReport, Quarantine>> {
        let (base_coin, quote_coin) = ("BTC".to_owned(), "USDT".to_owned());
        let feed = PrivateFeed::new([Listing { spec: spec(Category::Linear), base_coin, quote_coin }]);
        let mut reports = Vec::new();
        feed.frame(text, &mut |report| reports.push(report));
        reports
    }

    #[test]
    fn a_bad_row_does_not_hide_the_others() {
        let row = |symbol: &str, id: &str| {
            format!(
                r#"{{"category":"linear","symbol":"{symbol}","orderId":"o","orderLinkId":"","side":"Buy","execId":"{id}",
                "execPrice":"100","execQty":"0.5","execType":"Trade","execFee":"0","execTime":"5"}}"#
            )
        };
        let rows =
            [row("BTCUSDT", "a"), r#"{"execTime":7}"#.to_owned(), row("DOGEUSDT", "b"), row("BTCUSDT", "c")];
        let text =
            format!(r#"{{"id":"1","topic":"execution","creationTime":5,"data":[{}]}}"#, rows.join(","));
        let reports = reports(&text);
        assert!(matches!(&reports[0], Ok(ExecutionReport::Execution(one)) if one.quantity == Qty(500)));
        assert!(matches!(&reports[1], Err(Quarantine::Member { member: "row", .. })));
        assert_eq!(reports[2], Err(Quarantine::OtherInstrument));
        assert!(reports[3].is_ok());
    }

    #[test]
    fn strange_frames_are_quarantined() {
        for text in ["", "[]", r#"{"topic":"greeks","data":[{}]}"#, r#"{"topic":"order","data":{}}"#] {
            assert!(matches!(reports(text).as_slice(), [Err(Quarantine::Member { .. })]), "{text}");
        }
    }
}
