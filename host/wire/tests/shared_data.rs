//! Signing vectors made with a third-party client, and payloads recorded from the exchange: read in place when they are there.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_wire::{
    Ack, AmendOrder, ApiKey, BookFrame, CancelAll, CancelAllResult, CancelOrder, CreateOrder, Credentials,
    Empty, Execution, FeeRate, Instrument, KlineData, KlineRow, List, Operation, Order, OrderIds,
    OrderbookResult, Page, Position, PrivateFrame, PublicFrame, RawReply, RecentTrade, ServerTime,
    TickerData, TickerRow, TradeData, TradeReply, TradeRequest, TradingStop, Verdict, Wallet, verdict,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bybit")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 7] = [
        ("signing_vectors", signing_vectors),
        ("documented_answers_decode", documented_answers_decode),
        ("documented_frames_decode", documented_frames_decode),
        ("documented_requests_decode", documented_requests_decode),
        ("recorded_results_decode", recorded_results_decode),
        ("recorded_errors_are_classified", recorded_errors_are_classified),
        ("client_requests_decode", client_requests_decode),
    ];
    let there = data().is_dir();
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            let run = move || -> Result<(), Failed> {
                test();
                Ok(())
            };
            // A run without the data reports the reason as the test's kind, and never as passed.
            if there {
                Trial::test(name, run)
            } else {
                Trial::test(name, run).with_kind("needs ../shared/data").with_ignored_flag(true)
            }
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The payloads of one file of the official documentation, with their kind.
fn documented(name: &str) -> Vec<(String, Value)> {
    let text = fs::read_to_string(data().join("docs").join(name)).unwrap();
    text.lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            (line["kind"].as_str().unwrap().to_owned(), line["payload"].take())
        })
        .collect()
}

/// Every answer in a file, as `T`.
fn answers<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let samples: Vec<T> = documented(name)
        .iter()
        .filter(|(_, payload)| payload.get("retCode").is_some())
        .map(|(_, payload)| {
            let body = payload.to_string();
            let reply = RawReply::read(body.as_bytes()).unwrap();
            assert_eq!(verdict(reply.ret_code), Verdict::Accepted, "{name}");
            reply.result().unwrap_or_else(|e| panic!("{name}: {e}"))
        })
        .collect();
    assert!(!samples.is_empty(), "{name} holds no answer");
    samples
}

/// Every frame of a topic in a file, as `T`.
fn frames<T>(name: &str, check: impl Fn(&str) -> T) -> Vec<T> {
    let samples: Vec<T> = documented(name)
        .iter()
        .filter(|(_, payload)| payload.get("topic").is_some())
        .map(|(_, payload)| check(&payload.to_string()))
        .collect();
    assert!(!samples.is_empty(), "{name} holds no frame");
    samples
}

fn signing_vectors() {
    let text = fs::read_to_string(data().join("signing-vectors.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let secret = file["api_secret"].as_str().unwrap().to_owned();
    let credentials = Credentials::new(file["api_key"].as_str().unwrap(), &secret.into());
    let (time, window) = (file["timestamp"].as_u64().unwrap(), file["recv_window"].as_u64().unwrap());
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let expected = vector["signature"].as_str().unwrap();
        if let Some(expires) = vector["expires"].as_u64() {
            assert_eq!(credentials.sign_stream(expires).as_str(), expected, "{name}");
            credentials.verify_stream(&expires.to_string(), expected).unwrap();
            continue;
        }
        let time = vector["timestamp"].as_u64().unwrap_or(time);
        let window = vector["recv_window"].as_u64().unwrap_or(window);
        let payload = vector["payload"].as_str().unwrap().as_bytes();
        assert_eq!(credentials.sign_request(time, window, payload).as_str(), expected, "{name}");
        credentials.verify_request(&time.to_string(), &window.to_string(), payload, expected).unwrap();
    }
}

fn documented_answers_decode() {
    let instruments: Vec<Page<Instrument>> = answers("rest-instrument.ndjson");
    assert!(
        instruments.iter().all(|page| page.list.iter().all(|row| !row.price_filter.tick_size.is_empty()))
    );
    answers::<ServerTime>("rest-time.ndjson");
    answers::<List<TickerRow>>("rest-tickers.ndjson");
    answers::<OrderbookResult>("rest-orderbook.ndjson");
    answers::<List<KlineRow>>("rest-kline.ndjson");
    answers::<List<RecentTrade>>("rest-recent-trade.ndjson");
    answers::<OrderIds>("rest-create-order.ndjson");
    answers::<OrderIds>("rest-amend-order.ndjson");
    answers::<OrderIds>("rest-cancel-order.ndjson");
    answers::<CancelAllResult>("rest-cancel-all.ndjson");
    answers::<Empty>("rest-trading-stop.ndjson");
    let orders: Vec<Page<Order>> = answers("rest-open-order.ndjson");
    assert_eq!(orders[0].list[0].order_link_id, "test-000005");
    answers::<Page<Order>>("rest-order-list.ndjson");
    answers::<Page<Execution>>("rest-execution.ndjson");
    let positions: Vec<Page<Position>> = answers("rest-position.ndjson");
    assert!(!positions[0].list[0].average().is_empty());
    let wallets: Vec<List<Wallet>> = answers("rest-wallet-balance.ndjson");
    assert_eq!(wallets[0].list[0].coin.len(), 1);
    answers::<List<FeeRate>>("rest-fee-rate.ndjson");
    let keys: Vec<ApiKey> = answers("rest-apikey-info.ndjson");
    assert!(keys[0].may("ContractTrade", "Order") && !keys[0].may("Wallet", "Withdraw"));
    answers::<portcullis_wire::AccountInfo>("rest-account-info.ndjson");
    answers::<List<portcullis_wire::FundingRow>>("rest-history-fund-rate.ndjson");
}

fn documented_frames_decode() {
    frames("ws-public-orderbook.ndjson", |text| {
        serde_json::from_str::<BookFrame<'_>>(text).unwrap();
    });
    frames("ws-public-trade.ndjson", |text| {
        let frame: PublicFrame<'_, Vec<TradeData<'_>>> = serde_json::from_str(text).unwrap();
        assert!(!frame.data.is_empty());
    });
    frames("ws-public-ticker.ndjson", |text| {
        serde_json::from_str::<PublicFrame<'_, TickerData<'_>>>(text).unwrap();
    });
    frames("ws-public-kline.ndjson", |text| {
        serde_json::from_str::<PublicFrame<'_, Vec<KlineData<'_>>>>(text).unwrap();
    });
    frames("ws-private-order.ndjson", |text| {
        serde_json::from_str::<PrivateFrame<'_, Order>>(text).unwrap();
    });
    frames("ws-private-execution.ndjson", |text| {
        serde_json::from_str::<PrivateFrame<'_, Execution>>(text).unwrap();
    });
    frames("ws-private-position.ndjson", |text| {
        serde_json::from_str::<PrivateFrame<'_, Position>>(text).unwrap();
    });
    frames("ws-private-wallet.ndjson", |text| {
        serde_json::from_str::<PrivateFrame<'_, Wallet>>(text).unwrap();
    });
    for (_, payload) in documented("ws-wss-authentication.ndjson") {
        let text = payload.to_string();
        let is_answer = payload.get("success").is_some() || payload["op"] == "pong";
        if payload.get("op").is_none() {
            continue; // An option stream's answer, which we never use.
        }
        if is_answer {
            serde_json::from_str::<Ack>(&text).unwrap();
        } else {
            serde_json::from_str::<Operation>(&text).unwrap();
        }
    }
    for (_, payload) in documented("ws-trade-guideline.ndjson") {
        let text = payload.to_string();
        if payload.get("retCode").is_some() {
            serde_json::from_str::<TradeReply>(&text).unwrap();
        } else {
            serde_json::from_str::<TradeRequest>(&text).unwrap();
        }
    }
}

fn documented_requests_decode() {
    fn requests<T: DeserializeOwned>(name: &str) {
        for (kind, payload) in documented(name) {
            if kind == "request" && payload.is_object() {
                serde_json::from_value::<T>(payload).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
        }
    }
    requests::<CreateOrder>("rest-create-order.ndjson");
    requests::<AmendOrder>("rest-amend-order.ndjson");
    requests::<CancelOrder>("rest-cancel-order.ndjson");
    requests::<CancelAll>("rest-cancel-all.ndjson");
    requests::<TradingStop>("rest-trading-stop.ndjson");
}

fn recorded_results_decode() {
    fn result<T: DeserializeOwned>(name: &str) -> T {
        let text = fs::read_to_string(data().join("hirokisan").join(name)).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
    result::<OrderIds>("v5-create-order.json");
    result::<OrderIds>("v5-cancel-order.json");
    result::<CancelAllResult>("v5-cancel-all-orders.json");
    result::<Page<Order>>("v5-get-open-orders.json");
    result::<Page<Order>>("v5-get-history-orders.json");
    result::<Page<Execution>>("v5-execution-get-execution-list.json");
    result::<Page<Position>>("v5-position-get-position-info.json");
    result::<List<Wallet>>("v5-account-get-wallet-balance.json");
    result::<Page<Instrument>>("v5-market-get-instruments-info-spot.json");
    result::<ApiKey>("v5-user-get-api-key.json");
    let probe = fs::read_to_string(data().join("probe/public-linear-frames.ndjson")).unwrap();
    for line in probe.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["text"].to_string();
        match line["text"]["topic"].as_str() {
            Some(topic) if topic.starts_with("orderbook") => {
                drop(serde_json::from_str::<BookFrame<'_>>(&text).unwrap())
            }
            Some(_) => drop(serde_json::from_str::<PublicFrame<'_, TickerData<'_>>>(&text).unwrap()),
            None if line["dir"] == "recv" => drop(serde_json::from_str::<Ack>(&text).unwrap()),
            None => drop(serde_json::from_str::<Operation>(&text).unwrap()),
        }
    }
    let orders = fs::read_to_string(data().join("orders-seen-in-code.ndjson")).unwrap();
    for line in orders.lines() {
        let payload: Value = serde_json::from_str::<Value>(line).unwrap()["payload"].take();
        if payload["topic"].as_str().unwrap().starts_with("order") {
            let text = payload.to_string();
            let frame: PrivateFrame<'_, Order> = serde_json::from_str(&text).unwrap();
            assert!(!frame.data[0].order_id.is_empty());
        }
    }
}

fn recorded_errors_are_classified() {
    let text = fs::read_to_string(data().join("errors-seen.ndjson")).unwrap();
    for line in text.lines() {
        let code = serde_json::from_str::<Value>(line).unwrap()["retCode"].as_i64().unwrap();
        let code = i32::try_from(code).unwrap();
        assert!(matches!(verdict(code), Verdict::Rejected(_)), "{code}");
    }
}

/// Requests of three third-party clients, recorded.
fn client_requests_decode() {
    for client in ["pybit", "ccxt", "bybit-api"] {
        let text = fs::read_to_string(data().join(format!("client-wire/{client}.ndjson"))).unwrap();
        let mut seen = 0;
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let body = line["body"].as_str().unwrap_or_default();
            match line["path"].as_str() {
                Some("/v5/order/create") => drop(serde_json::from_str::<CreateOrder>(body).unwrap()),
                Some("/v5/order/amend") => drop(serde_json::from_str::<AmendOrder>(body).unwrap()),
                Some("/v5/order/cancel") => drop(serde_json::from_str::<CancelOrder>(body).unwrap()),
                Some("/v5/order/cancel-all") => drop(serde_json::from_str::<CancelAll>(body).unwrap()),
                _ => continue,
            }
            seen += 1;
        }
        assert!(seen > 0, "{client} sent no order request");
    }
}
