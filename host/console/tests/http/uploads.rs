//! Bundles on their way in.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_role::{ControlReply, ControlRequest, DeployRequest, DeploymentLine, DeploymentState};

use crate::support::{Console, PASSWORD, USER, answer};

fn deployed(console: &Console) -> Option<DeployRequest> {
    console.changes().into_iter().find_map(|request| match request {
        ControlRequest::Deploy(deploy) => Some(deploy),
        _ => None,
    })
}

#[test]
fn a_bundle_reaches_the_gateway_whole() {
    let console = Console::start();
    let bundle: Vec<u8> = (0..50_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    let found: Arc<Mutex<Vec<(String, u32, Vec<u8>)>>> = Arc::default();
    let (dir, seen) = (console.dir.path().join("incoming"), Arc::clone(&found));
    console.script(move |request| {
        if let ControlRequest::Deploy(deploy) = request {
            use std::os::unix::fs::PermissionsExt as _;
            let file = dir.join(deploy.bundle.as_str());
            let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            let kept = (deploy.bundle.as_str().to_owned(), mode, std::fs::read(&file).unwrap());
            seen.lock().unwrap().push(kept);
            std::fs::remove_file(file).unwrap();
        }
        None
    });
    let accepted = console.upload("budget=10000&name=mm&set.size=0.01", &bundle);
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let json = accepted.json();
    assert_eq!(
        (&json["deployment"], &json["strategy"], &json["state"]),
        (&7.into(), &"mm".into(), &"compiling".into())
    );
    assert_eq!(json["bundle"], "maker-0.1.0");
    assert_eq!(json["digest"], "ab".repeat(32));
    let deploy = deployed(&console).unwrap();
    assert_eq!((deploy.budget.as_str(), deploy.name.as_deref()), ("10000", Some("mm")));
    assert_eq!(deploy.parameters, [("size".to_owned(), "0.01".to_owned())].into());
    assert_eq!(deploy.actor.unwrap().as_str(), "console:token/ci");
    let found = found.lock().unwrap();
    assert_eq!((found[0].1, &found[0].2), (0o600, &bundle));
    assert!(found[0].0.starts_with("upload-") && found[0].0.ends_with(".strategy"), "{}", found[0].0);
}

#[test]
fn a_session_may_upload_too() {
    let console = Console::start();
    let cookie = console.login(&[], USER, PASSWORD).cookie();
    let origin = console.origin();
    let headers = [
        ("Cookie", cookie.as_str()),
        ("Origin", origin.as_str()),
        ("Content-Type", "application/octet-stream"),
    ];
    assert_eq!(console.send("POST", "/api/bundles?budget=1", &headers, b"x").status, 202);
    assert_eq!(deployed(&console).unwrap().actor.unwrap().as_str(), "console:ann");
}

#[test]
fn what_the_gateway_refuses_keeps_its_code_and_leaves_nothing() {
    let console = Console::start();
    for (code, status) in [
        ("STRATEGY_EXISTS", 409),
        ("SYMBOL_OWNED", 409),
        ("SIGNATURE_INVALID", 422),
        ("DEPLOY_UNAVAILABLE", 422),
        ("BUSY", 503),
    ] {
        console.script(move |request| {
            matches!(request, ControlRequest::Deploy(_)).then(|| ControlReply::error(code, "no"))
        });
        let refused = console.upload("budget=1", b"x");
        assert_eq!((refused.status, refused.code().as_str()), (status, code));
        assert_eq!(refused.json()["detail"], "no");
        assert_eq!(console.incoming(), Vec::<String>::new());
    }
}

#[test]
fn without_a_gateway_nothing_is_kept() {
    let mut console = Console::start();
    console.stop_gateway();
    let refused = console.upload("budget=1", b"x");
    assert_eq!((refused.status, refused.code().as_str()), (503, "GATEWAY_AWAY"));
    assert_eq!(console.incoming(), Vec::<String>::new());
    console.start_gateway();
    assert_eq!(console.upload("budget=1", b"x").status, 202);
}

#[test]
fn a_large_bundle_is_refused_said_or_not() {
    let console = Console::start();
    let limit = 64 * 1024;
    assert_eq!(console.upload("budget=1", &vec![0; limit]).status, 202);
    let said = console.upload("budget=1", &vec![0; limit + 1]);
    assert_eq!((said.status, said.code().as_str()), (413, "TOO_LARGE"));
    let mut chunked = begin(&console, "Transfer-Encoding: chunked");
    let piece = vec![b'x'; 0x8000];
    for _ in 0..3 {
        let mut chunk = b"8000\r\n".to_vec();
        chunk.extend_from_slice(&piece);
        chunk.extend_from_slice(b"\r\n");
        let _ = chunked.write_all(&chunk);
    }
    let unsaid = answer(&mut *chunked);
    assert_eq!((unsaid.status, unsaid.code().as_str()), (413, "TOO_LARGE"));
    assert_eq!(console.incoming(), Vec::<String>::new());
}

#[test]
fn a_slow_upload_is_given_up() {
    let console = Console::start_with(|config| {
        config.bounds.body = Duration::from_millis(200);
        config.bounds.upload_bytes_per_s_min = 1_000_000;
    });
    let mut slow = begin(&console, "Content-Length: 60000");
    slow.write_all(b"a few bytes").unwrap();
    let refused = answer(&mut *slow);
    assert_eq!((refused.status, refused.code().as_str()), (408, "TOO_SLOW"));
    assert_eq!(console.incoming(), Vec::<String>::new());
}

#[test]
fn an_upload_has_an_end_however_steady() {
    let console = Console::start_with(|config| {
        config.bounds.upload = Duration::from_millis(300);
        config.bounds.upload_bytes_per_s_min = 1;
    });
    let mut steady = begin(&console, "Content-Length: 60000");
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(10));
        if steady.write_all(b"x").is_err() {
            break;
        }
    }
    assert_eq!(answer(&mut *steady).code(), "TOO_SLOW");
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let console = Console::start();
    let mut broken = begin(&console, "Content-Length: 60000");
    broken.write_all(&[0; 10_000]).unwrap();
    crate::support::until("the file", || !console.incoming().is_empty());
    drop(broken);
    crate::support::until("its end", || console.incoming().is_empty());
    assert!(deployed(&console).is_none());
}

#[test]
fn uploads_at_once_are_bounded() {
    let console = Console::start_with(|config| config.bounds.uploads_max = 1);
    let mut first = begin(&console, "Content-Length: 2");
    first.write_all(b"x").unwrap();
    crate::support::until("the file", || !console.incoming().is_empty());
    let refused = console.upload("budget=1", b"x");
    assert_eq!((refused.status, refused.code().as_str()), (503, "BUSY"));
    first.write_all(b"y").unwrap();
    assert_eq!(answer(&mut *first).status, 202);
}

#[test]
fn the_query_is_exact() {
    let console = Console::start();
    for (query, code, word) in [
        ("", "MALFORMED", "budget"),
        ("budget=much", "MALFORMED", "budget"),
        ("budget=1&name=..%2f..%2fetc", "MALFORMED", "name"),
        ("budget=1&path=%2fetc%2fpasswd", "UNKNOWN_FIELD", "path"),
    ] {
        let refused = console.upload(query, b"x");
        assert_eq!((refused.status, refused.code().as_str()), (400, code), "{query}");
        assert!(refused.body.contains(word), "{refused:?}");
    }
    let bearer = format!("Bearer {}", console.token);
    let typed = [("Authorization", bearer.as_str()), ("Content-Type", "multipart/form-data; boundary=x")];
    let refused = console.send("POST", "/api/bundles?budget=1", &typed, b"x");
    assert_eq!((refused.status, refused.code().as_str()), (415, "WRONG_MEDIA_TYPE"));
    assert!(deployed(&console).is_none());
    assert_eq!(console.incoming(), Vec::<String>::new());
}

#[test]
fn a_deployment_tells_how_it_goes() {
    let console = Console::start();
    assert_eq!(console.get("/api/deployments/7").status, 404);
    console.script(|request| match request {
        ControlRequest::Deployment { id: 7 } => Some(ControlReply::Deployment(DeploymentLine {
            id: 7,
            strategy: "mm".to_owned(),
            bundle: "maker-0.1.0".to_owned(),
            digest: "ab".repeat(32),
            state: DeploymentState::Failed,
            code: Some("COMPILE_FAILED".to_owned()),
            detail: Some("why".to_owned()),
        })),
        _ => None,
    });
    let answer = console.get("/api/deployments/7").json();
    assert_eq!((&answer["deployment"], &answer["state"]), (&7.into(), &"failed".into()));
    assert_eq!((&answer["code"], &answer["detail"]), (&"COMPILE_FAILED".into(), &"why".into()));
}

fn begin(console: &Console, length: &str) -> Box<dyn crate::support::Stream> {
    let mut stream = console.connect();
    let head = format!(
        "POST /api/bundles?budget=1 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/octet-stream\r\nConnection: close\r\n{length}\r\n\r\n",
        console.address(),
        console.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}
