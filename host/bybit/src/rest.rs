//! Queries, with the read key, and the posting of commands that the trade key signed.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use portcullis_core::{Category, RejectionKind, Submission, Timestamp, VenueRejection};
use portcullis_wire as wire;
use portcullis_wire::{
    CancelAllResult, Credentials, HttpVerdict, MESSAGE_MAX, OrderIds, Page, RECV_WINDOW_MS, RawReply,
    Verdict, path, query, redact,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Clock;
use crate::budget::Budget;
use crate::config::Config;
use crate::encode::category;
use crate::http::{Answer, TransportError, authenticated, client, send};
use crate::signer::SignedRequest;

/// Most pages of one query. 50 rows a page make 10,000 orders, twenty times what the venue lets an account have.
const PAGES_MAX: usize = 200;

/// Longest span one query may ask about: 7 days.
const WINDOW_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Furthest back executions are fetched, in windows of 7 days. A journal older than that starts from the positions.
const WINDOWS_MAX: u64 = 5;

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
    /// More pages than any account can fill.
    #[error("the answer has no end")]
    Endless,
}

/// The REST client of one venue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RestClient {
    http: reqwest::Client,
    base: Arc<str>,
    key: Credentials,
    clock: Clock,
    query_timeout: Duration,
    command_timeout: Duration,
    pub(crate) budget: Arc<Budget>,
}

impl RestClient {
    pub(crate) fn new(config: &Config, tls: &Arc<rustls::ClientConfig>) -> Result<Self, TransportError> {
        Ok(Self {
            http: client(tls, config.endpoints.rest.starts_with("http://"))?,
            base: config.endpoints.rest.as_str().into(),
            key: config.read_key.clone(),
            clock: config.clock,
            query_timeout: config.query_timeout,
            command_timeout: config.command_timeout,
            budget: Arc::default(),
        })
    }

    /// The venue's clock: its time, and when the question left and the answer came.
    ///
    /// # Errors
    /// When there is no answer, or it names no time.
    pub async fn server_time(&self) -> Result<ClockSample, QueryError> {
        let sent = (self.clock)();
        let (_, time) = self.public::<wire::ServerTime>(path::TIME, &query::FeeRate::default()).await?;
        let venue = time.ok_or_else(|| QueryError::Malformed("no time".to_owned()))?;
        Ok(ClockSample { sent, received: (self.clock)(), venue: Timestamp::from_millis(venue) })
    }

    /// The rules of one instrument; `None` when it is not listed.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn instrument(
        &self,
        market: Category,
        symbol: &str,
    ) -> Result<Option<wire::Instrument>, QueryError> {
        let parameters = query::Instruments {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            ..query::Instruments::default()
        };
        let (page, _) = self.public::<Page<wire::Instrument>>(path::INSTRUMENTS, &parameters).await?;
        Ok(page.list.into_iter().find(|row| row.symbol == symbol))
    }

    /// The account's fee rates for one instrument; `None` when the venue names none.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn fee_rate(
        &self,
        market: Category,
        symbol: &str,
    ) -> Result<Option<wire::FeeRate>, QueryError> {
        let parameters = query::FeeRate { category: Some(category(market)), symbol: Some(symbol.to_owned()) };
        let (list, _) = self.private::<wire::List<wire::FeeRate>>(path::FEE_RATE, &parameters).await?;
        Ok(list.list.into_iter().find(|row| row.symbol == symbol))
    }

    /// What the read key may do.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn api_key(&self) -> Result<wire::ApiKey, QueryError> {
        Ok(self.private(path::QUERY_API, &query::FeeRate::default()).await?.0)
    }

    /// The account's settings.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn account_info(&self) -> Result<wire::AccountInfo, QueryError> {
        Ok(self.private(path::ACCOUNT_INFO, &query::FeeRate::default()).await?.0)
    }

    /// Every open order of a market, of every filter, to the last page.
    ///
    /// # Errors
    /// When any page has no answer: half a list would look like cancelled orders.
    pub async fn open_orders(&self, market: Category) -> Result<Vec<wire::Order>, QueryError> {
        let base =
            query::Orders { category: Some(category(market)), limit: Some(50), ..query::Orders::default() };
        match market {
            Category::Linear => {
                let base = query::Orders { settle_coin: Some("USDT".to_owned()), ..base };
                self.orders(path::REALTIME, base).await
            }
            Category::Spot => {
                let mut all: Vec<wire::Order> = Vec::new();
                for filter in
                    [wire::OrderFilter::Order, wire::OrderFilter::StopOrder, wire::OrderFilter::TpslOrder]
                {
                    let one = query::Orders { order_filter: Some(filter), ..base.clone() };
                    for order in self.orders(path::REALTIME, one).await? {
                        if all.iter().all(|known| known.order_id != order.order_id) {
                            all.push(order);
                        }
                    }
                }
                Ok(all)
            }
        }
    }

    /// One order by its client id, among the open and just closed ones.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn realtime(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        self.order_by_link(path::REALTIME, market, symbol, link).await
    }

    /// One order by its client id, in the history.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn history(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        self.order_by_link(path::HISTORY, market, symbol, link).await
    }

    async fn order_by_link(
        &self,
        at: &'static str,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Option<wire::Order>, QueryError> {
        let parameters = query::Orders {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            order_link_id: Some(link.to_owned()),
            ..query::Orders::default()
        };
        let rows = self.orders(at, parameters).await?;
        Ok(rows.into_iter().find(|order| order.order_link_id == link))
    }

    async fn orders(&self, at: &'static str, base: query::Orders) -> Result<Vec<wire::Order>, QueryError> {
        self.pages(at, |cursor| query::Orders { cursor, ..base.clone() }).await
    }

    /// Executions of a market since a time, oldest first, in as many windows as the venue's span of 7 days makes. Those older than
    /// 35 days are left out.
    ///
    /// # Errors
    /// When any page has no answer.
    pub async fn executions(
        &self,
        market: Category,
        since: Timestamp,
    ) -> Result<Vec<wire::Execution>, QueryError> {
        let base = query::Executions {
            category: Some(category(market)),
            limit: Some(100),
            ..query::Executions::default()
        };
        let now = (self.clock)().millis();
        let oldest = now.saturating_sub(WINDOW_MS.saturating_mul(WINDOWS_MAX));
        let mut start = since.millis().clamp(oldest, now);
        let mut all = Vec::new();
        loop {
            // The last window has no end, so that a clock behind the venue's cannot hide the newest rows.
            let end = Some(start.saturating_add(WINDOW_MS)).filter(|end| *end < now);
            let mut window: Vec<wire::Execution> = self
                .pages(path::EXECUTIONS, |cursor| query::Executions {
                    start_time: Some(start),
                    end_time: end,
                    cursor,
                    ..base.clone()
                })
                .await?;
            window.reverse();
            all.append(&mut window);
            match end {
                Some(end) => start = end,
                None => break,
            }
        }
        // Newest first within a window; equal times keep the venue's order, reversed.
        all.sort_by_key(|row| row.exec_time.parse::<u64>().unwrap_or(0));
        all.dedup_by(|one, other| one.exec_id == other.exec_id);
        Ok(all)
    }

    /// Executions of one order by its client id, oldest first.
    ///
    /// # Errors
    /// When any page has no answer.
    pub async fn executions_of(
        &self,
        market: Category,
        symbol: &str,
        link: &str,
    ) -> Result<Vec<wire::Execution>, QueryError> {
        let base = query::Executions {
            category: Some(category(market)),
            symbol: Some(symbol.to_owned()),
            order_link_id: Some(link.to_owned()),
            limit: Some(100),
            ..query::Executions::default()
        };
        let mut rows: Vec<wire::Execution> =
            self.pages(path::EXECUTIONS, |cursor| query::Executions { cursor, ..base.clone() }).await?;
        rows.reverse();
        Ok(rows)
    }

    /// Positions in USDT contracts that are not flat.
    ///
    /// # Errors
    /// When any page has no answer.
    pub async fn positions(&self) -> Result<Vec<wire::Position>, QueryError> {
        let base = query::Positions {
            category: Some(wire::Category::Linear),
            settle_coin: Some("USDT".to_owned()),
            limit: Some(200),
            ..query::Positions::default()
        };
        self.pages(path::POSITIONS, |cursor| query::Positions { cursor, ..base.clone() }).await
    }

    /// The unified wallet and the venue's time.
    ///
    /// # Errors
    /// When there is no answer, or no wallet in it.
    pub async fn wallet(&self) -> Result<(wire::Wallet, Timestamp), QueryError> {
        let parameters = query::Wallet { account_type: Some("UNIFIED".to_owned()), coin: None };
        let (list, time) = self.private::<wire::List<wire::Wallet>>(path::WALLET, &parameters).await?;
        let wallet = list
            .list
            .into_iter()
            .next()
            .ok_or_else(|| QueryError::Malformed("no wallet in the answer".to_owned()))?;
        Ok((wallet, time.map_or_else(self.clock, Timestamp::from_millis)))
    }

    async fn pages<T: DeserializeOwned, Q: Serialize>(
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

    async fn public<T: DeserializeOwned>(
        &self,
        at: &str,
        parameters: &impl Serialize,
    ) -> Result<(T, Option<u64>), QueryError> {
        let request = self.http.get(self.url(at, &encode(parameters)?));
        self.ask(request).await
    }

    async fn private<T: DeserializeOwned>(
        &self,
        at: &str,
        parameters: &impl Serialize,
    ) -> Result<(T, Option<u64>), QueryError> {
        let text = encode(parameters)?;
        let timestamp = (self.clock)().millis();
        let signature = self.key.sign_request(timestamp, RECV_WINDOW_MS, text.as_bytes());
        let request = self.http.get(self.url(at, &text));
        self.ask(authenticated(request, self.key.key(), timestamp, signature.as_str())).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(T, Option<u64>), QueryError> {
        if self.budget.is_banned(Instant::now()) {
            return Err(QueryError::Banned);
        }
        let answer = send(request, self.query_timeout).await?;
        if answer.status == 403 {
            self.budget.banned(Instant::now());
        }
        if answer.status != 200 {
            return Err(QueryError::Status(answer.status));
        }
        let reply = RawReply::read(&answer.body).map_err(|error| QueryError::Malformed(error.to_string()))?;
        if reply.ret_code != 0 {
            let message = redact(&reply.ret_msg, self.key.key());
            return Err(QueryError::Refused { code: reply.ret_code, message });
        }
        let result = reply.result().map_err(|error| QueryError::Malformed(error.to_string()))?;
        Ok((result, reply.time))
    }

    /// The path joined to the base, with the query exactly as signed.
    fn url(&self, at: &str, query: &str) -> String {
        if query.is_empty() { format!("{}{at}", self.base) } else { format!("{}{at}?{query}", self.base) }
    }

    /// Posts a signed command and says what its answer proves. For the venue alone, which has it from the journal.
    pub(crate) async fn post(&self, request: SignedRequest, market: Category) -> Submission {
        let key = request.key;
        let builder = self
            .http
            .post(self.url(request.path, ""))
            .header("Content-Type", "application/json")
            .body(request.body);
        let builder = authenticated(builder, &key, request.timestamp_ms, request.signature.as_str());
        let answer = match send(builder, self.command_timeout).await {
            Ok(answer) => answer,
            Err(error) => return unknown(&error.to_string()),
        };
        let now = Instant::now();
        self.budget.learn(now, request.path, market, answer.rate);
        let submission = classify(request.path, &answer, &key);
        if let Submission::Rejected(VenueRejection { kind: RejectionKind::RateLimited, .. }) = &submission {
            if answer.status == 403 {
                self.budget.banned(now)
            } else {
                self.budget.exceeded(now, request.path, market)
            }
        }
        submission
    }
}

/// One reading of the venue's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSample {
    /// When the question left.
    pub sent: Timestamp,
    /// When the answer came.
    pub received: Timestamp,
    /// The venue's time in between.
    pub venue: Timestamp,
}

impl ClockSample {
    /// Our clock minus the venue's in milliseconds, taking the answer as made half-way.
    pub fn skew_ms(&self) -> i64 {
        let half = self.received.since(self.sent).0.checked_div(2).unwrap_or(0);
        let ours = self.sent.0.saturating_add(half);
        let (ahead, behind) = (ours.saturating_sub(self.venue.0), self.venue.0.saturating_sub(ours));
        let millis =
            |nanos: u64| i64::try_from(nanos.checked_div(1_000_000).unwrap_or(0)).unwrap_or(i64::MAX);
        millis(ahead).saturating_sub(millis(behind))
    }
}

fn encode(parameters: &impl Serialize) -> Result<String, QueryError> {
    query::encode(parameters).map_err(|error| QueryError::Malformed(error.to_string()))
}

/// What an answer to a command proves. Whatever is not plainly yes or no is unknown (invariant 4).
fn classify(at: &str, answer: &Answer, key: &str) -> Submission {
    match wire::verdict_of_status(answer.status) {
        HttpVerdict::ReadBody => {}
        HttpVerdict::Rejected(kind) => {
            let message = format!("HTTP status {}", answer.status);
            return Submission::Rejected(VenueRejection { kind, code: i32::from(answer.status), message });
        }
        HttpVerdict::Ambiguous => return unknown(&format!("HTTP status {}", answer.status)),
    }
    let reply = match RawReply::read(&answer.body) {
        Ok(reply) => reply,
        Err(error) => return unknown(&format!("unreadable answer: {error}")),
    };
    let message = redact(&reply.ret_msg, key);
    match wire::verdict(reply.ret_code) {
        Verdict::Ambiguous => unknown(&format!("code {}: {message}", reply.ret_code)),
        Verdict::Rejected(kind) => {
            Submission::Rejected(VenueRejection { kind, code: reply.ret_code, message })
        }
        Verdict::Accepted if at == path::CANCEL_ALL => match reply.result::<CancelAllResult>() {
            Ok(result) if result.success != "0" => Submission::Accepted { venue_order: None },
            Ok(_) => unknown("cancel-all reports no success"),
            Err(error) => unknown(&format!("unreadable answer: {error}")),
        },
        Verdict::Accepted if at == path::TRADING_STOP => Submission::Accepted { venue_order: None },
        Verdict::Accepted => match reply.result::<OrderIds>().map(|ids| ids.order_id.parse()) {
            Ok(Ok(venue_order)) => Submission::Accepted { venue_order: Some(venue_order) },
            // Accepted, but without a name to go by: the private stream will tell.
            Ok(Err(_)) | Err(_) => unknown("accepted without an order id"),
        },
    }
}

pub(crate) fn unknown(detail: &str) -> Submission {
    let mut detail = detail.to_owned();
    detail.truncate(detail.floor_char_boundary(MESSAGE_MAX));
    Submission::Unknown { detail }
}

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
