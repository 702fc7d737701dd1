//! Against the real paper exchange on a loopback port.

#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm, reason = "test code")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use portcullis_core::{
    CancelOrder, CancelScope, Evidence, ExecutionReport, MarketBody, OrderId, PlaceOrder, Price, Qty, Side,
    TimeInForce, VenueSnapshot, VenueStatus,
};
use portcullis_paper::{Faults, PaperConfig, PaperKey};
use portcullis_wire::Credentials;

use super::*;
use crate::{Endpoints, LocalSigner, Wanted, system_clock};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

const BTC: InstrumentId = InstrumentId(7);

/// A paper exchange on a thread of its own, with a read and a trade key; it stops when dropped.
struct Exchange {
    address: String,
    read: Credentials,
    trade: Credentials,
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn exchange(faults: &str) -> Exchange {
    let key = |name: &str| Credentials::new(name, &format!("{name}-secret").into());
    let (read, trade) = (key("readKey"), key("tradeKey"));
    let keys = vec![
        PaperKey { credentials: read.clone(), read_only: true },
        PaperKey { credentials: trade.clone(), read_only: false },
    ];
    let mut config = PaperConfig::new(([127, 0, 0, 1], 0).into(), keys);
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
struct Client {
    venue: BybitVenue,
    wakes: Receiver<()>,
    seen: Vec<VenueEvent>,
    next: u64,
}

fn connect(exchange: &Exchange) -> Client {
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
    let signer = Box::new(LocalSigner::new(exchange.trade.clone(), system_clock));
    let (wake, wakes) = channel();
    let (venue, specs) =
        BybitVenue::connect(config, signer, move || wake.send(()).unwrap_or_default()).unwrap();
    assert_eq!((specs.len(), specs[0].id, specs[0].price_decimals), (1, BTC, 1));
    Client { venue, wakes, seen: Vec::new(), next: 0 }
}

impl Client {
    /// Waits until an event passes `pick`, keeping everything seen.
    fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&VenueEvent) -> Option<T>) -> T {
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

    fn ready(&mut self) -> VenueSnapshot {
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

    fn quote(&mut self) -> (Price, Price) {
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
    fn send(&mut self, class: Class, command: &Command, link: &LinkId) -> Sequence {
        self.next += 1;
        let of = Sequence(self.next);
        self.venue.send(of, class, command, link);
        of
    }

    /// The next answer to a request to follow.
    fn followed(&mut self) -> FollowOutcome {
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

    fn outcome(&mut self, wanted: Sequence) -> Submission {
        self.until("an outcome", |event| match event {
            VenueEvent::Submission { of, outcome } if *of == wanted => Some(outcome.clone()),
            _ => None,
        })
    }

    /// The outcome of a command, also when it was told before.
    fn outcome_seen(&mut self, wanted: Sequence) -> Submission {
        let told = self.seen.iter().find_map(|event| match event {
            VenueEvent::Submission { of, outcome } if *of == wanted => Some(outcome.clone()),
            _ => None,
        });
        told.unwrap_or_else(|| self.outcome(wanted))
    }

    fn order(&mut self, link: &LinkId, status: VenueStatus) -> portcullis_core::OrderReport {
        self.until("an order report", |event| match event {
            VenueEvent::Report(ExecutionReport::Order(order))
                if order.link.as_ref() == Some(link) && order.status == status =>
            {
                Some(order.clone())
            }
            _ => None,
        })
    }
}

fn link(text: &str) -> LinkId {
    text.parse().unwrap()
}

fn limit(side: Side, price: Price, time_in_force: TimeInForce) -> Command {
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

#[test]
fn an_order_lives_and_dies() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    let snapshot = client.ready();
    assert!(snapshot.orders.is_empty() && snapshot.positions.is_empty());
    assert!(snapshot.wallet.available.0 > 0);
    let (bid, _) = client.quote();

    let name = link("p001-rest");
    let of =
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::PostOnly), &name);
    assert!(matches!(client.outcome(of), Submission::Accepted { venue_order: Some(_) }));
    let working = client.order(&name, VenueStatus::Working);
    assert_eq!(
        (working.instrument, working.quantity, working.price),
        (BTC, Qty(10), Some(Price(bid.0 - 5_000)))
    );

    let again =
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::PostOnly), &name);
    let Submission::Rejected(rejection) = client.outcome(again) else { panic!("a second order of one name") };
    assert_eq!(rejection.kind, RejectionKind::DuplicateLinkId);

    let cancel = Command::Cancel(CancelOrder { order: OrderId(1), instrument: BTC, link: name.clone() });
    let of = client.send(Class::Cancel, &cancel, &link("unused"));
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    let gone = client.order(&name, VenueStatus::Cancelled);
    assert_eq!((gone.executed, gone.reason), (Qty(0), portcullis_core::CloseReason::ByStrategy));

    let of = client.send(Class::Cancel, &cancel, &link("unused"));
    let Submission::Rejected(rejection) = client.outcome(of) else { panic!("cancelled twice") };
    assert_eq!(rejection.kind, RejectionKind::NoSuchOrder);
}

#[test]
fn a_taker_is_filled_and_a_late_client_finds_out() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (_, ask) = client.quote();
    let name = link("p001-take");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(ask.0 + 1_000), TimeInForce::Ioc), &name);
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    let fill = client.until("an execution", |event| match event {
        VenueEvent::Report(ExecutionReport::Execution(fill)) => Some(fill.clone()),
        _ => None,
    });
    assert_eq!((fill.link.as_ref(), fill.maker), (Some(&name), false));
    assert!(fill.fee.0 > 0 && fill.price <= Price(ask.0 + 1_000));
    drop(client);

    let mut late = connect(&exchange);
    let snapshot = late.ready();
    assert_eq!(snapshot.positions.len(), 1);
    assert!(snapshot.executions.iter().any(|known| known.exec == fill.exec));

    late.venue.query(Query::Order {
        order: OrderId(1),
        link: name.clone(),
        instrument: BTC,
        since: Timestamp(0),
    });
    let evidence = |event: &VenueEvent| match event {
        VenueEvent::Evidence { finding, .. } => Some(finding.clone()),
        _ => None,
    };
    let Evidence::Found(found) = late.until("evidence", evidence) else { panic!("not found") };
    assert_eq!((found.link, found.status), (Some(name), VenueStatus::Filled));
    let never = link("p001-never");
    late.venue.query(Query::Order { order: OrderId(2), link: never, instrument: BTC, since: Timestamp(0) });
    assert_eq!(late.until("evidence", evidence), Evidence::Absent);
}

#[test]
fn a_lost_answer_is_unknown_and_the_order_is_found() {
    let exchange =
        exchange("[[fault]]\nat = \"/v5/order/create\"\ndoes = \"timeout_after_accept\"\nnth = 1\n");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-lost");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    assert!(matches!(client.outcome(of), Submission::Unknown { .. }));
    client.venue.query(Query::Order { order: OrderId(1), link: name, instrument: BTC, since: Timestamp(0) });
    let finding = client.until("evidence", |event| match event {
        VenueEvent::Evidence { finding, .. } => Some(finding.clone()),
        _ => None,
    });
    assert!(matches!(finding, Evidence::Found(order) if order.status == VenueStatus::Working));
}

#[test]
fn a_cut_private_stream_comes_back_reconciled() {
    let exchange = exchange("[[fault]]\nat = \"order\"\ndoes = \"disconnect\"\nnth = 1\n");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-cut");
    client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    client.until("private down", |event| {
        matches!(event, VenueEvent::Link(LinkChange::Private { up: false })).then_some(())
    });
    let snapshot = client.ready();
    assert!(snapshot.orders.iter().any(|order| order.link.as_ref() == Some(&name)));
    assert!(client.venue.counters().reconnects() >= 1);
}

#[test]
fn a_halt_empties_the_book_of_our_orders() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    for at in 0..3 {
        let name = link(&format!("p001-{at}"));
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000 - at), TimeInForce::Gtc), &name);
        client.order(&name, VenueStatus::Working);
    }
    let all = Command::CancelAll(portcullis_core::CancelAll { instrument: BTC, scope: CancelScope::Entries });
    let of = client.send(Class::Cancel, &all, &link("unused"));
    assert_eq!(client.outcome(of), Submission::Accepted { venue_order: None });
    client.venue.query(Query::Snapshot { since: Timestamp(0) });
    let snapshot = client.until("a snapshot", |event| match event {
        VenueEvent::Snapshot(snapshot) => Some(snapshot.clone()),
        _ => None,
    });
    assert!(snapshot.orders.is_empty());
}

#[test]
fn entries_over_the_budget_are_refused_and_never_queued() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let sent: Vec<Sequence> = (0..40)
        .map(|at| {
            let command = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
            client.send(Class::Adding, &command, &link(&format!("p001-{at}")))
        })
        .collect();
    let outcomes: Vec<Submission> = sent.into_iter().map(|of| client.outcome_seen(of)).collect();
    let refused = outcomes.iter().filter(|outcome| {
        matches!(
            outcome,
            Submission::Rejected(VenueRejection { kind: RejectionKind::RateLimited, code: 0, .. })
        )
    });
    assert!(refused.count() >= 20);
}

#[test]
fn an_instrument_is_taken_on_while_running() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    client.quote();
    client.seen.clear();
    let ether = Wanted {
        id: InstrumentId(8),
        category: Category::Linear,
        symbol: "ETHUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 3,
        bars_s: Vec::new(),
    };
    let nowhere = Wanted { id: InstrumentId(9), symbol: "NOSUCHUSDT".parse().unwrap(), ..ether.clone() };
    client.venue.follow(1, vec![nowhere]);
    client.venue.follow(2, vec![ether.clone()]);
    client.until("its rules", |event| match event {
        VenueEvent::Instrument(spec) => {
            assert_eq!((spec.id, spec.symbol.as_str()), (InstrumentId(8), "ETHUSDT"));
            Some(())
        }
        _ => None,
    });
    client.until("a comparison", |event| matches!(event, VenueEvent::Snapshot(_)).then_some(()));
    client.until("its market", |event| match event {
        VenueEvent::Market(event) if event.instrument == InstrumentId(8) => match &event.body {
            MarketBody::Book(book) => (1..=3).contains(&book.bids.len()).then_some(()),
            _ => None,
        },
        _ => None,
    });
    let interrupted =
        client.seen.iter().any(|event| matches!(event, VenueEvent::Link(LinkChange::Public { up: false })));
    assert!(!interrupted, "the others went on");
    let mut outcomes = [client.followed(), client.followed()];
    outcomes.sort_by_key(|outcome| outcome.ticket);
    let [refused, followed] = outcomes;
    assert!(refused.result.unwrap_err().to_string().contains("NOSUCHUSDT"));
    assert_eq!(followed.result.unwrap()[0].id, InstrumentId(8));

    // Known already: answered, and nothing is told again.
    client.seen.clear();
    client.venue.follow(3, vec![ether]);
    assert_eq!(client.followed().result.unwrap()[0].id, InstrumentId(8));
    assert!(!client.seen.iter().any(|event| matches!(event, VenueEvent::Instrument(_))));
}

#[test]
fn nothing_listens_is_an_error_not_a_hang() {
    let read = Credentials::new("k", &"s".to_owned().into());
    let endpoints = Endpoints::paper("http://127.0.0.1:9", "ws://127.0.0.1:9");
    let mut config = Config::new(Environment::Paper, endpoints, read.clone(), system_clock);
    config.instruments = vec![Wanted {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 0,
        bars_s: Vec::new(),
    }];
    let result = BybitVenue::connect(config, Box::new(LocalSigner::new(read, system_clock)), || {});
    assert!(matches!(result, Err(ConnectError::Query { .. })));
}
