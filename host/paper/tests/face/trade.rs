//! The trade stream and batches.

use portcullis_core::Span;
use portcullis_paper::PaperConfig;
use serde_json::{Value, json};

use crate::client::{Server, Socket, credentials, order, still_market};
use crate::code;

const BATCH: &str = "/v5/order/create-batch";

async fn authenticated(server: &Server, key: &str) -> Socket {
    let mut stream = server.socket("/v5/trade").await;
    let expires = server.now_ms().await + 1_000;
    let sign = credentials(key).sign_stream(expires);
    stream.send(json!({"op": "auth", "args": [key, expires, sign.as_str()], "reqId": "a"})).await;
    let reply = stream.next().await;
    assert_eq!((code(&reply), &reply["op"], &reply["reqId"]), (0, &json!("auth"), &json!("a")), "{reply}");
    assert!(reply.get("data").is_none() && reply["connId"].is_string(), "{reply}");
    stream
}

/// An operation that its client sends now.
async fn operation(server: &Server, id: &str, op: &str, body: Value) -> Value {
    let now = server.now_ms().await;
    json!({"reqId": id, "op": op, "args": [body], "header": {"X-BAPI-TIMESTAMP": now.to_string()}})
}

#[tokio::test]
async fn an_order_lives_on_the_trade_stream_as_it_does_by_rest() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let mut events = server.private().await;
    let mut trade = authenticated(&server, "tradeKey").await;
    let create = operation(&server, "1", "order.create", order("t", "Buy", "0.010", Some("50000.0"))).await;
    trade.send(create).await;
    let made = trade.next().await;
    assert_eq!(
        (code(&made), &made["reqId"], &made["op"]),
        (0, &json!("1"), &json!("order.create")),
        "{made}"
    );
    assert_eq!((&made["data"]["orderLinkId"], &made["retExtInfo"]), (&json!("t"), &json!({})));
    let header = &made["header"];
    for name in ["X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp", "Traceid", "Timenow"]
    {
        assert!(header[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {header}");
    }
    let row = events.rows("order").await.remove(0);
    assert_eq!((&row["orderStatus"], &row["orderId"]), (&json!("New"), &made["data"]["orderId"]));

    // Without a name there is none in the answer; time and window may be numbers.
    let now = server.now_ms().await;
    let named = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "t", "qty": "0.020"});
    let header = json!({"X-BAPI-TIMESTAMP": now, "X-BAPI-RECV-WINDOW": 8000});
    trade.send(json!({"op": "order.amend", "args": [named.clone()], "header": header})).await;
    let amended = trade.next().await;
    assert_eq!((code(&amended), amended.get("reqId")), (0, None), "{amended}");
    trade.send(operation(&server, "3", "order.cancel", named.clone()).await).await;
    assert_eq!(code(&trade.next().await), 0);
    trade.send(operation(&server, "4", "order.cancel", named).await).await;
    let gone = trade.next().await;
    assert_eq!((code(&gone), &gone["data"]), (110_001, &json!({})), "{gone}");
    assert!(gone["header"]["X-Bapi-Limit"].is_string());
    trade.send(json!({"op": "ping"})).await;
    let pong = trade.next().await;
    assert_eq!((code(&pong), &pong["op"]), (0, &json!("pong")), "{pong}");
    assert!(pong["data"][0].as_str().unwrap().parse::<u64>().is_ok());
    server.stop().await;
}

#[tokio::test]
async fn the_trade_stream_refuses_in_its_own_words() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let body = || order("", "Buy", "0.010", Some("50000.0"));
    let mut stranger = server.socket("/v5/trade").await;
    stranger.send(operation(&server, "1", "order.create", body()).await).await;
    assert_eq!(code(&stranger.next().await), 10_007);
    let past = server.now_ms().await - 1;
    let sign = credentials("tradeKey").sign_stream(past);
    stranger.send(json!({"op": "auth", "args": ["tradeKey", past, sign.as_str()]})).await;
    assert_eq!(code(&stranger.next().await), 10_004);
    stranger.send(json!({"op": "auth", "args": ["tradeKey"]})).await;
    assert_eq!(code(&stranger.next().await), 10_001);
    stranger.send_text("nonsense".to_owned()).await;
    assert_eq!(code(&stranger.next().await), 10_001);

    let mut trade = authenticated(&server, "tradeKey").await;
    let mut refused = async |message: Value| {
        trade.send(message).await;
        code(&trade.next().await)
    };
    let expires = server.now_ms().await + 1_000;
    let sign = credentials("tradeKey").sign_stream(expires);
    assert_eq!(refused(json!({"op": "auth", "args": ["tradeKey", expires, sign.as_str()]})).await, 20_001);
    assert_eq!(refused(operation(&server, "1", "order.create", body()).await).await, 0);
    assert_eq!(refused(operation(&server, "1", "order.create", body()).await).await, 20_006);
    assert_eq!(refused(operation(&server, "2", "order.fetch", body()).await).await, 10_404);
    let mut option = body();
    option["category"] = "option".into();
    assert_eq!(refused(operation(&server, "3", "order.create", option).await).await, 10_404);
    let mut stale = operation(&server, "4", "order.create", body()).await;
    stale["header"]["X-BAPI-TIMESTAMP"] = "1".into();
    assert_eq!(refused(stale).await, 10_002);
    let mut untimed = operation(&server, "5", "order.create", body()).await;
    untimed["header"] = json!({});
    assert_eq!(refused(untimed).await, 10_001);
    let mut two = operation(&server, "6", "order.create", body()).await;
    two["args"] = json!([body(), body()]);
    assert_eq!(refused(two).await, 10_001);
    assert_eq!(refused(operation(&server, &"7".repeat(37), "order.create", body()).await).await, 10_001);

    let mut reader = authenticated(&server, "readKey").await;
    reader.send(operation(&server, "1", "order.create", body()).await).await;
    assert_eq!(code(&reader.next().await), 10_005, "a read key cannot trade");
    server.stop().await;
}

#[tokio::test]
async fn rest_and_the_trade_stream_share_one_quota() {
    let (_dir, config) = still_market();
    let server = Server::start(PaperConfig { ack_delay: Span(0), ..config }).await;
    let mut trade = authenticated(&server, "tradeKey").await;
    let none = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "none"});
    for n in 0..6 {
        trade.send(operation(&server, &n.to_string(), "order.cancel", none.clone()).await).await;
        assert_eq!(code(&trade.next().await), 110_001);
    }
    let attempts = (0..6).map(|_| server.post("/v5/order/cancel", none.clone()));
    let replies = futures_util::future::join_all(attempts).await;
    assert!(replies.iter().any(|reply| code(reply) == 10_006), "{replies:?}");
    server.stop().await;
}

#[tokio::test]
async fn each_item_of_a_batch_has_its_own_code() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let item = |link: &str, quantity: &str| {
        let mut item = order(link, "Buy", quantity, Some("50000.0"));
        item.as_object_mut().unwrap().remove("category");
        item
    };
    let codes = |reply: &Value| {
        let codes = reply["retExtInfo"]["list"].as_array().unwrap().iter().map(|item| item["code"].as_i64());
        codes.collect::<Option<Vec<_>>>().unwrap()
    };
    let long: Vec<_> = (0..21).map(|n| item(&format!("n-{n}"), "0.010")).collect();
    assert_eq!(code(&server.post(BATCH, json!({"category": "linear", "request": long})).await), 10_001);
    assert_eq!(code(&server.post(BATCH, json!({"category": "linear", "request": []})).await), 10_001);
    let request = [item("b-0", "0.010"), item("b-1", "0"), item("b-0", "0.010"), item("b-3", "0.010")];
    let reply = server.post(BATCH, json!({"category": "linear", "request": request})).await;
    assert_eq!((code(&reply), codes(&reply)), (0, vec![0, 10_001, 110_072, 0]), "{reply}");
    let rows = reply["result"]["list"].as_array().unwrap();
    assert_eq!((&rows[0]["category"], &rows[0]["symbol"]), (&json!("linear"), &json!("BTCUSDT")));
    assert!(rows[0]["createAt"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(
        (&rows[1]["orderId"], &rows[1]["orderLinkId"], &rows[1]["createAt"]),
        (&json!(""), &json!("b-1"), &json!(""))
    );
    let named = |link: &str| json!({"symbol": "BTCUSDT", "orderLinkId": link, "qty": "0.030"});
    let both = json!({"category": "linear", "request": [named("b-0"), named("none")]});
    let amended = server.post("/v5/order/amend-batch", both.clone()).await;
    assert_eq!(codes(&amended), [0, 110_001]);
    assert_eq!(codes(&server.post("/v5/order/cancel-batch", both).await), [0, 110_001]);

    // The quota counts items, and what is beyond it fails alone.
    let many: Vec<_> = (0..20).map(|n| item(&format!("m-{n}"), "0.010")).collect();
    let reply =
        server.signed("POST", BATCH, &json!({"category": "linear", "request": many}).to_string()).await;
    let through = codes(&reply.json()).iter().filter(|code| **code == 0).count();
    assert!((4..=10).contains(&through), "{through}");
    assert!(codes(&reply.json())[through..].iter().all(|code| *code == 10_006));
    assert_eq!((code(&reply.json()), reply.header("x-bapi-limit-status")), (0, 0));
    server.stop().await;
}
