//! The wallet of the unified account. Any number may be the empty text.

use serde::{Deserialize, Serialize};

/// The account, in USD.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wallet {
    /// `UNIFIED`.
    pub account_type: String,
    /// Wallet balance plus open profit.
    pub total_equity: String,
    /// Initial margin rate.
    #[serde(rename = "accountIMRate")]
    pub account_im_rate: String,
    /// The same by mark price.
    #[serde(rename = "accountIMRateByMp")]
    pub account_im_rate_by_mp: String,
    /// Maintenance margin rate.
    #[serde(rename = "accountMMRate")]
    pub account_mm_rate: String,
    /// The same by mark price.
    #[serde(rename = "accountMMRateByMp")]
    pub account_mm_rate_by_mp: String,
    /// Balance that counts as margin.
    pub total_margin_balance: String,
    /// Initial margin in use.
    pub total_initial_margin: String,
    /// The same by mark price.
    pub total_initial_margin_by_mp: String,
    /// Maintenance margin in use.
    pub total_maintenance_margin: String,
    /// The same by mark price.
    pub total_maintenance_margin_by_mp: String,
    /// Free for new orders.
    pub total_available_balance: String,
    /// Open profit of perpetuals.
    #[serde(rename = "totalPerpUPL")]
    pub total_perp_upl: String,
    /// Wallet balance.
    pub total_wallet_balance: String,
    /// Loan to value.
    #[serde(rename = "accountLTV")]
    pub account_ltv: String,
    /// By coin.
    pub coin: Vec<WalletCoin>,
}

/// One coin of the wallet, in that coin unless said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WalletCoin {
    /// Which.
    pub coin: String,
    /// Wallet balance plus open profit.
    pub equity: String,
    /// In USD.
    pub usd_value: String,
    /// Wallet balance.
    pub wallet_balance: String,
    /// Locked by spot orders.
    pub locked: String,
    /// Borrowed.
    pub borrow_amount: String,
    /// Interest owed.
    pub accrued_interest: String,
    /// Initial margin of orders.
    #[serde(rename = "totalOrderIM")]
    pub total_order_im: String,
    /// Initial margin of positions.
    #[serde(rename = "totalPositionIM")]
    pub total_position_im: String,
    /// Maintenance margin of positions.
    #[serde(rename = "totalPositionMM")]
    pub total_position_mm: String,
    /// Open profit.
    pub unrealised_pnl: String,
    /// Profit realised since ever.
    pub cum_realised_pnl: String,
    /// Bonus.
    pub bonus: String,
    /// Whether the user lets it count as collateral.
    pub collateral_switch: bool,
    /// Whether the venue lets it.
    pub margin_collateral: bool,
    /// Spot that hedges.
    pub spot_hedging_qty: String,
    /// Borrowed for spot.
    pub spot_borrow: String,
    /// Held as collateral.
    pub col_res: String,
    /// Deprecated.
    pub available_to_withdraw: String,
    /// Deprecated.
    pub available_to_borrow: String,
    /// Deprecated.
    pub free: String,
}
