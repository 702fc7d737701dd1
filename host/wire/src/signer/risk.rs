//! What a request could do to the account, told from its bytes alone: the signer asks nobody.

use core::fmt;

use super::order::OrderRequest;
use super::value::Value;
use crate::{
    AmendOrder, CancelAll, CancelOrder, Category, CreateOrder, MarketUnit, OrderFilter, OrderType, Side,
    SlippageToleranceType, SmpType, StopOrderType, TimeInForce, TpslMode, TradingStop, TriggerBy,
};

/// Longest client id, in bytes.
const LINK_BYTES_MAX: usize = 36;

/// Most cancels in one batch.
const BATCH_MAX: usize = 20;

/// What a request could do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Risk {
    /// Nothing but take orders away, reduce a position, or protect it.
    Reduces(Option<Order>),
    /// Add to what is at risk.
    Adds(Order),
    /// Change an order, which adds unless the order is known to reduce.
    Changes {
        /// The order's client id.
        link: String,
        /// Its market and symbol.
        instrument: String,
        /// The new price, where it changes.
        price: Option<Value>,
        /// The new quantity, where it changes.
        quantity: Option<Value>,
    },
    /// Take the stop of a position away.
    Unprotects {
        /// Market and symbol.
        instrument: String,
    },
}

/// A new order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) link: String,
    /// `linear:BTCUSDT`.
    pub(super) instrument: String,
    /// None for a market order.
    pub(super) price: Option<Value>,
    pub(super) quantity: Value,
}

/// A member that the client never sends, or not like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotOurs(pub(super) &'static str);

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing, not as the client sends it, or never sent by it", self.0)
    }
}

/// Reads a request's risk off its members. Every member that could matter is looked at, so that none adds risk unseen.
pub(super) fn risk(request: &OrderRequest) -> Result<Risk, NotOurs> {
    match request {
        OrderRequest::Create(create) => create_risk(create),
        OrderRequest::Amend(amend) => amend_risk(amend),
        OrderRequest::Cancel(cancel) => cancel_risk(cancel),
        OrderRequest::CancelAll(all) => cancel_all_risk(all),
        OrderRequest::TradingStop(stop) => stop_risk(stop),
        OrderRequest::CancelBatch(batch) => {
            market(&batch.category)?;
            check("request", !batch.request.is_empty() && batch.request.len() <= BATCH_MAX)?;
            for cancel in &batch.request {
                cancel_risk(cancel)?;
            }
            Ok(Risk::Reduces(None))
        }
    }
}

fn create_risk(create: &CreateOrder) -> Result<Risk, NotOurs> {
    let market = market(&create.category)?;
    let linear = create.category == Category::Linear;
    let unused = [
        ("closeOnTrigger", create.close_on_trigger.is_none()),
        ("tpTriggerBy", create.tp_trigger_by.is_none()),
        ("slTriggerBy", create.sl_trigger_by.is_none()),
        ("bboSideType", create.bbo_side_type.is_none()),
        ("tpOrderType", create.tp_order_type.is_none()),
        ("slOrderType", create.sl_order_type.is_none()),
        ("tpLimitPrice", create.tp_limit_price.is_none()),
        ("slLimitPrice", create.sl_limit_price.is_none()),
        ("tpslMode", matches!(create.tpsl_mode, None | Some(TpslMode::Full))),
        ("smpType", matches!(create.smp_type, None | Some(SmpType::CancelTaker))),
        ("side", !matches!(create.side, Side::Other(_))),
        ("timeInForce", !matches!(create.time_in_force, Some(TimeInForce::Other(_)))),
        ("triggerBy", matches!(create.trigger_by, None | Some(TriggerBy::LastPrice))),
        (
            "slippageToleranceType",
            matches!(create.slippage_tolerance_type, None | Some(SlippageToleranceType::Percent)),
        ),
        ("marketUnit", matches!(create.market_unit, None | Some(MarketUnit::BaseCoin))),
        ("positionIdx", create.position_idx == linear.then_some(0)),
        // Borrowed coins would make a sale more than a reduction.
        ("isLeverage", create.is_leverage == (!linear).then_some(0)),
        ("reduceOnly", linear || create.reduce_only.is_none()),
    ];
    for (member, fits) in unused {
        check(member, fits)?;
    }
    let link = link(create.order_link_id.as_ref())?;
    let quantity = Value::read(&create.qty).ok_or(NotOurs("qty"))?;
    let price = match create.order_type {
        OrderType::Limit => Some(create.price.as_deref().and_then(Value::read).ok_or(NotOurs("price"))?),
        OrderType::Market => {
            check("price", create.price.is_none())?;
            None
        }
        OrderType::Unknown | OrderType::Other(_) => return Err(NotOurs("orderType")),
    };
    let instrument = instrument(market, &create.symbol)?;
    let order = Order { link, instrument, price, quantity };
    // What is sold on spot without borrowing is there already.
    let reduces = create.reduce_only == Some(true) || (!linear && create.side == Side::Sell);
    Ok(if reduces { Risk::Reduces(Some(order)) } else { Risk::Adds(order) })
}

fn amend_risk(amend: &AmendOrder) -> Result<Risk, NotOurs> {
    let market = market(&amend.category)?;
    let instrument = instrument(market, &amend.symbol)?;
    let link = link(amend.order_link_id.as_ref())?;
    let number = |member, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => Value::read(text).map(Some).ok_or(NotOurs(member)),
    };
    let (price, quantity) = (number("price", &amend.price)?, number("qty", &amend.qty)?);
    // Everything else of an order stays as it was signed.
    let alone = AmendOrder {
        category: amend.category.clone(),
        symbol: amend.symbol.clone(),
        order_link_id: amend.order_link_id.clone(),
        price: amend.price.clone(),
        qty: amend.qty.clone(),
        ..AmendOrder::default()
    };
    check("a member of amend", alone == *amend)?;
    check("price and qty", price.is_some() || quantity.is_some())?;
    Ok(Risk::Changes { link, instrument, price, quantity })
}

/// An order is cancelled under our name for it: the stop of a position, which the venue made, has none.
fn cancel_risk(cancel: &CancelOrder) -> Result<Risk, NotOurs> {
    market(&cancel.category)?;
    link(cancel.order_link_id.as_ref())?;
    check("orderId", cancel.order_id.is_none())?;
    let filters = matches!(cancel.order_filter, None | Some(OrderFilter::Order | OrderFilter::StopOrder));
    check("orderFilter", filters)?;
    Ok(Risk::Reduces(None))
}

/// All working orders, or all waiting conditions; never what protects a position (RULES G8).
fn cancel_all_risk(all: &CancelAll) -> Result<Risk, NotOurs> {
    market(&all.category)?;
    let conditions = (all.category == Category::Linear).then_some(&StopOrderType::Stop);
    match all.order_filter {
        Some(OrderFilter::Order) => check("stopOrderType", all.stop_order_type.is_none())?,
        Some(OrderFilter::StopOrder) => {
            check("stopOrderType", all.stop_order_type.as_ref() == conditions)?;
        }
        Some(OrderFilter::TpslOrder | OrderFilter::OpenOrder | OrderFilter::Other(_)) | None => {
            return Err(NotOurs("orderFilter"));
        }
    }
    Ok(Risk::Reduces(None))
}

fn stop_risk(stop: &TradingStop) -> Result<Risk, NotOurs> {
    let market = market(&stop.category)?;
    let instrument = instrument(market, &stop.symbol)?;
    let alone = TradingStop {
        category: stop.category.clone(),
        symbol: stop.symbol.clone(),
        tpsl_mode: Some(TpslMode::Full),
        position_idx: Some(0),
        take_profit: stop.take_profit.clone(),
        stop_loss: stop.stop_loss.clone(),
        ..TradingStop::default()
    };
    check("a member of trading-stop", alone == *stop)?;
    let removes = stop.stop_loss.as_deref().is_some_and(|text| Value::read(text).is_none());
    Ok(if removes { Risk::Unprotects { instrument } } else { Risk::Reduces(None) })
}

fn check(member: &'static str, fits: bool) -> Result<(), NotOurs> {
    if fits { Ok(()) } else { Err(NotOurs(member)) }
}

fn market(category: &Category) -> Result<&'static str, NotOurs> {
    match category {
        Category::Linear => Ok("linear"),
        Category::Spot => Ok("spot"),
        Category::Inverse | Category::Option | Category::Other(_) => Err(NotOurs("category")),
    }
}

fn instrument(market: &str, symbol: &str) -> Result<String, NotOurs> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    check("symbol", !symbol.is_empty() && symbol.len() <= 32 && symbol.bytes().all(plain))?;
    Ok(format!("{market}:{symbol}"))
}

fn link(link: Option<&String>) -> Result<String, NotOurs> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let fits = |link: &&String| !link.is_empty() && link.len() <= LINK_BYTES_MAX && link.bytes().all(plain);
    link.filter(fits).cloned().ok_or(NotOurs("orderLinkId"))
}

#[cfg(test)]
#[path = "risk_tests.rs"]
mod tests;
