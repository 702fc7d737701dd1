//! What the API answers with: the gateway's words, described for clients.

use std::collections::BTreeMap;

use portcullis_role::{
    DenialLine, DeploymentLine, JournalHead, OrderLine, PositionLine, RaisedLine, StatusReport, StrategyLine,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Where everything stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// `paper`, `testnet`, `demo` or `live`.
    #[schema(example = "paper")]
    environment: String,
    /// `active`, `caution`, `reduce-only`, `entries-cancelled`, `flattening` or `locked`.
    #[schema(example = "active")]
    trading_state: String,
    /// Every scope that is not active, the account's too.
    raised: Vec<Raised>,
    /// What keeps entries from being taken at the moment and clears by itself.
    inhibits: Vec<String>,
    /// Every strategy of this session.
    strategies: Vec<Strategy>,
    /// Positions that are not zero.
    positions: u64,
    /// Orders working at the venue.
    open_orders: u64,
    /// Orders whose fate the venue has not confirmed yet.
    unknown_orders: u64,
    /// What would protect the account without the gateway.
    protection: Protection,
    /// Who signs the gateway's orders.
    signer: Signer,
    /// How the books last compared with the venue; none before they did.
    comparison: Option<Comparison>,
    /// The journal's end.
    journal: Journal,
    /// Profit and loss of the day, open profit included, after fees and funding, in USDT.
    #[schema(example = "-12.5")]
    day_pnl: String,
    /// Profit and loss since the journal began, open profit included, after fees and funding, in USDT.
    net_pnl: String,
    /// Wallet balance plus open profit and loss, in USDT.
    equity: String,
    /// Nanoseconds since the gateway started.
    uptime_ns: u64,
}

/// One scope that is not active.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Raised {
    /// `account`, `strategy NAME` or `instrument category:SYMBOL`.
    #[schema(example = "account")]
    scope: String,
    /// Its trading state.
    #[schema(example = "reduce-only")]
    state: String,
    /// Why.
    #[schema(example = "daily-loss")]
    cause: String,
    /// Since when, in nanoseconds since 1970.
    since_ns: u64,
}

/// What protects the account should the gateway die, as it is and not as it was configured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Protection {
    /// Positions whose stop the venue confirmed; the others have none that would outlive the machine.
    stopped_positions: u64,
    /// The sentinel, which cancels entries when the gateway dies or stalls: `holding` a lease, `silent` or `none` configured.
    #[schema(example = "holding")]
    sentinel: String,
    /// The venue's own cancel on disconnect: `unavailable` to ordinary accounts.
    #[schema(example = "unavailable")]
    disconnect_cancel: String,
}

/// The signer, which holds the trade key and a cap of its own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Signer {
    /// `up`; `latched`, when it signs nothing that adds risk any more; `down`; or `capless`, when its cap is switched off.
    #[schema(example = "up")]
    state: String,
    /// Requests beyond its cap since it started.
    violations: u64,
    /// From how many on it latches.
    violations_max: u64,
    /// The last violation, or why it cannot be reached.
    detail: String,
}

/// How the books compared with the venue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// When, in nanoseconds since 1970.
    at_ns: u64,
    /// Positions that differed.
    differences: u64,
    /// Orders whose fate is not known yet.
    unsettled: u64,
}

/// The journal's end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Journal {
    /// Entries so far.
    pub(super) records: u64,
    /// Head hash in hex.
    pub(super) root: String,
}

/// One strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Strategy {
    /// Its name.
    name: String,
    /// `name-version` of the bundle.
    bundle: String,
    /// Digest of the component in hex.
    digest: String,
    /// `starting`, `running`, `recovering`, `quarantined` or `stopped`.
    state: String,
    /// The instruments it owns, `category:SYMBOL`.
    symbols: Vec<String>,
    /// Process of its cell, while there is one.
    pid: Option<u32>,
    /// Events handed over so far.
    events: u64,
    /// Faults of its own so far.
    faults: u64,
    /// Faults of the host's so far: an overloaded machine, a killed process. It is not charged with them.
    host_faults: u64,
    /// Gaps in its market data so far.
    data_gaps: u64,
    /// Strikes that count against its three restarts now; a minute of good health takes them back.
    strikes: u32,
    /// The first cause of these strikes: code, whose fault, what happened.
    first_fault: Option<String>,
    /// The newest fault, whoever is to blame.
    last_fault: Option<String>,
    /// File with the evidence, below `faults` in the data directory.
    fault_file: Option<String>,
    /// Bytes of its log lines that were cut, because a minute had too many.
    log_bytes_cut: u64,
}

/// Orders that are not finished.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Orders {
    /// Open and unknown orders; the newest when there are too many.
    pub(super) orders: Vec<Order>,
    /// How many more there are.
    pub(super) omitted: u64,
}

/// One order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Order {
    /// The host's number.
    order: u64,
    /// The venue's `orderLinkId`, once there is one.
    link_id: Option<String>,
    /// The strategy's name.
    strategy: String,
    /// `category:SYMBOL`.
    #[schema(example = "linear:BTCUSDT")]
    symbol: String,
    /// `buy` or `sell`.
    side: String,
    /// Total quantity.
    quantity: String,
    /// Executed part of it.
    executed: String,
    /// Limit price; none for a market order.
    price: Option<String>,
    /// Status in the glossary's words.
    status: String,
    /// The strategy's own mark.
    tag: u64,
    /// When it was approved, nanoseconds since 1970-01-01 UTC.
    approved_ns: u64,
}

/// Positions that are not zero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Positions {
    /// One a strategy and instrument.
    pub(super) positions: Vec<Position>,
}

/// One position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Position {
    /// The strategy's name.
    strategy: String,
    /// `category:SYMBOL`.
    symbol: String,
    /// Quantity, negative when short.
    quantity: String,
    /// Average entry price.
    entry_price: String,
    /// Realised profit and loss before fees, in the quote coin.
    realised_pnl: String,
    /// Open profit and loss at the mark price, in the quote coin; none without a price.
    open_pnl: Option<String>,
    /// Fees paid, in the quote coin.
    fees: String,
}

/// Refused intents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Denials {
    /// Count by stable code.
    pub(super) refused: BTreeMap<String, u64>,
    /// The newest ones.
    pub(super) recent: Vec<Denial>,
}

/// One refused intent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Denial {
    /// When, nanoseconds since 1970-01-01 UTC.
    time_ns: u64,
    /// The strategy's name.
    strategy: String,
    /// Stable code.
    code: String,
    /// The numbers behind it.
    detail: String,
}

/// How far a deployment is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deployment {
    /// Its number, for `GET /api/deployments/{id}`; good as long as the gateway runs.
    pub(super) deployment: u64,
    /// The strategy's name.
    pub(super) strategy: String,
    /// `name-version` of the bundle.
    #[schema(example = "ema-cross-0.1.0")]
    pub(super) bundle: String,
    /// Digest of the component in hex.
    pub(super) digest: String,
    /// `compiling`, `starting`, `running` or `failed`.
    #[schema(example = "compiling")]
    pub(super) state: &'static str,
    /// Why it failed: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Why it failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// Something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// What, for people.
    pub(crate) detail: String,
}

impl From<StatusReport> for Status {
    fn from(report: StatusReport) -> Self {
        Self {
            environment: report.environment,
            trading_state: report.trading_state,
            raised: report.raised.into_iter().map(Into::into).collect(),
            inhibits: report.inhibits,
            strategies: report.strategies.into_iter().map(Into::into).collect(),
            positions: report.positions,
            open_orders: report.open_orders,
            unknown_orders: report.unknown_orders,
            protection: Protection {
                stopped_positions: report.protection.stopped_positions,
                sentinel: report.protection.sentinel,
                disconnect_cancel: report.protection.disconnect_cancel,
            },
            signer: Signer {
                state: report.signer.state,
                violations: report.signer.violations,
                violations_max: report.signer.violations_max,
                detail: report.signer.detail,
            },
            comparison: report.comparison.map(|line| Comparison {
                at_ns: line.at_ns,
                differences: line.differences,
                unsettled: line.unsettled,
            }),
            journal: report.journal.into(),
            day_pnl: report.day_pnl,
            net_pnl: report.net_pnl,
            equity: report.equity,
            uptime_ns: report.uptime_ns,
        }
    }
}

impl From<RaisedLine> for Raised {
    fn from(line: RaisedLine) -> Self {
        Self { scope: line.scope, state: line.state, cause: line.cause, since_ns: line.since_ns }
    }
}

impl From<JournalHead> for Journal {
    fn from(head: JournalHead) -> Self {
        Self { records: head.records, root: head.root }
    }
}

impl From<StrategyLine> for Strategy {
    fn from(line: StrategyLine) -> Self {
        Self {
            name: line.name,
            bundle: line.bundle,
            digest: line.digest,
            state: line.state,
            symbols: line.symbols,
            pid: line.pid,
            events: line.events,
            faults: line.faults,
            host_faults: line.host_faults,
            data_gaps: line.data_gaps,
            strikes: line.strikes,
            first_fault: line.first_fault,
            last_fault: line.last_fault,
            fault_file: line.fault_file,
            log_bytes_cut: line.log_bytes_cut,
        }
    }
}

impl From<OrderLine> for Order {
    fn from(line: OrderLine) -> Self {
        Self {
            order: line.order,
            link_id: line.link_id,
            strategy: line.strategy,
            symbol: line.symbol,
            side: line.side,
            quantity: line.quantity,
            executed: line.executed,
            price: line.price,
            status: line.status,
            tag: line.tag,
            approved_ns: line.approved_ns,
        }
    }
}

impl From<PositionLine> for Position {
    fn from(line: PositionLine) -> Self {
        Self {
            strategy: line.strategy,
            symbol: line.symbol,
            quantity: line.quantity,
            entry_price: line.entry_price,
            realised_pnl: line.realised_pnl,
            open_pnl: line.open_pnl,
            fees: line.fees,
        }
    }
}

impl From<DenialLine> for Denial {
    fn from(line: DenialLine) -> Self {
        Self { time_ns: line.time_ns, strategy: line.strategy, code: line.code, detail: line.detail }
    }
}

impl From<DeploymentLine> for Deployment {
    fn from(line: DeploymentLine) -> Self {
        Self {
            deployment: line.id,
            strategy: line.strategy,
            bundle: line.bundle,
            digest: line.digest,
            state: line.state.as_str(),
            code: line.code,
            detail: line.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_role::ComparisonLine;
    use serde_json::{Value, to_value};

    use super::*;

    /// What the gateway says reaches clients whole: a field added there must be described here.
    #[test]
    fn nothing_the_gateway_says_is_left_out() {
        let strategy = StrategyLine { name: "x".into(), pid: Some(1), ..StrategyLine::default() };
        let raised = RaisedLine { scope: "account".into(), ..RaisedLine::default() };
        let comparison = Some(ComparisonLine { at_ns: 1, differences: 2, unsettled: 3 });
        let (strategies, raised) = (vec![strategy], vec![raised]);
        let status = StatusReport { strategies, raised, comparison, ..StatusReport::default() };
        assert_eq!(to_value(Status::from(status.clone())).unwrap(), to_value(status).unwrap());

        let text = r#"{"order":1,"link_id":"p","strategy":"s","symbol":"linear:X","side":"buy","quantity":"1",
            "executed":"0","price":null,"status":"working","tag":7,"approved_ns":9}"#;
        let order: OrderLine = serde_json::from_str(text).unwrap();
        assert_eq!(to_value(Order::from(order.clone())).unwrap(), to_value(order).unwrap());

        let text = r#"{"strategy":"s","symbol":"linear:X","quantity":"-1","entry_price":"2","realised_pnl":"0",
            "open_pnl":"1","fees":"0.1"}"#;
        let position: PositionLine = serde_json::from_str(text).unwrap();
        assert_eq!(to_value(Position::from(position.clone())).unwrap(), to_value(position).unwrap());

        let text = r#"{"time_ns":1,"strategy":"s","code":"C","detail":"d"}"#;
        let denial: DenialLine = serde_json::from_str(text).unwrap();
        assert_eq!(to_value(Denial::from(denial.clone())).unwrap(), to_value(denial).unwrap());

        let text = r#"{"id":3,"strategy":"s","bundle":"b-1","digest":"00","state":"failed","code":"C","detail":"d"}"#;
        let deployment: DeploymentLine = serde_json::from_str(text).unwrap();
        let mut expected: Value = to_value(deployment.clone()).unwrap();
        let id = expected.as_object_mut().unwrap().remove("id").unwrap();
        expected["deployment"] = id;
        assert_eq!(to_value(Deployment::from(deployment)).unwrap(), expected);
    }
}
