//! Commands to request bodies. Numbers are exact decimal texts of their mantissas.

use portcullis_core::{
    AmendOrder, CancelAll, CancelOrder, CancelScope, Category, Command, InstrumentSpec, LinkId, PlaceOrder,
    Price, Qty, SetProtection, Side, TimeInForce,
};
use portcullis_journal::JournaledCommand;
use portcullis_wire as wire;
use portcullis_wire::{OrderRequest, format_mantissa};

use crate::config::Slippage;

/// The request for a command on an instrument. `link` is the client id the journal minted; only a new order carries it.
///
/// # Errors
/// When it would be a market order that does not reduce: none leaves the gate, and none may leave the process.
pub(crate) fn request(
    command: &Command,
    link: &LinkId,
    spec: &InstrumentSpec,
    slippage: Slippage,
) -> Result<OrderRequest, EncodeError> {
    Ok(match command {
        Command::Place(place) => OrderRequest::Create(create(place, link, spec, slippage)?),
        Command::Amend(change) => OrderRequest::Amend(amend(change, spec)),
        Command::Cancel(order) => OrderRequest::Cancel(cancel(order, spec)),
        Command::CancelAll(all) => OrderRequest::CancelAll(cancel_all(all, spec)),
        Command::SetProtection(protection) => OrderRequest::TradingStop(trading_stop(protection, spec)),
    })
}

/// The request for a journaled command on its instrument.
///
/// # Errors
/// When it would be a market order that does not reduce.
pub fn encode(
    command: &JournaledCommand,
    spec: &InstrumentSpec,
    slippage: Slippage,
) -> Result<OrderRequest, EncodeError> {
    request(command.command(), command.link(), spec, slippage)
}

/// A command that must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Only reductions may go without a price.
    #[error("a market order that is not reduce-only")]
    UnboundedMarket,
}

fn create(
    place: &PlaceOrder,
    link: &LinkId,
    spec: &InstrumentSpec,
    slippage: Slippage,
) -> Result<wire::CreateOrder, EncodeError> {
    let linear = spec.category == Category::Linear;
    let protected = place.take_profit.is_some() || place.stop_loss.is_some();
    let mut order = wire::CreateOrder {
        category: category(spec.category),
        symbol: spec.symbol.as_str().to_owned(),
        side: side(place.side),
        qty: quantity(place.quantity, spec),
        order_link_id: Some(link.as_str().to_owned()),
        // Only the taking order's flag counts, so every order carries it.
        smp_type: Some(wire::SmpType::CancelTaker),
        take_profit: place.take_profit.map(|p| price(p, spec)),
        stop_loss: place.stop_loss.map(|p| price(p, spec)),
        ..wire::CreateOrder::default()
    };
    match place.price {
        Some(limit) => {
            order.order_type = wire::OrderType::Limit;
            order.price = Some(price(limit, spec));
            order.time_in_force = Some(time_in_force(place.time_in_force));
        }
        None if place.reduce_only => {
            order.order_type = wire::OrderType::Market;
            order.slippage_tolerance_type = Some(wire::SlippageToleranceType::Percent);
            order.slippage_tolerance = Some(slippage.to_string());
        }
        None => return Err(EncodeError::UnboundedMarket),
    }
    if let Some(trigger) = place.trigger {
        order.trigger_price = Some(price(trigger.price, spec));
        if linear {
            order.trigger_direction = Some(if trigger.rising { 1 } else { 2 });
            order.trigger_by = Some(wire::TriggerBy::LastPrice);
        }
    }
    if linear {
        order.position_idx = Some(0);
        order.reduce_only = place.reduce_only.then_some(true);
        order.tpsl_mode = protected.then_some(wire::TpslMode::Full);
    } else {
        // Spot knows no reduce-only: the gate sells only what the ledger says is ours (RULES G8).
        order.is_leverage = Some(0);
        order.market_unit = place.price.is_none().then_some(wire::MarketUnit::BaseCoin);
        order.order_filter = place.trigger.map(|_| wire::OrderFilter::StopOrder);
    }
    Ok(order)
}

fn amend(change: &AmendOrder, spec: &InstrumentSpec) -> wire::AmendOrder {
    wire::AmendOrder {
        category: category(spec.category),
        symbol: spec.symbol.as_str().to_owned(),
        order_link_id: Some(change.link.as_str().to_owned()),
        qty: change.quantity.map(|q| quantity(q, spec)),
        price: change.price.map(|p| price(p, spec)),
        ..wire::AmendOrder::default()
    }
}

fn cancel(order: &CancelOrder, spec: &InstrumentSpec) -> wire::CancelOrder {
    wire::CancelOrder {
        category: category(spec.category),
        symbol: spec.symbol.as_str().to_owned(),
        order_link_id: Some(order.link.as_str().to_owned()),
        ..wire::CancelOrder::default()
    }
}

/// Protection of the position is a trading stop and never among these (RULES G8).
fn cancel_all(all: &CancelAll, spec: &InstrumentSpec) -> wire::CancelAll {
    let (filter, stop) = match all.scope {
        CancelScope::Entries => (wire::OrderFilter::Order, None),
        CancelScope::Conditional => (wire::OrderFilter::StopOrder, Some(wire::StopOrderType::Stop)),
    };
    wire::CancelAll {
        category: category(spec.category),
        symbol: Some(spec.symbol.as_str().to_owned()),
        order_filter: Some(filter),
        stop_order_type: stop.filter(|_| spec.category == Category::Linear),
        ..wire::CancelAll::default()
    }
}

fn trading_stop(protection: &SetProtection, spec: &InstrumentSpec) -> wire::TradingStop {
    wire::TradingStop {
        category: category(spec.category),
        symbol: spec.symbol.as_str().to_owned(),
        tpsl_mode: Some(wire::TpslMode::Full),
        position_idx: Some(0),
        take_profit: protection.take_profit.map(|p| price(p, spec)),
        stop_loss: protection.stop_loss.map(|p| price(p, spec)),
        ..wire::TradingStop::default()
    }
}

fn price(price: Price, spec: &InstrumentSpec) -> String {
    format_mantissa(price.0, spec.price_decimals)
}

fn quantity(quantity: Qty, spec: &InstrumentSpec) -> String {
    format_mantissa(quantity.0, spec.quantity_decimals)
}

/// The venue's word for a market.
pub(crate) fn category(category: Category) -> wire::Category {
    match category {
        Category::Linear => wire::Category::Linear,
        Category::Spot => wire::Category::Spot,
    }
}

fn side(side: Side) -> wire::Side {
    match side {
        Side::Buy => wire::Side::Buy,
        Side::Sell => wire::Side::Sell,
    }
}

fn time_in_force(time_in_force: TimeInForce) -> wire::TimeInForce {
    match time_in_force {
        TimeInForce::Gtc => wire::TimeInForce::Gtc,
        TimeInForce::Ioc => wire::TimeInForce::Ioc,
        TimeInForce::Fok => wire::TimeInForce::Fok,
        TimeInForce::PostOnly => wire::TimeInForce::PostOnly,
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{InstrumentId, OrderId, Trigger};

    use super::*;
    use crate::table::tests::spec;

    fn place() -> PlaceOrder {
        PlaceOrder {
            order: OrderId(1),
            instrument: InstrumentId(1),
            side: Side::Buy,
            quantity: Qty(10),
            price: Some(Price(600_001)),
            time_in_force: TimeInForce::PostOnly,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
        }
    }

    fn body(command: &Command, category: Category) -> String {
        let link = "p001000000007-AAgQGCAoMDhASFBYYGhweI".parse().unwrap();
        let request = request(command, &link, &spec(category), Slippage::new(50).unwrap()).unwrap();
        String::from_utf8(request.body().unwrap()).unwrap()
    }

    #[test]
    fn a_limit_order_is_exact_and_named() {
        assert_eq!(
            body(&Command::Place(place()), Category::Linear),
            r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.01","price":"60000.1","timeInForce":"PostOnly","positionIdx":0,"orderLinkId":"p001000000007-AAgQGCAoMDhASFBYYGhweI","smpType":"CancelTaker"}"#
        );
    }

    #[test]
    fn only_a_reduction_goes_without_a_price_and_then_with_a_bound() {
        let bare = PlaceOrder { price: None, ..place() };
        let link = "x".parse().unwrap();
        let refused = request(
            &Command::Place(bare.clone()),
            &link,
            &spec(Category::Linear),
            Slippage::new(50).unwrap(),
        );
        assert_eq!(refused, Err(EncodeError::UnboundedMarket));
        let text = body(&Command::Place(PlaceOrder { reduce_only: true, ..bare }), Category::Linear);
        assert!(text.contains(r#""orderType":"Market""#) && text.contains(r#""reduceOnly":true"#));
        assert!(text.contains(r#""slippageToleranceType":"Percent","slippageTolerance":"0.5""#));
    }

    #[test]
    fn conditional_orders_name_their_direction() {
        let order = PlaceOrder { trigger: Some(Trigger { price: Price(590_000), rising: false }), ..place() };
        let text = body(&Command::Place(order), Category::Linear);
        assert!(
            text.contains(r#""triggerPrice":"59000","triggerDirection":2,"triggerBy":"LastPrice""#),
            "{text}"
        );
    }

    #[test]
    fn halts_never_touch_protection() {
        let all = |scope| Command::CancelAll(CancelAll { instrument: InstrumentId(1), scope });
        assert_eq!(
            body(&all(CancelScope::Entries), Category::Linear),
            r#"{"category":"linear","symbol":"BTCUSDT","orderFilter":"Order"}"#
        );
        assert_eq!(
            body(&all(CancelScope::Conditional), Category::Linear),
            r#"{"category":"linear","symbol":"BTCUSDT","orderFilter":"StopOrder","stopOrderType":"Stop"}"#
        );
    }

    #[test]
    fn only_what_changes_is_sent() {
        let link: LinkId = "p0010".parse().unwrap();
        let change = AmendOrder {
            order: OrderId(1),
            instrument: InstrumentId(1),
            link,
            price: Some(Price(600_002)),
            quantity: None,
        };
        assert_eq!(
            body(&Command::Amend(change), Category::Linear),
            r#"{"category":"linear","symbol":"BTCUSDT","orderLinkId":"p0010","price":"60000.2"}"#
        );
    }

    #[test]
    fn spot_orders_borrow_nothing() {
        let text = body(&Command::Place(place()), Category::Spot);
        assert!(
            text.contains(r#""isLeverage":0"#)
                && !text.contains("positionIdx")
                && !text.contains("reduceOnly")
        );
    }
}
