//! The venue's side of a command: when it arrives, whether it is taken, what is answered.

use portcullis_core::{Command, RejectionKind, Submission, VenueRejection};

use crate::clock::{MS, SECOND};
use crate::exchange::{Refusal, name};
use crate::faults::Fault;
use crate::plan::Sabotage;
use crate::queue::{Event, Request};
use crate::shared::Outside;

/// The venue's receive window.
const WINDOW_MS: u64 = 5_000;

impl Outside {
    /// A command reaches the venue.
    pub(crate) fn arrive(&mut self, number: u64, request: Request) {
        self.network.flying.remove(&number);
        let (session, of, answered) = (request.session, request.of, request.answered);
        let outcome = self.serve(&request);
        self.note(&[1, of.0], || format!("venue gets #{} {:?}: {outcome:?}", of.0, request.command));
        self.speak();
        if answered {
            let delay = self.network.delay();
            self.after(delay, Event::Outcome { session, of, outcome: Box::new(outcome) });
        }
    }

    fn serve(&mut self, request: &Request) -> Submission {
        if self.now < self.network.down_until {
            return unknown("10016 server error");
        }
        if request.copy {
            return self.obey(request);
        }
        if !request.is_in_window(self.now) {
            return no((RejectionKind::Timestamp, 10_002));
        }
        if self.faults.strikes(Fault::RateLimit, 60) {
            return no((RejectionKind::RateLimited, 10_006));
        }
        self.obey(request)
    }

    fn obey(&mut self, request: &Request) -> Submission {
        let now = self.now;
        self.exchange.at(now);
        let done = match &request.command {
            Command::Place(place) => {
                let turned_down = self.faults.strikes(Fault::Race, 30);
                let mut place = place.clone();
                if self.sabotage == Some(Sabotage::TenTimes) {
                    place.quantity.0 *= 10;
                }
                self.exchange.create(&request.link, &place, turned_down).map(Some)
            }
            Command::Amend(amend) => self.exchange.amend(amend).map(Some),
            Command::Cancel(cancel) => self.exchange.to_cancel(&cancel.link).map(|number| {
                self.cancel_soon(number);
                Some(name(number))
            }),
            Command::CancelAll(all) => {
                for number in self.exchange.to_cancel_all(all.instrument.0 as usize, all.scope) {
                    self.cancel_soon(number);
                }
                Ok(None)
            }
            Command::SetProtection(set) => self.exchange.set_protection(set).map(|()| None),
        };
        match done {
            Ok(venue_order) => Submission::Accepted { venue_order },
            Err(refusal) => no(refusal),
        }
    }

    /// An acknowledged cancel usually works at once; in a race something comes between.
    fn cancel_soon(&mut self, number: u64) {
        if self.faults.strikes(Fault::Race, 250) {
            let most = if self.some_delay(2) == 0 { 100 * MS } else { 3 * SECOND };
            let delay = self.some_delay(most);
            self.after(delay, Event::Cancelled(number));
        } else {
            self.exchange.cancelled(number);
        }
    }
}

impl Request {
    /// Whether the venue would take it at this moment.
    fn is_in_window(&self, now: u64) -> bool {
        let (now_ms, signed_ms) = (now / MS, self.signed.millis());
        signed_ms < now_ms + 1_000 && now_ms <= signed_ms + WINDOW_MS
    }

    pub(crate) fn arrives_in_time(&self) -> bool {
        self.is_in_window(self.arrives)
    }
}

pub(crate) fn unknown(why: &str) -> Submission {
    Submission::Unknown { detail: why.to_owned() }
}

fn no((kind, code): Refusal) -> Submission {
    Submission::Rejected(VenueRejection { kind, code, message: String::new() })
}
