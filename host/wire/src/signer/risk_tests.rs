use super::*;
use crate::{Batch, CancelAll};

fn limit() -> CreateOrder {
    CreateOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        side: Side::Buy,
        order_type: OrderType::Limit,
        qty: "0.01".to_owned(),
        price: Some("60000.1".to_owned()),
        time_in_force: Some(TimeInForce::PostOnly),
        position_idx: Some(0),
        order_link_id: Some("p001000000007-AAgQ".to_owned()),
        smp_type: Some(SmpType::CancelTaker),
        ..CreateOrder::default()
    }
}

fn spot(side: Side) -> CreateOrder {
    CreateOrder { category: Category::Spot, side, position_idx: None, is_leverage: Some(0), ..limit() }
}

fn of(create: CreateOrder) -> Result<Risk, NotOurs> {
    risk(&OrderRequest::Create(create))
}

#[test]
fn only_what_plainly_reduces_is_a_reduction() {
    assert!(matches!(of(limit()), Ok(Risk::Adds(order)) if order.instrument == "linear:BTCUSDT"));
    let reduce = CreateOrder { reduce_only: Some(true), ..limit() };
    assert!(matches!(of(reduce), Ok(Risk::Reduces(Some(_)))));
    let says_no = CreateOrder { reduce_only: Some(false), ..limit() };
    assert!(matches!(of(says_no), Ok(Risk::Adds(_))));
    assert!(matches!(of(spot(Side::Buy)), Ok(Risk::Adds(_))));
    assert!(matches!(of(spot(Side::Sell)), Ok(Risk::Reduces(Some(_)))));
    let market = CreateOrder { order_type: OrderType::Market, price: None, time_in_force: None, ..limit() };
    assert!(matches!(of(market), Ok(Risk::Adds(order)) if order.price.is_none()));
}

#[test]
fn a_member_that_could_hide_risk_is_refused() {
    type Change = fn(&mut CreateOrder);
    let changes: [(&str, Change); 15] = [
        ("isLeverage", |create| *create = CreateOrder { is_leverage: Some(1), ..spot(Side::Sell) }),
        ("reduceOnly", |create| *create = CreateOrder { reduce_only: Some(true), ..spot(Side::Buy) }),
        ("marketUnit", |create| create.market_unit = Some(MarketUnit::QuoteCoin)),
        ("positionIdx", |create| create.position_idx = Some(1)),
        ("bboSideType", |create| create.bbo_side_type = Some("Queue".to_owned())),
        ("closeOnTrigger", |create| create.close_on_trigger = Some(true)),
        ("tpslMode", |create| create.tpsl_mode = Some(TpslMode::Partial)),
        ("category", |create| create.category = Category::Inverse),
        ("side", |create| create.side = Side::from("Both")),
        ("orderType", |create| create.order_type = OrderType::from("Iceberg")),
        ("qty", |create| create.qty = "1e9".to_owned()),
        ("qty", |create| create.qty = "0".to_owned()),
        ("price", |create| create.price = None),
        ("orderLinkId", |create| create.order_link_id = None),
        ("symbol", |create| create.symbol = "BTC/USDT".to_owned()),
    ];
    for (member, change) in changes {
        let mut create = limit();
        change(&mut create);
        assert_eq!(of(create), Err(NotOurs(member)));
    }
}

#[test]
fn protection_can_be_set_but_not_cancelled() {
    let stop = |stop_loss: &str| TradingStop {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        tpsl_mode: Some(TpslMode::Full),
        position_idx: Some(0),
        stop_loss: Some(stop_loss.to_owned()),
        ..TradingStop::default()
    };
    assert_eq!(risk(&OrderRequest::TradingStop(stop("54000"))), Ok(Risk::Reduces(None)));
    for removed in ["0", "", "0.0"] {
        assert!(matches!(risk(&OrderRequest::TradingStop(stop(removed))), Ok(Risk::Unprotects { .. })));
    }
    let trailing = TradingStop { trailing_stop: Some("5".to_owned()), ..stop("54000") };
    assert!(risk(&OrderRequest::TradingStop(trailing)).is_err());

    let all = |filter: Option<OrderFilter>, kind: Option<StopOrderType>| {
        risk(&OrderRequest::CancelAll(CancelAll {
            category: Category::Linear,
            order_filter: filter,
            stop_order_type: kind,
            ..CancelAll::default()
        }))
    };
    assert!(all(Some(OrderFilter::Order), None).is_ok());
    assert!(all(Some(OrderFilter::StopOrder), Some(StopOrderType::Stop)).is_ok());
    // These would take the stops of positions with them.
    assert!(all(None, None).is_err());
    assert!(all(Some(OrderFilter::StopOrder), None).is_err());
    assert!(all(Some(OrderFilter::TpslOrder), None).is_err());
    assert!(all(Some(OrderFilter::StopOrder), Some(StopOrderType::StopLoss)).is_err());

    let cancel = CancelOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        order_link_id: Some("p001".to_owned()),
        ..CancelOrder::default()
    };
    assert!(risk(&OrderRequest::Cancel(cancel.clone())).is_ok());
    let stops = CancelOrder { order_link_id: None, order_id: Some("the-stop".to_owned()), ..cancel.clone() };
    assert!(risk(&OrderRequest::Cancel(stops.clone())).is_err());
    let batch = |request| OrderRequest::CancelBatch(Batch { category: Category::Linear, request });
    assert!(risk(&batch(vec![cancel.clone()])).is_ok());
    assert!(risk(&batch(vec![cancel, stops])).is_err());
    assert!(risk(&batch(Vec::new())).is_err());
}

#[test]
fn an_amend_changes_price_and_quantity_alone() {
    let amend = AmendOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        order_link_id: Some("p001".to_owned()),
        price: Some("60000".to_owned()),
        ..AmendOrder::default()
    };
    assert!(matches!(
        risk(&OrderRequest::Amend(amend.clone())),
        Ok(Risk::Changes { price: Some(_), quantity: None, .. })
    ));
    let nothing = AmendOrder { price: None, ..amend.clone() };
    assert!(risk(&OrderRequest::Amend(nothing)).is_err());
    let stop = AmendOrder { stop_loss: Some("0".to_owned()), ..amend };
    assert!(risk(&OrderRequest::Amend(stop)).is_err());
}
