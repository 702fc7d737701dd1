use portcullis_core::InstrumentId;

use portcullis_core::{CloseReason, VenueStatus};

use super::*;
use crate::table::tests::table;

fn order_row(changes: serde_json::Value) -> wire::Order {
    let mut row = serde_json::json!({
        "symbol": "BTCUSDT", "orderId": "f38c5e38", "orderLinkId": "p001", "side": "Buy", "orderStatus": "New",
        "orderType": "Limit", "price": "60000.10", "qty": "0.010", "cumExecQty": "0.000", "leavesQty": "0.010",
        "updatedTime": "1727433749095", "cancelType": "UNKNOWN", "rejectReason": "EC_NoError"
    });
    row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(row).unwrap()
}

fn decode(changes: serde_json::Value) -> Result<OrderReport, Quarantine> {
    order(&table(Category::Linear), &order_row(changes), Some(Category::Linear))
}

#[test]
fn an_order_becomes_a_report() {
    let report = decode(serde_json::json!({})).unwrap();
    assert_eq!(report.status, VenueStatus::Working);
    assert_eq!((report.price, report.quantity, report.executed), (Some(Price(600_001)), Qty(10), Qty(0)));
    assert_eq!(report.link.unwrap().as_str(), "p001");
    assert_eq!(report.reason, CloseReason::None);
}

#[test]
fn a_closed_order_counts_what_executed_not_what_is_left() {
    let report = decode(serde_json::json!({
        "orderStatus": "Cancelled", "cumExecQty": "0.004", "leavesQty": "0", "cancelType": "CancelByUser",
        "rejectReason": "EC_PerCancelRequest"
    }))
    .unwrap();
    assert_eq!((report.status, report.executed), (VenueStatus::Cancelled, Qty(4)));
    assert_eq!(report.reason, CloseReason::ByStrategy);
}

#[test]
fn closing_reasons() {
    let cases = [
        ("Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity", CloseReason::WouldTake),
        ("Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill", CloseReason::NoLiquidity),
        ("PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill", CloseReason::NoLiquidity),
        ("Cancelled", "CancelByReduceOnly", "EC_NoError", CloseReason::ReduceOnly),
        ("Cancelled", "CancelBySmp", "EC_NoError", CloseReason::SelfMatch),
        ("Cancelled", "CancelAllBeforeLiq", "EC_NoError", CloseReason::Liquidation),
        ("Cancelled", "CancelByUser", "EC_Whatever", CloseReason::ByStrategy),
        ("Rejected", "UNKNOWN", "EC_Whatever", CloseReason::Other),
        ("Filled", "CancelByUser", "EC_OrigClOrdIDDoesNotExist", CloseReason::None),
    ];
    for (status, cancel, reject, expected) in cases {
        let report = decode(serde_json::json!({
            "orderStatus": status, "cancelType": cancel, "rejectReason": reject
        }))
        .unwrap();
        assert_eq!(report.reason, expected, "{status} {cancel} {reject}");
    }
}

#[test]
fn what_does_not_fit_is_quarantined() {
    for changes in [
        serde_json::json!({"symbol": "ETHUSDT"}),
        serde_json::json!({"category": "inverse"}),
        serde_json::json!({"orderStatus": "Dreaming"}),
        serde_json::json!({"price": "60000.15"}),
        serde_json::json!({"qty": "1e3"}),
        serde_json::json!({"side": ""}),
        serde_json::json!({"orderId": ""}),
        serde_json::json!({"updatedTime": "yesterday"}),
    ] {
        assert!(decode(changes.clone()).is_err(), "{changes}");
    }
}

#[test]
fn an_order_with_numbers_that_no_order_has_is_quarantined() {
    for changes in [
        serde_json::json!({"price": "-60000.1"}),
        serde_json::json!({"price": "0"}),
        serde_json::json!({"price": "99999999999999999999"}),
        serde_json::json!({"qty": "-0.010"}),
        serde_json::json!({"qty": ""}),
        serde_json::json!({"qty": "99999999999999999999"}),
        serde_json::json!({"cumExecQty": "-0.001"}),
    ] {
        assert!(matches!(decode(changes.clone()), Err(Quarantine::Member { .. })), "{changes}");
    }
    // A stop of the whole position has no quantity yet.
    assert!(decode(serde_json::json!({"qty": "0", "orderType": "Market", "price": "0"})).is_ok());
}

#[test]
fn an_execution_with_numbers_that_no_execution_has_is_quarantined() {
    let decode = |changes: &serde_json::Value| {
        execution(&table(Category::Linear), &execution_row(changes.clone()), Some(Category::Linear))
    };
    for changes in [
        serde_json::json!({"execPrice": "-95900.1"}),
        serde_json::json!({"execPrice": "0"}),
        serde_json::json!({"execQty": "-0.5"}),
        serde_json::json!({"execQty": "0"}),
        serde_json::json!({"execFee": "47960"}),
        serde_json::json!({"execFee": "-47960"}),
        serde_json::json!({"execType": "Funding", "execPrice": "-95900.17"}),
        serde_json::json!({"execType": "Funding", "execQty": "-0.5"}),
        serde_json::json!({"execType": "Funding", "execFee": "170141183460469231731"}),
    ] {
        assert!(matches!(decode(&changes), Err(Quarantine::Member { .. })), "{changes}");
    }
    assert!(decode(&serde_json::json!({"execFee": "-12"})).is_ok(), "a rebate is a fee too");
}

#[test]
fn a_position_with_numbers_that_no_position_has_is_quarantined() {
    let decode = |changes: &serde_json::Value| {
        let mut row = serde_json::json!({
            "symbol": "BTCUSDT", "side": "Buy", "size": "0.3", "entryPrice": "27464.5", "updatedTime": "1697673600012"
        });
        row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        position(&table(Category::Linear), &serde_json::from_value(row).unwrap())
    };
    assert!(decode(&serde_json::json!({"stopLoss": "27000"})).is_ok());
    for changes in [
        // A negative short would be a long.
        serde_json::json!({"side": "Sell", "size": "-0.3"}),
        serde_json::json!({"size": ""}),
        serde_json::json!({"entryPrice": "-1"}),
        serde_json::json!({"entryPrice": "0"}),
        serde_json::json!({"stopLoss": "-27000"}),
    ] {
        assert!(matches!(decode(&changes), Err(Quarantine::Member { .. })), "{changes}");
    }
}

#[test]
fn the_streams_market_wins_over_the_querys() {
    let row = order_row(serde_json::json!({"category": "spot"}));
    assert_eq!(
        order(&table(Category::Linear), &row, Some(Category::Linear)),
        Err(Quarantine::OtherInstrument)
    );
    assert!(order(&table(Category::Spot), &row, None).is_ok());
}

fn execution_row(changes: serde_json::Value) -> wire::Execution {
    let mut row = serde_json::json!({
        "symbol": "BTCUSDT", "orderId": "9aac161b", "orderLinkId": "p001", "side": "Sell", "execId": "0ab1bdf7",
        "execPrice": "95900.1", "execQty": "0.5", "execType": "Trade", "execValue": "47950.05", "feeRate": "0.00055",
        "execFee": "26.3725275", "execTime": "1746270400353", "isMaker": false, "feeCurrency": "USDT"
    });
    row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(row).unwrap()
}

#[test]
fn an_execution_becomes_a_fact() {
    let fill =
        execution(&table(Category::Linear), &execution_row(serde_json::json!({})), Some(Category::Linear))
            .unwrap();
    assert_eq!((fill.kind, fill.instrument), (ExecutionKind::Trade, InstrumentId(1)));
    assert_eq!((fill.price, fill.quantity), (Price(959_001), Qty(500)));
    assert_eq!(fill.fee, Amount(26_372_527_500_000_000_000));
}

#[test]
fn a_funding_payment_may_have_a_finer_price() {
    let row = execution_row(serde_json::json!({
        "execType": "Funding", "execPrice": "95900.17", "execFee": "-0.5", "orderId": "1682668800-BTCUSDT-460579-Buy",
        "orderLinkId": ""
    }));
    let payment = execution(&table(Category::Linear), &row, Some(Category::Linear)).unwrap();
    assert_eq!((payment.price, payment.fee), (Price(959_001), Amount(-500_000_000_000_000_000)));
    assert_eq!(payment.link, None);
}

#[test]
fn a_spot_buys_fee_is_valued_in_the_quote_coin() {
    let row = execution_row(serde_json::json!({"side": "Buy", "execFee": "0.0005", "feeCurrency": "BTC"}));
    let fill = execution(&table(Category::Spot), &row, Some(Category::Spot)).unwrap();
    assert_eq!(fill.fee, Amount(47_950_050_000_000_000_000));
}

#[test]
fn a_fee_in_a_discount_coin_is_valued_by_its_rate() {
    let row = execution_row(serde_json::json!({"execFee": "12.5", "feeCurrency": "MNT"}));
    let fill = execution(&table(Category::Linear), &row, Some(Category::Linear)).unwrap();
    assert_eq!(fill.fee, Amount(26_372_527_500_000_000_000));
}

#[test]
fn positions_are_signed_and_one_way() {
    let row = |side: &str, size: &str, idx: i64| -> wire::Position {
        serde_json::from_value(serde_json::json!({
            "symbol": "BTCUSDT", "side": side, "size": size, "positionIdx": idx, "entryPrice": "27464.50441675",
            "updatedTime": "1697673600012"
        }))
        .unwrap()
    };
    let table = table(Category::Linear);
    let short = position(&table, &row("Sell", "0.300", 0)).unwrap();
    assert_eq!(
        (short.quantity, short.average_price),
        (SignedQty(-300), Amount(27_464_504_416_750_000_000_000))
    );
    let flat = position(&table, &row("", "0", 0)).unwrap();
    assert_eq!((flat.quantity, flat.average_price), (SignedQty(0), Amount(0)));
    assert!(position(&table, &row("Buy", "0.300", 1)).is_err());
    assert!(position(&table, &row("", "0.300", 0)).is_err());
}

#[test]
fn the_wallets_empty_members_are_zero() {
    let row: wire::Wallet = serde_json::from_value(serde_json::json!({
        "totalAvailableBalance": "",
        "coin": [{"coin": "USDT", "equity": "1000.5", "walletBalance": "990", "totalPositionIM": "100", "locked": ""}]
    }))
    .unwrap();
    let report = wallet(&table(Category::Linear), &row, Timestamp(1)).unwrap();
    assert_eq!(report.equity, Amount(1_000_500_000_000_000_000_000));
    assert_eq!(report.available, Amount(890_000_000_000_000_000_000));
    assert_eq!(
        wallet(&table(Category::Linear), &wire::Wallet::default(), Timestamp(1)).unwrap().equity,
        Amount(0)
    );
}

/// The wallet of an account in isolated margin: what is about the account as a whole is empty.
fn isolated(changes: serde_json::Value, coin: serde_json::Value) -> WalletReport {
    let mut usdt = serde_json::json!({
        "coin": "USDT", "equity": "1000", "walletBalance": "990", "totalPositionIM": "150", "totalOrderIM": "50",
        "totalPositionMM": "7.5", "locked": "0", "bonus": "0"
    });
    usdt.as_object_mut().unwrap().extend(coin.as_object().unwrap().clone());
    let mut row = serde_json::json!({
        "accountIMRate": "", "accountMMRate": "", "totalMarginBalance": "", "totalInitialMargin": "",
        "totalMaintenanceMargin": "", "totalAvailableBalance": "", "totalEquity": "1000", "coin": [usdt]
    });
    row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    wallet(&table(Category::Linear), &serde_json::from_value(row).unwrap(), Timestamp(1)).unwrap()
}

#[test]
fn in_isolated_margin_the_coin_says_what_is_bound() {
    let nothing = serde_json::json!({});
    let rates = |changes: serde_json::Value, coin: serde_json::Value| {
        let report = isolated(changes, coin);
        (report.initial_margin.map(|rate| rate.0), report.maintenance_margin.map(|rate| rate.0))
    };
    let both = rates(nothing.clone(), nothing.clone());
    assert_eq!(both, (Some(200_000_000_000), Some(7_500_000_000)), "200 and 7.5 of 1,000");
    let third = rates(nothing.clone(), serde_json::json!({"equity": "3", "totalPositionMM": "1"}));
    assert_eq!(third.1, Some(333_333_333_334), "rounded up");
    // What is not stated, or cannot be, is no zero.
    for (coin, expected) in [
        (serde_json::json!({"totalOrderIM": ""}), (None, both.1)),
        (serde_json::json!({"totalPositionIM": "-150"}), (None, both.1)),
        (serde_json::json!({"totalPositionMM": ""}), (both.0, None)),
        (serde_json::json!({"equity": "0"}), (None, None)),
        (serde_json::json!({"equity": "-5"}), (None, None)),
        (serde_json::json!({"coin": "BTC"}), (None, None)),
    ] {
        assert_eq!(rates(nothing.clone(), coin.clone()), expected, "{coin}");
    }
    // An account that states some of its margin is in another mode, and nothing takes the place of what is missing.
    for changes in [
        serde_json::json!({"totalMarginBalance": "1000"}),
        serde_json::json!({"totalInitialMargin": "200"}),
        serde_json::json!({"accountMMRate": "0.01"}),
        serde_json::json!({"accountIMRate": "-0.2", "accountMMRate": "-0.1"}),
    ] {
        assert_eq!(rates(changes.clone(), nothing.clone()).0, None, "{changes}");
    }
    let stated = serde_json::json!({"accountIMRate": "0.2", "accountMMRate": "0.01"});
    assert_eq!(rates(stated, nothing), (Some(200_000_000_000), Some(10_000_000_000)));
}

#[test]
fn the_wallet_says_what_it_holds_of_the_coins_that_spot_instruments_trade() {
    let told = |category, balance: &str| {
        let coins =
            serde_json::json!([{"coin": "USDT", "equity": "1"}, {"coin": "BTC", "walletBalance": balance}]);
        let row = serde_json::from_value(serde_json::json!({"coin": coins})).unwrap();
        wallet(&table(category), &row, Timestamp(1)).map(|report| report.spot)
    };
    let held =
        |quantity| Ok(vec![SpotBalance { instrument: InstrumentId(1), quantity: SignedQty(quantity) }]);
    assert_eq!(told(Category::Spot, "0.0239999"), held(23), "rounded down");
    assert_eq!(told(Category::Spot, ""), held(0));
    assert!(told(Category::Spot, "-0.5").unwrap()[0].quantity.is_short());
    assert!(told(Category::Spot, "much").is_err());
    assert_eq!(told(Category::Linear, "0.0239999"), Ok(Vec::new()), "a contract is no coin");
    let none = wallet(&table(Category::Spot), &wire::Wallet::default(), Timestamp(1)).unwrap();
    assert_eq!(none.spot, []);
}
