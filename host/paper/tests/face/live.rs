//! One paper exchange fed from the public streams of another: the same market, with gaps, silence and the end of the other one.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use portcullis_paper::{Live, PaperConfig, Speed};
use serde_json::{Value, json};

use crate::client::{self, Server, order};
use crate::{CREATE, code};

const BOOK: &str = "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=50";

/// The tests ask often.
fn config() -> PaperConfig {
    PaperConfig { limits: false, ..client::config() }
}

/// An exchange fed from the one at `address`.
async fn fed(address: SocketAddr, instruments: &str, quiet: Duration) -> Server {
    let live =
        Live::parse(&format!("live:{instruments}"), Some(&format!("ws://{address}"))).unwrap().unwrap();
    Server::launch(PaperConfig { live: Some(live.with_quiet(quiet)), ..config() }).await
}

/// A market that stands still after one trade: two levels a side.
fn still_book() -> (tempfile::TempDir, PaperConfig) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frames.ndjson");
    let at = 1_735_689_602_000_u64;
    let frames = [
        json!({"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": at, "data": {"s": "BTCUSDT", "u": 7, "seq": 7,
            "b": [["60000.00", "1.5"], ["59999.90", "2"]], "a": [["60000.10", "0.4"], ["60000.20", "3"]]}}),
        json!({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": at, "data":
            [{"T": at, "s": "BTCUSDT", "S": "Buy", "v": "0.010", "p": "60000.10", "i": "x", "BT": false}]}),
    ];
    std::fs::write(&file, frames.map(|frame| frame.to_string()).join("\n")).unwrap();
    (dir, PaperConfig { data: vec![file], repeat: false, ..config() })
}

async fn book(server: &Server) -> [Value; 2] {
    let book = server.get_public(BOOK).await;
    [book["result"]["b"].clone(), book["result"]["a"].clone()]
}

/// Whether both show the same book, with something in it.
async fn agree(one: &Server, other: &Server) -> bool {
    let (one, other) = (book(one).await, book(other).await);
    one == other && one[0] != json!([])
}

#[tokio::test]
async fn a_fed_exchange_trades_in_the_book_of_the_other_until_that_one_ends() {
    let (_dir, config) = still_book();
    let source = Server::launch(config.clone()).await;
    let server = fed(source.address, "BTCUSDT", Duration::from_secs(20)).await;
    server.until("the other's book", async || agree(&source, &server).await).await;
    let mut stream = server.private().await;
    assert_eq!(code(&server.post(CREATE, order("m-1", "Buy", "0.5", None)).await), 0);
    let fills = stream.rows("execution").await;
    let fills: Vec<_> = fills.iter().map(|fill| (&fill["execPrice"], &fill["execQty"])).collect();
    assert_eq!(fills, [(&json!("60000.1"), &json!("0.4")), (&json!("60000.2"), &json!("0.1"))]);
    assert_eq!(code(&server.post(CREATE, order("l-1", "Sell", "0.1", Some("60000.10"))).await), 0);

    let address = source.address;
    source.kill().await;
    server.until("an empty book", async || book(&server).await == [json!([]), json!([])]).await;
    assert_eq!(code(&server.post(CREATE, order("m-2", "Buy", "0.1", None)).await), 0);
    server
        .until("the end of an order that nothing fills", async || {
            let reply = server.get("/v5/order/history?category=linear&orderLinkId=m-2").await;
            let row = &reply["result"]["list"][0];
            row["orderStatus"] == "Cancelled" && row["cumExecQty"] == "0"
        })
        .await;

    let source = Server::launch(PaperConfig { listen: address, ..config }).await;
    server.until("the book once more", async || book(&server).await[0] == book(&source).await[0]).await;
    assert_eq!(code(&server.post(CREATE, order("m-3", "Sell", "0.1", None)).await), 0);
    server
        .until("a fill in the book that came back", async || {
            let reply = server.get("/v5/order/history?category=linear&orderLinkId=m-3").await;
            reply["result"]["list"][0]["avgPrice"] == "60000"
        })
        .await;
    server.stop().await;
    source.stop().await;
}

#[tokio::test]
async fn a_fed_exchange_shows_the_trades_of_the_other_and_its_mark() {
    let source = Server::start(PaperConfig { speed: Speed::new(10.0).unwrap(), ..config() }).await;
    let server = fed(source.address, "BTCUSDT,ETHUSDT", Duration::from_secs(20)).await;
    let trades = async |server: &Server, limit: u32| {
        let target = format!("/v5/market/recent-trade?category=linear&symbol=ETHUSDT&limit={limit}");
        let rows = server.get_public(&target).await["result"]["list"].as_array().unwrap().clone();
        let row = |row: &Value| [&row["price"], &row["size"], &row["side"]].map(|member| member.to_string());
        rows.iter().map(row).collect::<Vec<_>>()
    };
    server.until("thirty trades", async || trades(&server, 100).await.len() >= 30).await;
    let ours = trades(&server, 30).await;
    let theirs: HashSet<_> = trades(&source, 1_000).await.into_iter().collect();
    let strange: Vec<_> = ours.iter().filter(|trade| !theirs.contains(*trade)).collect();
    assert!(strange.is_empty(), "trades that the other never had: {strange:?}");
    server.until("the same book", async || agree(&source, &server).await).await;
    let ticker = server.get_public("/v5/market/tickers?category=linear&symbol=BTCUSDT").await;
    let mark = ticker["result"]["list"][0]["markPrice"].as_str().unwrap();
    assert!(mark.parse::<f64>().unwrap() > 10_000.0, "{mark}");
    let next = ticker["result"]["list"][0]["nextFundingTime"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(next > server.now_ms().await && next < server.now_ms().await + 8 * 3_600_000 + 1);
    let history = server.get_public("/v5/market/funding/history?category=linear&symbol=BTCUSDT").await;
    assert_eq!(history["result"]["list"], json!([]), "what is to come is no history");
    server.stop().await;
    source.stop().await;
}

#[tokio::test]
async fn a_fed_exchange_outlives_lost_messages_cuts_and_silence() {
    let admin = Some("127.0.0.1:0".parse().unwrap());
    let source = Server::start(PaperConfig { admin, speed: Speed::new(5.0).unwrap(), ..config() }).await;
    let server = fed(source.address, "BTCUSDT,ETHUSDT", Duration::from_millis(400)).await;
    let arm = async |rule: Value| {
        let reply = source.admin("POST", "/fault", &rule.to_string()).await.json();
        assert_eq!(reply, json!({"ok": true}), "{rule}");
    };
    server.until("the other's book", async || agree(&source, &server).await).await;
    for _ in 0..3 {
        // A lost update of a book, sooner or later.
        for _ in 0..10 {
            arm(json!({"at": "public", "does": "drop_event"})).await;
        }
        server.until("the same book after a loss", async || agree(&source, &server).await).await;
    }
    arm(json!({"at": "public", "does": "disconnect"})).await;
    server.until("the same book after a cut", async || agree(&source, &server).await).await;
    arm(json!({"at": "public", "does": "silence", "for_ms": 1_500})).await;
    server.until("an empty book in the silence", async || book(&server).await[0] == json!([])).await;
    server.until("the same book after the silence", async || agree(&source, &server).await).await;
    server.stop().await;
    source.stop().await;
}
