//! Commands on the wire, and what their answers prove.

use std::time::Instant;

use portcullis_core::{Category, RejectionKind, Submission, VenueRejection};
use portcullis_wire::{
    CancelAllResult, HttpVerdict, MESSAGE_MAX, OrderIds, RawReply, Verdict, path, redact, verdict,
    verdict_of_status,
};

use crate::http::{Answer, authenticated, send};
use crate::rest::RestClient;
use crate::signer::SignedRequest;

impl RestClient {
    /// Posts a signed command and says what its answer proves. For the venue, which has
    /// it from the journal, and for the canceller of entries.
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
    let message = redact(&reply.ret_msg, key);
    match verdict(reply.ret_code) {
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

fn unknown(detail: &str) -> Submission {
    let mut detail = detail.to_owned();
    detail.truncate(detail.floor_char_boundary(MESSAGE_MAX));
    Submission::Unknown { detail }
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
