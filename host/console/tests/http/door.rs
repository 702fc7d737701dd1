//! Coming in: passwords, sessions, tokens, locks.

use std::time::Duration;

use portcullis_console::{Accounts, Listen};
use portcullis_role::{AccessKind, ControlRequest};

use crate::support::{Console, PASSWORD, USER, logged};

fn proxied() -> Console {
    Console::start_with(|config| {
        config.listen = Listen::Unix(config.dir.join("console.sock"));
        config.origins = vec!["https://trade.example.org".parse().unwrap()];
    })
}

const ORIGIN: (&str, &str) = ("Origin", "https://trade.example.org");
const HOME: (&str, &str) = ("X-Real-IP", "198.51.100.1");
const ELSEWHERE: (&str, &str) = ("X-Real-IP", "203.0.113.9");

#[test]
fn a_login_opens_a_session_and_a_logout_ends_it() {
    let console = Console::start();
    let welcome = console.login(&[], USER, PASSWORD);
    assert_eq!(welcome.status, 200, "{welcome:?}");
    assert_eq!(welcome.json()["user"], USER);
    let set = welcome.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(set.starts_with("portcullis=") && !set.contains("Secure"), "no TLS on the loopback: {set}");
    let cookie = welcome.cookie();
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 200);
    let origin = console.origin();
    let left = console.send("POST", "/api/logout", &[("Cookie", &cookie), ("Origin", &origin)], b"");
    assert_eq!(left.status, 200, "{left:?}");
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
    let after = console.send("GET", "/api/status", &[("Cookie", &cookie)], b"");
    assert_eq!((after.status, after.code().as_str()), (401, "NOT_AUTHENTICATED"));
    for kind in [AccessKind::Login, AccessKind::Logout] {
        console.wait_for("its journaling", |request| {
            matches!(request, ControlRequest::Access { kind: told, user, address }
                if *told == kind && user.as_str() == USER && address.as_str() == "127.0.0.1")
        });
    }
}

#[test]
fn over_tls_the_cookie_is_host_bound() {
    let console = proxied();
    let welcome = console.login(&[HOME], USER, PASSWORD);
    let set = welcome.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-portcullis=") && set.contains("; Secure"), "{set}");
    assert!(welcome.header("strict-transport-security").is_some());
}

#[test]
fn a_stolen_cookie_is_good_for_nothing_elsewhere() {
    let console = proxied();
    let cookie = console.login(&[HOME], USER, PASSWORD).cookie();
    let cookie = ("Cookie", cookie.as_str());
    assert_eq!(console.send("GET", "/api/status", &[cookie, HOME], b"").status, 200);
    let stolen = console.send("GET", "/api/status", &[cookie, ELSEWHERE], b"");
    assert_eq!((stolen.status, stolen.code().as_str()), (401, "NOT_AUTHENTICATED"));
    let body = br#"{"reason":"x"}"#;
    let json = ("Content-Type", "application/json");
    assert_eq!(console.send("POST", "/api/halt", &[cookie, ELSEWHERE, ORIGIN, json], body).status, 401);
    assert!(!console.changes().iter().any(|request| matches!(request, ControlRequest::Halt { .. })));
}

#[test]
fn a_proxy_must_name_its_client() {
    let console = proxied();
    let nobody = console.login(&[], USER, PASSWORD);
    assert_eq!((nobody.status, nobody.code().as_str()), (400, "NO_CLIENT_ADDRESS"));
    let two = console.login(&[HOME, ELSEWHERE], USER, PASSWORD);
    assert_eq!(two.code(), "NO_CLIENT_ADDRESS");
}

#[test]
fn a_stranger_cannot_pretend_to_be_a_proxy() {
    let console = Console::start();
    let cookie = console.login(&[HOME], USER, PASSWORD).cookie();
    // The session belongs to 127.0.0.1, whatever the header says.
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie), ELSEWHERE], b"").status, 200);
    let proxy = Console::start_with(|config| config.proxies = vec!["127.0.0.1".parse().unwrap()]);
    let cookie = proxy.login(&[HOME], USER, PASSWORD).cookie();
    assert_eq!(proxy.send("GET", "/api/status", &[("Cookie", &cookie), ELSEWHERE], b"").status, 401);
}

#[test]
fn a_session_ends_after_an_hour() {
    let console = Console::start();
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    console.pass(3_599);
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 200);
    console.pass(1);
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 401);
}

#[test]
fn a_session_survives_a_restart_and_a_new_login_replaces_it() {
    let mut console = Console::start();
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    console.restart();
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 200);
    let newer = console.login(&[("Cookie", &cookie)], USER, PASSWORD).cookie();
    assert_ne!(newer, cookie);
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 401);
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &newer)], b"").status, 200);
}

#[test]
fn five_failures_lock_address_and_account_over_a_restart() {
    let mut console = proxied();
    for _ in 0..5 {
        let wrong = console.login(&[HOME], USER, "wrong");
        assert_eq!((wrong.status, wrong.code().as_str()), (401, "WRONG_PASSWORD"));
    }
    let locked = console.login(&[HOME], USER, PASSWORD);
    assert_eq!((locked.status, locked.code().as_str()), (429, "LOCKED_OUT"));
    assert_eq!(locked.header("retry-after"), Some("3600"));
    console.restart();
    assert_eq!(console.login(&[HOME], "bob", "x").status, 429, "the address is locked");
    assert_eq!(console.login(&[ELSEWHERE], USER, PASSWORD).status, 429, "the account is locked");
    console.pass(3_599);
    assert_eq!(console.login(&[HOME], USER, PASSWORD).status, 429);
    console.pass(1);
    assert_eq!(console.login(&[HOME], USER, PASSWORD).status, 200);
}

#[test]
fn a_user_that_does_not_exist_looks_like_one_that_does() {
    let console = proxied();
    let known = console.login(&[HOME], USER, "wrong");
    let unknown = console.login(&[HOME], "nobody", "wrong");
    let no_name = console.login(&[HOME], "no/name", "wrong");
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    assert_eq!((known.status, &known.body), (no_name.status, &no_name.body));
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        console.login(&[("X-Real-IP", address)], "nobody", "wrong");
    }
    assert_eq!(console.login(&[ELSEWHERE], "nobody", "wrong").status, 429, "locked like any account");
}

#[test]
fn a_login_takes_exactly_its_two_fields() {
    let console = Console::start();
    for (body, code, word) in [
        (r#"{"user":"ann","password":"x","otp":"1"}"#, "UNKNOWN_FIELD", "otp"),
        (r#"{"user":"ann"}"#, "MALFORMED", "password"),
        (r#"{"user":"ann","user":"bob","password":"x"}"#, "MALFORMED", "user"),
        (r#"{"user":["ann"],"password":"x"}"#, "MALFORMED", "string"),
        ("", "MALFORMED", "EOF"),
        ("null", "MALFORMED", "null"),
    ] {
        let answer = console.post_json("/api/login", &[], body);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{body}");
        assert!(answer.body.contains(word), "{answer:?}");
    }
    let long = format!(r#"{{"user":"ann","password":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(console.post_json("/api/login", &[], &long).code(), "MALFORMED");
    let form = console.send("POST", "/api/login", &[("Content-Type", "text/plain")], b"{}");
    assert_eq!((form.status, form.code().as_str()), (415, "WRONG_MEDIA_TYPE"));
    let none = console.send("POST", "/api/login", &[], b"{}");
    assert_eq!(none.status, 415);
}

#[test]
fn a_token_is_good_until_it_expires_or_is_revoked() {
    let console = Console::start();
    let ask = |value: &str| console.send("GET", "/api/status", &[("Authorization", value)], b"");
    let token = console.token.clone();
    assert_eq!(ask(&format!("Bearer {token}")).status, 200);
    assert_eq!(ask(&format!("bearer {token}")).status, 200);
    let tampered = format!("{}0", &token[..token.len() - 1]);
    for value in [
        format!("Bearer {tampered}1"),
        format!("Basic {token}"),
        token.clone(),
        "Bearer".to_owned(),
        format!("Bearer {}", "x".repeat(5_000)),
    ] {
        let refused = ask(&value);
        assert_eq!((refused.status, refused.code().as_str()), (401, "NOT_AUTHENTICATED"), "{value}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
    // A wrong token is not saved by a good cookie.
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    let both = [("Authorization", "Bearer wrong"), ("Cookie", cookie.as_str())];
    assert_eq!(console.send("GET", "/api/status", &both, b"").status, 401);

    let accounts = Accounts::open(console.dir.path()).unwrap();
    accounts.revoke_token(&"ci".parse().unwrap()).unwrap();
    assert_eq!(ask(&format!("Bearer {token}")).status, 401);
    let reader = format!("Bearer {}", console.reader);
    assert_eq!(ask(&reader).status, 200);
    console.pass(30 * 24 * 60 * 60);
    assert_eq!(ask(&reader).status, 401);
}

#[test]
fn a_token_that_may_read_may_not_change() {
    let console = Console::start();
    let bearer = format!("Bearer {}", console.reader);
    let bearer = ("Authorization", bearer.as_str());
    assert_eq!(console.send("GET", "/api/orders", &[bearer], b"").status, 200);
    for path in ["/api/halt", "/api/bundles?budget=1", "/api/strategies/x/stop"] {
        // Who may not comes before what is wrong with the body.
        let refused = console.send("POST", path, &[bearer, ("Content-Type", "text/plain")], b"{");
        assert_eq!((refused.status, refused.code().as_str()), (403, "FORBIDDEN"), "{path}");
    }
    assert!(console.changes().is_empty());
}

#[test]
fn removing_a_user_or_changing_the_password_ends_sessions() {
    let console = Console::start();
    let accounts = Accounts::open(console.dir.path()).unwrap();
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    accounts.set_password(&USER.parse().unwrap(), &"another long password".to_owned().into()).unwrap();
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 401);
    assert_eq!(console.login(&[], USER, PASSWORD).status, 401);
    let cookie = console.login(&[], USER, "another long password").cookie();
    accounts.remove_user(&USER.parse().unwrap()).unwrap();
    assert_eq!(console.send("GET", "/api/status", &[("Cookie", &cookie)], b"").status, 401);
}

#[test]
fn a_login_without_a_gateway_is_journaled_later() {
    let mut console = Console::start();
    console.stop_gateway();
    assert_eq!(console.login(&[], USER, PASSWORD).status, 200);
    assert!(console.changes().is_empty());
    console.start_gateway();
    console.wait_for("its journaling", |request| matches!(request, ControlRequest::Access { .. }));
}

#[test]
fn no_secret_is_logged_or_kept() {
    let mut console = Console::start();
    let welcome = console.login(&[], USER, PASSWORD);
    let cookie = welcome.cookie();
    console.login(&[], USER, "a-wrong-password-of-mine");
    console.get("/api/status");
    console.send("GET", "/api/status?token=in-the-query", &[("Cookie", &cookie)], b"");
    console.post_json("/api/login", &[], r#"{"user":"ann","password":{"nested-secret":1}}"#);
    std::thread::sleep(Duration::from_millis(50));
    console.stop();
    let log = logged();
    assert!(log.contains("logged in"), "the log is the one that is looked at");
    let session = cookie.split_once('=').unwrap().1;
    let secrets =
        [PASSWORD, "a-wrong-password-of-mine", session, &console.token, "in-the-query", "nested-secret"];
    let database: Vec<u8> = ["console.sqlite", "console.sqlite-wal"]
        .iter()
        .flat_map(|file| std::fs::read(console.dir.path().join(file)).unwrap_or_default())
        .collect();
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
        let kept = database.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!kept, "{secret} is in the database");
    }
}

#[test]
fn the_database_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let console = Console::start();
    let mode = |file: &str| std::fs::metadata(console.dir.path().join(file)).unwrap().permissions().mode();
    assert_eq!(mode("console.sqlite") & 0o777, 0o600);
    assert_eq!(mode("incoming") & 0o777, 0o700);
}
