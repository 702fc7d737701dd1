//! For tests: the real paper exchange on a loopback port, and a client of it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use portcullis_core::{
    CancelOrder, Category, Class, Command, Environment, Evidence, ExecutionReport, InstrumentId, LinkChange,
    LinkId, MarketBody, OrderId, PlaceOrder, Price, Qty, Query, Sequence, Side, Submission, TimeInForce,
    Timestamp, VenueSnapshot, VenueStatus,
};
use portcullis_gateway::{Venue as _, VenueEvent};
use portcullis_paper::{Faults, PaperConfig, PaperKey};
use portcullis_wire::Credentials;

use crate::{BybitVenue, Config, ConnectError, Endpoints, FollowOutcome, LocalSigner, Wanted, system_clock};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const BTC: InstrumentId = InstrumentId(7);

/// A paper exchange on a thread of its own, with a read and a trade key; it stops when dropped.
pub(crate) struct Exchange {
    pub(crate) address: String,
    read: Credentials,
    pub(crate) trade: Credentials,
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// An exchange with faults, in their file's words.
pub(crate) fn exchange(faults: &str) -> Exchange {
    exchange_playing(faults, Vec::new())
}

/// An exchange of bitcoin for dollars at 60,000, traded ten times a second.
pub(crate) fn spot_exchange(folder: &std::path::Path) -> Exchange {
    let mut text = "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side\n".to_owned();
    for number in 0..3_000_u64 {
        let (at, cents) = (1_764_000_000_000 + number * 100, number % 7);
        text += &format!("spot,BTCUSDT,{at}000000,{at},{at},{number},60000.0{cents},0.5,buy\n");
    }
    let file = folder.join("spot-trades.csv");
    std::fs::write(&file, text).unwrap();
    exchange_playing("", vec![file])
}

fn exchange_playing(faults: &str, data: Vec<std::path::PathBuf>) -> Exchange {
    let key = |name: &str| Credentials::new(name, &format!("{name}-secret").into());
    let (read, trade) = (key("readKey"), key("tradeKey"));
    let keys = vec![
        PaperKey { credentials: read.clone(), read_only: true },
        PaperKey { credentials: trade.clone(), read_only: false },
    ];
    let mut config = PaperConfig::new(([127, 0, 0, 1], 0).into(), keys);
    config.data = data;
    config.faults = Some(toml::from_str::<Faults>(faults).unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (bound, address) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let paper = portcullis_paper::bind(config).await.unwrap();
            bound.send(paper.address()).unwrap();
            let shutdown = async {
                let _ = stopped.await;
            };
            paper.run(shutdown).await.unwrap();
        });
    });
    let address = address.recv_timeout(PATIENCE).unwrap().to_string();
    Exchange { address, read, trade, _stop: stop }
}

/// A connected client and what it was told.
pub(crate) struct Client {
    pub(crate) venue: BybitVenue,
    wakes: Receiver<()>,
    pub(crate) seen: Vec<VenueEvent>,
    next: u64,
}

/// A client of BTCUSDT.
pub(crate) fn connect(exchange: &Exchange) -> Client {
    connect_as(exchange, |_| {}).unwrap()
}

/// A client of BTCUSDT with other settings.
pub(crate) fn connect_as(
    exchange: &Exchange,
    change: impl FnOnce(&mut Config),
) -> Result<Client, ConnectError> {
    let endpoints =
        Endpoints::paper(&format!("http://{}", exchange.address), &format!("ws://{}", exchange.address));
    let mut config = Config::new(Environment::Paper, endpoints, exchange.read.clone(), system_clock);
    config.command_timeout = Duration::from_secs(1);
    config.instruments = vec![Wanted {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 5,
        bars_s: vec![60],
    }];
    change(&mut config);
    let signer = LocalSigner::new(exchange.trade.clone(), system_clock);
    let signer = if config.trade_socket { signer.with_trade_socket() } else { signer };
    let (wake, wakes) = channel();
    let (venue, specs) =
        BybitVenue::connect(config, Box::new(signer), move || wake.send(()).unwrap_or_default())?;
    assert_eq!((specs.len(), specs[0].id), (1, BTC));
    Ok(Client { venue, wakes, seen: Vec::new(), next: 0 })
}

impl Client {
    /// Waits until an event passes `pick`, keeping everything seen.
    pub(crate) fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&VenueEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.venue.poll() {
                let picked = pick(&event);
                self.seen.push(event);
                if let Some(picked) = picked {
                    return picked;
                }
            }
            match self.wakes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.seen.retain(|event| !matches!(event, VenueEvent::Market(_)));
                    panic!("waiting for {what}, saw {:#?}", self.seen)
                }
            }
        }
    }

    pub(crate) fn ready(&mut self) -> VenueSnapshot {
        let snapshot = self.until("a snapshot", |event| match event {
            VenueEvent::Snapshot(snapshot) => Some(snapshot.clone()),
            VenueEvent::Link(LinkChange::Private { up: true }) => panic!("up before reconciled"),
            _ => None,
        });
        self.until("private up", |event| {
            matches!(event, VenueEvent::Link(LinkChange::Private { up: true })).then_some(())
        });
        snapshot
    }

    pub(crate) fn quote(&mut self) -> (Price, Price) {
        self.until("a quote", |event| match event {
            VenueEvent::Market(event) => match &event.body {
                MarketBody::Quote { bid, ask } if bid.quantity.0 > 0 && ask.quantity.0 > 0 => {
                    Some((bid.price, ask.price))
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// Sends a command without its journal, which `Venue::submit` would insist on.
    pub(crate) fn send(&mut self, class: Class, command: &Command, link: &LinkId) -> Sequence {
        self.next += 1;
        let of = Sequence(self.next);
        self.venue.send(of, class, command, link);
        of
    }

    /// The next answer to a request to follow.
    pub(crate) fn followed(&mut self) -> FollowOutcome {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.venue.poll() {
                self.seen.push(event);
            }
            if let Some(outcome) = self.venue.try_followed() {
                return outcome;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.wakes.recv_timeout(left).is_ok(), "no answer to a request to follow");
        }
    }

    /// The outcome of a command, also when it was told before.
    pub(crate) fn outcome(&mut self, wanted: Sequence) -> Submission {
        let told = self.seen.iter().find_map(|event| match event {
            VenueEvent::Submission { of, outcome } if *of == wanted => Some(outcome.clone()),
            _ => None,
        });
        told.unwrap_or_else(|| {
            self.until("an outcome", |event| match event {
                VenueEvent::Submission { of, outcome } if *of == wanted => Some(outcome.clone()),
                _ => None,
            })
        })
    }

    /// The stream's word on an order in this state, also when it was told before.
    pub(crate) fn order(&mut self, link: &LinkId, status: VenueStatus) -> portcullis_core::OrderReport {
        let pick = |event: &VenueEvent| match event {
            VenueEvent::Report(ExecutionReport::Order(order))
                if order.link.as_ref() == Some(link) && order.status == status =>
            {
                Some(order.clone())
            }
            _ => None,
        };
        let told = self.seen.iter().find_map(pick);
        told.unwrap_or_else(|| self.until("an order report", pick))
    }

    /// The first execution of an order, also when it was told before.
    pub(crate) fn fill(&mut self, link: &LinkId) -> portcullis_core::Execution {
        let pick = |event: &VenueEvent| match event {
            VenueEvent::Report(ExecutionReport::Execution(fill)) if fill.link.as_ref() == Some(link) => {
                Some(fill.clone())
            }
            _ => None,
        };
        let told = self.seen.iter().find_map(pick);
        told.unwrap_or_else(|| self.until("an execution", pick))
    }
}

pub(crate) fn link(text: &str) -> LinkId {
    text.parse().unwrap()
}

pub(crate) fn limit(side: Side, price: Price, time_in_force: TimeInForce) -> Command {
    Command::Place(PlaceOrder {
        order: OrderId(1),
        instrument: BTC,
        side,
        quantity: Qty(10),
        price: Some(price),
        time_in_force,
        reduce_only: false,
        trigger: None,
        take_profit: None,
        stop_loss: None,
    })
}

impl Client {
    /// What the venue knows of an order by its client id.
    pub(crate) fn evidence(&mut self, name: &LinkId) -> Evidence {
        let (order, since) = (OrderId(1), Timestamp(0));
        self.venue.query(Query::Order { order, link: name.clone(), instrument: BTC, since });
        self.until("evidence", |event| match event {
            VenueEvent::Evidence { finding, .. } => Some(finding.clone()),
            _ => None,
        })
    }

    /// Everything the venue says is ours.
    pub(crate) fn snapshot(&mut self) -> VenueSnapshot {
        self.venue.query(Query::Snapshot { since: Timestamp(0) });
        self.until("a snapshot", |event| match event {
            VenueEvent::Snapshot(snapshot) => Some(snapshot.clone()),
            _ => None,
        })
    }
}

/// One fault of a faults file.
pub(crate) fn fault(at: &str, does: &str, when: &str) -> String {
    format!("[[fault]]\nat = \"{at}\"\ndoes = \"{does}\"\n{when}\n")
}

/// An order that rests far below the market.
pub(crate) fn rest(client: &mut Client, name: &LinkId) -> Command {
    let (bid, _) = client.quote();
    let command = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
    client.send(Class::Adding, &command, name);
    command
}

/// The cancel of an order.
pub(crate) fn cancel(name: &LinkId) -> Command {
    Command::Cancel(CancelOrder { order: OrderId(1), instrument: BTC, link: name.clone() })
}
