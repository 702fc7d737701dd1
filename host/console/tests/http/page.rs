//! The page, as a browser without script meets it.

use portcullis_role::{ControlReply, ControlRequest, DenialLine};

use crate::support::{Answer, Console, PASSWORD, USER};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn come_in(console: &Console) -> String {
    let origin = console.origin();
    let body = format!("user={USER}&password={}", PASSWORD.replace(' ', "+"));
    let answer = console.send("POST", "/login", &[FORM, ("Origin", &origin)], body.as_bytes());
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
    answer.cookie()
}

fn overview(console: &Console, cookie: &str) -> Answer {
    console.send("GET", "/", &[("Cookie", cookie)], b"")
}

#[test]
fn a_stranger_sees_the_door_and_nothing_else() {
    let console = Console::start();
    let door = console.send("GET", "/", &[], b"");
    assert_eq!((door.status, door.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(door.body.contains(r#"action="/login""#));
    for private in ["ema-cross", "11,234.50", "overview.js"] {
        assert!(!door.body.contains(private), "{private}");
    }
    let origin = console.origin();
    let wrong = console.send("POST", "/login", &[FORM, ("Origin", &origin)], b"user=ann&password=x");
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("The user or the password is wrong."), "{}", wrong.body);
    for _ in 0..4 {
        console.send("POST", "/login", &[FORM, ("Origin", &origin)], b"user=ann&password=x");
    }
    let locked = console.send("POST", "/login", &[FORM, ("Origin", &origin)], b"user=ann&password=x");
    assert_eq!(locked.status, 429);
    assert!(locked.body.contains("60 minutes"), "{}", locked.body);
}

#[test]
fn the_overview_shows_everything() {
    let console = Console::start();
    let page = overview(&console, &come_in(&console));
    assert_eq!(page.status, 200);
    for text in [
        "paper",
        "active",
        "ema-cross-0.1.0",
        "11,234.50",
        "−12.34",
        "linear:BTCUSDT",
        "61,837.6",
        "678",
        "23:54:15",
        "PRICE_COLLAR",
    ] {
        assert!(page.body.contains(text), "{text} is missing");
    }
    assert!(!page.body.contains("style="), "the policy forbids inline style");
    assert!(!page.body.contains("<script>"), "the policy forbids inline script");
}

#[test]
fn what_others_wrote_is_text() {
    let console = Console::start();
    console.script(|request| {
        matches!(request, ControlRequest::Denials {}).then(|| ControlReply::Denials {
            refused: [].into(),
            recent: vec![DenialLine {
                time_ns: 0,
                strategy: "<script>alert(1)</script>".to_owned(),
                code: "X".to_owned(),
                detail: "\"><img src=x onerror=alert(1)>".to_owned(),
            }],
        })
    });
    let page = overview(&console, &come_in(&console));
    assert!(!page.body.contains("<script>alert") && !page.body.contains("<img src=x"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;") || page.body.contains("&#60;script&#62;"), "{}", page.body);
}

#[test]
fn a_halt_takes_a_reason_and_a_tick() {
    let console = Console::start();
    let cookie = come_in(&console);
    let origin = console.origin();
    let headers = [FORM, ("Cookie", cookie.as_str()), ("Origin", origin.as_str())];
    let unconfirmed = console.send("POST", "/halt", &headers, b"reason=test");
    assert_eq!(unconfirmed.status, 400);
    assert!(unconfirmed.body.contains("Tick the box"), "{}", unconfirmed.body);
    let unexplained = console.send("POST", "/halt", &headers, b"reason=&confirm=yes");
    assert_eq!(unexplained.status, 400);
    let unknown = console.send("POST", "/halt", &headers, b"reason=x&confirm=yes&all=1");
    assert_eq!((unknown.status, unknown.code().as_str()), (400, "UNKNOWN_FIELD"));
    let halts =
        || console.changes().iter().filter(|request| matches!(request, ControlRequest::Halt { .. })).count();
    assert_eq!(halts(), 0);
    let done = console.send("POST", "/halt", &headers, b"reason=too+wild&confirm=yes");
    assert_eq!((done.status, done.header("location")), (303, Some("/")));
    assert!(console.changes().iter().any(|request| matches!(request,
        ControlRequest::Halt { reason, scope: None, actor: Some(actor) }
            if reason == "too wild" && actor.as_str() == "console:ann")));
    let foreign = [FORM, ("Cookie", cookie.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(console.send("POST", "/halt", &foreign, b"reason=x&confirm=yes").status, 403);
    assert_eq!(halts(), 1);
}

#[test]
fn a_page_without_a_gateway_says_so() {
    let mut console = Console::start();
    let cookie = come_in(&console);
    console.stop_gateway();
    let page = overview(&console, &cookie);
    assert_eq!(page.status, 503);
    assert!(page.body.contains("The gateway does not run"), "{}", page.body);
    console.start_gateway();
    crate::support::until("the page", || overview(&console, &cookie).status == 200);
}

#[test]
fn a_logout_leads_to_the_door() {
    let console = Console::start();
    let cookie = come_in(&console);
    let origin = console.origin();
    let out = console.send("POST", "/logout", &[("Cookie", &cookie), ("Origin", &origin)], b"");
    assert_eq!((out.status, out.header("location")), (303, Some("/")));
    assert!(overview(&console, &cookie).body.contains(r#"action="/login""#));
}

#[test]
fn files_are_asked_for_again_only_when_they_change() {
    let console = Console::start();
    for (file, kind) in
        [("overview.css", "text/css"), ("overview.js", "text/javascript"), ("mark.svg", "image/svg+xml")]
    {
        let path = format!("/static/{file}");
        let answer = console.send("GET", &path, &[], b"");
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with(kind));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let tag = answer.header("etag").unwrap().to_owned();
        let again = console.send("GET", &path, &[("If-None-Match", &tag)], b"");
        assert_eq!((again.status, again.body.as_str()), (304, ""));
    }
}
