//! The REST client: how questions are asked and answers read.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use portcullis_core::{Category, Class, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{Credentials, Page, RECV_WINDOW_MS, RawReply, path, query, redact};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::budget::{Budget, RateHeaders};
use crate::clock::{Clock, ClockSample};
use crate::config::Config;
use crate::http::{TransportError, authenticated, client, send};
use crate::skew::SkewGauge;
use portcullis_wire::SignedRequest;

/// Most pages of one query. 50 rows a page make 10,000 orders, twenty times what the venue lets an account have.
const PAGES_MAX: usize = 200;

/// Queries of all markets share a bucket of each endpoint; the venue counts them apart, so this errs on its side.
const QUERIES: Category = Category::Linear;

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An HTTP status other than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The venue said no.
    #[error("code {code}: {message}")]
    Refused {
        /// Its code.
        code: i32,
        /// Its words, redacted.
        message: String,
    },
    /// The answer has another shape.
    #[error("unreadable answer: {0}")]
    Malformed(String),
    /// The venue turned this address away; nothing is asked for ten minutes.
    #[error("turned away by the venue, waiting")]
    Banned,
    /// The endpoint's rate is used up for longer than the question can wait.
    #[error("too many questions")]
    Crowded,
    /// More pages than any account can fill.
    #[error("the answer has no end")]
    Endless,
}

/// The REST client of one venue. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RestClient {
    pub(crate) http: reqwest::Client,
    base: Arc<str>,
    key: Credentials,
    pub(crate) clock: Clock,
    query_timeout: Duration,
    pub(crate) command_timeout: Duration,
    pub(crate) budget: Arc<Budget>,
    pub(crate) skew: Arc<SkewGauge>,
}

impl RestClient {
    pub(crate) fn new(
        config: &Config,
        tls: &Arc<rustls::ClientConfig>,
        skew: SkewGauge,
    ) -> Result<Self, TransportError> {
        Ok(Self {
            http: client(tls, config.endpoints.rest.starts_with("http://"))?,
            base: config.endpoints.rest.as_str().into(),
            key: config.read_key.clone(),
            clock: config.clock,
            query_timeout: config.query_timeout,
            command_timeout: config.command_timeout,
            budget: Arc::default(),
            skew: Arc::new(skew),
        })
    }

    /// The venue's clock: its time, and when the question left and the answer came.
    ///
    /// # Errors
    /// When there is no answer, or it names no time.
    pub(crate) async fn server_time(&self) -> Result<ClockSample, QueryError> {
        let sent = (self.clock)();
        let (_, time) = self.public::<wire::ServerTime>(path::TIME, &query::FeeRate::default()).await?;
        let venue = time.ok_or_else(|| QueryError::Malformed("no time".to_owned()))?;
        Ok(ClockSample { sent, received: (self.clock)(), venue: Timestamp::from_millis(venue) })
    }

    pub(crate) async fn pages<T: DeserializeOwned, Q: Serialize>(
        &self,
        at: &'static str,
        parameters: impl Fn(Option<String>) -> Q,
    ) -> Result<Vec<T>, QueryError> {
        let mut rows = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let (page, _) = self.private::<Page<T>>(at, &parameters(cursor.take())).await?;
            rows.extend(page.list);
            if page.next_page_cursor.is_empty() {
                return Ok(rows);
            }
            cursor = Some(page.next_page_cursor);
        }
        Err(QueryError::Endless)
    }

    pub(crate) async fn public<T: DeserializeOwned>(
        &self,
        at: &str,
        parameters: &impl Serialize,
    ) -> Result<(T, Option<u64>), QueryError> {
        let request = self.http.get(self.url(at, &encode(parameters)?));
        self.budget.count(Instant::now());
        Ok(self.ask(request).await?.0)
    }

    pub(crate) async fn private<T: DeserializeOwned>(
        &self,
        at: &'static str,
        parameters: &impl Serialize,
    ) -> Result<(T, Option<u64>), QueryError> {
        let text = encode(parameters)?;
        self.wait_for_room(at).await?;
        let timestamp = (self.clock)().millis();
        let signature = self.key.sign_request(timestamp, RECV_WINDOW_MS, text.as_bytes());
        let request = self.http.get(self.url(at, &text));
        let asked = self.ask(authenticated(request, self.key.key(), timestamp, signature.as_str())).await;
        let (result, rate) = match asked {
            Ok(answered) => answered,
            Err(error) => {
                if matches!(error, QueryError::Refused { code: 10_006, .. }) {
                    self.budget.exceeded(Instant::now(), at, QUERIES, RateHeaders::default(), None);
                }
                return Err(error);
            }
        };
        self.budget.learn(Instant::now(), at, QUERIES, rate);
        Ok(result)
    }

    /// Asks what somebody else has signed: a query without parameters, with the trade key.
    pub(crate) async fn ask_signed<T: DeserializeOwned>(
        &self,
        at: &'static str,
        signed: SignedRequest,
    ) -> Result<T, QueryError> {
        self.wait_for_room(at).await?;
        let request = self.http.get(self.url(at, ""));
        let request = authenticated(request, &signed.key, signed.timestamp_ms, signed.signature.as_str());
        Ok(self.ask(request).await?.0.0)
    }

    /// A query waits for its turn, which comes within a second or two.
    async fn wait_for_room(&self, at: &'static str) -> Result<(), QueryError> {
        let give_up = Instant::now().checked_add(self.query_timeout);
        while let Err(exhausted) = self.budget.take(Instant::now(), at, QUERIES, Class::Reducing) {
            if exhausted.banned {
                return Err(QueryError::Banned);
            }
            if give_up.is_none_or(|give_up| exhausted.until > give_up) {
                return Err(QueryError::Crowded);
            }
            tokio::time::sleep_until(exhausted.until.into()).await;
        }
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<((T, Option<u64>), RateHeaders), QueryError> {
        if self.budget.banned_until(Instant::now()).is_some() {
            return Err(QueryError::Banned);
        }
        let sent = (self.clock)();
        let answer = send(request, self.query_timeout).await?;
        if answer.status == 403 {
            self.budget.banned(Instant::now());
        }
        if answer.status != 200 {
            return Err(QueryError::Status(answer.status));
        }
        let reply = RawReply::read(&answer.body).map_err(|error| malformed(&error))?;
        let received = (self.clock)();
        if reply.ret_code == 10_002 {
            self.skew.hear_refusal(&reply.ret_msg, received);
        } else if let Some(venue) = reply.time {
            self.skew.hear(ClockSample { sent, received, venue: Timestamp::from_millis(venue) });
        }
        if reply.ret_code != 0 {
            let message = redact(&reply.ret_msg, self.key.key());
            return Err(QueryError::Refused { code: reply.ret_code, message });
        }
        let result = reply.result().map_err(|error| malformed(&error))?;
        Ok(((result, reply.time), answer.rate))
    }

    /// The path joined to the base, with the query exactly as signed.
    pub(crate) fn url(&self, at: &str, query: &str) -> String {
        if query.is_empty() { format!("{}{at}", self.base) } else { format!("{}{at}?{query}", self.base) }
    }
}

/// A parser's words may quote the answer.
fn malformed(error: &serde_json::Error) -> QueryError {
    QueryError::Malformed(redact(&error.to_string(), ""))
}

fn encode(parameters: &impl Serialize) -> Result<String, QueryError> {
    query::encode(parameters).map_err(|error| malformed(&error))
}
