//! The account's settings, its fee rates and what its key may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::MarginMode;

/// `GET /v5/account/info`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountInfo {
    /// Margin mode.
    pub margin_mode: MarginMode,
    /// When it last changed, ms.
    pub updated_time: String,
    /// 1 classic, 3 and 4 unified 1.0, 5 and 6 unified 2.0.
    pub unified_margin_status: i64,
    /// Deprecated.
    pub dcp_status: String,
    /// Deprecated.
    pub time_window: i64,
    /// Deprecated.
    pub smp_group: i64,
    /// Copy trading.
    pub is_master_trader: bool,
    /// Spot hedging.
    pub spot_hedging_status: String,
}

/// One row of `GET /v5/account/fee-rate`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FeeRate {
    /// Instrument.
    pub symbol: String,
    /// Rate for taking; negative is a rebate.
    pub taker_fee_rate: String,
    /// Rate for resting first.
    pub maker_fee_rate: String,
}

/// What a key may do, by group; old keys lack groups, new groups appear.
pub type Permissions = BTreeMap<String, Vec<String>>;

/// `GET /v5/user/query-api`: the key that asks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiKey {
    /// Its number.
    pub id: String,
    /// Its note.
    pub note: String,
    /// The key itself.
    pub api_key: String,
    /// 1 when it can change nothing.
    pub read_only: i64,
    /// Always empty.
    pub secret: String,
    /// What it may do.
    pub permissions: Permissions,
    /// Addresses it is bound to; `*` when unbound.
    pub ips: Vec<String>,
    /// 1 personal, 2 third-party application.
    #[serde(rename = "type")]
    pub kind: i64,
    /// Days left.
    pub deadline_day: i64,
    /// When it expires.
    pub expired_at: String,
    /// When it was made.
    pub created_at: String,
    /// Deprecated.
    pub unified: i64,
    /// 1 for a unified account.
    pub uta: i64,
    /// The user.
    #[serde(rename = "userID")]
    pub user_id: i64,
    /// Who invited the user.
    #[serde(rename = "inviterID")]
    pub inviter_id: i64,
    /// Fee tier.
    pub vip_level: String,
    /// Market maker tier.
    pub mkt_maker_level: String,
    /// Affiliate.
    #[serde(rename = "affiliateID")]
    pub affiliate_id: i64,
    /// RSA keys.
    pub rsa_public_key: String,
    /// Whether the account is a main account.
    pub is_master: bool,
    /// The main account of a sub-account; `0` for a main account.
    pub parent_uid: String,
    /// Identity check.
    pub kyc_level: String,
    /// Its region.
    pub kyc_region: String,
    /// The user, as text.
    #[serde(rename = "userIDInt64")]
    pub user_id_text: String,
    /// Who invited the user, as text.
    #[serde(rename = "inviterIDInt64")]
    pub inviter_id_text: String,
    /// Affiliate, as text.
    #[serde(rename = "affiliateIDInt64")]
    pub affiliate_id_text: String,
}

impl ApiKey {
    /// Whether the key holds a permission, for example `Wallet` / `Withdraw`.
    pub fn may(&self, group: &str, permission: &str) -> bool {
        self.permissions.get(group).is_some_and(|held| held.iter().any(|one| one == permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_group_holds_nothing() {
        let key: ApiKey =
            serde_json::from_str(r#"{"readOnly":0,"permissions":{"Wallet":["Withdraw"]}}"#).unwrap();
        assert!(key.may("Wallet", "Withdraw"));
        assert!(!key.may("ContractTrade", "Order"));
    }
}
