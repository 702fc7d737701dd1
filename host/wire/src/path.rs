//! Paths of the endpoints.

/// Server time.
pub const TIME: &str = "/v5/market/time";
/// Trading rules.
pub const INSTRUMENTS: &str = "/v5/market/instruments-info";
/// Tickers.
pub const TICKERS: &str = "/v5/market/tickers";
/// Books.
pub const ORDERBOOK: &str = "/v5/market/orderbook";
/// Candles.
pub const KLINE: &str = "/v5/market/kline";
/// Recent public trades.
pub const RECENT_TRADES: &str = "/v5/market/recent-trade";
/// Funding history.
pub const FUNDING_HISTORY: &str = "/v5/market/funding/history";
/// Prices within which orders are taken.
pub const PRICE_LIMIT: &str = "/v5/market/price-limit";
/// Tiers of margin.
pub const RISK_LIMIT: &str = "/v5/market/risk-limit";
/// New order.
pub const CREATE: &str = "/v5/order/create";
/// Change of an order.
pub const AMEND: &str = "/v5/order/amend";
/// Cancel of an order.
pub const CANCEL: &str = "/v5/order/cancel";
/// Cancels of many.
pub const CANCEL_ALL: &str = "/v5/order/cancel-all";
/// New orders in a batch.
pub const CREATE_BATCH: &str = "/v5/order/create-batch";
/// Changes of orders in a batch.
pub const AMEND_BATCH: &str = "/v5/order/amend-batch";
/// Cancels of orders in a batch.
pub const CANCEL_BATCH: &str = "/v5/order/cancel-batch";
/// What an order would do to the account.
pub const PRE_CHECK: &str = "/v5/order/pre-check";
/// Cancels when the connection is lost; not for ordinary accounts.
pub const DISCONNECT_CANCEL: &str = "/v5/order/disconnected-cancel-all";
/// Open and just closed orders.
pub const REALTIME: &str = "/v5/order/realtime";
/// Closed orders.
pub const HISTORY: &str = "/v5/order/history";
/// Executions.
pub const EXECUTIONS: &str = "/v5/execution/list";
/// Positions.
pub const POSITIONS: &str = "/v5/position/list";
/// Profits of closed positions.
pub const CLOSED_PNL: &str = "/v5/position/closed-pnl";
/// Protection of a position.
pub const TRADING_STOP: &str = "/v5/position/trading-stop";
/// Leverage.
pub const SET_LEVERAGE: &str = "/v5/position/set-leverage";
/// Wallet.
pub const WALLET: &str = "/v5/account/wallet-balance";
/// Account settings.
pub const ACCOUNT_INFO: &str = "/v5/account/info";
/// Changes of the wallet.
pub const TRANSACTION_LOG: &str = "/v5/account/transaction-log";
/// Group of self-match prevention.
pub const SMP_GROUP: &str = "/v5/account/smp-group";
/// Cancels when the connection is lost, as they are set.
pub const DCP_INFO: &str = "/v5/account/query-dcp-info";
/// Margin mode.
pub const SET_MARGIN_MODE: &str = "/v5/account/set-margin-mode";
/// Coins and their chains.
pub const COINS: &str = "/v5/asset/coin/query-info";
/// Fee rates.
pub const FEE_RATE: &str = "/v5/account/fee-rate";
/// The key that asks.
pub const QUERY_API: &str = "/v5/user/query-api";

/// Public stream of linear contracts.
pub const PUBLIC_LINEAR: &str = "/v5/public/linear";
/// Public stream of spot.
pub const PUBLIC_SPOT: &str = "/v5/public/spot";
/// Private stream.
pub const PRIVATE: &str = "/v5/private";
/// Trade stream.
pub const TRADE: &str = "/v5/trade";
