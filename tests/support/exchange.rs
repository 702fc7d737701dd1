//! The paper exchange of a demo, asked past the gateway.

#![allow(dead_code, reason = "each suite uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use portcullis_wire::Credentials;
use serde_json::Value;

/// Code of an answer to one question too many.
const RATE_LIMITED: i32 = 10006;

/// The exchange itself, asked with the gateway's keys.
pub(crate) struct Exchange {
    base: String,
    read: Credentials,
    trade: Credentials,
}

impl Exchange {
    /// The exchange that a demo's ready line names.
    pub(crate) fn of(dir: &Path, ready: &Value) -> Self {
        Self::new(dir, ready["paper"]["rest"].as_str().unwrap())
    }

    pub(crate) fn new(dir: &Path, base: &str) -> Self {
        let credentials = |name: &str| {
            let text = std::fs::read_to_string(dir.join("keys").join(name)).unwrap();
            let keys: BTreeMap<String, String> = toml::from_str(&text).unwrap();
            Credentials::new(&keys["key"], &keys["secret"].clone().into())
        };
        Self { base: base.to_owned(), read: credentials("read.toml"), trade: credentials("trade.toml") }
    }

    /// The answer to a question, which is asked again when a fault of the exchange spoils it, or when it is one too many for the moment:
    /// a long list is many pages, and the gateway asks with the same key.
    pub(crate) fn get(&self, path: &str, query: &str) -> Value {
        let url = format!("{}{path}?{query}", self.base);
        for _ in 0..60 {
            if let Some(answer) = self.send(|client| client.get(&url), &self.read, query) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{url} was never answered")
    }

    /// The answer to a command that did not come from the gateway.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (url, text) = (format!("{}{path}", self.base), body.to_string());
        let builder = |client: reqwest::Client| client.post(url).body(text.clone());
        self.send(builder, &self.trade, &text).unwrap()
    }

    /// `None` for an answer that cannot be read, or that says to ask less often.
    fn send(
        &self,
        request: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder,
        credentials: &Credentials,
        payload: &str,
    ) -> Option<Value> {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let timestamp = u64::try_from(now).unwrap();
        let signature = credentials.sign_request(timestamp, 5_000, payload.as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer: Option<Value> = runtime.block_on(async {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            request(reqwest::Client::new())
                .header("X-BAPI-API-KEY", credentials.key())
                .header("X-BAPI-TIMESTAMP", timestamp)
                .header("X-BAPI-RECV-WINDOW", 5_000)
                .header("X-BAPI-SIGN", signature.as_str())
                .timeout(Duration::from_secs(5))
                .send()
                .await
                .ok()?
                .json()
                .await
                .ok()
        });
        let answer = answer.filter(|answer| answer["retCode"] != RATE_LIMITED)?;
        assert_eq!(answer["retCode"], 0, "{answer}");
        Some(answer)
    }

    /// Size of each position, negative when short, as text without trailing zeros.
    pub(crate) fn positions(&self) -> BTreeMap<String, f64> {
        let answer = self.get("/v5/position/list", "category=linear&settleCoin=USDT");
        answer["result"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let size: f64 = row["size"].as_str().unwrap().parse().unwrap();
                let signed = if row["side"] == "Sell" { -size } else { size };
                (format!("linear:{}", row["symbol"].as_str().unwrap()), signed)
            })
            .filter(|(_, size)| *size != 0.0)
            .collect()
    }

    pub(crate) fn open_links(&self) -> BTreeSet<String> {
        let answer = self.get("/v5/order/realtime", "category=linear&settleCoin=USDT&limit=50");
        let rows = answer["result"]["list"].as_array().unwrap();
        // The stops of positions are the exchange's own orders and have no client id.
        let ours = rows.iter().filter(|row| row["stopOrderType"] != "StopLoss");
        ours.map(|row| row["orderLinkId"].as_str().unwrap().to_owned()).collect()
    }

    /// Positions that have no stop at the exchange.
    pub(crate) fn unprotected(&self) -> Vec<String> {
        let answer = self.get("/v5/position/list", "category=linear&settleCoin=USDT");
        let rows = answer["result"]["list"].as_array().unwrap().iter();
        let bare = rows
            .filter(|row| row["size"] != "0" && row["size"] != "")
            .filter(|row| row["stopLoss"].as_str().is_none_or(|stop| stop.is_empty() || stop == "0"));
        bare.map(|row| row["symbol"].as_str().unwrap().to_owned()).collect()
    }

    /// Every row of a question that has pages, in the venue's order.
    pub(crate) fn pages(&self, path: &str, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = self.get(path, &format!("{query}{cursor}"));
            rows.extend(answer["result"]["list"].as_array().unwrap().iter().cloned());
            match answer["result"]["nextPageCursor"].as_str().unwrap_or_default() {
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
