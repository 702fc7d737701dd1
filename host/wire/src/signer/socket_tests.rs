//! The signer behind its sockets, asked as its callers ask.

#![allow(clippy::arithmetic_side_effects, reason = "test code")]

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portcullis_core::{Environment, Timestamp};
use portcullis_role::{MessageError, MessageSocket, Party, Protocol, listen};

use super::*;
use crate::{CancelOrder, Category, CreateOrder, Credentials, OrderType, Side};

const PATIENCE: Duration = Duration::from_secs(20);

const CALLER: Party = Party { protocol: SIGNER_PROTOCOL, us: "caller", them: "signer" };

fn clock() -> Timestamp {
    Timestamp::from_millis(1_764_000_000_000)
}

fn credentials() -> Credentials {
    Credentials::new("the-key", &"the-secret".to_owned().into())
}

struct Sockets {
    _dir: tempfile::TempDir,
    gateway: PathBuf,
    sentinel: PathBuf,
}

fn sockets() -> Sockets {
    let dir = tempfile::tempdir().unwrap();
    Sockets { gateway: dir.path().join("g"), sentinel: dir.path().join("s"), _dir: dir }
}

/// A signer on a thread that lives as long as the test.
fn serve(sockets: &Sockets, trade_socket: bool) {
    let (gateway, sentinel) = (listen(&sockets.gateway).unwrap(), listen(&sockets.sentinel).unwrap());
    let cap = Cap::new(&["linear:BTCUSDT".to_owned()], "1000", 100, 2).unwrap();
    let config = SignerConfig {
        environment: Environment::Paper,
        trade_key: credentials(),
        cap,
        trade_socket,
        clock,
        peers: Vec::new(),
    };
    std::thread::spawn(move || serve_signer(config, gateway, sentinel));
}

fn caller(socket: &Path) -> (RemoteSigner, Receiver<SignerReadiness>) {
    let mut signer =
        RemoteSigner::start(socket, Environment::Paper, Vec::new(), Box::new(|_| Ok(()))).unwrap();
    let (tell, told) = channel();
    signer.watch(Box::new(move |readiness| tell.send(readiness).unwrap_or_default()));
    (signer, told)
}

fn until(told: &Receiver<SignerReadiness>, wanted: SignerReadiness) {
    let deadline = Instant::now() + PATIENCE;
    while told.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap() != wanted {}
}

fn order(symbol: &str) -> OrderRequest {
    OrderRequest::Create(CreateOrder {
        category: Category::Linear,
        symbol: symbol.to_owned(),
        side: Side::Buy,
        order_type: OrderType::Limit,
        qty: "0.01".to_owned(),
        price: Some("60000".to_owned()),
        position_idx: Some(0),
        order_link_id: Some("p001".to_owned()),
        ..CreateOrder::default()
    })
}

fn cancel() -> OrderRequest {
    OrderRequest::Cancel(CancelOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        order_link_id: Some("p001".to_owned()),
        ..CancelOrder::default()
    })
}

#[test]
fn what_comes_back_is_signed_with_the_signers_own_clock() {
    let sockets = sockets();
    serve(&sockets, false);
    let (mut signer, told) = caller(&sockets.gateway);
    until(&told, SignerReadiness::FULL);
    let signed = signer.sign(&order("BTCUSDT")).unwrap();
    assert_eq!((signed.path, &*signed.key), ("/v5/order/create", "the-key"));
    assert_eq!(signed.body, order("BTCUSDT").body().unwrap());
    let verified =
        credentials().verify_request("1764000000000", "5000", &signed.body, signed.signature.as_str());
    assert!(verified.is_ok());
    let query = signer.sign_key_query().unwrap();
    assert_eq!((query.path, query.body.len()), ("/v5/user/query-api", 0));
    assert!(matches!(signer.sign_stream(), Err(SignError::Refused { .. })), "the cap stays on");
}

#[test]
fn the_stream_is_signed_only_where_the_signers_file_says_so() {
    let sockets = sockets();
    serve(&sockets, true);
    let (mut signer, told) = caller(&sockets.gateway);
    until(&told, SignerReadiness::FULL);
    let signed = signer.sign_stream().unwrap();
    credentials().verify_stream(&signed.expires_ms.to_string(), signed.signature.as_str()).unwrap();
}

#[test]
fn the_sentinels_socket_is_for_cancels_alone() {
    let sockets = sockets();
    serve(&sockets, true);
    let (mut signer, told) = caller(&sockets.sentinel);
    until(&told, SignerReadiness::FULL);
    assert!(signer.sign(&cancel()).is_ok());
    assert!(matches!(signer.sign(&order("BTCUSDT")), Err(SignError::Refused { .. })));
    assert!(matches!(signer.sign_key_query(), Err(SignError::Refused { .. })));
    assert!(matches!(signer.sign_stream(), Err(SignError::Refused { .. })));
}

#[test]
fn a_latched_signer_says_so_and_goes_on_cancelling() {
    let sockets = sockets();
    serve(&sockets, false);
    let (mut signer, told) = caller(&sockets.gateway);
    until(&told, SignerReadiness::FULL);
    for _ in 0..2 {
        assert!(matches!(signer.sign(&order("ETHUSDT")), Err(SignError::Refused { .. })));
    }
    until(&told, SignerReadiness { up: true, adds: false });
    assert!(matches!(signer.sign(&order("BTCUSDT")), Err(SignError::Refused { .. })));
    assert!(signer.sign(&cancel()).is_ok());
    let state = signer.beside().state();
    assert!(state.up && state.status.is_some_and(|status| status.latched && status.violations == 2));
}

#[test]
fn without_a_signer_nobody_waits_and_it_is_found_again() {
    let sockets = sockets();
    let (mut signer, told) = caller(&sockets.gateway);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), SignerReadiness { up: false, adds: false });
    assert!(matches!(signer.sign(&cancel()), Err(SignError::Unreachable)));
    serve(&sockets, false);
    until(&told, SignerReadiness::FULL);
    assert!(signer.sign(&cancel()).is_ok());
}

/// A signer that dies, or does not answer, and comes back: the caller notices without asking for a signature.
#[test]
fn a_signer_that_goes_is_noticed() {
    let sockets = sockets();
    let listener = listen(&sockets.gateway).unwrap();
    let (mut signer, told) = caller(&sockets.gateway);
    let greet = |key: &str| {
        let mut socket = MessageSocket::new(listener.accept().unwrap().0, SIGNER_MESSAGE_BYTES_MAX);
        socket.greet(&Party { protocol: SIGNER_PROTOCOL, us: "signer", them: "caller" }).unwrap();
        let (open, _) = socket.receive::<SignerRequest>().unwrap();
        let opened = SignerReply::Opened {
            environment: Environment::Paper,
            key: key.to_owned(),
            status: SignerStatus::default(),
        };
        socket.send(&opened, &[]).unwrap();
        (socket, open)
    };
    let (socket, open) = greet("one");
    assert_eq!(open, SignerRequest::Open { environment: Environment::Paper, key: None });
    until(&told, SignerReadiness::FULL);
    // It is there and does not answer: one deadline, and then no waiting.
    assert!(matches!(signer.sign(&cancel()), Err(SignError::Unreachable)));
    until(&told, SignerReadiness { up: false, adds: false });
    drop(socket);
    // It comes back, and with another key it is not the same signer.
    let (_other, open) = greet("two");
    assert_eq!(open, SignerRequest::Open { environment: Environment::Paper, key: Some(key_hash("one")) });
    let (_again, _) = greet("one");
    until(&told, SignerReadiness::FULL);
}

#[test]
fn another_environment_and_a_key_that_is_objected_to_are_refused() {
    let sockets = sockets();
    serve(&sockets, false);
    let trouble = |environment, check: client::CheckKey| {
        let signer = RemoteSigner::start(&sockets.gateway, environment, Vec::new(), check).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = signer.beside().state();
            assert!(!state.up && Instant::now() < deadline, "{state:?}");
            if !state.trouble.is_empty() {
                return state.trouble;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let other = trouble(Environment::Testnet, Box::new(|_| Ok(())));
    assert!(other.contains("paper") && other.contains("testnet"), "{other}");
    let objected = trouble(Environment::Paper, Box::new(|key| Err(format!("{key} was used elsewhere"))));
    assert!(objected.contains("the-key was used elsewhere"), "{objected}");
}

/// Whatever a connection says, the others are served.
#[test]
fn a_peer_without_manners_costs_only_its_connection() {
    let sockets = sockets();
    serve(&sockets, false);
    let (mut signer, told) = caller(&sockets.gateway);
    until(&told, SignerReadiness::FULL);
    let connect = || {
        let stream = UnixStream::connect(&sockets.gateway).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let greeted = || {
        let mut socket = MessageSocket::new(connect(), SIGNER_MESSAGE_BYTES_MAX);
        socket.set_timeout(Some(PATIENCE)).unwrap();
        socket.greet(&CALLER).unwrap();
        socket
    };
    // Another version is told ours, and then nothing.
    let mut older = MessageSocket::new(connect(), SIGNER_MESSAGE_BYTES_MAX);
    let version = SIGNER_PROTOCOL.version - 1;
    let told =
        older.greet(&Party { protocol: Protocol { version, ..SIGNER_PROTOCOL }, ..CALLER }).unwrap_err();
    assert!(told.to_string().ends_with("upgrade the caller"), "{told}");
    assert!(matches!(older.receive::<SignerReply>(), Err(MessageError::Closed)));
    // Signatures before the environment was compared are not given.
    let mut hasty = greeted();
    let request = SignerRequest::Sign { kind: OrderKind::Cancel, body: cancel().body().unwrap() };
    hasty.send(&request, &[]).unwrap();
    let (reply, _) = hasty.receive::<SignerReply>().unwrap();
    assert!(matches!(reply, SignerReply::Refused { kind: RefusalKind::OutOfTurn, .. }));
    // Bytes that are nothing, a length beyond the bound, a half message, and more connections than there is room for.
    use std::io::Write as _;
    connect().write_all(&[0xff; 64]).unwrap();
    connect().write_all(&u32::MAX.to_le_bytes()).unwrap();
    let half = connect();
    (&half).write_all(&[5, 0, 0, 0, 1]).unwrap();
    assert!(signer.sign(&cancel()).is_ok());
    let crowd: Vec<UnixStream> = (0..20).map(|_| connect()).collect();
    assert!(signer.sign(&cancel()).is_ok(), "who has not said who it is pushes nobody out");
    drop((crowd, half));
}

#[test]
fn arbitrary_bytes_are_no_request() {
    use proptest::prelude::*;
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
        if let Ok((request, order)) = decode_signer_request(&bytes) {
            // What is taken is a request, and its order is what would be posted.
            let body = order.map(|order| order.body().unwrap());
            prop_assert_eq!(matches!(&request, SignerRequest::Sign { .. }), body.is_some());
        }
        let _ = decode_signer_reply(&bytes);
    });
    let long = vec![0; SIGNER_MESSAGE_BYTES_MAX + 1];
    assert!(decode_signer_request(&long).is_err() && decode_signer_reply(&long).is_err());
}
