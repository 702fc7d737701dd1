//! Bybit V5 on the wire: the shapes, the words, the codes and the string to sign, shared by the client and the paper exchange.
//!
//! Every shape both encodes and decodes. Decoding is lenient: unknown members are ignored and missing ones are empty, because
//! the venue adds and drops members without notice; whoever turns a shape into a core type is strict. Encoding writes the full
//! set of members, because third-party clients insist on it. This is the only crate that signs with the API secret.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod account;
mod batch;
mod closed_pnl;
mod code;
mod decimal;
mod execution;
mod instrument;
mod market;
mod order;
pub mod path;
mod position;
mod private;
mod public;
pub mod query;
mod redact;
mod reply;
mod request;
mod sign;
mod signer;
mod stream;
mod text;
mod topic;
mod trade;
mod transaction;
mod wallet;
mod words;

pub use account::{AccountInfo, ApiKey, FeeRate, Permissions};
pub use batch::{Batch, BatchItem, BatchReply};
pub use closed_pnl::ClosedPnl;
pub use code::{HttpVerdict, Verdict, verdict, verdict_of_status};
pub use decimal::{
    DecimalError, amount, decimals_of, format_amount, format_mantissa, mantissa, millis, rate,
};
pub use execution::{Execution, FastExecution};
pub use instrument::{Instrument, LeverageFilter, LotSizeFilter, PriceFilter, RiskParameters};
pub use market::{FundingRow, KlineRow, OrderbookResult, PriceLimit, RecentTrade, ServerTime, TickerRow};
pub use order::{Order, OrderIds};
pub use position::Position;
pub use private::PrivateFrame;
pub use public::{BookData, BookFrame, FrameKind, KlineData, PublicFrame, TickerData, TradeData};
pub use redact::{MESSAGE_MAX, redact};
pub use reply::{Empty, List, Page, RawReply, Reply};
pub use request::{
    AmendOrder, CancelAll, CancelAllResult, CancelOrder, CreateOrder, SetLeverage, SwitchMode, TradingStop,
};
pub use sign::{Credentials, RECV_WINDOW_MS, SecretError, Signature, SignatureError};
pub use signer::{
    Cap, CheckKey, InvalidCap, InvalidRequest, LocalSigner, OrderKind, OrderRequest, OrderSigner,
    OtherRequest, RefusalKind, RemoteSigner, SIGNER_MESSAGE_BYTES_MAX, SIGNER_PROTOCOL, SignError,
    SignedRequest, SignedStream, SignerConfig, SignerReadiness, SignerReply, SignerRequest, SignerState,
    SignerStatus, SignerWatch, TellReadiness, decode_signer_reply, decode_signer_request, key_hash,
    serve_signer,
};
pub use stream::{Ack, Inbound, Operation};
pub use text::Text;
pub use topic::{Topic, topic_of};
pub use trade::{TradeHeader, TradeReply, TradeReplyHeader, TradeRequest};
pub use transaction::Transaction;
pub use wallet::{Wallet, WalletCoin};
pub use words::{
    CancelType, Category, ContractType, CreateType, ExecType, InstrumentStatus, MarginMode, MarketUnit,
    OrderFilter, OrderStatus, OrderType, PositionStatus, RejectReason, Side, SlippageToleranceType, SmpType,
    StopOrderType, TimeInForce, TpslMode, TriggerBy,
};
