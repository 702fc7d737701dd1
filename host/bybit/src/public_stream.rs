//! The public stream of one market: subscribed, kept, and taken up again when it breaks.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::Arc;

use portcullis_core::{Category, InstrumentSpec, LinkChange, MarketEvent, VenueAlarm};
use portcullis_gateway::VenueEvent;
use portcullis_wire::{Ack, Inbound, Operation, path, redact, topic_of};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backoff::Backoff;
use crate::feed::{Feed, FrameFault};
use crate::shared::{Followed, Shared};
use crate::socket::{Socket, SocketError, after};

/// How long the venue may take to confirm the subscriptions.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

/// A public stream without data for this long is dead, whatever its pongs say. Contracts tick all the time; a spot market can sleep.
const fn data_within(category: Category) -> Duration {
    match category {
        Category::Linear => Duration::from_secs(20),
        Category::Spot => Duration::from_secs(60),
    }
}

/// Books asked for anew on one connection before it is given up; one more every ten seconds.
const RESYNCS: u64 = 5;

/// Runs for ever.
pub(crate) async fn run(shared: Arc<Shared>, category: Category) {
    let mut changes = shared.followed.subscribe();
    let mut feed = Feed::new(category, &[], &[]);
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let Err(error) = connected(&shared, category, &mut feed, &mut changes).await;
        shared.set_public(category, false);
        feed.reset();
        tell_books(&shared, &mut feed);
        shared.events.counters.reconnects.count();
        let wait = backoff.wait(started.elapsed());
        tracing::warn!(?category, %error, ?wait, "public stream down");
        sleep(wait).await;
    }
}

async fn connected(
    shared: &Shared,
    category: Category,
    feed: &mut Feed,
    changes: &mut watch::Receiver<Arc<Followed>>,
) -> Result<Infallible, SocketError> {
    let path = match category {
        Category::Linear => path::PUBLIC_LINEAR,
        Category::Spot => path::PUBLIC_SPOT,
    };
    let started = Instant::now();
    let mut socket = Socket::connect(&shared.config.endpoints.public, path, &shared.tls).await?;
    take_on(feed, changes);
    let mut unconfirmed = subscribe(&mut socket, feed.topics()).await?;
    let mut confirm_by = after(CONFIRM_WITHIN);
    let mut data_by = after(data_within(category));
    let mut resyncs = 0_u64;
    let mut events: Vec<MarketEvent> = Vec::new();
    loop {
        let deadline = if unconfirmed > 0 { confirm_by } else { data_by };
        let text = tokio::select! {
            text = timeout_at(deadline, socket.next()) => match text {
                Ok(text) => text?,
                Err(_) if unconfirmed > 0 => return Err(SocketError::NoAnswer { what: "subscribe" }),
                Err(_) => return Err(SocketError::NoData(data_within(category))),
            },
            // The sender lives as long as this task.
            Ok(()) = changes.changed() => {
                let new = take_on(feed, changes);
                let asked = subscribe(&mut socket, new).await?;
                unconfirmed = unconfirmed.saturating_add(asked);
                confirm_by = after(CONFIRM_WITHIN);
                continue;
            }
        };
        if !is_data(&text) {
            let ack: Ack = match serde_json::from_str(&text) {
                Ok(ack) => ack,
                // A frame cut short may have been a book's: its next update shows the gap.
                Err(error) => {
                    if shared.events.counters.quarantined.count() {
                        tracing::warn!(?category, %error, "market message quarantined");
                    }
                    continue;
                }
            };
            socket.heard(&ack);
            if ack.op == "subscribe" && !ack.is_pong() {
                confirm(&ack)?;
                let was_waiting = unconfirmed > 0;
                unconfirmed = unconfirmed.saturating_sub(1);
                if was_waiting && unconfirmed == 0 {
                    tracing::info!(?category, "public stream up");
                    shared.set_public(category, true);
                }
            }
            continue;
        }
        data_by = after(data_within(category));
        let now = shared.now();
        let counters = &shared.events.counters;
        let result = feed.frame(&text, now, &mut |event| {
            if event.venue_time > now {
                counters.clamped.count();
            }
            events.push(event);
        });
        if !events.is_empty() {
            shared.events.push_market(events.drain(..));
        }
        tell_books(shared, feed);
        match result {
            Ok(()) => {}
            Err(FrameFault::Book { topic, fault }) => {
                counters.resyncs.count();
                tracing::warn!(topic, %fault, "asking for a new book");
                resyncs = resyncs.saturating_add(1);
                if resyncs > RESYNCS.saturating_add(started.elapsed().as_secs().checked_div(10).unwrap_or(0))
                {
                    return Err(SocketError::Refused {
                        what: "book",
                        words: format!("{topic}: {fault}, again and again"),
                    });
                }
                socket.send(&Operation::unsubscribe("resync", [topic.clone()])).await?;
                socket.send(&Operation::subscribe("resync", [topic])).await?;
            }
            Err(fault @ (FrameFault::Malformed(_) | FrameFault::Value { .. })) => {
                if counters.quarantined.count() {
                    tracing::warn!(?category, %fault, "market frame quarantined");
                    let detail = format!("market frame: {fault}");
                    shared.events.push(VenueEvent::Alarm(VenueAlarm::Quarantined { detail }));
                }
            }
        }
    }
}

/// Passes on which books broke or became whole.
fn tell_books(shared: &Shared, feed: &mut Feed) {
    for (instrument, up) in feed.take_books() {
        shared.events.push(VenueEvent::Link(LinkChange::Book { instrument, up }));
    }
}

/// Takes on what is followed now; returns the topics that are new.
fn take_on(feed: &mut Feed, changes: &mut watch::Receiver<Arc<Followed>>) -> Vec<Vec<String>> {
    let followed = Arc::clone(&changes.borrow_and_update());
    let specs: Vec<InstrumentSpec> = followed.table().iter().map(|listing| listing.spec.clone()).collect();
    feed.follow(&followed.wanted, &specs)
}

/// Asks for topics, and returns how many answers are to come.
async fn subscribe(socket: &mut Socket, topics: Vec<Vec<String>>) -> Result<usize, SocketError> {
    let asked = topics.len();
    for topics in topics {
        socket.send(&Operation::subscribe("topics", topics)).await?;
    }
    Ok(asked)
}

/// Whether a message is a frame of a topic and not an answer.
pub(crate) fn is_data(text: &str) -> bool {
    topic_of(text).is_some()
        || serde_json::from_str::<Inbound<'_>>(text).is_ok_and(|head| head.topic.is_some())
}

fn confirm(ack: &Ack) -> Result<(), SocketError> {
    let words = ack.ret_msg.as_deref().unwrap_or_default();
    if ack.success == Some(true) || words.starts_with("error:already subscribed") {
        return Ok(());
    }
    Err(SocketError::Refused { what: "subscribe", words: redact(words, "") })
}
