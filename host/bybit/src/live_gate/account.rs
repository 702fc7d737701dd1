//! Whose the account is, and how it is set up.

use portcullis_core::{Amount, MarginMode};
use portcullis_wire as wire;

use super::{AccountFacts, AccountPolicy, Findings, PolicyRule};

pub(super) fn ownership(findings: &mut Findings, policy: &AccountPolicy, facts: &AccountFacts) {
    let (read, trade) = (&facts.read_key, &facts.trade_key);
    if read.user_id != trade.user_id {
        findings.refuse(PolicyRule::TwoAccounts, "the two keys belong to different accounts");
    }
    if let Some(uid) = &policy.uid {
        for (name, key) in [("read key", read), ("trade key", trade)] {
            if key.user_id.to_string() != *uid {
                let detail = format!("the {name} is of account {}, configured is {uid}", key.user_id);
                findings.refuse(PolicyRule::OtherAccount, detail);
            }
        }
    }
    // Old keys say neither; then nothing proves a sub-account.
    let is_sub = !trade.is_master && !trade.parent_uid.is_empty() && trade.parent_uid != "0";
    if !is_sub {
        let detail = "the account is a main account, or does not say that it is none";
        if policy.allow_main_account {
            findings.warn(PolicyRule::MainAccount, detail);
        } else {
            findings.refuse(PolicyRule::MainAccount, detail);
        }
    }
}

pub(super) fn account(findings: &mut Findings, policy: &AccountPolicy, facts: &AccountFacts) {
    let status = facts.account.unified_margin_status;
    if !(3..=6).contains(&status) {
        findings.refuse(
            PolicyRule::NotUnified,
            format!("the account's status is {status}, which is no unified one"),
        );
    }
    let wanted = match policy.margin_mode {
        MarginMode::Isolated => wire::MarginMode::Isolated,
        MarginMode::Cross => wire::MarginMode::Regular,
        MarginMode::Portfolio => wire::MarginMode::Portfolio,
    };
    let seen = &facts.account.margin_mode;
    if *seen != wanted {
        let detail = format!(
            "margin mode is {seen}, wanted is {wanted}: set the account's at the venue (POST /v5/account/set-margin-mode, or its trading \
             settings), or margin_mode in limits.toml"
        );
        findings.refuse(PolicyRule::MarginMode, detail);
    }
    for row in &facts.positions {
        if row.position_idx != 0 {
            findings.refuse(PolicyRule::PositionMode, hedged(&row.symbol));
        }
        if let Some(most) = policy.leverage_max {
            leverage(findings, row, most);
        }
    }
}

/// What is wrong with a contract in hedge mode, and what to do about it. It is never switched from here: with orders or a position
/// open the venue refuses, and whose they are the operator knows.
pub(crate) fn hedged(symbol: &str) -> String {
    format!(
        "{symbol} is in hedge mode, wanted is one-way mode: close its positions and orders and switch it at the venue (POST \
         /v5/position/switch-mode with mode 0, or the position mode in its trading settings)"
    )
}

fn leverage(findings: &mut Findings, row: &wire::Position, most: u32) {
    let Ok(seen) = Amount::parse(&row.leverage) else {
        // Portfolio margin has none by symbol.
        return findings.warn(PolicyRule::Leverage, format!("{} does not say its leverage", row.symbol));
    };
    let most_exact = Amount::parse(&most.to_string());
    if most_exact.is_ok_and(|most| seen > most) {
        let detail = format!(
            "{symbol} has leverage {seen}, wanted is at most {most}: lower it at the venue (POST /v5/position/set-leverage, or {symbol}'s \
             order form), or raise leverage_max in [account] of the configuration",
            symbol = row.symbol,
            seen = row.leverage,
        );
        findings.refuse(PolicyRule::Leverage, detail);
    }
}
