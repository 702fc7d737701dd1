//! Faults: what a venue does at its worst, by file and on demand.

use std::time::Duration;

use portcullis_core::Span;
use portcullis_paper::engine::coins;
use portcullis_paper::{Faults, PaperConfig, PaperError, bind};
use serde_json::{Value, json};

use crate::client::{Server, order, still_market};
use crate::{CREATE, REALTIME, code};

#[tokio::test]
async fn faults_do_what_a_venue_does_at_its_worst() {
    let (_dir, config) = still_market();
    let faults = r#"
        [[fault]]
        at = "/v5/order/create"
        does = "timeout_after_accept"
        nth = 1
        [[fault]]
        at = "order"
        does = "drop_event"
        nth = 1
        [[fault]]
        at = "order"
        does = "duplicate_event"
        nth = 2
        [[fault]]
        at = "order"
        does = "disconnect"
        nth = 3
        [[fault]]
        at = "/v5/order/cancel"
        does = "rate_limit"
        nth = 1
    "#;
    let engine = portcullis_paper::engine::EngineConfig { deposit: coins(1_000), ..config.engine };
    let server =
        Server::start(PaperConfig { faults: Some(Faults::parse(faults).unwrap()), engine, ..config }).await;
    let mut stream = server.private().await;
    let lost = order("lost", "Buy", "0.010", Some("50000.0")).to_string();
    let unanswered = server.signed("POST", CREATE, &lost);
    let found = server.until("the order that was never acknowledged", async || {
        let reply = server.get("/v5/order/realtime?category=linear&orderLinkId=lost").await;
        reply["result"]["list"][0]["orderStatus"] == "New"
    });
    tokio::select! {
        _ = unanswered => panic!("the request was answered"),
        () = found => {}
    }
    assert_eq!(code(&server.post(CREATE, order("twice", "Buy", "0.010", Some("50000.0"))).await), 0);
    assert_eq!(stream.rows("order").await[0]["orderLinkId"], "twice", "the first event was dropped");
    assert_eq!(stream.rows("order").await[0]["orderLinkId"], "twice", "the second came twice");
    assert_eq!(code(&server.post(CREATE, order("last", "Buy", "0.010", Some("50000.0"))).await), 0);
    assert_eq!(stream.rows("order").await[0]["orderLinkId"], "last");
    assert_eq!(stream.next().await, Value::Null, "then the connection was cut");
    let cancel = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "last"});
    assert_eq!(code(&server.post("/v5/order/cancel", cancel.clone()).await), 10_006);
    assert_eq!(code(&server.post("/v5/order/cancel", cancel).await), 0);
    server.kill().await;
}

fn admitted() -> (tempfile::TempDir, PaperConfig) {
    let (dir, config) = still_market();
    (dir, PaperConfig { admin: Some("127.0.0.1:0".parse().unwrap()), ..config })
}

#[tokio::test]
async fn requests_go_wrong_on_demand() {
    let (_dir, config) = admitted();
    let server = Server::start(config).await;
    let cancel = json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "none"}).to_string();
    let ask = async || server.signed("POST", "/v5/order/cancel", &cancel).await;
    let fault = async |does: &str, for_ms: u64| {
        let rule = json!({"at": "/v5/order/cancel", "does": does, "for_ms": for_ms});
        assert_eq!(
            server.admin("POST", "/fault", &rule.to_string()).await.json(),
            json!({"ok": true}),
            "{does}"
        );
    };
    fault("forbidden", 0).await;
    assert_eq!(ask().await.status, 403);
    fault("server_error", 0).await;
    let broken = ask().await;
    assert!(broken.status == 502 && broken.body.starts_with("<html>"), "{}", broken.body);
    fault("malformed_json", 0).await;
    assert!(serde_json::from_str::<Value>(&ask().await.body).is_err());
    fault("rate_limit", 60_000).await;
    for _ in 0..3 {
        let reply = ask().await;
        assert_eq!(code(&reply.json()), 10_006, "a storm goes on");
    }
    let faults = json!({"fault": [{"at": "/v5/account/info", "does": "unknown_fields", "nth": 1}]});
    server.admin("POST", "/faults", &faults.to_string()).await;
    assert_eq!(code(&ask().await.json()), 110_001, "the others are forgotten");
    assert!(server.get("/v5/account/info").await["result"]["unheardOf"].is_object());
    assert!(server.get("/v5/account/info").await["result"].get("unheardOf").is_none());
    let counts = server.admin("GET", "/faults", "").await.json();
    assert_eq!(counts["faults"][0]["struck"], 1, "{counts}");
    assert_eq!(counts["faults"][0]["seen"], 2, "{counts}");

    // What is lost before it is taken was never carried out.
    let lost = json!({"at": CREATE, "does": "timeout_before_accept"});
    server.admin("POST", "/fault", &lost.to_string()).await;
    let body = order("lost", "Buy", "0.010", Some("50000.0")).to_string();
    let unanswered = server.signed("POST", CREATE, &body);
    assert!(tokio::time::timeout(Duration::from_millis(300), unanswered).await.is_err());
    assert_eq!(server.get(REALTIME).await["result"]["list"], json!([]));
    server.kill().await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_off_for_clients_alone() {
    let (_dir, config) = admitted();
    let server = Server::start(config).await;
    let before = server.now_ms().await;
    let fault = json!({"at": "/v5/market/time", "does": "clock_offset", "offset_ms": -30_000});
    server.admin("POST", "/fault", &fault.to_string()).await;
    assert!(server.now_ms().await < before);
    let (now, body) = (before.to_string(), order("x", "Buy", "0.010", Some("50000.0")).to_string());
    let sign = crate::client::credentials("tradeKey").sign_request(before, 5_000, body.as_bytes());
    let headers = [
        ("X-BAPI-API-KEY", "tradeKey"),
        ("X-BAPI-TIMESTAMP", now.as_str()),
        ("X-BAPI-RECV-WINDOW", "5000"),
        ("X-BAPI-SIGN", sign.as_str()),
    ];
    assert_eq!(code(&server.http("POST", CREATE, &headers, &body).await.json()), 10_002);
    assert_eq!(code(&server.post(CREATE, order("x", "Buy", "0.010", Some("50000.0"))).await), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_cuts_everybody_and_may_forget_who_closed() {
    let (_dir, config) = admitted();
    let server = Server::start(config).await;
    server.post(CREATE, order("open", "Buy", "0.010", Some("50000.0"))).await;
    server.post(CREATE, order("done", "Buy", "0.010", None)).await;
    let closed = format!("{REALTIME}&openOnly=1");
    let links = |reply: Value| {
        let rows = reply["result"]["list"].as_array().unwrap().clone();
        rows.iter().map(|row| row["orderLinkId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut stream = server.private().await;
    let restart = json!({"at": "private", "does": "restart"});
    server.admin("POST", "/fault", &restart.to_string()).await;
    assert_eq!(stream.next().await, Value::Null);
    assert_eq!(links(server.get(&closed).await), ["done"], "all is kept");
    let restart = json!({"at": "private", "does": "restart_forgetting"});
    server.admin("POST", "/fault", &restart.to_string()).await;
    assert!(links(server.get(&closed).await).is_empty());
    assert_eq!(links(server.get(REALTIME).await), ["open"]);
    assert_eq!(links(server.get("/v5/order/history?category=linear").await), ["done"], "history has it");
    let down = json!({"at": "private", "does": "restart", "for_ms": 3_600_000});
    server.admin("POST", "/fault", &down.to_string()).await;
    assert_eq!(server.http("GET", "/v5/market/time", &[], "").await.status, 503);
    server.stop().await;
}

#[tokio::test]
async fn a_silent_stream_says_nothing_and_answers_no_ping() {
    let (_dir, config) = admitted();
    let server = Server::start(config).await;
    let mut stream = server.private().await;
    let silence = json!({"at": "private", "does": "silence", "for_ms": 3_600_000});
    server.admin("POST", "/fault", &silence.to_string()).await;
    server.post(CREATE, order("unheard", "Buy", "0.010", Some("50000.0"))).await;
    stream.send(json!({"op": "ping"})).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), stream.next()).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn events_come_late_and_broken() {
    let (_dir, config) = admitted();
    let server = Server::start(PaperConfig { report_delay: Span(0), ..config }).await;
    let mut stream = server.private().await;
    let rules = json!({"fault": [
        {"at": "order", "does": "delay_event", "nth": 1, "for_ms": 300},
        {"at": "order", "does": "malformed_json", "nth": 3},
    ]});
    server.admin("POST", "/faults", &rules.to_string()).await;
    for link in ["late", "next"] {
        server.post(CREATE, order(link, "Buy", "0.010", Some("50000.0"))).await;
    }
    assert_eq!(stream.rows("order").await[0]["orderLinkId"], "next");
    assert_eq!(stream.rows("order").await[0]["orderLinkId"], "late");
    server.post(CREATE, order("broken", "Buy", "0.010", Some("50000.0"))).await;
    let broken = loop {
        let text = stream.next_text().await.unwrap();
        if text.starts_with(r#"{"topic":"order""#) {
            break text;
        }
    };
    assert!(serde_json::from_str::<Value>(&broken).is_err(), "{broken}");
    server.stop().await;
}

#[tokio::test]
async fn the_admin_endpoint_is_for_this_machine_and_says_what_is_wrong() {
    let (_dir, config) = admitted();
    let server = Server::start(config.clone()).await;
    let refused = server.admin_as("paper.example", "GET", "/faults", "").await;
    assert_eq!(refused.status, 403);
    for (body, words) in [
        (r#"{"at":"order","does":"explode"}"#, "unknown variant"),
        (r#"{"at":"nowhere","does":"drop_event"}"#, "no place"),
        (r#"{"at":"order","does":"drop_event","nth":1,"every":2}"#, "one of nth"),
    ] {
        let refused = server.admin("POST", "/fault", body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.body.contains(words), "{}", refused.body);
    }
    assert_eq!(server.admin("POST", "/fault", &"x".repeat(70_000)).await.status, 413);
    assert_eq!(server.admin("GET", "/else", "").await.status, 404);
    let added = "[[fault]]\nat = \"order\"\ndoes = \"drop_event\"\nevery = 9";
    assert_eq!(server.admin("POST", "/faults?add", added).await.status, 200);
    server.stop().await;
    let open = PaperConfig { admin: Some("0.0.0.0:0".parse().unwrap()), ..config };
    assert!(matches!(bind(open).await, Err(PaperError::AdminNotLoopback(_))));
}
