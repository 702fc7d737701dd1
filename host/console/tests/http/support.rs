//! A console, a gateway that answers by script, and a client that sends exactly what a test says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_console::{Accounts, Bounds, Clock, ConsoleConfig, Listen, Place, Right, run};
use portcullis_role::{
    ControlReply, ControlRequest, ControlServer, JournalHead, OrderLine, PositionLine, StatusReport,
    StrategyLine,
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) const USER: &str = "ann";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const START_S: u64 = 1_700_000_000;

type Script = dyn Fn(&ControlRequest) -> Option<ControlReply> + Send + Sync;

/// A running console.
pub(crate) struct Console {
    pub(crate) dir: TempDir,
    pub(crate) place: Place,
    pub(crate) token: String,
    pub(crate) reader: String,
    now_s: Arc<AtomicU64>,
    gateway: Option<ControlServer>,
    asked: Arc<Mutex<Vec<ControlRequest>>>,
    script: Arc<Mutex<Box<Script>>>,
    config: ConsoleConfig,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// `NAME=VALUE` of the cookie that was set.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

impl Console {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut ConsoleConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now_s = Arc::new(AtomicU64::new(START_S));
        let clock = Arc::clone(&now_s);
        let accounts = Accounts::open(dir.path()).unwrap();
        accounts.add_user(&USER.parse().unwrap(), &PASSWORD.to_owned().into(), START_S).unwrap();
        let token = |name: &str, right| {
            let token = accounts.add_token(&name.parse().unwrap(), right, 30, START_S).unwrap();
            token.secret.expose_secret().to_owned()
        };
        let (token, reader) = (token("ci", Right::Operate), token("watch", Right::Read));
        let mut config = ConsoleConfig {
            dir: dir.path().to_owned(),
            control: dir.path().join("control.sock"),
            listen: Listen::Tcp("127.0.0.1:0".parse().unwrap()),
            origins: Vec::new(),
            proxies: Vec::new(),
            bundle_bytes_max: 64 * 1024,
            bounds: Bounds {
                poll: Duration::from_millis(20),
                grace: Duration::from_secs(2),
                ..Bounds::PRODUCTION
            },
            clock: Clock::new(move || clock.load(Ordering::Relaxed)),
        };
        change(&mut config);
        let mut console = Self {
            dir,
            place: Place::Unix(PathBuf::new()),
            token,
            reader,
            now_s,
            gateway: None,
            asked: Arc::default(),
            script: Arc::new(Mutex::new(Box::new(|_| None))),
            config,
            running: None,
        };
        console.start_gateway();
        console.launch();
        console
    }

    /// Ends the console and starts it again on the same directory.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.launch();
    }

    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    fn launch(&mut self) {
        log();
        let config = self.config.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, place) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let ready = move |place: &Place| ready.send(place.clone()).unwrap();
            let shutdown = async {
                let _ = stopped.await;
            };
            runtime.unwrap().block_on(run(config, ready, shutdown)).unwrap();
        });
        self.place = place.recv_timeout(Duration::from_secs(20)).unwrap();
        self.running = Some((stop, thread));
    }

    pub(crate) fn start_gateway(&mut self) {
        let (asked, script) = (Arc::clone(&self.asked), Arc::clone(&self.script));
        let answer = move |request: ControlRequest| {
            let reply = script.lock().unwrap()(&request).unwrap_or_else(|| usual(&request));
            asked.lock().unwrap().push(request);
            reply
        };
        self.gateway = Some(ControlServer::start(&self.config.control, answer).unwrap());
    }

    pub(crate) fn stop_gateway(&mut self) {
        self.gateway = None;
    }

    /// Answers some requests otherwise than usual.
    pub(crate) fn script(
        &self,
        script: impl Fn(&ControlRequest) -> Option<ControlReply> + Send + Sync + 'static,
    ) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// What the gateway has been asked, without the questions that change nothing.
    pub(crate) fn changes(&self) -> Vec<ControlRequest> {
        let reads = |request: &ControlRequest| {
            matches!(
                request,
                ControlRequest::Status {}
                    | ControlRequest::Orders {}
                    | ControlRequest::Positions {}
                    | ControlRequest::Denials {}
                    | ControlRequest::Limits {}
                    | ControlRequest::Deployment { .. }
            )
        };
        self.asked.lock().unwrap().iter().filter(|request| !reads(request)).cloned().collect()
    }

    /// Waits until the gateway has been asked for this.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&ControlRequest) -> bool) {
        until(what, || self.changes().iter().any(&holds));
    }

    pub(crate) fn status_questions(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| matches!(request, ControlRequest::Status {})).count()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now_s.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Tcp(address) => *address,
            Place::Unix(_) => panic!("not on an address"),
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn connect(&self) -> Box<dyn Stream> {
        match &self.place {
            Place::Tcp(address) => Box::new(TcpStream::connect(address).unwrap()),
            Place::Unix(path) => Box::new(UnixStream::connect(path).unwrap()),
        }
    }

    /// A request with the `Host` that is ours, unless the headers name one.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.push_str(&format!("Host: {}\r\n", self.host()));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        // A server that refuses early may have closed already.
        let _ = stream.write_all(body);
        answer(&mut *stream)
    }

    fn host(&self) -> String {
        match (&self.place, self.config.origins.first()) {
            (_, Some(origin)) => origin.host().to_owned(),
            (Place::Tcp(address), None) => address.to_string(),
            (Place::Unix(_), None) => panic!("no host"),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {}", self.token))], b"")
    }

    pub(crate) fn post_json(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let all: Vec<_> = [("Content-Type", "application/json")].iter().chain(headers).copied().collect();
        self.send("POST", path, &all, body.as_bytes())
    }

    pub(crate) fn login(&self, headers: &[(&str, &str)], user: &str, password: &str) -> Answer {
        let body = serde_json::json!({"user": user, "password": password}).to_string();
        self.post_json("/api/login", headers, &body)
    }

    pub(crate) fn upload(&self, query: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/octet-stream")];
        self.send("POST", &format!("/api/bundles?{query}"), &headers, body)
    }

    /// Names of what lies in `incoming/`.
    pub(crate) fn incoming(&self) -> Vec<String> {
        std::fs::read_dir(self.dir.path().join("incoming"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

pub(crate) trait Stream: Read + Write {
    fn patience(&self, patience: Duration);
}

impl Stream for TcpStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }
}

impl Stream for UnixStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }
}

/// Reads to the end of the connection.
pub(crate) fn answer(stream: &mut dyn Stream) -> Answer {
    stream.patience(Duration::from_secs(30));
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            // Reset after the answer, because the server did not want the rest of ours.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}; so far {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { dechunk(body) } else { body.to_owned() };
    Answer { status, head: head.to_owned(), body }
}

fn dechunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size.min(rest.len())]);
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// Waits for something that comes about on another thread.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Everything that was logged by any console of this test binary.
pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&log().lock().unwrap()).into_owned()
}

fn log() -> &'static Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || Sink(Arc::clone(&sink)))
            .init();
        log
    })
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a gateway with one strategy answers.
fn usual(request: &ControlRequest) -> ControlReply {
    match request {
        ControlRequest::Status {} => ControlReply::Status(Box::new(status())),
        ControlRequest::Orders {} => ControlReply::Orders { orders: vec![order()], omitted: 0 },
        ControlRequest::Positions {} => ControlReply::Positions { positions: vec![position()] },
        ControlRequest::Denials {} => {
            ControlReply::Denials { refused: [("PRICE_COLLAR".to_owned(), 3)].into(), recent: vec![] }
        }
        ControlRequest::Deploy(deploy) => ControlReply::Accepted {
            deployment: 7,
            strategy: deploy.name.clone().unwrap_or_else(|| "maker".to_owned()),
            bundle: "maker-0.1.0".to_owned(),
            digest: "ab".repeat(32),
        },
        ControlRequest::Deployment { .. } => ControlReply::error("UNKNOWN_DEPLOYMENT", "there is none"),
        _ => ControlReply::Done { detail: "done".to_owned() },
    }
}

pub(crate) fn status() -> StatusReport {
    StatusReport {
        environment: "paper".to_owned(),
        trading_state: "active".to_owned(),
        strategies: vec![StrategyLine {
            name: "ema-cross".to_owned(),
            bundle: "ema-cross-0.1.0".to_owned(),
            digest: "cd".repeat(32),
            state: "running".to_owned(),
            symbols: vec!["linear:BTCUSDT".to_owned()],
            pid: Some(42),
            events: 12_345,
            ..StrategyLine::default()
        }],
        positions: 1,
        open_orders: 1,
        journal: JournalHead { records: 678, root: "ef".repeat(32) },
        day_pnl: "-12.345".to_owned(),
        net_pnl: "1234.5".to_owned(),
        equity: "11234.5".to_owned(),
        uptime_ns: 61_000_000_000,
        ..StatusReport::default()
    }
}

fn order() -> OrderLine {
    OrderLine {
        order: 17,
        link_id: Some("p001".to_owned()),
        strategy: "ema-cross".to_owned(),
        symbol: "linear:BTCUSDT".to_owned(),
        side: "buy".to_owned(),
        quantity: "0.010".to_owned(),
        executed: "0".to_owned(),
        price: Some("61837.6".to_owned()),
        status: "working".to_owned(),
        tag: 1,
        approved_ns: 1_723_161_255_343_000_000,
    }
}

fn position() -> PositionLine {
    PositionLine {
        strategy: "ema-cross".to_owned(),
        symbol: "linear:BTCUSDT".to_owned(),
        quantity: "-0.010".to_owned(),
        entry_price: "61900.5".to_owned(),
        realised_pnl: "3.5".to_owned(),
        open_pnl: None,
        fees: "0.34".to_owned(),
    }
}

impl Console {
    /// Sends a request with the token and reads no more than the status.
    pub(crate) fn get_status(&self, path: &str) -> u16 {
        let mut stream = self.connect();
        let token = &self.token;
        let host = self.host();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.patience(Duration::from_secs(20));
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).unwrap();
        std::str::from_utf8(&begun[9..]).unwrap().parse().unwrap()
    }
}
