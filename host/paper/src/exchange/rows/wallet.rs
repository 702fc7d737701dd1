//! The wallet row.

use portcullis_core::Amount;
use portcullis_wire as wire;
use portcullis_wire::{format_amount as text, format_mantissa};

use super::super::Exchange;
use crate::engine::{Coin, Margin, Wallet};

impl Exchange {
    /// The account, in dollars: USDT counts as one, other coins at their last spot price.
    pub(crate) fn wallet_row(&self) -> wire::Wallet {
        let margin = self.engine.margin();
        // Four decimals; an account without equity has no rate.
        let unit = margin.equity.0.checked_div(10_000).unwrap_or(0);
        let ratio = |part: Amount| {
            let ratio = part.0.checked_div(unit).and_then(|ratio| i64::try_from(ratio).ok());
            format_mantissa(ratio.unwrap_or(0), 4)
        };
        let held = self.engine.wallets().fold(0_i128, |sum, wallet| {
            sum.saturating_add(self.engine.in_usdt(wallet.coin, wallet.balance).0)
        });
        let equity = Amount(held.saturating_add(margin.unrealised.0));
        wire::Wallet {
            account_type: "UNIFIED".to_owned(),
            total_equity: text(equity),
            account_im_rate: ratio(margin.initial),
            account_im_rate_by_mp: ratio(margin.initial),
            account_mm_rate: ratio(margin.maintenance),
            account_mm_rate_by_mp: ratio(margin.maintenance),
            total_margin_balance: text(margin.equity),
            total_initial_margin: text(margin.initial),
            total_initial_margin_by_mp: text(margin.initial),
            total_maintenance_margin: text(margin.maintenance),
            total_maintenance_margin_by_mp: text(margin.maintenance),
            total_available_balance: text(margin.available()),
            total_perp_upl: text(margin.unrealised),
            total_wallet_balance: text(Amount(held)),
            account_ltv: "0".to_owned(),
            coin: self.engine.wallets().map(|wallet| self.coin_row(wallet, &margin)).collect(),
        }
    }

    fn coin_row(&self, wallet: &Wallet, margin: &Margin) -> wire::WalletCoin {
        let zero = || "0".to_owned();
        // Positions and their margin are all in USDT.
        let usdt = wallet.coin == Coin::USDT;
        let margined = |amount: Amount| if usdt { text(amount) } else { zero() };
        let equity = if usdt { margin.equity } else { wallet.balance };
        let orders = margin.initial.0.saturating_sub(margin.position_initial.0).max(0);
        let realised = wallet.realised.0.saturating_sub(wallet.fees.0).saturating_sub(wallet.funding.0);
        wire::WalletCoin {
            coin: wallet.coin.to_string(),
            equity: text(equity),
            usd_value: text(self.engine.in_usdt(wallet.coin, equity)),
            wallet_balance: text(wallet.balance),
            locked: text(self.engine.locked_of(wallet.coin)),
            borrow_amount: zero(),
            accrued_interest: zero(),
            total_order_im: margined(Amount(orders)),
            total_position_im: margined(margin.position_initial),
            total_position_mm: margined(margin.maintenance),
            unrealised_pnl: margined(margin.unrealised),
            cum_realised_pnl: text(Amount(realised)),
            bonus: zero(),
            collateral_switch: usdt,
            margin_collateral: usdt,
            spot_hedging_qty: zero(),
            spot_borrow: zero(),
            ..wire::WalletCoin::default()
        }
    }
}
