//! What the gate wants done.

use crate::{
    ActionKind, Amount, ApprovedCommand, CloseReason, InstrumentId, LinkId, OrderId, OrderNumber,
    OrderStatus, Price, Qty, Record, RefusalCode, Side, SignedQty, StrategyId, Timestamp, TradingState,
};

/// The answer to one input. The caller journals `records`, sends `commands` once they are journaled, and passes the rest on.
#[derive(Debug, Default)]
#[must_use = "records must be journaled and commands sent, or books and venue part ways"]
pub struct Effects {
    /// Facts to journal, in order. They are already in force in the gate.
    pub records: Vec<Record>,
    /// Commands to send once journaled, each with the index of its record in `records`.
    pub commands: Vec<(usize, ApprovedCommand)>,
    /// What strategies are told; the caller adds the report delay (RULES T2).
    pub notices: Vec<Notice>,
    /// What the venue is to be asked.
    pub queries: Vec<Query>,
    /// The answer to [`Input::Release`](crate::Input::Release).
    pub release: Option<Release>,
    /// The answer to [`Input::Operator`](crate::Input::Operator) and to a strategy's start.
    pub reply: Option<Reply>,
    /// Strategies that flooded the gate in the last second: a strike each (RULES G9).
    pub strikes: Vec<StrategyId>,
}

/// Whether the bytes may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Send now.
    Go,
    /// Drop the command: it is void, and a `NotSent` record says why.
    NotSent(RefusalCode),
}

/// The answer to an operator, or to a strategy's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done, or under way.
    Done,
    /// Nothing to do: it is so already.
    Nothing,
    /// Confirm with this code before this time.
    ConfirmWith {
        /// The code.
        code: String,
        /// Valid until.
        until: Timestamp,
    },
    /// No, in words.
    Refused(String),
    /// The strategy may not start.
    StartRefused {
        /// Why.
        code: RefusalCode,
        /// The instrument it is about.
        instrument: Option<InstrumentId>,
    },
}

/// What the venue is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// One order by its client id: open orders, then order history, then executions. Answered by reports of the executions found
    /// and then one [`Evidence`](crate::Evidence).
    Order {
        /// The order.
        order: OrderId,
        /// Its client id.
        link: LinkId,
        /// Its instrument.
        instrument: InstrumentId,
        /// When its entry was approved: look no further back.
        since: Timestamp,
    },
    /// Everything: open orders of every filter, positions, wallet, and executions since a time.
    Snapshot {
        /// Executions from here on.
        since: Timestamp,
    },
}

/// Something a strategy is told about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who is told.
    pub strategy: StrategyId,
    /// When it happened at the venue; when it was decided, for what the host did.
    pub venue_time: Timestamp,
    /// What.
    pub body: NoticeBody,
}

/// What a strategy is told about itself; one kind of frame record each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeBody {
    /// One of its orders changed.
    Order(OrderNotice),
    /// One of its orders was executed, in part or whole.
    Fill(FillNotice),
    /// One of its intents was refused.
    Refusal(RefusalNotice),
    /// Its position changed.
    Position(PositionNotice),
    /// Its means or its trading state changed.
    Budget(BudgetNotice),
}

/// One of a strategy's orders, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNotice {
    /// Where.
    pub instrument: InstrumentId,
    /// The strategy's number; 0 for an order of the host's (flatten).
    pub number: OrderNumber,
    /// The strategy's mark.
    pub tag: u64,
    /// Buy or sell.
    pub side: Side,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed quantity.
    pub executed: Qty,
    /// Its state.
    pub status: OrderStatus,
    /// Why it closed.
    pub reason: CloseReason,
}

/// An execution of a strategy's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillNotice {
    /// Where.
    pub instrument: InstrumentId,
    /// The strategy's number; 0 for an order of the host's, and for what the venue did by itself.
    pub number: OrderNumber,
    /// The strategy's mark.
    pub tag: u64,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Quantity.
    pub quantity: Qty,
    /// Fee, negative for a rebate.
    pub fee: Amount,
    /// Whether the order rested first.
    pub maker: bool,
    /// Executed quantity of the order after this.
    pub executed: Qty,
}

/// A refusal, as much as a strategy may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalNotice {
    /// The instrument, where the action named one that exists.
    pub instrument: Option<InstrumentId>,
    /// The order the action named, or the number its place used up; 0 for neither.
    pub number: OrderNumber,
    /// The strategy's mark; 0 when there is none.
    pub tag: u64,
    /// Why.
    pub code: RefusalCode,
    /// What was asked for.
    pub action: ActionKind,
}

/// A strategy's position in one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionNotice {
    /// Where.
    pub instrument: InstrumentId,
    /// Quantity, negative when short.
    pub quantity: SignedQty,
    /// Cost of the open quantity, with its sign.
    pub cost: Amount,
    /// Realised profit, before fees and funding.
    pub realised: Amount,
    /// Fees paid.
    pub fees: Amount,
}

/// A strategy's means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetNotice {
    /// Its capital.
    pub capital: Amount,
    /// Free for new orders.
    pub free: Amount,
    /// The strictest trading state over account, strategy and its instruments.
    pub state: TradingState,
}

impl Effects {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.commands.is_empty()
            && self.notices.is_empty()
            && self.queries.is_empty()
            && self.release.is_none()
            && self.reply.is_none()
            && self.strikes.is_empty()
    }
}
