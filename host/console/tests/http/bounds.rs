//! What strangers can keep busy is bounded: heads, bodies, connections, followers.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::support::{Console, Stream, answer};

const SHORT: Duration = Duration::from_millis(200);

/// Reads until the server closes. It must, long before the test's patience ends.
fn closed(stream: &mut dyn Stream) -> String {
    stream.patience(Duration::from_secs(20));
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let console = Console::start_with(|config| config.bounds.head = SHORT);
    let mut silent = console.connect();
    closed(&mut *silent);
    let mut halfway = console.connect();
    halfway.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    closed(&mut *halfway);
    let mut idle = console.connect();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", console.address());
    idle.write_all(request.as_bytes()).unwrap();
    let text = closed(&mut *idle);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let console = Console::start();
    let large = "x".repeat(64 * 1024);
    assert_eq!(console.send("GET", "/healthz", &[("X-Large", &large)], b"").status, 431);
    let many: Vec<(&str, &str)> = (0..100).map(|_| ("X-Many", "x")).collect();
    assert_eq!(console.send("GET", "/healthz", &many, b"").status, 431);
}

#[test]
fn a_slow_body_is_given_up() {
    let console = Console::start_with(|config| config.bounds.body = SHORT);
    let mut slow = console.connect();
    let head = format!(
        "POST /api/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        console.address()
    );
    slow.write_all(head.as_bytes()).unwrap();
    let refused = answer(&mut *slow);
    assert_eq!((refused.status, refused.code().as_str()), (408, "TOO_SLOW"));
}

#[test]
fn a_large_body_is_refused() {
    let console = Console::start();
    let large = format!(r#"{{"user":"{}","password":"x"}}"#, "x".repeat(9_000));
    let refused = console.post_json("/api/login", &[], &large);
    assert_eq!((refused.status, refused.code().as_str()), (413, "TOO_LARGE"));
}

#[test]
fn connections_are_bounded_and_wait_their_turn() {
    let console = Console::start_with(|config| {
        config.bounds.connections_max = 2;
        config.bounds.head = Duration::from_millis(400);
    });
    let _hogs = [console.connect(), console.connect()];
    let started = Instant::now();
    // Served only once the silent ones have been closed.
    assert_eq!(console.send("GET", "/healthz", &[], b"").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(200), "it did not wait");
}

#[test]
fn followers_are_bounded() {
    let console = Console::start_with(|config| config.bounds.followers_max = 1);
    let mut first = console.connect();
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        console.address(),
        console.token
    );
    first.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; 15];
    first.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    let refused = console.get("/api/events");
    assert_eq!((refused.status, refused.code().as_str()), (503, "BUSY"));
    drop(first);
    // The place is free again once the server has noticed.
    crate::support::until("a free place", || {
        let mut next = console.connect();
        next.write_all(head.as_bytes()).unwrap();
        let mut begun = [0; 12];
        next.read_exact(&mut begun).unwrap();
        &begun == b"HTTP/1.1 200"
    });
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let console = Console::start_with(|config| {
        config.bounds.stall = SHORT;
        config.bounds.followers_max = 1;
        config.bounds.poll = Duration::from_millis(1);
    });
    // Every status differs, so that events keep coming until the socket is full.
    let counter = std::sync::atomic::AtomicU64::new(0);
    console.script(move |request| {
        let mut status = crate::support::status();
        status.journal.records = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        status.inhibits = vec!["x".repeat(30_000)];
        matches!(request, portcullis_role::ControlRequest::Status {})
            .then(|| portcullis_role::ControlReply::Status(Box::new(status)))
    });
    let mut deaf = console.connect();
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        console.address(),
        console.token
    );
    deaf.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; 15];
    deaf.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    assert_eq!(console.get_status("/api/events"), 503, "the deaf one has the only place");
    crate::support::until("the end of the deaf one", || console.get_status("/api/events") == 200);
}
