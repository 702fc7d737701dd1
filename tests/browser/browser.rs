//! A headless Chromium, driven over WebDriver: a handful of POST requests to chromedriver.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Chromium does without what it would otherwise tell or ask its maker.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
    "--lang=en",
];

/// Longest wait for something on a page.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key of an element's id in answers (WebDriver §12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own; ended when dropped.
pub(crate) struct Browser {
    driver: Child,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let base = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, http, runtime, session: base.clone(), _profile: profile };
        browser.wait_for_driver(port);
        let profile = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.post("", &capabilities);
        browser.session = format!("{base}/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    pub(crate) fn title(&self) -> String {
        self.run("return document.title").as_str().unwrap().to_owned()
    }

    /// Text of the first element that matches, as it is shown.
    pub(crate) fn text(&self, css: &str) -> String {
        let script =
            "const found = document.querySelector(arguments[0]); return found ? found.innerText : ''";
        let answer = self.post("/execute/sync", &json!({"script": script, "args": [css]}));
        answer.as_str().unwrap().to_owned()
    }

    /// Waits until the text of an element satisfies, and returns it.
    pub(crate) fn wait_for(&self, what: &str, css: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text(css);
            if holds(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "{what} did not come about; {css} says {text:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    pub(crate) fn click(&self, css: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What the browser has complained about since it was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    fn find(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let answer: Value = self
            .runtime
            .block_on(async { self.http.post(&url).json(body).send().await.unwrap().json().await.unwrap() });
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{path}: {value}");
        value.clone()
    }

    fn wait_for_driver(&self, port: u16) {
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "chromedriver does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session; a session that never was has none.
        let ended = self.runtime.block_on(async { self.http.delete(&self.session).send().await });
        if ended.is_err() {
            eprintln!("the browser's session did not end");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
