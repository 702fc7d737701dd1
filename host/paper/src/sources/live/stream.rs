//! The stream of one market: subscribed, kept, and taken up again when it breaks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Category, InstrumentId, InstrumentSpec, MarketBody, MarketEvent, Rate, Timestamp};
use portcullis_wire::{Ack, Operation, Topic, path, redact};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Live;
use super::backoff::Backoff;
use super::queue::LiveQueue;
use super::socket::{Socket, StreamError};
use crate::clock::Clock;
use crate::sources::frames::{FrameError, Frames, News, Said, Taken};

/// Levels of the books that are followed.
const DEPTH: u16 = 50;
/// How often we ping; the exchange cuts a silent connection.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A book that stands still for so long while its instrument trades is not the exchange's.
const BOOK_STALE: Duration = Duration::from_secs(5);
/// Books asked for anew on one connection before it is given up; one more every ten seconds.
const RESYNCS: u64 = 5;
/// Topics in one request, as spot allows.
const TOPICS: usize = 10;

/// Follows a market for ever.
pub(super) async fn run(
    live: &Live,
    category: Category,
    specs: Vec<InstrumentSpec>,
    tls: &Arc<rustls::ClientConfig>,
    sink: &Sink<'_>,
) {
    let mut frames = Frames::new(category);
    for spec in specs {
        frames.follow(spec);
    }
    let mut backoff = Backoff::new(sink.clock.now().0);
    let mut fundings = Fundings::default();
    loop {
        let started = Instant::now();
        let mut connection = Connection { live, sink, frames: &mut frames, fundings: &mut fundings };
        let Err(error) = connection.run(tls).await;
        let mut gone = Vec::new();
        frames.forget(0, &mut gone);
        sink.give_up(gone);
        let wait = backoff.wait(started.elapsed());
        tracing::warn!(?category, %error, ?wait, "live feed down");
        sleep(wait).await;
    }
}

/// Where events go.
pub(super) struct Sink<'a> {
    clock: &'a Clock,
    queue: &'a LiveQueue,
    wake: &'a Notify,
}

impl<'a> Sink<'a> {
    pub(super) const fn new(clock: &'a Clock, queue: &'a LiveQueue, wake: &'a Notify) -> Self {
        Self { clock, queue, wake }
    }

    fn push(&self, events: &mut Vec<MarketEvent>) -> Result<(), StreamError> {
        if events.is_empty() {
            return Ok(());
        }
        let taken = self.queue.push(events);
        self.wake.notify_one();
        if taken { Ok(()) } else { Err(StreamError::Overrun) }
    }

    /// Tells of books that are gone.
    fn give_up(&self, gone: Vec<News>) {
        let now = self.clock.now();
        let books = gone.into_iter().filter_map(|news| match news.said {
            Said::Market(body) => Some(event(news.instrument, now, body)),
            Said::Funding { .. } => None,
        });
        self.queue.give_up(books.collect());
        self.wake.notify_one();
    }
}

struct Connection<'a> {
    live: &'a Live,
    sink: &'a Sink<'a>,
    frames: &'a mut Frames,
    fundings: &'a mut Fundings,
}

impl Connection<'_> {
    async fn run(
        &mut self,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<std::convert::Infallible, StreamError> {
        let category = self.frames.category();
        let path = match category {
            Category::Linear => path::PUBLIC_LINEAR,
            Category::Spot => path::PUBLIC_SPOT,
        };
        let mut socket = Socket::connect(self.live, path, tls).await?;
        let topics: Vec<String> = self.frames.specs().flat_map(topics).collect();
        for topics in topics.chunks(TOPICS) {
            socket.send(&Operation::subscribe("topics", topics.to_vec())).await?;
        }
        tracing::info!(?category, topics = topics.len(), "live feed connected");
        let started = Instant::now();
        let (mut ping_at, mut data_by) = (after(PING_EVERY), after(self.live.quiet));
        let mut resyncs = 0_u64;
        let mut books = Books::default();
        let (mut out, mut events) = (Vec::new(), Vec::new());
        loop {
            let text = tokio::select! {
                text = socket.next() => text?,
                () = sleep_until(data_by) => return Err(StreamError::Quiet(self.live.quiet)),
                () = sleep_until(ping_at) => {
                    ping_at = after(PING_EVERY);
                    socket.send(&Operation::ping("ping")).await?;
                    continue;
                }
            };
            let taken = self.frames.frame(&text, &mut out);
            let now = self.sink.clock.now();
            let stale = books.note(&out);
            for news in out.drain(..) {
                self.fundings.events(news, now, &mut events);
            }
            self.sink.push(&mut events)?;
            let broken = match taken {
                Ok(Taken::Data) => {
                    data_by = after(self.live.quiet);
                    None
                }
                Ok(Taken::Other) => {
                    confirm(&text)?;
                    None
                }
                Err(FrameError::Book { instrument, topic, fault }) => {
                    Some((instrument, format!("{topic}: {fault}")))
                }
                Err(error) => {
                    // A frame cut short may have been a book's: its next update shows the gap.
                    tracing::warn!(?category, %error, "live frame left out");
                    None
                }
            };
            let broken = broken.or_else(|| {
                let words = || format!("it stands still while trades go on, for {} s", BOOK_STALE.as_secs());
                stale.map(|instrument| (instrument, words()))
            });
            if let Some((instrument, fault)) = broken {
                resyncs = resyncs.saturating_add(1);
                let more = started.elapsed().as_secs().checked_div(10).unwrap_or(0);
                if resyncs > RESYNCS.saturating_add(more) {
                    return Err(StreamError::Broken(fault));
                }
                tracing::warn!(?category, fault, "asking for a new book");
                self.resync(&mut socket, instrument).await?;
                books.heard(instrument);
            }
        }
    }

    async fn resync(&mut self, socket: &mut Socket, instrument: InstrumentId) -> Result<(), StreamError> {
        let mut gone = Vec::new();
        self.frames.forget_book(instrument, 0, &mut gone);
        if !gone.is_empty() {
            self.sink.give_up(gone);
        }
        let spec = self.frames.specs().find(|spec| spec.id == instrument);
        let Some(topic) = spec.map(|spec| Topic::Book { depth: DEPTH, symbol: spec.symbol.to_string() })
        else {
            return Ok(());
        };
        socket.send(&Operation::unsubscribe("resync", [topic.to_string()])).await?;
        socket.send(&Operation::subscribe("resync", [topic.to_string()])).await
    }
}

/// What is asked for an instrument. Spot has no mark and no funding.
fn topics(spec: &InstrumentSpec) -> Vec<String> {
    let symbol = || spec.symbol.to_string();
    let mut topics = vec![Topic::Book { depth: DEPTH, symbol: symbol() }, Topic::Trade { symbol: symbol() }];
    if spec.category == Category::Linear {
        topics.push(Topic::Ticker { symbol: symbol() });
    }
    topics.iter().map(Topic::to_string).collect()
}

/// A refused subscription ends the connection: a market without its book is none.
fn confirm(text: &str) -> Result<(), StreamError> {
    match serde_json::from_str::<Ack>(text) {
        Ok(ack) if ack.op == "subscribe" && ack.success == Some(false) => {
            Err(StreamError::Refused(redact(ack.ret_msg.as_deref().unwrap_or_default(), "")))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// When books last moved.
#[derive(Default)]
struct Books(HashMap<InstrumentId, Instant>);

impl Books {
    fn heard(&mut self, instrument: InstrumentId) {
        self.0.insert(instrument, Instant::now());
    }

    /// Takes news in. Says which instrument trades while its book stands still.
    fn note(&mut self, news: &[News]) -> Option<InstrumentId> {
        let mut stale = None;
        for news in news {
            match &news.said {
                Said::Market(MarketBody::Book(_)) => self.heard(news.instrument),
                Said::Market(MarketBody::Trade { .. })
                    if self.0.get(&news.instrument).is_some_and(|last| last.elapsed() > BOOK_STALE) =>
                {
                    stale = Some(news.instrument);
                }
                Said::Market(_) | Said::Funding { .. } => {}
            }
        }
        stale
    }
}

/// The fundings to come, by what the tickers said last.
#[derive(Debug, Default)]
struct Fundings(HashMap<InstrumentId, (Rate, Timestamp)>);

impl Fundings {
    /// Turns news into events of now.
    ///
    /// A funding is paid when its time comes by our clock, or when the exchange announces the next one, whichever is first, and
    /// never twice.
    fn events(&mut self, news: News, now: Timestamp, events: &mut Vec<MarketEvent>) {
        let instrument = news.instrument;
        match news.said {
            Said::Market(body) => events.push(event(instrument, now, body)),
            Said::Funding { rate, next_ms } => {
                let next = Timestamp::from_millis(next_ms);
                let known = self.0.insert(instrument, (rate, next));
                if let Some((rate, due)) = known
                    && due < next
                    && now < due
                {
                    events.push(event(instrument, now, MarketBody::Funding { rate, next: now }));
                }
                if now < next {
                    events.push(event(instrument, now, MarketBody::Funding { rate, next }));
                }
            }
        }
    }
}

const fn event(instrument: InstrumentId, now: Timestamp, body: MarketBody) -> MarketEvent {
    MarketEvent { instrument, time: now, venue_time: now, body }
}

/// The moment `span` from now; now itself at the end of time.
fn after(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fundings(fundings: &mut Fundings, rate: i64, next_ms: u64, now_ms: u64) -> Vec<(i64, u64)> {
        let said = Said::Funding { rate: Rate(rate), next_ms };
        let mut events = Vec::new();
        let news = News { instrument: InstrumentId(0), at_ms: 0, said };
        fundings.events(news, Timestamp::from_millis(now_ms), &mut events);
        let funding = |event: &MarketEvent| match event.body {
            MarketBody::Funding { rate, next } => Some((rate.0, next.millis())),
            MarketBody::Trade { .. }
            | MarketBody::Quote { .. }
            | MarketBody::Book(_)
            | MarketBody::Mark { .. }
            | MarketBody::Bar(_) => None,
        };
        events.iter().filter_map(funding).collect()
    }

    #[test]
    fn a_funding_is_paid_once_whichever_clock_is_first() {
        let mut behind = Fundings::default();
        assert_eq!(fundings(&mut behind, 1, 8_000, 5_000), [(1, 8_000)]);
        assert_eq!(fundings(&mut behind, 2, 8_000, 6_000), [(2, 8_000)], "the rate moves until then");
        assert_eq!(fundings(&mut behind, 3, 16_000, 7_900), [(2, 7_900), (3, 16_000)]);
        let mut ahead = Fundings::default();
        assert_eq!(fundings(&mut ahead, 1, 8_000, 5_000), [(1, 8_000)]);
        assert_eq!(fundings(&mut ahead, 2, 8_000, 8_100), [], "paid already");
        assert_eq!(fundings(&mut ahead, 3, 16_000, 8_200), [(3, 16_000)]);
    }
}
