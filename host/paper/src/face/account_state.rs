//! Queries about how the account stands: positions, wallets, settings, key.

use portcullis_core::Category;
use portcullis_wire as wire;
use portcullis_wire::{format_mantissa, query};
use serde_json::Value;

use super::account_queries::Selection;
use super::market_queries::value;
use super::page::page;
use super::refusal::Refusal;
use crate::config::PaperKey;
use crate::engine::Position;
use crate::exchange::Exchange;

pub(super) fn positions(exchange: &Exchange, query: &query::Positions) -> Result<Value, Refusal> {
    let selection = Selection::new(
        query.category.as_ref(),
        query.symbol.as_ref(),
        query.base_coin.as_ref(),
        query.settle_coin.as_ref(),
    )?;
    if selection.category == Category::Spot {
        return Err(Refusal::parameter("Illegal category"));
    }
    selection.must_name()?;
    if let Some(symbol) = selection.symbol
        && exchange.listing.find(selection.category, symbol).is_none()
    {
        return Err(Refusal::parameter("params error: symbol invalid"));
    }
    let rows = exchange.engine.positions().filter(|row| {
        // By name a flat position shows too.
        selection.takes(exchange, row.instrument) && (selection.symbol.is_some() || row.size.0 != 0)
    });
    // Both sides of hedge mode, the long one first.
    let number = |row: &Position| {
        u64::from(row.instrument.0)
            .saturating_mul(4)
            .saturating_add(u64::from(3_u8.saturating_sub(row.leg.index())))
    };
    let mut rows: Vec<_> = rows.map(|row| (number(row), row)).collect();
    rows.sort_by_key(|(number, _)| core::cmp::Reverse(*number));
    let (rows, next) = page(rows.into_iter(), query.cursor.as_deref(), query.limit, (20, 200))?;
    let list = rows.into_iter().filter_map(|row| exchange.position_row(row, false)).collect();
    value(&wire::Page { category: query.category.clone().unwrap_or_default(), list, next_page_cursor: next })
}

pub(super) fn wallet(exchange: &Exchange, query: &query::Wallet) -> Result<Value, Refusal> {
    if query.account_type.as_deref() != Some("UNIFIED") {
        return Err(Refusal::parameter("accountType only support UNIFIED."));
    }
    let mut row = exchange.wallet_row();
    row.coin.retain(|coin| {
        coin.wallet_balance != "0" || query.coin.as_deref().is_some_and(|coins| !coins.is_empty())
    });
    if let Some(coins) = query.coin.as_deref().filter(|coins| !coins.is_empty()) {
        row.coin.retain(|coin| coins.split(',').any(|named| named == coin.coin));
    }
    value(&wire::List { category: None, list: vec![row] })
}

pub(super) fn account_info() -> Result<Value, Refusal> {
    value(&wire::AccountInfo {
        margin_mode: wire::MarginMode::Regular,
        updated_time: "0".to_owned(),
        unified_margin_status: 6,
        dcp_status: "OFF".to_owned(),
        time_window: 10,
        smp_group: 0,
        is_master_trader: false,
        spot_hedging_status: "OFF".to_owned(),
    })
}

pub(super) fn fee_rate(exchange: &Exchange, query: &query::FeeRate) -> Result<Value, Refusal> {
    let selection = Selection::new(query.category.as_ref(), query.symbol.as_ref(), None, None)?;
    let rows = exchange.listing.specs().iter().filter(|spec| selection.takes(exchange, spec.id));
    let list: Vec<_> = rows
        .map(|spec| wire::FeeRate {
            symbol: spec.symbol.to_string(),
            taker_fee_rate: format_mantissa(spec.taker_fee.0, 12),
            maker_fee_rate: format_mantissa(spec.maker_fee.0, 12),
        })
        .collect();
    if list.is_empty() && selection.symbol.is_some() {
        return Err(Refusal::parameter("params error: symbol invalid"));
    }
    let category = (selection.category == Category::Spot).then_some(wire::Category::Spot);
    value(&wire::List { category, list })
}

/// The paper account looks like a sub-account whose keys cannot move money.
pub(super) fn query_api(exchange: &Exchange, key: &PaperKey) -> Result<Value, Refusal> {
    let rights = |group: &str, held: &[&str]| {
        (group.to_owned(), held.iter().map(|right| (*right).to_owned()).collect())
    };
    let permissions = wire::Permissions::from([
        rights("ContractTrade", &["Order", "Position"]),
        rights("Spot", &["SpotTrade"]),
        rights("Wallet", &[]),
        rights("Options", &[]),
        rights("Derivatives", &["DerivativesTrade"]),
        rights("CopyTrading", &[]),
        rights("BlockTrade", &[]),
        rights("Exchange", &[]),
        rights("NFT", &[]),
        rights("Affiliate", &[]),
        rights("Earn", &[]),
    ]);
    let user = exchange.names.user();
    value(&wire::ApiKey {
        id: "1".to_owned(),
        note: "paper".to_owned(),
        api_key: key.credentials.key().to_owned(),
        read_only: i64::from(key.read_only),
        permissions,
        ips: vec!["127.0.0.1".to_owned()],
        kind: 1,
        deadline_day: -2,
        expired_at: "1970-01-01T00:00:00Z".to_owned(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        unified: 0,
        uta: 1,
        user_id: i64::try_from(user).unwrap_or(0),
        vip_level: "No VIP".to_owned(),
        mkt_maker_level: "0".to_owned(),
        is_master: false,
        parent_uid: "1".to_owned(),
        kyc_level: "LEVEL_DEFAULT".to_owned(),
        user_id_text: user.to_string(),
        inviter_id_text: "0".to_owned(),
        affiliate_id_text: "0".to_owned(),
        ..wire::ApiKey::default()
    })
}
