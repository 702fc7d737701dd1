//! Private rows to core reports. A row that does not fit is quarantined: the caller counts and logs it, and goes on.

mod words;

use portcullis_core::{
    AccountMode, Amount, Category, CreatedBy, ExecId, Execution, ExecutionKind, InstrumentSpec, LinkId,
    MarginMode, OrderReport, PositionReport, Price, Qty, Rate, Rounding, SignedQty, Span, SpotBalance,
    Timestamp, VenueOrderId, WalletReport, notional,
};
use portcullis_wire as wire;
use portcullis_wire::{amount, mantissa, millis};

use crate::table::{InstrumentTable, Listing};

use words::{created_by, kind, made_by, reason, side, status};

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// An instrument we do not follow.
    #[error("an instrument we do not follow")]
    OtherInstrument,
    /// A member cannot be read.
    #[error("{member} is `{value}`")]
    Member {
        /// Which.
        member: &'static str,
        /// What it says, at most 256 bytes.
        value: String,
    },
    /// An amount is out of range.
    #[error("an amount is out of range")]
    OutOfRange,
}

pub(crate) fn member(member: &'static str, value: &str) -> Quarantine {
    let shown = value.get(..value.floor_char_boundary(64)).unwrap_or_default();
    Quarantine::Member { member, value: shown.to_owned() }
}

/// The venue's clock and ours are never further apart than this while anything is traded.
const AHEAD_MAX: Span = Span::from_secs(60);

/// Whether a row's time can be. One from far ahead would make everything after it look old: later reports would be passed over, and
/// what was missed asked for from then on only.
pub(crate) fn in_time(at: Timestamp, now: Timestamp) -> Result<(), Quarantine> {
    if at.since(now) > AHEAD_MAX { Err(member("time", &at.millis().to_string())) } else { Ok(()) }
}

/// A number of which only positive ones make sense: a row with another is as wrong as one without any.
fn positive(name: &'static str, text: &str, decimals: u8) -> Result<i64, Quarantine> {
    mantissa(text, decimals).ok().filter(|value| *value > 0).ok_or_else(|| member(name, text))
}

/// A number that may be zero, and never negative; an empty text is zero.
fn not_negative(name: &'static str, text: &str, decimals: u8) -> Result<i64, Quarantine> {
    let value = mantissa(zero_if_empty(text), decimals);
    value.ok().filter(|value| *value >= 0).ok_or_else(|| member(name, text))
}

/// The market of a row: the stream names it, a query's caller knows it.
fn listing<'t>(
    table: &'t InstrumentTable,
    named: Option<&wire::Category>,
    asked: Option<Category>,
    symbol: &str,
) -> Result<&'t Listing, Quarantine> {
    let category = match named {
        Some(wire::Category::Linear) => Some(Category::Linear),
        Some(wire::Category::Spot) => Some(Category::Spot),
        Some(wire::Category::Inverse | wire::Category::Option | wire::Category::Other(_)) => None,
        None => asked,
    };
    category.and_then(|category| table.find(category, symbol)).ok_or(Quarantine::OtherInstrument)
}

/// An order of a query about `asked`, or of the stream.
pub(crate) fn order(
    table: &InstrumentTable,
    row: &wire::Order,
    asked: Option<Category>,
) -> Result<OrderReport, Quarantine> {
    let spec = &listing(table, row.category.as_ref(), asked, &row.symbol)?.spec;
    let status = status(&row.order_status).ok_or_else(|| member("orderStatus", row.order_status.as_str()))?;
    let price = match row.order_type {
        wire::OrderType::Limit => Some(Price(positive("price", &row.price, spec.price_decimals)?)),
        wire::OrderType::Market | wire::OrderType::Unknown | wire::OrderType::Other(_) => None,
    };
    // A stop of the whole position has quantity zero until it is triggered.
    let quantity = |name, text: &str| match text {
        "" => Err(member(name, text)),
        text => not_negative(name, text, spec.quantity_decimals).map(Qty),
    };
    Ok(OrderReport {
        link: link(&row.order_link_id),
        venue_order: venue_order(&row.order_id)?,
        instrument: spec.id,
        side: side(&row.side).ok_or_else(|| member("side", row.side.as_str()))?,
        status,
        price,
        quantity: quantity("qty", &row.qty)?,
        executed: quantity("cumExecQty", zero_if_empty(&row.cum_exec_qty))?,
        reason: reason(status, &row.cancel_type, &row.reject_reason),
        reduce_only: row.reduce_only,
        created_by: created_by(row),
        venue_time: time("updatedTime", &row.updated_time)?,
    })
}

/// An execution of a query about `asked`, or of the stream.
pub(crate) fn execution(
    table: &InstrumentTable,
    row: &wire::Execution,
    asked: Option<Category>,
) -> Result<Execution, Quarantine> {
    let listing = listing(table, row.category.as_ref(), asked, &row.symbol)?;
    let spec = &listing.spec;
    let kind = kind(&row.exec_type).ok_or_else(|| member("execType", row.exec_type.as_str()))?;
    let price_text = match kind {
        // A mark price may be finer than the tick; the payment is in the fee, so the price may lose digits.
        ExecutionKind::Funding => cut(&row.exec_price, spec.price_decimals),
        ExecutionKind::Trade
        | ExecutionKind::Deleveraging
        | ExecutionKind::Liquidation
        | ExecutionKind::Settlement => row.exec_price.as_str(),
    };
    let price = Price(match kind {
        // Below one tick nothing is left of it.
        ExecutionKind::Funding => not_negative("execPrice", price_text, spec.price_decimals)?,
        ExecutionKind::Trade
        | ExecutionKind::Deleveraging
        | ExecutionKind::Liquidation
        | ExecutionKind::Settlement => positive("execPrice", price_text, spec.price_decimals)?,
    });
    let quantity = Qty(positive("execQty", &row.exec_qty, spec.quantity_decimals)?);
    let fee = fee(listing, row)?;
    if !is_plausible(fee, price, quantity, spec) {
        return Err(member("execFee", &row.exec_fee));
    }
    Ok(Execution {
        exec: row.exec_id.parse::<ExecId>().map_err(|_| member("execId", &row.exec_id))?,
        kind,
        link: link(&row.order_link_id),
        venue_order: venue_order(&row.order_id)?,
        instrument: spec.id,
        side: side(&row.side).ok_or_else(|| member("side", row.side.as_str()))?,
        price,
        quantity,
        fee,
        fee_quantity: fee_quantity(listing, row)?,
        maker: row.is_maker,
        created_by: made_by(&row.create_type).unwrap_or(CreatedBy::Client),
        venue_time: time("execTime", &row.exec_time)?,
    })
}

/// Whether a fee, a rebate or a funding payment is no larger than what was traded. The venue's highest rates are a few percent.
fn is_plausible(fee: Amount, price: Price, quantity: Qty, spec: &InstrumentSpec) -> bool {
    // One tick more: a funding price was cut to the tick.
    let highest = price.checked_add(Price(1));
    let value = highest.and_then(|price| {
        notional(price, spec.price_decimals, quantity, spec.quantity_decimals, Rounding::Up)
    });
    value.is_some_and(|value| fee.saturating_abs() <= value)
}

/// A one-way position of the stream.
pub(crate) fn position(table: &InstrumentTable, row: &wire::Position) -> Result<PositionReport, Quarantine> {
    if row.position_idx != 0 {
        return Err(member("positionIdx", &row.position_idx.to_string()));
    }
    position_of_any_mode(table, row)
}

/// A position of a query about linear contracts; in hedge mode an instrument has two.
pub(crate) fn position_of_any_mode(
    table: &InstrumentTable,
    row: &wire::Position,
) -> Result<PositionReport, Quarantine> {
    let spec = &listing(table, row.category.as_ref(), Some(Category::Linear), &row.symbol)?.spec;
    let size = match row.size.as_str() {
        "" => return Err(member("size", "")),
        text => not_negative("size", text, spec.quantity_decimals)?,
    };
    let quantity = match row.side {
        wire::Side::Buy => size,
        wire::Side::Sell => size.checked_neg().ok_or(Quarantine::OutOfRange)?,
        wire::Side::Flat if size == 0 => 0,
        wire::Side::Flat | wire::Side::Other(_) => return Err(member("side", row.side.as_str())),
    };
    let average = if quantity == 0 { "0" } else { row.average() };
    let average_price = amount(average).map_err(|_| member("avgPrice", average))?;
    if average_price.is_negative() || (quantity != 0 && average_price == Amount::ZERO) {
        return Err(member("avgPrice", average));
    }
    Ok(PositionReport {
        instrument: spec.id,
        quantity: SignedQty(quantity),
        average_price,
        stop_loss: stop_loss(&row.stop_loss, spec)?,
        venue_time: millis(&row.updated_time).unwrap_or_default(),
    })
}

/// The wallet: the USDT coin's equity and balance, what the whole account has free for new orders, and the coins of the spot instruments
/// followed. A coin that a query's answer leaves out is one that the account has none of.
pub(crate) fn wallet(
    table: &InstrumentTable,
    row: &wire::Wallet,
    venue_time: Timestamp,
) -> Result<WalletReport, Quarantine> {
    let none = wire::WalletCoin::default();
    let coin = row.coin.iter().find(|coin| coin.coin == "USDT").unwrap_or(&none);
    let money = |name, text: &str| amount(zero_if_empty(text)).map_err(|_| member(name, text));
    let balance = money("walletBalance", &coin.wallet_balance)?;
    let available = if row.total_available_balance.is_empty() {
        // Isolated and portfolio margin leave the account's figure out: balance less everything that binds it.
        let bound = [&coin.total_position_im, &coin.total_order_im, &coin.locked, &coin.bonus];
        bound.into_iter().try_fold(balance, |left, text| {
            left.0.checked_sub(money("totalPositionIM", text)?.0).map(Amount).ok_or(Quarantine::OutOfRange)
        })?
    } else {
        money("totalAvailableBalance", &row.total_available_balance)?
    };
    let equity = money("equity", &coin.equity)?;
    let (initial_margin, maintenance_margin) = match states_no_account_margin(row) {
        true => coin_margins(coin, equity),
        false => (margin_rate(&row.account_im_rate), margin_rate(&row.account_mm_rate)),
    };
    let spot = spot(table, row)?;
    Ok(WalletReport { equity, balance, available, initial_margin, maintenance_margin, spot, venue_time })
}

/// What the wallet holds of each followed spot instrument's coin, by instrument.
fn spot(table: &InstrumentTable, row: &wire::Wallet) -> Result<Vec<SpotBalance>, Quarantine> {
    let mut balances = Vec::new();
    for listing in table.iter().filter(|listing| listing.spec.category == Category::Spot) {
        let Some(coin) = row.coin.iter().find(|coin| coin.coin == listing.base_coin) else { continue };
        let text = zero_if_empty(&coin.wallet_balance);
        let held = amount(text)
            .ok()
            .and_then(|held| held.to_quantity(listing.spec.quantity_decimals, Rounding::Down));
        let quantity = SignedQty(held.ok_or_else(|| member("walletBalance", text))?.0);
        balances.push(SpotBalance { instrument: listing.spec.id, quantity });
    }
    balances.sort_by_key(|balance| balance.instrument);
    Ok(balances)
}

/// A rate of the account as the venue states it. A negative one is none.
fn margin_rate(text: &str) -> Option<Rate> {
    Rate::parse(text).ok().filter(|rate| rate.0 >= 0)
}

/// In isolated margin the venue leaves out everything that is about the account as a whole. Where only some of it is missing, nothing
/// may be put in its place.
fn states_no_account_margin(row: &wire::Wallet) -> bool {
    [
        &row.account_im_rate,
        &row.account_mm_rate,
        &row.total_margin_balance,
        &row.total_initial_margin,
        &row.total_maintenance_margin,
    ]
    .into_iter()
    .all(String::is_empty)
}

/// What takes the place of the account's margin rates in isolated margin, both by the USDT coin's record of the wallet: initial is
/// (`totalPositionIM` + `totalOrderIM`) / `equity`, maintenance is `totalPositionMM` / `equity`, rounded up. Each position of an isolated
/// account has its own margin, all of it comes out of this coin, and so the sums are what is bound of it. `None` where a part is not
/// stated or the coin has no equity.
fn coin_margins(coin: &wire::WalletCoin, equity: Amount) -> (Option<Rate>, Option<Rate>) {
    let part = |text: &str| amount(text).ok().filter(|amount| !amount.is_negative());
    let bound = || part(&coin.total_position_im)?.checked_add(part(&coin.total_order_im)?);
    (
        bound().and_then(|bound| share(bound, equity)),
        part(&coin.total_position_mm).and_then(|maintenance| share(maintenance, equity)),
    )
}

/// `part` over `whole`, rounded up; `None` when the whole is not positive or the rate does not fit.
fn share(part: Amount, whole: Amount) -> Option<Rate> {
    const RATE_ONE: i128 = 1_000_000_000_000;
    if whole <= Amount::ZERO {
        return None;
    }
    // What is below a millionth of a millionth of a dollar counts as one more in the part, and not in the whole.
    let part = part.0.checked_div(1_000_000)?.checked_add(i128::from(part.0 % 1_000_000 != 0))?;
    let whole = whole.0.checked_div(1_000_000).filter(|whole| *whole > 0)?;
    let up = part.checked_mul(RATE_ONE)?.checked_add(whole.checked_sub(1)?)?.checked_div(whole)?;
    i64::try_from(up).ok().map(Rate)
}

/// How the account is set up. Rows of positions with an index are those of hedge mode.
pub(crate) fn mode(info: &wire::AccountInfo, hedged: bool) -> Result<AccountMode, Quarantine> {
    let margin = match &info.margin_mode {
        wire::MarginMode::Isolated => MarginMode::Isolated,
        wire::MarginMode::Regular => MarginMode::Cross,
        wire::MarginMode::Portfolio => MarginMode::Portfolio,
        wire::MarginMode::Other(other) => return Err(member("marginMode", other)),
    };
    Ok(AccountMode { hedged, margin })
}

/// The venue writes "no stop" as an empty text or as zero.
fn stop_loss(text: &str, spec: &InstrumentSpec) -> Result<Option<Price>, Quarantine> {
    let price = not_negative("stopLoss", text, spec.price_decimals)?;
    Ok((price != 0).then_some(Price(price)))
}

/// The fee in the quote coin. A spot buy pays in the base coin, worth its quantity at the execution's price; a discount coin
/// is worth the rate on the value.
fn fee(listing: &Listing, row: &wire::Execution) -> Result<Amount, Quarantine> {
    let paid = amount(zero_if_empty(&row.exec_fee)).map_err(|_| member("execFee", &row.exec_fee))?;
    if row.fee_currency.is_empty() || row.fee_currency == listing.quote_coin {
        return Ok(paid);
    }
    if row.fee_currency == listing.base_coin {
        return times(paid, &row.exec_price, "execPrice");
    }
    let value = amount(zero_if_empty(&row.exec_value)).map_err(|_| member("execValue", &row.exec_value))?;
    times(value, zero_if_empty(&row.fee_rate), "feeRate")
}

/// What the fee took of a purchase in the base coin. A rebate there is left to the account: the books never hold more.
fn fee_quantity(listing: &Listing, row: &wire::Execution) -> Result<Qty, Quarantine> {
    if row.fee_currency.is_empty() || row.fee_currency != listing.base_coin {
        return Ok(Qty(0));
    }
    let paid = amount(zero_if_empty(&row.exec_fee)).map_err(|_| member("execFee", &row.exec_fee))?;
    let taken = paid.to_quantity(listing.spec.quantity_decimals, Rounding::Up);
    taken.map(|taken| Qty(taken.0.max(0))).ok_or(Quarantine::OutOfRange)
}

/// An amount times a decimal text of at most 12 decimals.
fn times(amount: Amount, factor: &str, name: &'static str) -> Result<Amount, Quarantine> {
    let factor = Rate::parse(factor).map_err(|_| member(name, factor))?;
    amount.checked_mul_rate(factor, Rounding::HalfEven).ok_or(Quarantine::OutOfRange)
}

fn link(text: &str) -> Option<LinkId> {
    text.parse().ok()
}

fn venue_order(text: &str) -> Result<VenueOrderId, Quarantine> {
    text.parse().map_err(|_| member("orderId", text))
}

fn time(name: &'static str, text: &str) -> Result<Timestamp, Quarantine> {
    millis(text).ok_or_else(|| member(name, text))
}

fn zero_if_empty(text: &str) -> &str {
    if text.is_empty() { "0" } else { text }
}

/// The text without the digits beyond `decimals`.
fn cut(text: &str, decimals: u8) -> &str {
    let Some(point) = text.find('.') else { return text };
    let end =
        if decimals == 0 { point } else { point.saturating_add(1).saturating_add(usize::from(decimals)) };
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
