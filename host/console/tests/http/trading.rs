//! Looking at trading and changing it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};

use portcullis_role::{
    ControlReply, ControlRequest, GaugeLine, LimitsReport, OverrideRequest, SetLimitsRequest,
};
use serde_json::Value;

use crate::support::{Console, status, until};

#[test]
fn the_gateways_answers_are_passed_on() {
    let console = Console::start();
    let json = console.get("/api/status").json();
    assert_eq!(json["trading_state"], "active");
    assert_eq!(json["equity"], "11234.5");
    assert_eq!(json["strategies"][0]["name"], "ema-cross");
    assert_eq!(console.get("/api/orders").json()["orders"][0]["price"], "61837.6");
    assert_eq!(console.get("/api/positions").json()["positions"][0]["quantity"], "-0.010");
    assert_eq!(console.get("/api/denials").json()["refused"]["PRICE_COLLAR"], 3);
    let journal = console.get("/api/journal").json();
    assert_eq!((&journal["records"], &journal["root"]), (&678.into(), &"ef".repeat(32).into()));
    assert_eq!(console.send("GET", "/healthz", &[], b"").json()["ok"], true);
}

#[test]
fn a_gateway_that_is_away_is_said_and_comes_back() {
    let mut console = Console::start();
    console.stop_gateway();
    for path in ["status", "orders", "positions", "denials", "limits", "journal", "deployments/1"] {
        let away = console.get(&format!("/api/{path}"));
        assert_eq!((away.status, away.code().as_str()), (503, "GATEWAY_AWAY"), "{path}");
        assert!(away.header("retry-after").is_some());
    }
    assert_eq!(console.send("GET", "/healthz", &[], b"").status, 200);
    console.start_gateway();
    assert_eq!(console.get("/api/status").status, 200);
}

#[test]
fn limits_are_shown_and_loosened_in_two_steps() {
    let console = Console::start();
    console.script(|request| match request {
        ControlRequest::Limits {} => {
            let gauge = GaugeLine { key: "account.capital".to_owned(), ..GaugeLine::default() };
            Some(ControlReply::Limits(Box::new(LimitsReport {
                gauges: vec![gauge],
                ..LimitsReport::default()
            })))
        }
        ControlRequest::SetLimits(SetLimitsRequest { code: None, .. })
        | ControlRequest::Override(OverrideRequest { code: None, .. }) => {
            Some(ControlReply::Confirm { code: "0a1b2c".to_owned(), detail: "looser".to_owned() })
        }
        ControlRequest::SetLimits(_) | ControlRequest::Override(_) => {
            Some(ControlReply::Done { detail: "in force".to_owned() })
        }
        _ => None,
    });
    assert_eq!(console.get("/api/limits").json()["gauges"][0]["key"], "account.capital");

    let bearer = format!("Bearer {}", console.token);
    let bearer = ("Authorization", bearer.as_str());
    let toml = "# a long file\n".repeat(1_000);
    for (path, body) in [
        ("/api/limits", serde_json::json!({"toml": toml, "reason": "quiet week"})),
        (
            "/api/limits/override",
            serde_json::json!({"strategy": "ema", "check": "order-notional", "limit": "6000", "seconds": 60, "reason": "hedge"}),
        ),
    ] {
        let first = console.post_json(path, &[bearer], &body.to_string());
        assert_eq!((first.status, &first.json()["code"]), (202, &"0a1b2c".into()), "{first:?}");
        let mut second = body.clone();
        second["code"] = "0a1b2c".into();
        let done = console.post_json(path, &[bearer], &second.to_string());
        assert_eq!((done.status, &done.json()["detail"]), (200, &"in force".into()), "{done:?}");
        let mut wrong = body;
        wrong["reason"] = "".into();
        assert_eq!(console.post_json(path, &[bearer], &wrong.to_string()).code(), "MALFORMED");
    }
    let changes = console.changes();
    let [ControlRequest::SetLimits(first), ..] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(first.actor.as_ref().unwrap().as_str(), "console:token/ci");
    assert_eq!((first.toml.as_str(), changes.len()), (toml.as_str(), 4));
}

#[test]
fn a_halt_carries_its_reason_and_who_asks() {
    let console = Console::start();
    let bearer = format!("Bearer {}", console.token);
    let bearer = ("Authorization", bearer.as_str());
    let done = console.post_json("/api/halt", &[bearer], r#"{"reason":" spread looks wrong "}"#);
    assert_eq!(done.status, 200, "{done:?}");
    let halts: Vec<_> = console.changes();
    let [ControlRequest::Halt { reason, actor, .. }] = halts.as_slice() else { panic!("{halts:?}") };
    assert_eq!(
        (reason.as_str(), actor.as_ref().unwrap().as_str()),
        ("spread looks wrong", "console:token/ci")
    );
    for body in [
        r#"{"reason":""}"#.to_owned(),
        r#"{"reason":"   "}"#.to_owned(),
        r#"{"reason":"a\nb"}"#.to_owned(),
        format!(r#"{{"reason":"{}"}}"#, "x".repeat(201)),
        r#"{}"#.to_owned(),
        r#"[]"#.to_owned(),
    ] {
        let refused = console.post_json("/api/halt", &[bearer], &body);
        assert_eq!((refused.status, refused.code().as_str()), (400, "MALFORMED"), "{body}");
    }
    let unknown = console.post_json("/api/halt", &[bearer], r#"{"reason":"x","force":true}"#);
    assert_eq!((unknown.status, unknown.code().as_str()), (400, "UNKNOWN_FIELD"));
    assert!(unknown.body.contains("force"), "{unknown:?}");
    let typed = console.send("POST", "/api/halt", &[bearer, ("Content-Type", "text/json")], b"{}");
    assert_eq!(typed.status, 415);
    assert_eq!(console.changes().len(), 1);
}

#[test]
fn a_strategy_is_stopped_by_name() {
    let console = Console::start();
    let bearer = format!("Bearer {}", console.token);
    let bearer = ("Authorization", bearer.as_str());
    assert_eq!(console.send("POST", "/api/strategies/ema-cross/stop", &[bearer], b"").status, 200);
    let changes = console.changes();
    assert!(matches!(&changes[0], ControlRequest::Stop { strategy, .. } if strategy == "ema-cross"));
    console.script(|request| {
        matches!(request, ControlRequest::Stop { .. })
            .then(|| ControlReply::error("UNKNOWN_STRATEGY", "there is none"))
    });
    let unknown = console.send("POST", "/api/strategies/other/stop", &[bearer], b"");
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "UNKNOWN_STRATEGY"));
    assert_eq!(console.send("POST", "/api/strategies/No%20Name/stop", &[bearer], b"").code(), "NOT_FOUND");
}

/// Lines of the stream of events.
fn follow(console: &Console) -> impl Iterator<Item = Value> + use<> {
    let mut stream = console.connect();
    stream.patience(std::time::Duration::from_secs(20));
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        console.address(),
        console.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
}

fn fact(view: &Value, id: &str) -> String {
    let facts = view["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact["id"] == id).unwrap();
    fact["value"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn followers_see_changes_once_and_share_one_poll() {
    let console = Console::start();
    let mut followers: Vec<_> = (0..8).map(|_| follow(&console)).collect();
    for follower in &mut followers {
        let first = follower.next().unwrap();
        assert_eq!(fact(&first, "state"), "active");
        assert_eq!(fact(&first, "day"), "−12.34");
    }
    let before = console.status_questions();
    until("some polls", || console.status_questions() > before + 5);
    console.script(|request| {
        let mut status = status();
        status.trading_state = "entries-cancelled".to_owned();
        matches!(request, ControlRequest::Status {}).then(|| ControlReply::Status(Box::new(status)))
    });
    for follower in &mut followers {
        // Nothing in between: what has not changed is not sent again.
        assert_eq!(fact(&follower.next().unwrap(), "state"), "entries-cancelled");
    }
    drop(followers);
    let quiet = || {
        let before = console.status_questions();
        std::thread::sleep(std::time::Duration::from_millis(150));
        console.status_questions() == before
    };
    until("no more questions when nobody follows", quiet);
}

#[test]
fn a_stream_says_that_the_gateway_is_away_and_goes_on() {
    let mut console = Console::start();
    let mut events = follow(&console);
    assert_eq!(events.next().unwrap()["notice"], "");
    console.stop_gateway();
    let away = events.find(|view| view["notice"] != "").unwrap();
    assert!(away["notice"].as_str().unwrap().contains("gateway"), "{away}");
    console.start_gateway();
    assert_eq!(events.next().unwrap()["notice"], "");
    console.stop();
    assert!(events.next().is_none(), "streams end with the console");
}

#[test]
fn every_address_is_described_and_every_description_is_true() {
    let console = Console::start();
    let description = console.send("GET", "/api/openapi.json", &[], b"");
    assert_eq!(description.status, 200, "open to everybody");
    let description = description.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let expected = [
        "GET /",
        "GET /api/denials",
        "GET /api/deployments/{id}",
        "GET /api/events",
        "GET /api/journal",
        "GET /api/limits",
        "GET /api/openapi.json",
        "GET /api/orders",
        "GET /api/positions",
        "GET /api/status",
        "GET /healthz",
        "GET /static/{file}",
        "POST /api/bundles",
        "POST /api/halt",
        "POST /api/limits",
        "POST /api/limits/override",
        "POST /api/login",
        "POST /api/logout",
        "POST /api/strategies/{name}/stop",
        "POST /halt",
        "POST /login",
        "POST /logout",
    ];
    assert_eq!(described, expected.into_iter().map(str::to_owned).collect());
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let address = path.replace("{id}", "1").replace("{name}", "x").replace("{file}", "x");
            let answer = console.send(&method.to_uppercase(), &address, &[], b"");
            assert!(
                operation["responses"][answer.status.to_string()].is_object(),
                "{method} {path} answered {} without saying so",
                answer.status
            );
            let open = matches!(path.as_str(), "/" | "/login" | "/healthz" | "/static/{file}")
                || path.ends_with("login")
                || path.ends_with("openapi.json");
            assert_eq!(operation["security"].is_null(), open, "{method} {path}");
            assert_eq!(answer.status == 401, !open, "{method} {path} answered {}", answer.status);
        }
    }
    // What is answered has the fields that are described.
    for (path, schema) in [
        ("/api/status", "Status"),
        ("/api/orders", "Orders"),
        ("/api/positions", "Positions"),
        ("/api/denials", "Denials"),
        ("/api/journal", "Journal"),
    ] {
        let answer = console.get(path).json();
        let sent: BTreeSet<_> = answer.as_object().unwrap().keys().cloned().collect();
        let schema = &description["components"]["schemas"][schema]["properties"];
        let described: BTreeSet<_> = schema.as_object().unwrap().keys().cloned().collect();
        assert_eq!(sent, described, "{path}");
    }
}
