//! The V5 face over real sockets: who is let in, an order's life, streams, quotas, restarts and faults.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod client;
mod faults;
mod live;
mod streams;
mod trade;

use client::{Server, credentials, order, still_market};
use portcullis_core::Span;
use portcullis_paper::{PaperConfig, PaperError, bind};
use serde_json::{Value, json};

const CREATE: &str = "/v5/order/create";
const REALTIME: &str = "/v5/order/realtime?category=linear&symbol=BTCUSDT";

fn code(reply: &Value) -> i64 {
    reply["retCode"].as_i64().unwrap()
}

#[tokio::test]
async fn only_signed_requests_of_known_keys_are_let_in() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let now = server.now_ms().await;
    let body = order("x", "Buy", "0.001", None).to_string();
    let sign =
        |time: u64| credentials("tradeKey").sign_request(time, 5_000, body.as_bytes()).as_str().to_owned();
    let attempt = async |key: &str, time: u64, sign: String| {
        let time = time.to_string();
        let headers = [
            ("X-BAPI-API-KEY", key),
            ("X-BAPI-TIMESTAMP", time.as_str()),
            ("X-BAPI-RECV-WINDOW", "5000"),
            ("X-BAPI-SIGN", sign.as_str()),
        ];
        server.http("POST", CREATE, &headers, &body).await.json()
    };
    assert_eq!(server.http("POST", CREATE, &[], &body).await.status, 401);
    assert_eq!(code(&attempt("nobody", now, sign(now)).await), 10_003);
    let forged = attempt("tradeKey", now, sign(now + 1)).await;
    assert_eq!(forged["retMsg"], format!("error sign! origin_string[{now}tradeKey5000{body}]"));
    assert_eq!((code(&forged), &forged["result"]), (10_004, &json!({})));
    let late = attempt("tradeKey", now - 60_000, sign(now - 60_000)).await;
    assert_eq!(code(&late), 10_002);
    assert!(late["retMsg"].as_str().unwrap().starts_with(
        "invalid request, please check your server timestamp or recv_window param. req_timestamp["
    ));
    let reader = server.signed_by("readKey", "POST", CREATE, &body).await.json();
    assert_eq!(code(&reader), 10_005, "a read key cannot trade");
    let api = server.signed_by("readKey", "GET", "/v5/user/query-api", "").await.json();
    assert_eq!(
        (&api["result"]["readOnly"], &api["result"]["permissions"]["Wallet"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(server.get(REALTIME).await["result"]["list"], json!([]), "nothing was accepted");
    assert_eq!(server.http("PUT", CREATE, &[], "").await.status, 400);
    assert_eq!(server.http("GET", "/v5/nothing", &[], "").await.status, 404);
    assert_eq!(server.http("GET", "/v5/market/time", &[], "{}").await.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn an_order_lives_through_acknowledgement_events_and_queries() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let mut stream = server.private().await;

    let ack = server.post(CREATE, order("m-1", "Buy", "0.010", None)).await;
    assert_eq!((code(&ack), &ack["result"]["orderLinkId"]), (0, &json!("m-1")));
    let execution = stream.rows("execution").await.remove(0);
    assert_eq!(
        (&execution["execPrice"], &execution["execQty"], &execution["execFee"], &execution["isMaker"]),
        (&json!("60000"), &json!("0.01"), &json!("0.33"), &json!(false))
    );
    let filled = stream.rows("order").await.remove(0);
    assert_eq!((&filled["orderStatus"], &filled["avgPrice"]), (&json!("Filled"), &json!("60000")));
    assert_eq!((&filled["orderId"], &filled["category"]), (&ack["result"]["orderId"], &json!("linear")));
    let position = stream.rows("position").await.remove(0);
    assert_eq!(
        (&position["side"], &position["size"], &position["entryPrice"]),
        (&json!("Buy"), &json!("0.01"), &json!("60000"))
    );
    let wallet = stream.rows("wallet").await.remove(0);
    assert_eq!(wallet["coin"][0]["walletBalance"], "99999.67");

    assert_eq!(code(&server.post(CREATE, order("m-1", "Buy", "0.010", None)).await), 110_072);
    assert_eq!(code(&server.post(CREATE, order("l-1", "Buy", "0.010", Some("50000.0"))).await), 0);
    assert_eq!(stream.rows("order").await[0]["orderStatus"], "New");
    assert_eq!(stream.rows("position").await[0]["size"], "0.01", "told with every order, moved or not");
    let change = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "l-1", "price": "50000.1", "qty": "0.02"});
    assert_eq!(code(&server.post("/v5/order/amend", change.clone()).await), 0);
    let amended = stream.rows("order").await.remove(0);
    assert_eq!(
        (&amended["price"], &amended["qty"], &amended["leavesQty"]),
        (&json!("50000.1"), &json!("0.02"), &json!("0.02"))
    );
    assert_eq!(code(&server.post("/v5/order/amend", change).await), 10_001);

    let open = server.get(REALTIME).await;
    assert_eq!(open["result"]["list"].as_array().unwrap().len(), 1);
    let cancel =
        json!({"category": "linear", "symbol": "BTCUSDT", "orderId": open["result"]["list"][0]["orderId"]});
    assert_eq!(code(&server.post("/v5/order/cancel", cancel.clone()).await), 0);
    let cancelled = stream.rows("order").await.remove(0);
    assert_eq!(
        (
            &cancelled["orderStatus"],
            &cancelled["cancelType"],
            &cancelled["rejectReason"],
            &cancelled["leavesQty"]
        ),
        (&json!("Cancelled"), &json!("CancelByUser"), &json!("EC_PerCancelRequest"), &json!("0"))
    );
    let gone = server.post("/v5/order/cancel", cancel).await;
    assert_eq!((code(&gone), &gone["retMsg"]), (110_001, &json!("order not exists or too late to cancel")));

    let mut taker = order("p-1", "Buy", "0.010", Some("60000.0"));
    taker["timeInForce"] = "PostOnly".into();
    assert_eq!(code(&server.post(CREATE, taker).await), 0, "accepted, then cancelled");
    assert_eq!(stream.rows("order").await[0]["rejectReason"], "EC_PostOnlyWillTakeLiquidity");

    let by_link = server.get("/v5/order/realtime?category=linear&orderLinkId=l-1").await;
    assert_eq!(
        by_link["result"]["list"][0]["orderStatus"], "Cancelled",
        "just closed orders are found by name"
    );
    let history = server.get("/v5/order/history?category=linear&orderStatus=Filled").await;
    assert_eq!(history["result"]["list"].as_array().unwrap().len(), 1);
    let executions = server.get("/v5/execution/list?category=linear&orderLinkId=m-1").await;
    assert_eq!(executions["result"]["list"][0]["execId"], execution["execId"]);
    let positions = server.get("/v5/position/list?category=linear&settleCoin=USDT").await;
    let position = &positions["result"]["list"][0];
    assert_eq!(
        (&position["avgPrice"], &position["leverage"], &position["positionIM"]),
        (&json!("60000"), &json!("10"), &json!("60"))
    );
    let wallet = server.get("/v5/account/wallet-balance?accountType=UNIFIED&coin=USDT").await;
    assert_eq!(wallet["result"]["list"][0]["totalAvailableBalance"], "99939.67");
    server.stop().await;
}

#[tokio::test]
async fn requests_are_refused_with_the_venues_codes() {
    let (_dir, config) = still_market();
    let server = Server::start(PaperConfig { ack_delay: Span(0), ..config }).await;
    let with = |changes: Value| {
        let mut body = order("", "Buy", "0.010", Some("50000.0"));
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let table = [
        (json!({"qty": "0.0005"}), 10_001),
        (json!({"qty": "abc"}), 10_001),
        (json!({"qty": "0"}), 10_001),
        (json!({"price": "50000.05"}), 10_001),
        (json!({"symbol": "btcusdt"}), 10_001),
        (json!({"category": "spot", "qty": "0.0000001"}), 170_137),
        (json!({"category": "inverse"}), 10_001),
    ];
    for (changes, expected) in table {
        let reply = server.post(CREATE, with(changes.clone())).await;
        assert_eq!(code(&reply), expected, "{changes} {reply}");
    }
    // Quotas are per second; a new server has fresh ones.
    server.stop().await;
    let (_dir, config) = still_market();
    let server = Server::start(PaperConfig { ack_delay: Span(0), ..config }).await;
    let table = [
        (json!({"positionIdx": 1}), 10_001),
        (json!({"orderLinkId": "not allowed"}), 10_001),
        (json!({"qty": "0.001", "price": "4000"}), 110_094),
        (json!({"qty": "100", "price": "59999"}), 110_007),
        (json!({"reduceOnly": true, "side": "Sell"}), 110_017),
        (json!({"triggerPrice": "61000", "triggerDirection": 2}), 110_093),
        (json!({"triggerPrice": "59000", "triggerDirection": 1}), 110_092),
    ];
    for (changes, expected) in table {
        let reply = server.post(CREATE, with(changes.clone())).await;
        assert_eq!(code(&reply), expected, "{changes} {reply}");
        if expected == 110_093 {
            assert_eq!(
                reply["retMsg"],
                "expect Falling, but trigger_price[610000000] >= current[600000000]??LastPrice"
            );
        }
    }
    let post = async |path: &str, body: Value| code(&server.post(path, body).await);
    let leverage = |value: &str| json!({"category": "linear", "symbol": "BTCUSDT", "buyLeverage": value, "sellLeverage": value});
    assert_eq!(post("/v5/position/set-leverage", leverage("10")).await, 110_043);
    assert_eq!(post("/v5/position/set-leverage", leverage("12.5")).await, 0);
    let mode = |mode| json!({"category": "linear", "symbol": "BTCUSDT", "mode": mode});
    assert_eq!(post("/v5/position/switch-mode", mode(0)).await, 110_025);
    assert_eq!(post("/v5/position/switch-mode", mode(3)).await, 0);
    assert_eq!(post("/v5/position/switch-mode", mode(0)).await, 0);
    let stop = json!({"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "stopLoss": "59000", "positionIdx": 0});
    assert_eq!(post("/v5/position/trading-stop", stop.clone()).await, 10_001);
    assert_eq!(post(CREATE, order("", "Buy", "0.010", None)).await, 0);
    assert_eq!(post("/v5/position/trading-stop", stop.clone()).await, 0);
    assert_eq!(post("/v5/position/trading-stop", stop).await, 34_040);
    assert_eq!(code(&server.get("/v5/order/realtime?category=linear").await), 10_001);
    let stops = server.get("/v5/order/realtime?category=linear&symbol=BTCUSDT&orderFilter=StopOrder").await;
    assert_eq!(stops["result"]["list"][0]["stopOrderType"], "StopLoss");
    let clear = json!({"category": "linear", "symbol": "BTCUSDT"});
    let cleared = server.post("/v5/order/cancel-all", clear).await;
    assert_eq!(
        (cleared["result"]["list"].as_array().unwrap().len(), &cleared["result"]["success"]),
        (1, &json!("1"))
    );
    server.stop().await;
}

#[tokio::test]
async fn rows_have_every_member_that_strict_clients_read() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    server.post(CREATE, order("a", "Buy", "0.010", Some("50000.0"))).await;
    server.post(CREATE, order("b", "Buy", "0.010", None)).await;
    let has = |row: &Value, members: &str| {
        let missing: Vec<_> = members.split_whitespace().filter(|name| row.get(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?} missing in {row}");
    };
    let orders = server.get(REALTIME).await;
    has(
        &orders["result"]["list"][0],
        "orderId orderLinkId blockTradeId symbol price qty side isLeverage positionIdx orderStatus cancelType rejectReason avgPrice \
         leavesQty leavesValue cumExecQty cumExecValue cumExecFee timeInForce orderType stopOrderType orderIv triggerPrice takeProfit \
         stopLoss tpTriggerBy slTriggerBy triggerDirection triggerBy lastPriceOnCreated reduceOnly closeOnTrigger smpType smpGroup \
         smpOrderId tpLimitPrice slLimitPrice placeType createdTime updatedTime",
    );
    let executions = server.get("/v5/execution/list?category=linear").await;
    has(
        &executions["result"]["list"][0],
        "symbol orderId orderLinkId side orderPrice orderQty leavesQty createType orderType stopOrderType execFee execId execPrice \
         execQty execType execValue execTime feeCurrency isMaker feeRate tradeIv markIv markPrice indexPrice underlyingPrice \
         blockTradeId closedSize extraFees seq",
    );
    let positions = server.get("/v5/position/list?category=linear&symbol=ETHUSDT").await;
    let flat = &positions["result"]["list"][0];
    has(
        flat,
        "positionIdx riskId riskLimitValue symbol side size avgPrice positionValue autoAddMargin positionStatus leverage markPrice \
         liqPrice positionIM positionMM takeProfit stopLoss trailingStop unrealisedPnl curRealisedPnl cumRealisedPnl adlRankIndicator \
         createdTime updatedTime seq isReduceOnly",
    );
    assert_eq!((&flat["side"], &flat["size"], &flat["seq"]), (&json!(""), &json!("0"), &json!(-1)));
    let instruments = server.get_public("/v5/market/instruments-info?category=linear&symbol=BTCUSDT").await;
    let rules = &instruments["result"]["list"][0];
    assert_eq!(
        (
            &rules["priceFilter"]["tickSize"],
            &rules["lotSizeFilter"]["qtyStep"],
            &rules["lotSizeFilter"]["minNotionalValue"]
        ),
        (&json!("0.1"), &json!("0.001"), &json!("5"))
    );
    let spot = server.get_public("/v5/market/instruments-info?category=spot&symbol=BTCUSDT").await;
    assert!(spot["result"]["list"][0]["lotSizeFilter"].get("qtyStep").is_none());
    let fees = server.get("/v5/account/fee-rate?category=linear&symbol=BTCUSDT").await;
    assert_eq!(
        (&fees["result"]["list"][0]["takerFeeRate"], &fees["result"]["list"][0]["makerFeeRate"]),
        (&json!("0.00055"), &json!("0.0002"))
    );
    let book = server.get_public("/v5/market/orderbook?category=linear&symbol=BTCUSDT").await;
    assert_eq!(
        (&book["result"]["b"][0][0], &book["result"]["a"][0][0]),
        (&json!("59999.9"), &json!("60000"))
    );
    let klines = server.get_public("/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1").await;
    assert_eq!(klines["result"]["list"][0][4], "60000");
    let trades = server.get_public("/v5/market/recent-trade?category=linear&symbol=BTCUSDT").await;
    assert_eq!(trades["result"]["list"][0]["price"], "60000");
    assert_eq!(
        code(&server.get_public("/v5/market/funding/history?category=linear&symbol=BTCUSDT").await),
        0
    );
    server.stop().await;
}

#[tokio::test]
async fn pages_cover_all_orders_once() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    for n in 0..7 {
        server.post(CREATE, order(&format!("n-{n}"), "Buy", "0.010", Some("50000.0"))).await;
    }
    let (mut links, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{REALTIME}&limit=3&cursor={cursor}")).await;
        links.extend(
            page["result"]["list"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["orderLinkId"].as_str().unwrap().to_owned()),
        );
        cursor = page["result"]["nextPageCursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(links, ["n-6", "n-5", "n-4", "n-3", "n-2", "n-1", "n-0"]);
    server.stop().await;
}

#[tokio::test]
async fn more_requests_than_the_quota_are_turned_away_until_its_reset() {
    let (_dir, config) = still_market();
    let server = Server::start(PaperConfig { ack_delay: Span(0), ..config }).await;
    let cancel = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "none"}).to_string();
    let attempts = (0..40).map(|_| server.signed("POST", "/v5/order/cancel", &cancel));
    let replies = futures_util::future::join_all(attempts).await;
    let (over, within): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| code(&reply.json()) == 10_006);
    assert!(over.len() >= 10 && within.len() >= 10, "{} over, {} within", over.len(), within.len());
    assert!(within.iter().all(|reply| code(&reply.json()) == 110_001 && reply.header("x-bapi-limit") == 10));
    for reply in over {
        let time = reply.json()["time"].as_u64().unwrap();
        assert_eq!(reply.header("x-bapi-limit-status"), 0);
        assert!(reply.header("x-bapi-limit-reset-timestamp") > time, "the reset lies in the future");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_killed_exchange_comes_back_with_its_orders_positions_and_money() {
    let (dir, config) = still_market();
    let config = PaperConfig { state: Some(dir.path().join("paper")), ..config };
    let server = Server::start(config.clone()).await;
    server.post(CREATE, order("m", "Buy", "0.010", None)).await;
    server.post(CREATE, order("l", "Buy", "0.010", Some("50000.0"))).await;
    let queries = [
        REALTIME,
        "/v5/position/list?category=linear&symbol=BTCUSDT",
        "/v5/account/wallet-balance?accountType=UNIFIED",
        "/v5/execution/list?category=linear",
        "/v5/order/history?category=linear",
    ];
    let mut before = Vec::new();
    for query in queries {
        before.push(server.get(query).await["result"].clone());
    }
    assert!(matches!(bind(config.clone()).await, Err(PaperError::InUse { .. })), "one exchange a folder");
    server.kill().await;
    let server = Server::start(config).await;
    for (query, mut expected) in queries.into_iter().zip(before) {
        let mut after = server.get(query).await["result"].clone();
        for list in [&mut expected, &mut after] {
            // The cross sequence belongs to the market, which began anew.
            list["list"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|row| drop(row.as_object_mut().unwrap().remove("seq")));
        }
        assert_eq!(after, expected, "{query}");
    }
    assert_eq!(
        code(&server.post(CREATE, order("m", "Buy", "0.010", None)).await),
        110_072,
        "names stay used"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(PaperConfig { listen: address, ..client::config() }).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
}
