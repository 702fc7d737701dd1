//! The prices at which the venue takes orders. They move with the mark price, so they are asked for again and again: at most ten questions a
//! second, which is a twelfth of what an address may ask, and so every two seconds for twenty instruments or every ten for a hundred.

use core::time::Duration;
use std::sync::Arc;

use portcullis_core::{InstrumentSpec, Price, PriceLimit, Rounding, Timestamp};
use portcullis_gateway::VenueEvent;
use portcullis_wire as wire;
use portcullis_wire::{amount, millis};
use tokio::time::{Instant, sleep_until};

use crate::counters::Counter;
use crate::decode::{Quarantine, in_time, member};
use crate::rest::QueryError;
use crate::shared::Shared;

/// Between two questions.
const PACE: Duration = Duration::from_millis(100);

/// Between two questions about the same instrument.
const ROUND: Duration = Duration::from_secs(2);

/// Asks, for ever.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let failures = Counter::default();
    loop {
        let round = later(ROUND);
        let followed = shared.followed();
        for listing in followed.table().iter() {
            let next = later(PACE);
            ask(&shared, &listing.spec, &failures).await;
            sleep_until(next).await;
        }
        sleep_until(round).await;
    }
}

async fn ask(shared: &Shared, spec: &InstrumentSpec, failures: &Counter) {
    let answer = shared.rest.price_limit(spec.category, spec.symbol.as_str()).await;
    match answer.map(|row| read(spec, &row, shared.now())) {
        Ok(Ok(limit)) => shared.events.push(VenueEvent::PriceLimit(limit)),
        Ok(Err(quarantine)) => shared.quarantined(&quarantine),
        // It is told already that nothing may be asked.
        Err(QueryError::Banned) => {}
        Err(error) => {
            if failures.count() {
                tracing::warn!(symbol = %spec.symbol, %error, "price limits cannot be read: new orders wait for them");
            }
        }
    }
}

/// Types one answer. What is finer than the instrument's decimals is rounded to the strict side.
fn read(spec: &InstrumentSpec, row: &wire::PriceLimit, now: Timestamp) -> Result<PriceLimit, Quarantine> {
    if row.symbol != spec.symbol.as_str() {
        return Err(member("symbol", &row.symbol));
    }
    let price = |name, text: &str, rounding| {
        let price = amount(text).ok().and_then(|price| price.to_price(spec.price_decimals, rounding));
        price.filter(|price| price.0 > 0).ok_or_else(|| member(name, text))
    };
    let highest_bid: Price = price("buyLmt", &row.buy_lmt, Rounding::Down)?;
    let lowest_ask = price("sellLmt", &row.sell_lmt, Rounding::Up)?;
    if lowest_ask > highest_bid {
        return Err(member("sellLmt", &row.sell_lmt));
    }
    let computed = millis(&row.ts).ok_or_else(|| member("ts", &row.ts))?;
    in_time(computed, now)?;
    // An answer out of somebody's cache is as old as it says.
    Ok(PriceLimit { instrument: spec.id, highest_bid, lowest_ask, at: computed.min(now) })
}

fn later(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use portcullis_core::Category;

    use super::*;
    use crate::table::tests::spec;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn row(changes: serde_json::Value) -> wire::PriceLimit {
        let mut row = serde_json::json!({
            "symbol": "BTCUSDT", "buyLmt": "63000.05", "sellLmt": "57000.01", "ts": "1799999999000"
        });
        row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn limits_are_rounded_to_the_strict_side() {
        let limit = read(&spec(Category::Linear), &row(serde_json::json!({})), NOW).unwrap();
        assert_eq!((limit.highest_bid, limit.lowest_ask), (Price(630_000), Price(570_001)));
        assert_eq!(limit.at, Timestamp::from_millis(1_799_999_999_000), "as old as the venue says");
        let ahead =
            read(&spec(Category::Spot), &row(serde_json::json!({"ts": "1800000000900"})), NOW).unwrap();
        assert_eq!(ahead.at, NOW);
    }

    #[test]
    fn limits_that_cannot_be_are_quarantined() {
        for changes in [
            serde_json::json!({"symbol": "ETHUSDT"}),
            serde_json::json!({"buyLmt": ""}),
            serde_json::json!({"buyLmt": "0"}),
            serde_json::json!({"buyLmt": "99999999999999999999"}),
            serde_json::json!({"sellLmt": "-57000"}),
            serde_json::json!({"sellLmt": "0"}),
            serde_json::json!({"sellLmt": "63001"}),
            serde_json::json!({"ts": "now"}),
            serde_json::json!({"ts": "1800000061000"}),
        ] {
            assert!(read(&spec(Category::Linear), &row(changes.clone()), NOW).is_err(), "{changes}");
        }
    }
}
