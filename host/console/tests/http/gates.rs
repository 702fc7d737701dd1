//! What is checked before anybody is asked who he is: host, origin, path, method.

use crate::support::{Console, PASSWORD, USER};

#[test]
fn a_foreign_host_is_not_answered() {
    let console = Console::start();
    let port = console.address().port();
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", &format!("127.0.0.1:{port}.evil.example"), ""] {
        let refused = console.send("GET", "/healthz", &[("Host", host)], b"");
        assert_eq!((refused.status, refused.code().as_str()), (421, "FOREIGN_HOST"), "{host:?}");
    }
    for host in [format!("127.0.0.1:{port}"), format!("LOCALHOST:{port}")] {
        assert_eq!(console.send("GET", "/healthz", &[("Host", &host)], b"").status, 200, "{host}");
    }
    let own = format!("127.0.0.1:{port}");
    let two = console.send("GET", "/healthz", &[("Host", &own), ("Host", "evil.example")], b"");
    assert_eq!(two.status, 421);
    let absolute = console.send("GET", "http://evil.example/healthz", &[("Host", &own)], b"");
    assert_eq!(absolute.status, 421);
}

#[test]
fn a_change_with_a_session_must_come_from_our_page() {
    let console = Console::start();
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    let cookie = ("Cookie", cookie.as_str());
    let origin = console.origin();
    let body = r#"{"reason":"test"}"#;
    let missing = console.post_json("/api/halt", &[cookie], body);
    assert_eq!((missing.status, missing.code().as_str()), (403, "NO_ORIGIN"));
    for foreign in ["https://evil.example", "null", &format!("{origin}.evil.example"), "http://127.0.0.1"] {
        let refused = console.post_json("/api/halt", &[cookie, ("Origin", foreign)], body);
        assert_eq!((refused.status, refused.code().as_str()), (403, "FOREIGN_ORIGIN"), "{foreign}");
    }
    let cross = [cookie, ("Origin", origin.as_str()), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(console.post_json("/api/halt", &cross, body).code(), "FOREIGN_ORIGIN");
    assert!(console.changes().iter().all(|request| !format!("{request:?}").contains("Halt")));
    let ours = [cookie, ("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(console.post_json("/api/halt", &ours, body).status, 200);
}

#[test]
fn another_site_cannot_log_somebody_in() {
    let console = Console::start();
    let refused = console.login(&[("Origin", "https://evil.example")], USER, PASSWORD);
    assert_eq!((refused.status, refused.code().as_str()), (403, "FOREIGN_ORIGIN"));
}

#[test]
fn who_you_are_comes_before_what_you_sent() {
    let console = Console::start();
    for path in [
        "/api/halt",
        "/api/limits",
        "/api/limits/override",
        "/api/bundles",
        "/api/logout",
        "/api/strategies/x/stop",
        "/halt",
    ] {
        let refused = console.send("POST", path, &[("Content-Type", "text/plain")], b"{{{{");
        assert_eq!((refused.status, refused.code().as_str()), (401, "NOT_AUTHENTICATED"), "{path}");
    }
    for path in ["status", "orders", "positions", "denials", "journal", "events", "deployments/1"] {
        let refused = console.send("GET", &format!("/api/{path}"), &[], b"");
        assert_eq!((refused.status, refused.code().as_str()), (401, "NOT_AUTHENTICATED"), "{path}");
    }
}

#[test]
fn what_is_not_there_is_not_there() {
    let console = Console::start();
    for path in [
        "/x",
        "/api",
        "/api/",
        "/api/status/",
        "//api/status",
        "/static/",
        "/static/../console.sqlite",
        "/static/..%2fconsole.sqlite",
        "/static/%2e%2e/console.sqlite",
        "/static/overview.css/x",
        "/static/overview.css%00",
        "/incoming/x",
        "/api/deployments/x",
        "/api/deployments/-1",
        "/api/deployments/99999999999999999999999",
    ] {
        let answer = console.get(path);
        assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"), "{path}");
        assert!(!answer.body.contains(console.dir.path().to_str().unwrap()), "{answer:?}");
    }
    for (method, path) in
        [("DELETE", "/api/status"), ("POST", "/api/status"), ("GET", "/api/halt"), ("PUT", "/")]
    {
        let answer = console.send(method, path, &[], b"");
        assert_eq!((answer.status, answer.code().as_str()), (405, "WRONG_METHOD"), "{method} {path}");
    }
    let long = format!("/api/status?{}", "x".repeat(5_000));
    assert_eq!(console.get(&long).code(), "MALFORMED");
}

#[test]
fn every_answer_carries_the_headers_that_protect_it() {
    let console = Console::start();
    let answers = [
        console.send("GET", "/", &[], b""),
        console.get("/api/status"),
        console.send("GET", "/api/status", &[], b""),
        console.send("GET", "/nowhere", &[], b""),
        console.send("GET", "/", &[("Host", "evil.example")], b""),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("access-control-allow-origin").is_none());
        assert!(answer.header("strict-transport-security").is_none(), "not without TLS");
        assert!(answer.header("server").is_none());
    }
}
