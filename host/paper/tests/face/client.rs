//! A client of the paper exchange for tests: plain HTTP and WebSockets, nothing shared with the server but the signature.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use portcullis_paper::{Paper, PaperConfig, PaperKey, bind};
use portcullis_wire::Credentials;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn credentials(key: &str) -> Credentials {
    Credentials::new(key, &"paper secret".to_owned().into())
}

pub(crate) fn config() -> PaperConfig {
    let key = |name: &str, read_only| PaperKey { credentials: credentials(name), read_only };
    PaperConfig::new("127.0.0.1:0".parse().unwrap(), vec![key("tradeKey", false), key("readKey", true)])
}

/// One trade of each instrument, after which the market stands still: BTCUSDT at 60,000.0 and ETHUSDT at 2,500.00.
pub(crate) fn still_market() -> (tempfile::TempDir, PaperConfig) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trades.csv");
    let rows = [
        "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side",
        "usdm,BTCUSDT,1,1723161256322,1723161256322,1,60000.0,1,buy",
        "usdm,ETHUSDT,1,1723161256322,1723161256322,1,2500.00,1,buy",
        "spot,BTCUSDT,1,1723161256322,1723161256322,1,60001.00,1,buy",
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    (dir, PaperConfig { data: vec![file], repeat: false, ..config() })
}

pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    admin: Option<std::net::SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts an exchange and waits for its first price.
    pub(crate) async fn start(config: PaperConfig) -> Self {
        let server = Self::launch(config).await;
        let first = async || {
            let reply = server.get_public("/v5/market/tickers?category=linear&symbol=ETHUSDT").await;
            reply["result"]["list"][0]["lastPrice"].as_str().is_some_and(|price| price != "0")
        };
        server.until("a first price", first).await;
        server
    }

    pub(crate) async fn launch(config: PaperConfig) -> Self {
        let paper: Paper = bind(config).await.unwrap();
        let (address, admin) = (paper.address(), paper.admin());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            paper.run(async { drop(stopped.await) }).await.unwrap();
        });
        Self { address, admin, stop, task }
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }

    /// Ends it without letting it finish anything.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !done().await {
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn now_ms(&self) -> u64 {
        self.get_public("/v5/market/time").await["time"].as_u64().unwrap()
    }

    pub(crate) async fn get_public(&self, target: &str) -> Value {
        self.http("GET", target, &[], "").await.json()
    }

    pub(crate) async fn get(&self, target: &str) -> Value {
        self.signed("GET", target, "").await.json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.signed("POST", path, &body.to_string()).await.json()
    }

    pub(crate) async fn signed(&self, method: &str, target: &str, body: &str) -> Reply {
        self.signed_by("tradeKey", method, target, body).await
    }

    pub(crate) async fn signed_by(&self, key: &str, method: &str, target: &str, body: &str) -> Reply {
        let now = self.now_ms().await;
        let payload =
            if method == "GET" { target.split_once('?').map_or("", |(_, query)| query) } else { body };
        let sign = credentials(key).sign_request(now, 5_000, payload.as_bytes());
        let time = now.to_string();
        let headers = [
            ("X-BAPI-API-KEY", key),
            ("X-BAPI-TIMESTAMP", &time),
            ("X-BAPI-RECV-WINDOW", "5000"),
            ("X-BAPI-SIGN", sign.as_str()),
        ];
        self.http(method, target, &headers, body).await
    }

    /// Asks the admin endpoint.
    pub(crate) async fn admin(&self, method: &str, target: &str, body: &str) -> Reply {
        self.admin_as("127.0.0.1", method, target, body).await
    }

    pub(crate) async fn admin_as(&self, host: &str, method: &str, target: &str, body: &str) -> Reply {
        exchange(self.admin.unwrap(), method, target, &[("Host", host)], body).await
    }

    pub(crate) async fn http(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let headers = [&[("Host", "paper")], headers].concat();
        exchange(self.address, method, target, &headers, body).await
    }

    pub(crate) async fn socket(&self, path: &str) -> Socket {
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Socket(socket)
    }

    /// A private connection, authenticated and subscribed to everything.
    pub(crate) async fn private(&self) -> Socket {
        let mut socket = self.socket("/v5/private").await;
        let expires = self.now_ms().await + 5_000;
        let sign = credentials("readKey").sign_stream(expires);
        socket.send(json!({"op": "auth", "args": ["readKey", expires, sign.as_str()]})).await;
        assert_eq!(socket.next().await["success"], true);
        socket.send(json!({"op": "subscribe", "args": ["order", "execution", "position", "wallet"]})).await;
        assert_eq!(socket.next().await["success"], true);
        socket
    }
}

/// One request on a connection of its own.
async fn exchange(
    address: std::net::SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_string(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Reply { status, headers: headers.collect(), body: body.to_owned() }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> u64 {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.unwrap_or_else(|| panic!("no header {name}")).1.parse().unwrap()
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message, or null when the connection ends.
    pub(crate) async fn next(&mut self) -> Value {
        self.next_text().await.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn next_text(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a message in time");
            match message {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The rows of the next message of a topic; what comes before is passed over.
    pub(crate) async fn rows(&mut self, topic: &str) -> Vec<Value> {
        loop {
            let message = self.next().await;
            assert!(!message.is_null(), "the connection ended before {topic}");
            if message["topic"] == topic {
                return message["data"].as_array().unwrap().clone();
            }
        }
    }
}

pub(crate) fn order(link: &str, side: &str, quantity: &str, price: Option<&str>) -> Value {
    let mut body = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": side, "qty": quantity, "orderLinkId": link,
        "orderType": if price.is_some() { "Limit" } else { "Market" }
    });
    if let Some(price) = price {
        body["price"] = price.into();
    }
    body
}
