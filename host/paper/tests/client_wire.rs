//! What pybit, ccxt and bybit-api really sent, byte for byte, against the paper exchange. The recordings lie beside the repository
//! and are not part of it. The secret they were signed with is not in them, so signatures are made anew over the same bytes; the
//! clock is put to the time each frame was sent.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "face/client.rs"]
mod client;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use client::{Server, Socket, still_market};
use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_paper::{PaperConfig, PaperKey};
use portcullis_wire::Credentials;
use serde_json::{Value, json};

/// The key that all three used.
const KEY: &str = "dummyKey0001";

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bybit/client-wire");
    let trial = |name: &str, file: &str| {
        let file = data.join(file);
        if !file.is_file() {
            return Trial::test(format!("{name} (ignored: no shared data)"), || Ok(()))
                .with_ignored_flag(true);
        }
        Trial::test(name, move || run(&file))
    };
    let trials = vec![
        trial("pybit", "pybit.ndjson"),
        trial("ccxt", "ccxt.ndjson"),
        trial("bybit_api", "bybit-api.ndjson"),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn run(file: &PathBuf) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let frames: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (_dir, config) = still_market();
        let keys = vec![PaperKey { credentials: own(), read_only: false }];
        let admin = Some("127.0.0.1:0".parse().unwrap());
        let server = Server::start(PaperConfig { keys, admin, limits: false, ..config }).await;
        let mut sockets = BTreeMap::new();
        let (mut requests, mut messages) = (0, 0);
        for frame in &frames {
            match frame["kind"].as_str().unwrap() {
                "http" => {
                    request(&server, frame).await;
                    requests += 1;
                }
                "ws-open" => {
                    let path = frame["path"].as_str().unwrap();
                    sockets.insert(path, server.socket(path).await);
                }
                "ws-recv" => {
                    let path = frame["path"].as_str().unwrap();
                    message(&server, sockets.get_mut(path).unwrap(), frame["text"].as_str().unwrap()).await;
                    messages += 1;
                }
                _ => {}
            }
        }
        assert!(requests >= 18 && messages >= 5, "{requests} requests and {messages} messages");
        server.stop().await;
    });
    Ok(())
}

fn own() -> Credentials {
    Credentials::new(KEY, &"a secret of our own".to_owned().into())
}

/// Puts the exchange's clock to a time.
async fn put_clock(server: &Server, at: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let offset = i64::try_from(at).unwrap() - i64::try_from(now.as_millis()).unwrap();
    let fault = json!({"at": "/v5/market/time", "does": "clock_offset", "offset_ms": offset});
    assert_eq!(server.admin("POST", "/fault", &fault.to_string()).await.status, 200);
}

/// Sends a recorded request and looks at what comes back.
async fn request(server: &Server, frame: &Value) {
    let text = |name: &str| frame[name].as_str().unwrap();
    let (method, path, query, body) = (text("method"), text("path"), text("raw_query"), text("body"));
    let mark = if frame["has_question_mark"] == true { "?" } else { "" };
    let target = format!("{path}{mark}{query}");
    let recorded = frame["headers"].as_object().unwrap();
    let header = |wanted: &str| {
        let found = recorded.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str().unwrap())
    };
    let mut sign = String::new();
    if let Some(time) = header("X-BAPI-TIMESTAMP") {
        let (sent, window) = (time.parse().unwrap(), header("X-BAPI-RECV-WINDOW").unwrap().parse().unwrap());
        put_clock(server, sent).await;
        let payload = if method == "GET" { query } else { body };
        own().sign_request(sent, window, payload.as_bytes()).as_str().clone_into(&mut sign);
    }
    let mut headers = Vec::new();
    for (name, value) in recorded {
        let lower = name.to_lowercase();
        // The helper sends these itself.
        if ["host", "connection", "content-length", "accept-encoding"].contains(&lower.as_str()) {
            continue;
        }
        let value = if lower == "x-bapi-sign" { sign.as_str() } else { value.as_str().unwrap() };
        headers.push((name.as_str(), value));
    }
    let reply = server.http(method, &target, &headers, body).await;
    assert_eq!(reply.status, 200, "{method} {target}");
    let reply = reply.json();
    let code = reply["retCode"].as_i64().unwrap();
    for never in [10_002, 10_003, 10_004, 10_006, 10_016, 10_017] {
        assert_ne!(code, never, "{method} {target} {body}: {reply}");
    }
    if method == "GET" && !query.contains("cursor=") {
        assert_eq!(code, 0, "{target}: {reply}");
    }
    let first = body.contains("pb-0001") || body.contains("cx-0001") || body.contains("nb-0001");
    if path == "/v5/order/create" && first {
        assert_eq!(code, 0, "{body}: {reply}");
    }
}

/// Sends a recorded message and waits for its answer.
async fn message(server: &Server, socket: &mut Socket, text: &str) {
    let sent: Value = serde_json::from_str(text).unwrap();
    let mut text = text.to_owned();
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    if sent["op"] == "auth" {
        let expires = number(&sent["args"][1]).unwrap();
        put_clock(server, expires - 900).await;
        let recorded = sent["args"][2].as_str().unwrap();
        text = text.replace(recorded, own().sign_stream(expires).as_str());
    }
    if let Some(time) = number(&sent["header"]["X-BAPI-TIMESTAMP"]) {
        put_clock(server, time).await;
    }
    socket.send_text(text.clone()).await;
    loop {
        let reply = socket.next().await;
        assert!(!reply.is_null(), "the connection ended after {text}");
        if reply.get("topic").is_some() {
            continue;
        }
        let answers = |name: &str| sent.get(name).is_none_or(|id| reply[name] == *id);
        assert!(answers("reqId"), "{text}: {reply}");
        let done = reply["success"] == true || reply["retCode"] == 0 || reply["op"] == "pong";
        // bybit-api proves itself twice on the trade stream.
        assert!(done || reply["retCode"] == 20_001, "{text}: {reply}");
        return;
    }
}
