//! What the Overview shows: text, ready to be put in its place by the template and by the script alike.

use portcullis_role::{DenialLine, OrderLine, PositionLine, SignerReport, StatusReport, StrategyLine};
use serde::Serialize;

use super::figures::{count, decimal, money, price, sentence, span, time_of_day, tone};
use crate::error::ApiError;
use crate::live::Board;

/// Refusals shown.
const REFUSALS_MAX: usize = 10;

/// Digits of the journal's head that are shown; the rest is in the title.
const ROOT_DIGITS: usize = 16;

/// The whole page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    /// Why there is nothing to show; empty when there is.
    pub(crate) notice: String,
    /// The code of that; empty when there is none.
    #[serde(skip)]
    pub(crate) code: String,
    /// Figures by the place they go to.
    pub(crate) facts: Vec<Fact>,
    /// Tables, top to bottom.
    pub(crate) tables: Vec<Table>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) id: &'static str,
    #[serde(skip)]
    pub(crate) label: &'static str,
    pub(crate) value: Cell,
    pub(crate) note: String,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    pub(crate) id: &'static str,
    #[serde(skip)]
    pub(crate) caption: &'static str,
    #[serde(skip)]
    pub(crate) columns: &'static [Column],
    /// What is said when there are no rows.
    pub(crate) empty: &'static str,
    /// What is said under the rows.
    pub(crate) note: String,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One column's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) label: &'static str,
    /// Figures stand to the right.
    pub(crate) class: &'static str,
}

/// One piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Names of styles; what they say is in the text as well.
    pub(crate) class: String,
    /// More of it: the exact figure, the whole hash, the cause.
    pub(crate) title: String,
}

const fn words(label: &'static str) -> Column {
    Column { label, class: "" }
}

const fn figure(label: &'static str) -> Column {
    Column { label, class: "figure" }
}

const STRATEGIES: &[Column] = &[
    words("Strategy"),
    words("State"),
    words("Bundle"),
    words("Instruments"),
    figure("Events"),
    figure("Faults"),
];
const POSITIONS: &[Column] = &[
    words("Instrument"),
    words("Strategy"),
    figure("Quantity"),
    figure("Entry price"),
    figure("Open PnL"),
    figure("Realised PnL"),
    figure("Fees"),
];
const ORDERS: &[Column] = &[
    words("Order"),
    words("Instrument"),
    words("Strategy"),
    words("Side"),
    figure("Quantity"),
    figure("Executed"),
    figure("Price"),
    words("Status"),
    figure("Approved"),
];
const REFUSALS: &[Column] = &[words("Time"), words("Strategy"), words("Code"), words("Numbers")];

impl Cell {
    fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn figure(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "figure".to_owned(), title: String::new() }
    }

    /// Digits that begin a row.
    fn digits(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "digits".to_owned(), title: String::new() }
    }

    fn money(exact: &str) -> Self {
        Self { text: money(exact), class: "figure".to_owned(), title: exact.to_owned() }
    }

    /// Money gained or lost; a gain carries its sign, so that colour says nothing that the text does not.
    fn gain(exact: &str) -> Self {
        let tone = tone(exact);
        let sign = if tone == "good" { "+" } else { "" };
        Self {
            text: format!("{sign}{}", money(exact)),
            class: format!("figure {tone}"),
            title: exact.to_owned(),
        }
    }

    fn chip(text: &str, tone: &str) -> Self {
        Self { text: text.to_owned(), class: format!("chip {tone}"), title: String::new() }
    }

    fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }
}

/// Lays a board out, or says why there is none.
pub(crate) fn view(board: Result<Board, ApiError>) -> View {
    match board {
        Ok(board) => View {
            notice: String::new(),
            code: String::new(),
            facts: facts(&board.status),
            tables: tables(board),
        },
        Err(error) => View {
            notice: sentence(&error.detail()),
            code: error.code().to_owned(),
            facts: Vec::new(),
            tables: Vec::new(),
        },
    }
}

impl View {
    /// The figure that goes to a place.
    pub(crate) fn fact(&self, id: &str) -> Fact {
        let unknown = || Fact { id: "", label: "", value: Cell::words("—"), note: String::new() };
        self.facts.iter().find(|fact| fact.id == id).cloned().unwrap_or_else(unknown)
    }

    /// The figures of the row of tiles.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|fact| !fact.label.is_empty())
    }
}

/// The signer's state, and what it refused when that is worth a word.
fn signer_words(signer: &SignerReport) -> String {
    match signer.violations {
        0 => signer.state.clone(),
        count => format!("{} ({count} of {} violations)", signer.state, signer.violations_max),
    }
}

fn facts(status: &StatusReport) -> Vec<Fact> {
    let fact = |id, label, value, note: &str| Fact { id, label, value, note: note.to_owned() };
    let state = Cell::chip(&status.trading_state, state_tone(&status.trading_state))
        .with_title(state_meaning(&status.trading_state));
    let root: String = status.journal.root.chars().take(ROOT_DIGITS).collect();
    let inhibits = if status.inhibits.is_empty() {
        Cell::words("No inhibits in force.")
    } else {
        Cell {
            text: format!("Entries wait for: {}.", status.inhibits.join(", ")),
            class: "warn".to_owned(),
            title: String::new(),
        }
    };
    let protection = &status.protection;
    let stopped = format!(
        "{} with a stop at the exchange; sentinel {}; signer {}",
        count(protection.stopped_positions),
        protection.sentinel,
        signer_words(&status.signer)
    );
    let unknown = match status.unknown_orders {
        0 => "none unknown".to_owned(),
        unknown => format!("{} unknown at the venue", count(unknown)),
    };
    vec![
        fact("environment", "", Cell::words(&*status.environment), ""),
        fact("state", "", state, state_meaning(&status.trading_state)),
        fact("inhibits", "", inhibits, ""),
        fact("equity", "Equity", Cell::money(&status.equity), "USDT, open profit included"),
        fact("day", "Today", Cell::gain(&status.day_pnl), "USDT since 00:00 UTC"),
        fact("net", "Since the start", Cell::gain(&status.net_pnl), "USDT after fees and funding"),
        fact("orders", "Open orders", Cell::figure(count(status.open_orders)), &unknown),
        fact("positions", "Positions", Cell::figure(count(status.positions)), &stopped),
        fact(
            "journal",
            "Journal",
            Cell::figure(count(status.journal.records)),
            &format!("entries; gateway up {}", span(status.uptime_ns)),
        ),
        fact(
            "root",
            "",
            Cell { text: format!("{root}…"), class: "code".to_owned(), title: status.journal.root.clone() },
            "",
        ),
    ]
}

fn tables(board: Board) -> Vec<Table> {
    let more = match board.orders_omitted {
        0 => String::new(),
        omitted => format!("The newest are shown; {} more are open.", count(omitted)),
    };
    let counts: Vec<String> =
        board.refused.iter().map(|(code, refused)| format!("{code} {}", count(*refused))).collect();
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!("Since the gateway started: {}", counts.join(" · "))
    };
    vec![
        Table {
            id: "strategies",
            caption: "Strategies",
            columns: STRATEGIES,
            empty: "No strategy runs. Upload a signed bundle with POST /api/bundles.",
            note: String::new(),
            rows: board.status.strategies.iter().map(strategy).collect(),
        },
        Table {
            id: "open-positions",
            caption: "Positions",
            columns: POSITIONS,
            empty: "No positions.",
            note: String::new(),
            rows: board.positions.iter().map(position).collect(),
        },
        Table {
            id: "open-orders",
            caption: "Orders",
            columns: ORDERS,
            empty: "No open orders.",
            note: more,
            rows: board.orders.iter().map(order).collect(),
        },
        Table {
            id: "refusals",
            caption: "Refusals",
            columns: REFUSALS,
            empty: "Nothing was refused.",
            note: counts,
            rows: newest(&board.recent_refusals).map(refusal).collect(),
        },
    ]
}

fn strategy(line: &StrategyLine) -> Vec<Cell> {
    let tone = match line.state.as_str() {
        "running" => "good",
        "quarantined" => "bad",
        "stopped" => "muted",
        _ => "warn",
    };
    let faults = Cell {
        // Whose they are is told apart: a strategy is not charged with the machine's faults, and nobody with missing data.
        text: match (line.host_faults, line.data_gaps) {
            (0, 0) => count(line.faults),
            (host, gaps) => {
                format!("{} + {} host, {} gaps", count(line.faults), count(host), count(gaps))
            }
        },
        class: if line.faults > 0 { "figure warn" } else { "figure" }.to_owned(),
        title: [line.first_fault.as_ref().or(line.last_fault.as_ref()), line.fault_file.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" · "),
    };
    vec![
        Cell { text: line.name.clone(), class: "name".to_owned(), title: String::new() },
        Cell::chip(&line.state, tone),
        Cell::words(&*line.bundle).with_title(&*line.digest),
        Cell::words(line.symbols.join(" ")),
        Cell::figure(count(line.events)),
        faults,
    ]
}

fn position(line: &PositionLine) -> Vec<Cell> {
    let open = line.open_pnl.as_deref().map_or_else(|| Cell::figure("no price"), Cell::gain);
    let side = if line.quantity.starts_with('-') { "short" } else { "long" };
    vec![
        Cell { text: line.symbol.clone(), class: "name".to_owned(), title: String::new() },
        Cell::words(&*line.strategy),
        Cell::figure(decimal(&line.quantity)).with_title(side),
        Cell::figure(price(&line.entry_price)).with_title(&*line.entry_price),
        open,
        Cell::gain(&line.realised_pnl),
        Cell::money(&line.fees),
    ]
}

fn order(line: &OrderLine) -> Vec<Cell> {
    let tone = if line.side == "buy" { "good" } else { "bad" };
    vec![
        Cell::digits(line.order.to_string()).with_title(line.link_id.clone().unwrap_or_default()),
        Cell { text: line.symbol.clone(), class: "name".to_owned(), title: String::new() },
        Cell::words(&*line.strategy),
        Cell { text: line.side.clone(), class: tone.to_owned(), title: String::new() },
        Cell::figure(decimal(&line.quantity)),
        Cell::figure(decimal(&line.executed)),
        Cell::figure(line.price.as_deref().map_or_else(|| "market".to_owned(), decimal)),
        Cell::words(&*line.status),
        Cell::figure(time_of_day(line.approved_ns)),
    ]
}

fn refusal(line: &DenialLine) -> Vec<Cell> {
    vec![
        Cell::digits(time_of_day(line.time_ns)),
        Cell::words(&*line.strategy),
        Cell { text: line.code.clone(), class: "code".to_owned(), title: String::new() },
        Cell::words(&*line.detail),
    ]
}

/// The newest first, whichever way they came.
fn newest(lines: &[DenialLine]) -> impl Iterator<Item = &DenialLine> {
    let mut sorted: Vec<&DenialLine> = lines.iter().collect();
    sorted.sort_by_key(|line| std::cmp::Reverse(line.time_ns));
    sorted.into_iter().take(REFUSALS_MAX)
}

fn state_tone(state: &str) -> &'static str {
    match state {
        "active" => "good",
        "caution" | "reduce-only" => "warn",
        _ => "bad",
    }
}

fn state_meaning(state: &str) -> &'static str {
    match state {
        "active" => "Strategies may trade within the limits.",
        "caution" => "Something is unusual; strategies may trade within the limits.",
        "reduce-only" => "Only orders that make positions smaller are taken.",
        "entries-cancelled" => "Halted: entries are cancelled and none are taken; protection stays.",
        "flattening" => "Every position is being closed.",
        "locked" => "Nothing is traded.",
        _ => "",
    }
}
