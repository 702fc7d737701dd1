//! Files of public trades.

use portcullis_core::{Category, InstrumentSpec, Timestamp};

use super::csv::{Row, trade};
use super::{DataError, Lines, Recording};
use crate::listing::Listing;

/// `market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side[,order_type]`: `usdm` is linear, `spot` is spot,
/// coin-margined rows are counted and left out (RULES P1).
pub(super) fn binance(
    lines: &mut Lines,
    header: &str,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    const HEADER: &str = "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side";
    check_header(lines, header, HEADER)?;
    while let Some(line) = lines.next()? {
        let row = Row::new(lines, &line, 9)?;
        let category = match row.text(0) {
            "usdm" => Category::Linear,
            "spot" => Category::Spot,
            "cm" => {
                into.skipped = into.skipped.saturating_add(1);
                continue;
            }
            other => return Err(row.bad("market", format!("{other:?} is none of usdm, spot, cm"))),
        };
        let spec = listed(&row, listing, category, row.text(1))?;
        let time = row.millis(4, "trade_ms")?;
        let price = row.price(6, "price", spec)?;
        let quantity = row.quantity(7, "qty", spec)?;
        let event = trade(spec, time, price, quantity, row.side(8, "taker_side")?);
        lines.push(into, event)?;
    }
    Ok(())
}

/// `timestamp,symbol,side,size,price,tickDirection,trdMatchID,…` of public.bybit.com: linear, time in seconds with decimals, newest
/// or oldest first.
pub(super) fn bybit(
    lines: &mut Lines,
    header: &str,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    check_header(lines, header, "timestamp,symbol,side,size,price")?;
    while let Some(line) = lines.next()? {
        let row = Row::new(lines, &line, 5)?;
        let seconds = row.amount(0, "timestamp")?;
        // 1e-18 of a second to nanoseconds.
        let nanos = u64::try_from(seconds.0.div_euclid(1_000_000_000)).ok();
        let in_seconds =
            |nanos: &u64| (1_000_000_000_000_000_000..10_000_000_000_000_000_000).contains(nanos);
        let Some(nanos) = nanos.filter(in_seconds) else {
            return Err(row.bad("timestamp", format!("{} is no time in seconds since 1970", row.text(0))));
        };
        let spec = listed(&row, listing, Category::Linear, row.text(1))?;
        let price = row.price(4, "price", spec)?;
        let quantity = row.quantity(3, "size", spec)?;
        let event = trade(spec, Timestamp(nanos), price, quantity, row.side(2, "side")?);
        lines.push(into, event)?;
    }
    Ok(())
}

/// `id,timestamp,price,volume,side[,rpi]` of public.bybit.com/spot: time in milliseconds; the file's name says of what.
pub(super) fn bybit_spot(
    lines: &mut Lines,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    let symbol = lines.words().find(|word| Listing::knows(word));
    let id = symbol.and_then(|symbol| listing.list(Category::Spot, &symbol));
    let Some(spec) = id.and_then(|id| listing.get(id)) else {
        return Err(DataError::NoSymbol { file: lines.file.clone() });
    };
    while let Some(line) = lines.next()? {
        let row = Row::new(lines, &line, 5)?;
        let time = row.millis(1, "timestamp")?;
        let price = row.price(2, "price", spec)?;
        let quantity = row.quantity(3, "volume", spec)?;
        let event = trade(spec, time, price, quantity, row.side(4, "side")?);
        lines.push(into, event)?;
    }
    Ok(())
}

fn check_header(lines: &Lines, header: &str, expected: &str) -> Result<(), DataError> {
    if header.starts_with(expected) {
        Ok(())
    } else {
        Err(lines.bad("line", format!("the header must begin {expected}")))
    }
}

fn listed<'a>(
    row: &Row<'_>,
    listing: &'a mut Listing,
    category: Category,
    symbol: &str,
) -> Result<&'a InstrumentSpec, DataError> {
    let id = listing.list(category, symbol);
    id.and_then(|id| listing.get(id))
        .ok_or_else(|| row.bad("symbol", format!("no trading rules for {symbol:?}")))
}
