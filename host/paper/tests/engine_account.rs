//! The account over the V5 face: spot, hedge mode, exits, and every row's members.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code; the client is shared with another suite"
)]

#[path = "face/client.rs"]
mod client;

use client::{Server, order, still_market};
use portcullis_core::Span;
use portcullis_paper::PaperConfig;
use serde_json::{Value, json};

const CREATE: &str = "/v5/order/create";
const STOP: &str = "/v5/position/trading-stop";

/// BTCUSDT at 60,000.0, spot at 60,001.00, and a server that acknowledges at once.
async fn server() -> (tempfile::TempDir, Server) {
    let (dir, config) = still_market();
    let server = Server::start(PaperConfig { ack_delay: Span(0), ..config }).await;
    let ready = async || {
        let reply = server.get_public("/v5/market/tickers?category=spot&symbol=BTCUSDT").await;
        reply["result"]["list"][0]["lastPrice"].as_str().is_some_and(|price| price != "0")
    };
    server.until("a spot price", ready).await;
    (dir, server)
}

fn code(reply: &Value) -> i64 {
    reply["retCode"].as_i64().unwrap()
}

/// A body with members changed, or taken away by null.
fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

fn spot(side: &str, quantity: &str, price: Option<&str>) -> Value {
    with(order("", side, quantity, price), json!({"category": "spot", "orderLinkId": null}))
}

fn coin<'a>(wallet: &'a Value, name: &str) -> &'a Value {
    wallet["coin"].as_array().unwrap().iter().find(|row| row["coin"] == name).unwrap()
}

#[tokio::test]
async fn a_spot_market_buy_spends_quote_coins_and_ends_with_dust() {
    let (_dir, server) = server().await;
    let mut stream = server.private().await;
    let ack = server.post(CREATE, spot("Buy", "100", None)).await;
    assert_eq!(code(&ack), 0);
    let id = ack["result"]["orderId"].as_str().unwrap().to_owned();
    let link = ack["result"]["orderLinkId"].as_str().unwrap().to_owned();
    assert_eq!(id.parse::<u64>().unwrap() + 1, link.parse::<u64>().unwrap(), "spot makes a name up");

    // 0.001666 at 60,001 is 99.961666; one step more would cost 100.02.
    let execution = stream.rows("execution").await.remove(0);
    assert_eq!(execution["category"], "spot");
    assert_eq!((&execution["execQty"], &execution["feeCurrency"]), (&json!("0.001666"), &json!("BTC")));
    assert_eq!((&execution["execFee"], &execution["feeRate"]), (&json!("0.000001666"), &json!("0.001")));
    let row = stream.rows("order").await.remove(0);
    for (member, expected) in [
        ("orderStatus", "PartiallyFilledCanceled"),
        ("rejectReason", "EC_CancelForNoFullFill"),
        ("cancelType", "UNKNOWN"),
        ("qty", "100"),
        ("price", "0"),
        ("marketUnit", "quoteCoin"),
        ("leavesQty", "0"),
        ("leavesValue", "0.038334"),
        ("cumExecQty", "0.001666"),
        ("cumExecValue", "99.961666"),
        ("cumExecFee", "0.000001666"),
        ("feeCurrency", "BTC"),
        ("isLeverage", "0"),
        ("timeInForce", "IOC"),
        ("basePrice", "60001"),
    ] {
        assert_eq!(row[member], expected, "{member}");
    }
    assert_eq!(row["cumFeeDetail"], json!({"BTC": "0.000001666"}));
    let wallet = stream.rows("wallet").await.remove(0);
    assert_eq!(coin(&wallet, "USDT")["walletBalance"], "99900.038334");
    assert_eq!(coin(&wallet, "BTC")["walletBalance"], "0.001664334");
    assert_eq!(coin(&wallet, "BTC")["usdValue"], "99.861704334");
    assert_eq!(wallet["totalWalletBalance"], "99999.900038334");

    let found = server.get(&format!("/v5/order/history?category=spot&orderLinkId={link}")).await;
    assert_eq!(found["result"]["list"][0]["orderId"], json!(id), "by the made-up name too");
    let log = server.get("/v5/account/transaction-log?accountType=UNIFIED&category=spot").await;
    let rows = log["result"]["list"].as_array().unwrap();
    let flows: Vec<_> = rows.iter().map(|row| (&row["currency"], &row["cashFlow"], &row["change"])).collect();
    assert_eq!(
        flows,
        [
            (&json!("BTC"), &json!("0.001666"), &json!("0.001664334")),
            (&json!("USDT"), &json!("-99.961666"), &json!("-99.961666")),
        ]
    );
    assert_eq!(rows[1]["cashBalance"], "99900.038334");
    server.stop().await;
}

#[tokio::test]
async fn open_spot_orders_lock_coins_and_are_cancelled_by_their_kind() {
    let (_dir, server) = server().await;
    let mut stream = server.private().await;
    assert_eq!(code(&server.post(CREATE, spot("Buy", "0.01", Some("59000"))).await), 0);
    let row = stream.rows("order").await.remove(0);
    assert_eq!((&row["orderStatus"], &row["leavesValue"]), (&json!("New"), &json!("590")));
    let wallet = stream.rows("wallet").await.remove(0);
    assert_eq!(coin(&wallet, "USDT")["locked"], "590");
    assert_eq!(wallet["totalAvailableBalance"], "99410");
    let stop = with(
        spot("Buy", "0.01", Some("61000")),
        json!({"triggerPrice": "61000", "orderFilter": "tpslOrder"}),
    );
    assert_eq!(code(&server.post(CREATE, stop).await), 0);
    let row = stream.rows("order").await.remove(0);
    assert_eq!((&row["orderStatus"], &row["stopOrderType"]), (&json!("Untriggered"), &json!("tpslOrder")));
    let all = json!({"category": "spot"});
    let cancelled = server.post("/v5/order/cancel-all", all.clone()).await;
    assert_eq!(cancelled["result"]["list"].as_array().unwrap().len(), 1, "those that work, without a word");
    let cancelled = server.post("/v5/order/cancel-all", with(all, json!({"orderFilter": "tpslOrder"}))).await;
    assert_eq!(cancelled["result"]["list"].as_array().unwrap().len(), 1);
    let last = server.get("/v5/order/realtime?category=spot&openOnly=1").await;
    assert_eq!(last["result"]["list"][0]["orderStatus"], "Deactivated");
    server.stop().await;
}

#[tokio::test]
async fn spot_refuses_with_its_own_codes() {
    let (_dir, server) = server().await;
    let link = json!({"orderLinkId": "once"});
    assert_eq!(code(&server.post(CREATE, with(spot("Buy", "0.001", Some("59000")), link.clone())).await), 0);
    let table = [
        (with(spot("Buy", "0.001", Some("59000")), link), 170_141, "Duplicate clientOrderId"),
        (spot("Sell", "1", None), 170_131, "Insufficient balance."),
        (spot("Buy", "0.0000001", Some("59000")), 170_137, "Order quantity has too many decimals."),
        (spot("Buy", "0.001", Some("59000.001")), 170_134, "Order price has too many decimals."),
        (spot("Buy", "4", None), 170_140, "Order value exceeded lower limit."),
        (spot("Buy", "10.000000001", None), 170_148, "Market order amount decimal too long."),
        (
            spot("Buy", "0.001", Some("64000")),
            170_372,
            "Order price cannot be higher than 63001.05, the price limitation.",
        ),
        (
            with(spot("Buy", "0.001", Some("59000")), json!({"symbol": "NOPEUSDT"})),
            170_121,
            "Invalid symbol.",
        ),
    ];
    for (body, expected, words) in table {
        let reply = server.post(CREATE, body.clone()).await;
        assert_eq!((code(&reply), &reply["retMsg"]), (expected, &json!(words)), "{body}");
    }
    let cancel = json!({"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "never"});
    let reply = server.post("/v5/order/cancel", cancel).await;
    assert_eq!((code(&reply), &reply["retMsg"]), (170_213, &json!("Order does not exist.")));
    let rates = server.get("/v5/account/fee-rate?category=spot&symbol=BTCUSDT").await;
    assert_eq!(
        rates["result"],
        json!({"category": "spot", "list": [{"symbol": "BTCUSDT", "takerFeeRate": "0.001", "makerFeeRate": "0.001"}]})
    );
    assert_eq!(code(&server.get("/v5/position/list?category=spot&symbol=BTCUSDT").await), 10_001);
    server.stop().await;
}

#[tokio::test]
async fn hedge_mode_has_two_positions_of_a_symbol() {
    let (_dir, server) = server().await;
    let switch = |mode: i64| json!({"category": "linear", "coin": "USDT", "mode": mode});
    let post = async |path: &str, body: Value| {
        let reply = server.post(path, body).await;
        (code(&reply), reply["retMsg"].as_str().unwrap().to_owned())
    };
    let path = "/v5/position/switch-mode";
    assert_eq!(post(path, switch(0)).await, (110_025, "Position mode is not modified".to_owned()));
    assert_eq!(post(path, switch(3)).await.0, 0);
    let of = |index: i64, side: &str| with(order("", side, "0.01", None), json!({"positionIdx": index}));
    assert_eq!(post(CREATE, of(0, "Buy")).await, (10_001, "position idx not match position mode".to_owned()));
    let mut stream = server.private().await;
    assert_eq!(post(CREATE, of(1, "Buy")).await.0, 0);
    assert_eq!(stream.rows("position").await[0]["positionIdx"], 1);
    assert_eq!(post(CREATE, of(2, "Sell")).await.0, 0);
    assert_eq!(post(path, switch(0)).await.0, 110_024);
    let rows = server.get("/v5/position/list?category=linear&symbol=BTCUSDT").await;
    let rows = rows["result"]["list"].as_array().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row["positionIdx"], &row["side"], &row["size"])).collect();
    assert_eq!(
        told,
        [(&json!(1), &json!("Buy"), &json!("0.01")), (&json!(2), &json!("Sell"), &json!("0.01"))]
    );
    assert_eq!(post(CREATE, with(of(1, "Sell"), json!({"reduceOnly": true}))).await.0, 0);
    assert_eq!(post(CREATE, with(of(1, "Sell"), json!({"reduceOnly": true}))).await.0, 110_017);
    let left = server.get("/v5/position/list?category=linear&settleCoin=USDT").await;
    assert_eq!(left["result"]["list"].as_array().unwrap().len(), 1);
    // Bought at 60,000.0 and sold a tick lower, with both fees.
    let closed = server.get("/v5/position/closed-pnl?category=linear&symbol=BTCUSDT").await;
    let row = &closed["result"]["list"][0];
    for (member, expected) in [
        ("side", "Sell"),
        ("closedSize", "0.01"),
        ("avgEntryPrice", "60000"),
        ("avgExitPrice", "59999.9"),
        ("cumEntryValue", "600"),
        ("cumExitValue", "599.999"),
        ("openFee", "0.33"),
        ("closeFee", "0.32999945"),
        ("closedPnl", "-0.66099945"),
        ("fillCount", "1"),
        ("leverage", "10"),
    ] {
        assert_eq!(row[member], expected, "{member}");
    }
    server.stop().await;
}

#[tokio::test]
async fn trading_stop_sets_full_partial_and_trailing_exits() {
    let (_dir, server) = server().await;
    assert_eq!(code(&server.post(CREATE, order("", "Buy", "0.01", None)).await), 0);
    let stop = |members: Value| {
        with(
            json!({"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "tpslMode": "Full"}),
            members,
        )
    };
    let trailing = stop(json!({"trailingStop": "100", "activePrice": "61000"}));
    assert_eq!(code(&server.post(STOP, trailing.clone()).await), 0);
    let same = server.post(STOP, trailing).await;
    assert_eq!((code(&same), &same["retMsg"]), (34_040, &json!("not modified")));
    let marked = stop(json!({"stopLoss": "59000", "slTriggerBy": "MarkPrice"}));
    assert_eq!(code(&server.post(STOP, marked).await), 0);
    let limit = json!({"takeProfit": "61000", "tpOrderType": "Limit", "tpLimitPrice": "61100"});
    assert_eq!(code(&server.post(STOP, stop(limit.clone())).await), 10_001, "a whole exit is no limit");
    let part = json!({"tpslMode": "Partial", "stopLoss": "58000", "tpSize": "0.004", "slSize": "0.004"});
    assert_eq!(code(&server.post(STOP, with(stop(limit), part)).await), 0);
    let odd = json!({"tpslMode": "Partial", "takeProfit": "61000", "tpSize": "0.004", "slSize": "0.003"});
    assert_eq!(code(&server.post(STOP, stop(odd)).await), 10_001);
    let rows = server.get("/v5/order/realtime?category=linear&symbol=BTCUSDT&orderFilter=StopOrder").await;
    let rows = rows["result"]["list"].as_array().unwrap().clone();
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            ["stopOrderType", "qty", "triggerPrice", "triggerBy", "price"].map(|name| row[name].clone())
        })
        .collect();
    told.sort_by_key(|row| row[0].to_string());
    assert_eq!(
        told,
        [
            ["PartialStopLoss", "0.004", "58000", "LastPrice", "0"],
            ["PartialTakeProfit", "0.004", "61000", "LastPrice", "61100"],
            ["StopLoss", "0.01", "59000", "MarkPrice", "0"],
            ["TrailingStop", "0.01", "", "", "0"],
        ]
    );
    let position = server.get("/v5/position/list?category=linear&symbol=BTCUSDT").await;
    let position = &position["result"]["list"][0];
    assert_eq!((&position["trailingStop"], &position["stopLoss"]), (&json!("100"), &json!("59000")));
    assert_eq!(
        code(
            &server
                .post(
                    CREATE,
                    with(order("", "Sell", "0", None), json!({"reduceOnly": true, "closeOnTrigger": true}))
                )
                .await
        ),
        0
    );
    let open = server.get("/v5/order/realtime?category=linear&symbol=BTCUSDT").await;
    assert_eq!(open["result"]["list"], json!([]), "exits go with their position");
    server.stop().await;
}

#[tokio::test]
async fn leverage_is_bounded_and_the_account_says_how_it_is_set() {
    let (_dir, server) = server().await;
    let leverage = async |value: &str| {
        let body =
            json!({"category": "linear", "symbol": "BTCUSDT", "buyLeverage": value, "sellLeverage": value});
        let reply = server.post("/v5/position/set-leverage", body).await;
        (code(&reply), reply["retMsg"].as_str().unwrap().to_owned())
    };
    assert_eq!(leverage("10").await, (110_043, "leverage not modified".to_owned()));
    assert_eq!(leverage("101").await.0, 10_001);
    assert_eq!(leverage("100").await.0, 0);
    let large = order("", "Buy", "34", Some("59900"));
    assert_eq!(code(&server.post(CREATE, large).await), 110_090, "two millions at 100×");
    assert_eq!(code(&server.post(CREATE, order("", "Buy", "33", Some("59900"))).await), 0);
    assert_eq!(leverage("1").await, (110_012, "Insufficient available balance".to_owned()));
    let info = server.get("/v5/account/info").await;
    assert_eq!(
        (&info["result"]["unifiedMarginStatus"], &info["result"]["marginMode"]),
        (&json!(6), &json!("REGULAR_MARGIN"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_wild_price_and_what_is_not_offered_are_refused() {
    let (_dir, server) = server().await;
    let wild = server.post(CREATE, order("", "Buy", "0.01", Some("2000000"))).await;
    assert_eq!((code(&wild), &wild["retMsg"]), (110_003, &json!("price is invalid")));
    let best =
        with(order("", "Buy", "0.01", Some("59000")), json!({"bboSideType": "Queue", "bboLevel": "1"}));
    assert_eq!(code(&server.post(CREATE, best).await), 10_001, "refused rather than ignored");
    server.stop().await;
}
