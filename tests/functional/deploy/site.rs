//! The site before the console: a real nginx with the shipped file, before an upstream that tells what reaches it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{deploy, run, trial};

const HOST: &str = "portcullis.example.org";
const TOOLS: &[&str] = &["nginx", "openssl"];

/// Longest wait for nginx to listen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial("the_site_is_understood", &["root", "nginx", "openssl"], the_site_is_understood),
        trial("logins_are_held_back", TOOLS, || with_site(logins_are_held_back)),
        trial("a_halt_passes_at_once", TOOLS, || with_site(a_halt_passes_at_once)),
        trial("strangers_get_no_answer", TOOLS, || with_site(strangers_get_no_answer)),
        trial("addresses_are_what_nginx_saw", TOOLS, || with_site(addresses_are_what_nginx_saw)),
        trial("bodies_are_bounded", TOOLS, || with_site(bodies_are_bounded)),
        trial("events_pass_unbuffered", TOOLS, || with_site(events_pass_unbuffered)),
    ]
}

/// The file as it is shipped; only the certificate is one of the test's.
fn the_site_is_understood() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    certificate(dir.path());
    let site = std::fs::read_to_string(deploy().join("nginx/portcullis.conf"))?;
    write_configuration(
        dir.path(),
        "warn",
        &site.replace("/etc/portcullis/tls", &dir.path().display().to_string()),
    );
    let (exit, said) = run(nginx(dir.path()).arg("-t"));
    assert!(exit == 0 && !said.contains("[warn]"), "{said}");
    Ok(())
}

async fn logins_are_held_back(site: &Site) {
    let mut answers = Vec::new();
    for path in ["/api/login", "/login"].into_iter().cycle().take(12) {
        answers.push(site.post(path).body("{}").send().await.unwrap().status());
    }
    assert_eq!(answers[..6], [StatusCode::OK; 6], "a burst of five passes besides the first");
    assert_eq!(answers[7..], [StatusCode::TOO_MANY_REQUESTS; 5]);
    let other = site.get("/api/status").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK, "other requests have zones of their own");
}

async fn a_halt_passes_at_once(site: &Site) {
    for _ in 0..5 {
        site.post("/api/login").body("{}").send().await.unwrap();
    }
    for path in ["/api/halt", "/halt", "/api/strategies/ema-btc/stop"].into_iter().cycle().take(10) {
        assert_eq!(site.post(path).send().await.unwrap().status(), StatusCode::OK);
    }
    let mut last = StatusCode::OK;
    for _ in 0..10 {
        last = site.post("/api/halt").send().await.unwrap().status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "a burst beyond that is no operator's");
}

async fn strangers_get_no_answer(site: &Site) {
    // Another name in the handshake: refused there.
    let error = site.client.get(format!("https://other.example.org:{}/", site.tls)).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    // Our name in the handshake and another in the request; and no name at all. Closed without an answer.
    for (port, scheme, host) in [
        (site.tls, "https", "other.example.org"),
        (site.plain, "http", "other.example.org"),
        (site.plain, "http", "127.0.0.1"),
    ] {
        let request = site.client.get(format!("{scheme}://{HOST}:{port}/")).header("Host", host);
        let error = request.send().await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{scheme} {host}: {error:?}");
    }
    let moved = site.client.get(format!("http://{HOST}:{}/orders?x=1", site.plain)).send().await.unwrap();
    assert_eq!(moved.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(moved.headers()["location"], format!("https://{HOST}/orders?x=1"));
    assert_eq!(moved.headers()["server"], "nginx");
}

async fn addresses_are_what_nginx_saw(site: &Site) {
    let mut request = site.get("/api/status");
    for header in ["X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"] {
        request = request.header(header, "203.0.113.9");
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers().get_all("strict-transport-security").iter().count(), 1);
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["headers"]["x-real-ip"], "127.0.0.1", "{seen}");
    assert_eq!(seen["headers"]["host"], HOST, "{seen}");
    assert!(!seen.to_string().contains("203.0.113.9"), "{seen}");
}

async fn bodies_are_bounded(site: &Site) {
    let answer = site.post("/api/login").body(vec![b'x'; 5 * 1024]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer = site.post("/api/halt").body(vec![b'x'; 65 * 1024]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let bundle = vec![b'x'; 2 << 20];
    let seen: Value = site.post("/api/bundles").body(bundle).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["body_bytes"], 2 << 20);
    // Announced alone: nginx does not wait for the body.
    let announced =
        site.post("/api/bundles").header("Content-Length", 34 << 20).header("Expect", "100-continue");
    let refused = announced.body(vec![b'x'; 34 << 20]).send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
}

async fn events_pass_unbuffered(site: &Site) {
    let mut answer = site.get("/api/events").send().await.unwrap();
    // The upstream keeps its answer open for ever: what arrives has passed through.
    let event = tokio::time::timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(event.as_ref(), b"data: 1\n\n");
}

/// A running nginx.
struct Site {
    nginx: Child,
    client: Client,
    tls: u16,
    plain: u16,
    _dir: tempfile::TempDir,
}

impl Site {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("https://{HOST}:{}{path}", self.tls))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("https://{HOST}:{}{path}", self.tls))
    }

    fn start() -> Result<Self, Failed> {
        let dir = tempfile::tempdir()?;
        let [tls, plain] = ports()?;
        certificate(dir.path());
        upstream(&dir.path().join("console.sock"))?;
        let shipped = std::fs::read_to_string(deploy().join("nginx/portcullis.conf"))?;
        let mut site = String::new();
        for line in shipped.lines().filter(|line| !line.trim().starts_with("listen [::]")) {
            let line = line
                .replace("listen 443", &format!("listen 127.0.0.1:{tls}"))
                .replace("listen 80", &format!("listen 127.0.0.1:{plain}"))
                .replace("/etc/portcullis/tls", &dir.path().display().to_string())
                .replace("/run/portcullis-console", &dir.path().display().to_string());
            site.push_str(&line);
            site.push('\n');
        }
        // What it refuses is written to the log as errors.
        write_configuration(dir.path(), "crit", &site);
        let mut nginx = nginx(dir.path()).stdin(Stdio::null()).spawn()?;
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", tls)).is_err() {
            if let Some(status) = nginx.try_wait()? {
                return Err(format!("nginx ended with {status}").into());
            }
            if started.elapsed() > PATIENCE {
                nginx.kill()?;
                return Err("nginx does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // A second one may have been installed by another test of this process.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let here = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let client = Client::builder()
            .danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve(HOST, here(tls))
            .resolve("other.example.org", here(tls))
            .timeout(PATIENCE)
            .build()?;
        Ok(Self { nginx, client, tls, plain, _dir: dir })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }
}

fn with_site(test: impl AsyncFn(&Site)) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let site = Site::start()?;
    runtime.block_on(test(&site));
    Ok(())
}

fn ports() -> std::io::Result<[u16; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}

fn certificate(dir: &Path) {
    let (exit, said) = run(Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={HOST}"), "-keyout"])
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem")));
    assert_eq!(exit, 0, "{said}");
}

/// One process in the foreground that keeps everything in `dir`, around the site under test.
fn write_configuration(dir: &Path, level: &str, site: &str) {
    std::fs::write(dir.join("site.conf"), site).unwrap();
    let at = dir.display();
    let text = format!(
        "daemon off; master_process off; pid {at}/nginx.pid; error_log stderr {level};\n\
         events {{}}\n\
         http {{\n\
         access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
         uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
         include {at}/site.conf;\n\
         }}\n"
    );
    std::fs::write(dir.join("nginx.conf"), text).unwrap();
}

fn nginx(dir: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(dir).arg("-c").arg(dir.join("nginx.conf")).args(["-e", "stderr"]);
    command
}

/// Answers every request with what reached it.
fn upstream(socket: &Path) -> std::io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    Ok(())
}

fn serve(mut stream: UnixStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&bytes| bytes > 0)?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = serde_json::Map::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.into());
        }
        let length =
            headers.get("content-length").and_then(Value::as_str).map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if path == "/api/events" {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            write!(stream, "{head}9\r\ndata: 1\n\n\r\n").ok()?;
            continue;
        }
        let seen = json!({"headers": headers, "body_bytes": body.len()}).to_string();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: {}\r\n\r\n{seen}",
            seen.len()
        )
        .ok()?;
    }
}
