//! The paper exchange of a demo, asked past the gateway.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_wire::Credentials;
use secrecy::SecretString;
use serde_json::Value;

/// A client with the read key.
pub(crate) struct Venue {
    address: String,
    credentials: Credentials,
}

impl Venue {
    /// The exchange that a demo's ready line names.
    pub(crate) fn of(dir: &Path, ready: &Value) -> Self {
        let address = ready["paper"]["rest"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let file = std::fs::read_to_string(dir.join("keys/read.toml")).unwrap();
        let value = |name: &str| {
            let line = file.lines().find(|line| line.starts_with(name)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        let secret: SecretString = value("secret").into();
        Self { address, credentials: Credentials::new(&value("key"), &secret) }
    }

    /// The `result` of a question.
    #[expect(clippy::disallowed_methods, reason = "a client of the exchange reads the wall clock")]
    pub(crate) fn get(&self, path: &str, query: &str) -> Value {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let signature = self.credentials.sign_request(now, 5_000, query.as_bytes());
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path}?{query} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-BAPI-API-KEY: {}\r\n\
             X-BAPI-TIMESTAMP: {now}\r\nX-BAPI-RECV-WINDOW: 5000\r\nX-BAPI-SIGN: {}\r\n\r\n",
            self.address,
            self.credentials.key(),
            signature.as_str()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        let reply: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {text}"));
        assert_eq!(reply["retCode"], 0, "{path}?{query}: {reply}");
        reply["result"].clone()
    }

    /// Every row of a question that has pages, in the venue's order.
    pub(crate) fn pages(&self, path: &str, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(path, &format!("{query}{cursor}"));
            rows.extend(page["list"].as_array().unwrap().iter().cloned());
            match page["nextPageCursor"].as_str().unwrap_or_default() {
                "" => return rows,
                next => cursor = format!("&cursor={next}"),
            }
        }
    }

    /// Open orders that could add risk.
    pub(crate) fn entries(&self) -> usize {
        let open = self.pages("/v5/order/realtime", "category=linear&settleCoin=USDT&limit=50");
        open.iter().filter(|order| order["reduceOnly"] == false).count()
    }
}
