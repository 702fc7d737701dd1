//! Commands on the wire, and what their answers prove.

use std::time::Instant;

use portcullis_core::{Category, RejectionKind, Submission, Timestamp, VenueRejection};
use portcullis_wire::{
    BatchReply, CancelAllResult, HttpVerdict, MESSAGE_MAX, OrderIds, RawReply, Verdict, path, redact,
    verdict, verdict_of_status,
};

use crate::budget::RateHeaders;
use crate::clock::ClockSample;
use crate::http::{Answer, authenticated, send};
use crate::rest::RestClient;
use portcullis_wire::SignedRequest;

impl RestClient {
    /// Posts a signed command and says what its answer proves. For what has the command from the journal, and for the sentinel.
    pub(crate) async fn post(&self, request: SignedRequest, market: Category) -> Submission {
        let key = request.key;
        let builder = self
            .http
            .post(self.url(request.path, ""))
            .header("Content-Type", "application/json")
            .body(request.body);
        let builder = authenticated(builder, &key, request.timestamp_ms, request.signature.as_str());
        let sent = (self.clock)();
        let answer = match send(builder, self.command_timeout).await {
            Ok(answer) => answer,
            Err(error) => return unknown(&error.to_string()),
        };
        if answer.status == 403 {
            self.budget.banned(Instant::now());
        }
        let reply = RawReply::read(&answer.body).ok();
        let venue_ms = answer.time_ms.or(reply.as_ref().and_then(|reply| reply.time));
        let submission = classify(request.path, &answer, &key);
        self.heed(request.path, market, &submission, answer.rate, (sent, venue_ms));
        submission
    }

    /// Learns from an answer to a command what it says beside its outcome: rate and time.
    pub(crate) fn heed(
        &self,
        at: &'static str,
        market: Category,
        submission: &Submission,
        rate: RateHeaders,
        (sent, venue_ms): (Timestamp, Option<u64>),
    ) {
        let (now, received) = (Instant::now(), (self.clock)());
        self.budget.learn(now, at, market, rate);
        if let Submission::Rejected(rejection) = submission {
            if rejection.kind == RejectionKind::RateLimited && rejection.code != 403 {
                self.budget.exceeded(now, at, market, rate, venue_ms);
            }
            if rejection.kind == RejectionKind::Timestamp {
                self.skew.hear_refusal(&rejection.message, received);
            }
        }
        // A refusal for the clock took place before anything else, so its time counts like any other.
        if let Some(venue_ms) = venue_ms {
            self.skew.hear(ClockSample { sent, received, venue: Timestamp::from_millis(venue_ms) });
        }
    }
}

/// What an answer to a command proves. Whatever is not plainly yes or no is unknown (invariant 4).
fn classify(at: &str, answer: &Answer, key: &str) -> Submission {
    match verdict_of_status(answer.status) {
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
    if let Some(settled) = settled(at, reply.ret_code, &reply.ret_msg, key) {
        return settled;
    }
    if at == path::CANCEL_ALL {
        return match reply.result::<CancelAllResult>() {
            Ok(result) if result.success != "0" => Submission::Accepted { venue_order: None },
            Ok(_) => unknown("cancel-all reports no success"),
            Err(error) => unknown(&format!("unreadable answer: {error}")),
        };
    }
    if at == path::CANCEL_BATCH {
        let items = BatchReply::read(&reply, 1).map(|reply| reply.items).unwrap_or_default();
        return match items.into_iter().next() {
            Some(item) => {
                settled(at, item.code, &item.message, key).unwrap_or_else(|| accepted(Some(item.ids)))
            }
            // A batch that fails whole leaves each leg unknown (RULES J6).
            None => unknown("a batch without a word on its item"),
        };
    }
    accepted(reply.result::<OrderIds>().ok())
}

/// What a code says without its payload; `None` when the order's names are to be read.
pub(crate) fn settled(at: &str, code: i32, words: &str, key: &str) -> Option<Submission> {
    let message = redact(words, key);
    match verdict(code) {
        Verdict::Ambiguous => Some(unknown(&format!("code {code}: {message}"))),
        // What was asked for is so already. Of an amend the gate wants to know, and settles it by itself.
        Verdict::Rejected(RejectionKind::NotModified) if at == path::TRADING_STOP => {
            Some(Submission::Accepted { venue_order: None })
        }
        Verdict::Rejected(kind) => Some(Submission::Rejected(VenueRejection { kind, code, message })),
        Verdict::Accepted if at == path::TRADING_STOP => Some(Submission::Accepted { venue_order: None }),
        Verdict::Accepted => None,
    }
}

/// An acknowledgement with the names of its order.
pub(crate) fn accepted(ids: Option<OrderIds>) -> Submission {
    match ids.map(|ids| ids.order_id.parse()) {
        Some(Ok(venue_order)) => Submission::Accepted { venue_order: Some(venue_order) },
        // Accepted, but without a name to go by: the private stream will tell.
        Some(Err(_)) | None => unknown("accepted without an order id"),
    }
}

pub(crate) fn unknown(detail: &str) -> Submission {
    let mut detail = detail.to_owned();
    detail.truncate(detail.floor_char_boundary(MESSAGE_MAX));
    Submission::Unknown { detail }
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
