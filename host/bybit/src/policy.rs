//! Holding the account against its policy: before the first order, and every hour after (DESIGN §9).

use core::time::Duration;
use std::sync::Arc;

use portcullis_core::{Category, VenueAlarm};
use portcullis_gateway::VenueEvent;
use portcullis_wire as wire;
use portcullis_wire::path;
use tokio::time::sleep;

use crate::live_gate::{AccountFacts, AccountPolicy, PolicyFinding, live_gate};
use crate::modes;
use crate::rest::QueryError;
use crate::shared::Shared;

/// Between attempts while the venue does not answer.
const AGAIN: Duration = Duration::from_secs(60);

/// Attempts in a row without an answer after which the account counts as broken: nothing proves any more that it is not.
const UNANSWERED_MAX: u32 = 10;

/// Asks the venue about account and keys, and says what is wrong.
pub(crate) async fn check(shared: &Shared, policy: &AccountPolicy) -> Result<Vec<PolicyFinding>, QueryError> {
    shared.modes.forget();
    modes::read(shared).await?;
    let signed = shared.signing.key_query().map_err(|error| QueryError::Malformed(error.to_string()))?;
    let followed = shared.followed();
    let position = |(symbol, mode): (String, modes::Mode)| wire::Position {
        symbol,
        leverage: mode.leverage,
        position_idx: i64::from(mode.hedged),
        ..wire::Position::default()
    };
    let facts = AccountFacts {
        read_key: shared.rest.api_key().await?,
        trade_key: shared.rest.ask_signed(path::QUERY_API, signed).await?,
        account: shared.rest.account_info().await?,
        positions: shared.modes.all().into_iter().map(position).collect(),
        trades_spot: followed.table().has(Category::Spot),
        trades_linear: followed.table().has(Category::Linear),
    };
    Ok(live_gate(policy, &facts, shared.now()))
}

/// Checks every hour, for ever. What refuses latches reduce-only; it is told again only when it changes.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let Some(policy) = shared.config.policy.clone() else { return core::future::pending().await };
    let mut told = String::new();
    let mut unanswered = 0_u32;
    loop {
        sleep(if unanswered == 0 {
            shared.config.policy_every
        } else {
            AGAIN.min(shared.config.policy_every)
        })
        .await;
        let detail = match check(&shared, &policy).await {
            Ok(findings) => {
                unanswered = 0;
                warn(&findings);
                refusals(&findings)
            }
            Err(error) => {
                unanswered = unanswered.saturating_add(1);
                tracing::warn!(%error, unanswered, "the account cannot be held against its policy");
                if unanswered < UNANSWERED_MAX {
                    continue;
                }
                format!("not answered {unanswered} times in a row, so nothing proves that the policy holds")
            }
        };
        if !detail.is_empty() && detail != told {
            tracing::error!(detail, "the account breaks its policy");
            shared.events.push(VenueEvent::Alarm(VenueAlarm::AccountPolicy { detail: detail.clone() }));
        }
        told = detail;
    }
}

/// Logs what deserves a look.
pub(crate) fn warn(findings: &[PolicyFinding]) {
    for finding in findings.iter().filter(|finding| !finding.refuses) {
        tracing::warn!(%finding, "account policy");
    }
}

/// What refuses, in words; empty when nothing does.
pub(crate) fn refusals(findings: &[PolicyFinding]) -> String {
    let refuses: Vec<String> =
        findings.iter().filter(|finding| finding.refuses).map(PolicyFinding::to_string).collect();
    refuses.join("; ")
}
