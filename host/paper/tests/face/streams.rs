//! Public and private streams.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::CREATE;
use crate::client::{self, Server, credentials, order, still_market};

#[tokio::test]
async fn a_book_kept_from_deltas_is_the_book() {
    let server = Server::start(client::config()).await;
    let mut stream = server.socket("/v5/public/linear").await;
    stream.send(json!({"req_id": "7", "op": "ping"})).await;
    let pong = stream.next_text().await.unwrap();
    assert!(
        pong.contains(r#""ret_msg":"pong""#)
            && pong.contains(r#""op":"ping""#)
            && pong.contains(r#""req_id":"7""#)
    );
    stream.send_text("nonsense".to_owned()).await;
    assert!(stream.next().await["ret_msg"].as_str().unwrap().starts_with("Failed to decode incoming data:"));
    stream.send(json!({"op": "subscribe", "args": ["publicTrade.BTCUSDT", "orderbook.51.BTCUSDT"]})).await;
    let refused = stream.next().await;
    assert_eq!(
        (&refused["success"], &refused["ret_msg"]),
        (&json!(false), &json!("error:handler not found,topic:orderbook.51.BTCUSDT"))
    );
    stream.send(json!({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"], "req_id": 5})).await;
    let ack = stream.next().await;
    assert_eq!((&ack["success"], &ack["ret_msg"], &ack["req_id"]), (&json!(true), &json!(""), &json!(5)));
    let snapshot = stream.next().await;
    assert_eq!(snapshot["type"], "snapshot");
    let apply = |book: &mut [BTreeMap<String, String>; 2], data: &Value| {
        for (side, name) in book.iter_mut().zip(["b", "a"]) {
            for level in data[name].as_array().unwrap() {
                let (price, quantity) =
                    (level[0].as_str().unwrap().to_owned(), level[1].as_str().unwrap().to_owned());
                if quantity == "0" {
                    assert!(side.remove(&price).is_some(), "a delete of a level that is not there: {price}");
                } else {
                    side.insert(price, quantity);
                }
            }
        }
    };
    let mut book = [BTreeMap::new(), BTreeMap::new()];
    apply(&mut book, &snapshot["data"]);
    let mut update = snapshot["data"]["u"].as_u64().unwrap();
    for _ in 0..15 {
        let delta = stream.next().await;
        assert_eq!((&delta["topic"], &delta["type"]), (&json!("orderbook.50.BTCUSDT"), &json!("delta")));
        update += 1;
        assert_eq!(delta["data"]["u"], update, "updates are numbered without gap");
        apply(&mut book, &delta["data"]);
    }
    // A second client's snapshot, taken at some later update, is what the first one's book becomes.
    let mut other = server.socket("/v5/public/linear").await;
    other.send(json!({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})).await;
    other.next().await;
    let snapshot = other.next().await;
    while update < snapshot["data"]["u"].as_u64().unwrap() {
        let delta = stream.next().await;
        update = delta["data"]["u"].as_u64().unwrap();
        apply(&mut book, &delta["data"]);
    }
    let mut expected = [BTreeMap::new(), BTreeMap::new()];
    apply(&mut expected, &snapshot["data"]);
    assert_eq!(book, expected);
    server.stop().await;
}

#[tokio::test]
async fn trades_tickers_and_candles_stream() {
    let server = Server::start(client::config()).await;
    let mut stream = server.socket("/v5/public/linear").await;
    stream
        .send(
            json!({"op": "subscribe", "args": ["publicTrade.BTCUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT"]}),
        )
        .await;
    let trade = stream.rows("publicTrade.BTCUSDT").await.remove(0);
    for member in ["T", "s", "S", "v", "p", "L", "i", "BT", "RPI", "seq"] {
        assert!(trade.get(member).is_some(), "{member} missing in {trade}");
    }
    let mut stream = server.socket("/v5/public/linear").await;
    stream.send(json!({"op": "subscribe", "args": ["tickers.BTCUSDT", "kline.1.BTCUSDT"]})).await;
    stream.next().await;
    let ticker = stream.next().await;
    assert_eq!(
        (&ticker["type"], ticker["data"]["fundingRate"].as_str()),
        (&json!("snapshot"), Some("0.0001"))
    );
    let candle = stream.next().await;
    assert_eq!((&candle["data"][0]["interval"], &candle["data"][0]["confirm"]), (&json!("1"), &json!(false)));
    let delta = stream.next().await;
    assert!(
        delta["type"] == "delta" && delta["data"].get("fundingRate").is_none(),
        "what did not change is left out: {delta}"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_private_stream_wants_proof() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let mut stream = server.socket("/v5/private").await;
    stream.send(json!({"op": "subscribe", "args": ["order"]})).await;
    assert_eq!(stream.next().await["success"], false);
    let now = server.now_ms().await;
    let sign = |expires: u64| credentials("tradeKey").sign_stream(expires).as_str().to_owned();
    for (key, expires, sign) in [
        ("tradeKey", now - 1, sign(now - 1)),
        ("tradeKey", now + 9_000, sign(now + 9_001)),
        ("nobody", now + 9_000, sign(now + 9_000)),
    ] {
        stream.send(json!({"op": "auth", "args": [key, expires, sign]})).await;
        assert_eq!(stream.next().await["success"], false);
    }
    stream
        .send(json!({"op": "auth", "args": ["tradeKey", (now + 9_000).to_string(), sign(now + 9_000)]}))
        .await;
    assert_eq!(stream.next().await["success"], true, "the time may be text");
    stream.send(json!({"req_id": "p", "op": "ping"})).await;
    let pong = stream.next().await;
    assert_eq!((&pong["op"], &pong["req_id"]), (&json!("pong"), &json!("p")));
    stream.send(json!({"op": "subscribe", "args": ["order.linear", "tickers.BTCUSDT"]})).await;
    assert_eq!(stream.next().await["success"], false);
    stream.send(json!({"op": "subscribe", "args": ["order.linear"]})).await;
    assert_eq!(stream.next().await["success"], true);
    server.post(CREATE, order("a", "Buy", "0.010", Some("50000.0"))).await;
    assert_eq!(stream.next().await["topic"], "order.linear", "a topic is spelled as it was subscribed");
    server.stop().await;
}

#[tokio::test]
async fn a_topic_of_one_category_gets_its_rows_and_no_others() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let mut stream = server.private().await;
    let mut subscribed = async |topics: Value| {
        stream.send(json!({"op": "subscribe", "args": topics})).await;
        stream.next().await["success"].clone()
    };
    assert_eq!(
        subscribed(json!(["execution.fast", "execution.fast.linear"])).await,
        false,
        "not both at once"
    );
    assert_eq!(subscribed(json!(["execution.fast"])).await, true);
    assert_eq!(subscribed(json!(["order.spot", "execution.linear", "dcp.future", "greeks"])).await, true);
    server.post(CREATE, order("m", "Buy", "0.010", None)).await;
    let mut topics = BTreeMap::new();
    while topics.len() < 6 {
        let message = stream.next().await;
        topics.insert(message["topic"].as_str().unwrap().to_owned(), message);
    }
    let names: Vec<_> = topics.keys().map(String::as_str).collect();
    assert_eq!(names, ["execution", "execution.fast", "execution.linear", "order", "position", "wallet"]);
    assert_eq!(topics["execution"]["data"], topics["execution.linear"]["data"]);
    let fast = &topics["execution.fast"];
    assert!(fast.get("id").is_none() && fast["data"][0].get("execFee").is_none(), "{fast}");
    assert_eq!(fast["data"][0]["execId"], topics["execution"]["data"][0]["execId"]);
    server.stop().await;
}

#[tokio::test]
async fn price_limits_stream_and_liquidations_can_be_waited_for() {
    let (_dir, config) = still_market();
    let server = Server::start(config).await;
    let mut stream = server.socket("/v5/public/linear").await;
    let topics = json!(["priceLimit.BTCUSDT", "allLiquidation.BTCUSDT"]);
    stream.send(json!({"op": "subscribe", "args": topics})).await;
    assert_eq!(stream.next().await["success"], true);
    let limits = stream.next().await;
    assert_eq!(
        (&limits["topic"], &limits["data"]["symbol"]),
        (&json!("priceLimit.BTCUSDT"), &json!("BTCUSDT"))
    );
    let asked = server.get_public("/v5/market/price-limit?symbol=BTCUSDT").await;
    assert_eq!((&asked["result"]["buyLmt"], &asked["retMsg"]), (&limits["data"]["buyLmt"], &json!("")));
    assert_eq!(asked["result"]["sellLmt"], "57000");
    server.stop().await;
}
