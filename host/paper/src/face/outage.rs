//! What befalls whole streams or the exchange: silence, cuts, restarts, a clock that is off.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::{Span, Timestamp};
use tokio::sync::watch;

use super::App;
use crate::faults::{Channel, Does, Strike};

/// What is out of order now.
#[derive(Debug)]
pub(super) struct Outage {
    lines: [Line; 3],
    down_until: AtomicU64,
}

#[derive(Debug)]
struct Line {
    silent_until: AtomicU64,
    cut: watch::Sender<()>,
}

impl Default for Outage {
    fn default() -> Self {
        let line = || Line { silent_until: AtomicU64::new(0), cut: watch::channel(()).0 };
        Self { lines: [line(), line(), line()], down_until: AtomicU64::new(0) }
    }
}

impl Outage {
    /// Whether nothing may be sent on a stream's connections.
    pub(super) fn is_silent(&self, channel: Channel, now: Timestamp) -> bool {
        now.0 < self.line(channel).silent_until.load(Ordering::Relaxed)
    }

    /// Whether nobody is let in.
    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        now.0 < self.down_until.load(Ordering::Relaxed)
    }

    /// Changes when a stream's connections are cut.
    pub(super) fn cuts(&self, channel: Channel) -> watch::Receiver<()> {
        self.line(channel).cut.subscribe()
    }

    const fn line(&self, channel: Channel) -> &Line {
        let [public, private, trade] = &self.lines;
        match channel {
            Channel::Public => public,
            Channel::Private => private,
            Channel::Trade => trade,
        }
    }

    fn cut(&self, channel: Channel) {
        self.line(channel).cut.send_replace(());
    }
}

impl App {
    /// Lets a fault of a whole stream or of the exchange happen; others are none of its business. `forget` is called when closed
    /// orders are to be forgotten by the queries of open ones.
    pub(super) fn befall(&self, strike: Strike, now: Timestamp, forget: impl FnOnce()) {
        let until = now.after(Span::from_millis(strike.for_ms)).0;
        match strike.does {
            Does::Disconnect => {
                if let Some(channel) = strike.channel {
                    self.outage.cut(channel);
                }
            }
            Does::Silence => {
                if let Some(channel) = strike.channel {
                    self.outage.line(channel).silent_until.store(until, Ordering::Relaxed);
                }
            }
            Does::Restart | Does::RestartForgetting => {
                if strike.does == Does::RestartForgetting {
                    forget();
                }
                self.outage.down_until.store(until, Ordering::Relaxed);
                Channel::ALL.into_iter().for_each(|channel| self.outage.cut(channel));
            }
            Does::ClockOffset => self.clock.put_off(strike.offset_ms),
            Does::TimeoutBeforeAccept
            | Does::TimeoutAfterAccept
            | Does::RateLimit
            | Does::Forbidden
            | Does::ServerError
            | Does::DelayReply
            | Does::DropEvent
            | Does::DuplicateEvent
            | Does::ReorderEvent
            | Does::DelayEvent
            | Does::MalformedJson
            | Does::UnknownFields
            | Does::MissingFields => {}
        }
    }
}
