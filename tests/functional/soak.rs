//! The soak: the demo at 20× speed with random faults and a gateway that is killed on the way. At the end gate, journal and exchange
//! agree to the last execution, on orders, fills, positions and fees.
//!
//! CI runs a short one. For longer, and others:
//! `SOAK_MINUTES=30 SOAK_SEED=7 cargo test --test soak -- --nocapture`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "../support/exchange.rs"]
mod exchange;
#[path = "../support/demo.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use portcullis_core::{
    Amount, Command, ExecutionKind, Gate, InstrumentSpec, OrderId, Record, Resolution, Sequence, Side,
    SignedQty, Submission,
};
use serde_json::{Value, json};

use exchange::Exchange;
use support::{Demo, kill};

fn main() {
    let arguments = Arguments::from_args();
    let tests = vec![Trial::test("gate_journal_and_exchange_agree_after_faults", soak)];
    libtest_mimic::run(&arguments, tests).exit();
}

/// What goes wrong, where, and how often in a million requests or messages; and for how long, in milliseconds.
const FAULTS: [(&str, &str, u32, u32); 29] = [
    ("/v5/order/create", "timeout_before_accept", 10_000, 0),
    ("/v5/order/create", "timeout_after_accept", 20_000, 0),
    ("/v5/order/create", "rate_limit", 10_000, 500),
    ("/v5/order/create", "server_error", 5_000, 0),
    ("/v5/order/create", "malformed_json", 5_000, 0),
    ("/v5/order/create", "delay_reply", 20_000, 1_500),
    ("/v5/order/cancel", "timeout_before_accept", 10_000, 0),
    ("/v5/order/cancel", "timeout_after_accept", 20_000, 0),
    ("/v5/order/cancel", "server_error", 10_000, 0),
    ("/v5/order/amend", "timeout_after_accept", 20_000, 0),
    ("/v5/position/trading-stop", "rate_limit", 20_000, 0),
    ("/v5/order/realtime", "server_error", 20_000, 0),
    ("/v5/order/history", "malformed_json", 20_000, 0),
    ("/v5/execution/list", "timeout_before_accept", 20_000, 0),
    ("/v5/order/create", "restart_forgetting", 1_000, 2_000),
    ("execution", "drop_event", 10_000, 0),
    ("execution", "duplicate_event", 50_000, 0),
    ("execution", "reorder_event", 50_000, 0),
    ("execution", "delay_event", 20_000, 2_000),
    ("order", "drop_event", 10_000, 0),
    ("order", "duplicate_event", 50_000, 0),
    ("order", "reorder_event", 50_000, 0),
    ("order", "malformed_json", 5_000, 0),
    ("order", "missing_fields", 5_000, 0),
    ("order", "unknown_fields", 50_000, 0),
    ("order", "disconnect", 1_000, 0),
    ("private", "silence", 200, 20_000),
    ("public", "drop_event", 20, 0),
    ("public", "malformed_json", 10, 0),
];

fn faults(seed: f64) -> String {
    let mut text = format!("seed = {seed}\n");
    for (at, does, per_million, for_ms) in FAULTS {
        text.push_str(&format!(
            "[[fault]]\nat = \"{at}\"\ndoes = \"{does}\"\nper_million = {per_million}\nfor_ms = {for_ms}\n"
        ));
    }
    text
}

fn number(name: &str, default: f64) -> f64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

fn soak() -> Result<(), libtest_mimic::Failed> {
    let (minutes, seed) = (number("SOAK_MINUTES", 1.0), number("SOAK_SEED", 1.0));
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("faults.toml");
    std::fs::write(&file, faults(seed))?;
    let data = dir.path().join("data");
    let demo = Demo::start(&data, &["--speed", "20", "--faults", file.to_str().unwrap()]);
    let started = Instant::now();
    let total = Duration::from_secs_f64(minutes * 60.0);
    let mut killed = false;
    while started.elapsed() < total {
        std::thread::sleep((total / 3).min(Duration::from_secs(90)));
        if !killed && started.elapsed() >= total / 2 {
            killed = true;
            kill(demo.pid("gateway"), "KILL");
            demo.line("restarted");
        }
        flatten_and_rearm(&demo);
    }

    demo.ask(&["halt", "--reason", "end of the soak"]);
    demo.wait_for("quiet", &["status"], |status| {
        status["open_orders"] == 0 && status["unknown_orders"] == 0 && status["inhibits"] == json!([])
    });
    demo.wait_for("agreement", &["reconcile", "--now"], |answer| answer["agree"] == true);

    let exchange = Exchange::of(&data, &demo.ready);
    let deadline = Instant::now() + Duration::from_secs(60);
    let (venue, books) = loop {
        let before = Account::of_exchange(&exchange);
        let books = Account::of_journal(&data);
        let gate = of_gate(&demo);
        let venue = Account::of_exchange(&exchange);
        if venue == before && venue == books.0 && books.0.positions == gate {
            break (venue, books);
        }
        // A stop may go off at any time; what stays different does not pass.
        assert!(Instant::now() < deadline, "{}", venue.difference(&books.0, &gate));
        std::thread::sleep(Duration::from_millis(500));
    };
    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    println!(
        "{}",
        json!({
            "minutes": minutes, "seed": seed, "orders": venue.orders.len(), "executions": venue.executions.len(),
            "fees": venue.fees().to_string(), "positions": venue.positions, "unknown_resolved": books.1,
            "summary": summary,
        })
    );
    assert!(!venue.executions.is_empty() && books.1 > 0, "too short: nothing went wrong");
    Ok(())
}

/// What an operator does when positions have drifted away with the lost orders: everything is closed, and trading goes on, wherever it
/// was held.
fn flatten_and_rearm(demo: &Demo) {
    demo.wait_for("the gateway", &["status"], |status| status["open_orders"].is_u64());
    demo.ask(&["flatten", "--reason", "soak"]);
    demo.wait_for("no position", &["positions"], |answer| answer["positions"] == json!([]));
    for raised in demo.ask(&["status"])["raised"].as_array().unwrap() {
        let scope = match raised["scope"].as_str().unwrap().split_once(' ') {
            None => vec![],
            Some((kind, name)) => vec![format!("--{kind}"), name.to_owned()],
        };
        let again: Vec<&str> =
            ["rearm", "--reason", "soak"].into_iter().chain(scope.iter().map(String::as_str)).collect();
        let confirmed = |answer: &Value| {
            let Some(code) = answer["code"].as_str().filter(|_| answer["reply"] == "confirm") else {
                return false;
            };
            let confirmed: Vec<&str> = again.iter().copied().chain(["--confirm", code]).collect();
            demo.ask(&confirmed)["reply"] == "done"
        };
        demo.wait_for("the rearm", &again, confirmed);
    }
}

/// What an account did and has, as text that compares exactly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Account {
    /// Executed quantity and whether it is closed, by client id.
    orders: BTreeMap<String, (String, bool)>,
    /// Client id, symbol, side, quantity, price and fee, by the exchange's name.
    executions: BTreeMap<String, Vec<String>>,
    /// Signed quantity by symbol; the flat ones left out.
    positions: BTreeMap<String, String>,
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

impl Account {
    fn fees(&self) -> Amount {
        let fees = self.executions.values().map(|row| amount(row.last().unwrap()).0);
        Amount(fees.sum())
    }

    fn of_exchange(exchange: &Exchange) -> Self {
        let mut account = Self::default();
        let open = exchange.pages("/v5/order/realtime", "category=linear&settleCoin=USDT&limit=50");
        let closed = exchange.pages("/v5/order/history", "category=linear&limit=50");
        for (row, is_closed) in
            open.iter().map(|row| (row, false)).chain(closed.iter().map(|row| (row, true)))
        {
            let link = row["orderLinkId"].as_str().unwrap();
            // Stops of positions are the exchange's own and have none.
            if !link.is_empty() {
                let executed = amount(row["cumExecQty"].as_str().unwrap()).to_string();
                account.orders.insert(link.to_owned(), (executed, is_closed));
            }
        }
        for row in exchange.pages("/v5/execution/list", "category=linear&limit=100") {
            let text = |member: &str| row[member].as_str().unwrap().to_owned();
            let decimal = |member: &str| amount(&text(member)).to_string();
            let (kind, link) = (text("execType"), text("orderLinkId"));
            let facts = [
                kind,
                link,
                text("symbol"),
                text("side"),
                decimal("execQty"),
                decimal("execPrice"),
                decimal("execFee"),
            ];
            account.executions.insert(text("execId"), facts.to_vec());
        }
        for (symbol, size) in exchange.positions() {
            account.positions.insert(symbol, amount(&size.to_string()).to_string());
        }
        account
    }

    /// The same from the journal alone, and how many orders were unknown for a while.
    fn of_journal(dir: &Path) -> (Self, u64) {
        let mut account = Self::default();
        let mut gate = Gate::new();
        let mut specs: BTreeMap<u32, InstrumentSpec> = BTreeMap::new();
        let mut creates: BTreeMap<Sequence, String> = BTreeMap::new();
        let mut never_there: BTreeSet<String> = BTreeSet::new();
        let mut unknown = 0;
        for entry in portcullis_journal::tail(dir, Sequence(0), false) {
            let stored = entry.unwrap();
            let sequence = stored.entry.sequence;
            let record = Record::decode(stored.entry.kind, &stored.entry.body).unwrap();
            let places =
                matches!(&record, Record::Intent(intent) if matches!(intent.command, Command::Place(_)));
            let link = places.then(|| stored.link_id()).flatten();
            gate.fold(sequence, link.clone(), &record);
            let link_of =
                |order: OrderId| gate.state().orders().get(order)?.link.as_ref().map(ToString::to_string);
            match record {
                Record::Instrument(spec) => drop(specs.insert(spec.id.0, spec)),
                Record::Intent(_) => creates.extend(link.map(|link| (sequence, link.to_string()))),
                Record::NotSent(not_sent) => never_there.extend(creates.get(&not_sent.of).cloned()),
                Record::Submission(submitted) => {
                    let create = creates.get(&submitted.of).cloned();
                    match submitted.outcome {
                        Submission::Rejected(_) => never_there.extend(create),
                        Submission::Unknown { .. } => unknown += u64::from(create.is_some()),
                        Submission::Accepted { .. } => {}
                    }
                }
                Record::Resolved(resolved) if resolved.resolution == Resolution::Absent => {
                    never_there.extend(link_of(resolved.order));
                }
                Record::Execution(execution) => {
                    let spec = &specs[&execution.instrument.0];
                    let kind = match execution.kind {
                        ExecutionKind::Trade => "Trade",
                        ExecutionKind::Funding => "Funding",
                        other => panic!("{other:?} in a demo"),
                    };
                    let side = match execution.side {
                        Side::Buy => "Buy",
                        Side::Sell => "Sell",
                    };
                    let quantity = amount(&execution.quantity.display(spec.quantity_decimals).to_string());
                    let price = amount(&execution.price.display(spec.price_decimals).to_string());
                    let link = execution.link.map_or_else(String::new, |link| link.to_string());
                    let facts = [
                        kind.to_owned(),
                        link.clone(),
                        spec.symbol.to_string(),
                        side.to_owned(),
                        quantity.to_string(),
                        price.to_string(),
                        execution.fee.to_string(),
                    ];
                    let twice = account.executions.insert(execution.exec.as_str().to_owned(), facts.to_vec());
                    assert_eq!(twice, None, "an execution was accounted twice");
                }
                _ => {}
            }
        }
        for link in creates.into_values().filter(|link| !never_there.contains(link)) {
            let of = account.executions.values().filter(|row| row[1] == link && row[0] == "Trade");
            let executed = Amount(of.map(|row| amount(&row[4]).0).sum());
            // What is closed is forgotten after a while.
            let order = gate.state().orders().by_link(&link.parse().unwrap());
            let is_closed = order.is_none_or(|order| !order.status.is_open());
            account.orders.insert(link, (executed.to_string(), is_closed));
        }
        for spec in specs.values() {
            let SignedQty(quantity) = gate.state().ledger().quantity(spec.id);
            if quantity != 0 {
                let text = portcullis_core::Qty(quantity).display(spec.quantity_decimals).to_string();
                account.positions.insert(format!("linear:{}", spec.symbol), amount(&text).to_string());
            }
        }
        (account, unknown)
    }

    /// The first differences, in words.
    fn difference(&self, books: &Self, gate: &BTreeMap<String, String>) -> String {
        fn sides<T: PartialEq + std::fmt::Debug>(
            venue: &BTreeMap<String, T>,
            books: &BTreeMap<String, T>,
        ) -> String {
            let keys: BTreeSet<&String> = venue.keys().chain(books.keys()).collect();
            let differ = keys.into_iter().filter(|key| venue.get(*key) != books.get(*key));
            let lines =
                differ.take(10).map(|key| format!("{key}: {:?} / {:?}\n", venue.get(key), books.get(key)));
            lines.collect()
        }
        format!(
            "exchange / journal\norders\n{}executions\n{}positions\n{}gate {gate:?}",
            sides(&self.orders, &books.orders),
            sides(&self.executions, &books.executions),
            sides(&self.positions, &books.positions)
        )
    }
}

/// Positions as the running gate tells them.
fn of_gate(demo: &Demo) -> BTreeMap<String, String> {
    let answer: Value = demo.ask(&["positions"]);
    let rows = answer["positions"].as_array().unwrap().iter();
    let line = |row: &Value| {
        (row["symbol"].as_str().unwrap().to_owned(), amount(row["quantity"].as_str().unwrap()).to_string())
    };
    rows.map(line).collect()
}
