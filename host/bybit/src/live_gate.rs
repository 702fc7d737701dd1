//! The live gate (DESIGN §9): whether the account and its keys are such that a program may trade with them. Pure; who asks the venue
//! and what follows is elsewhere.

mod account;
mod date;
mod keys;
#[cfg(test)]
mod tests;

use core::fmt;
use std::net::IpAddr;

use portcullis_core::{MarginMode, Timestamp};
use portcullis_wire as wire;

pub(crate) use account::hedged;

pub use keys::{key_text, shared_keys};

use account::{account, ownership};
use date::parse_time;

/// What the operator wants of account and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPolicy {
    /// The addresses the gateway reaches the venue from. Keys must be bound to some of them and to no others.
    pub addresses: Vec<IpAddr>,
    /// The account that both keys must belong to; `None` for any.
    pub uid: Option<String>,
    /// Whether trading on a main account is allowed; a sub-account bounds what a key can lose.
    pub allow_main_account: bool,
    /// How the account's margin must be set up.
    pub margin_mode: MarginMode,
    /// The highest leverage a symbol may be set to; `None` for any.
    pub leverage_max: Option<u32>,
    /// Age in days from which a key is worth changing.
    pub key_age_warn_days: u64,
}

impl AccountPolicy {
    /// The policy that a live account is held against: everything strict, keys worth changing after 90 days.
    pub fn strict(addresses: Vec<IpAddr>, margin_mode: MarginMode) -> Self {
        Self {
            addresses,
            uid: None,
            allow_main_account: false,
            margin_mode,
            leverage_max: None,
            key_age_warn_days: 90,
        }
    }
}

/// What the venue says of account and keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// The gateway's key.
    pub read_key: wire::ApiKey,
    /// The signer's key.
    pub trade_key: wire::ApiKey,
    /// The account's settings.
    pub account: wire::AccountInfo,
    /// Rows of positions by symbol, flat ones too: they name position mode and leverage.
    pub positions: Vec<wire::Position>,
    /// Whether spot is traded.
    pub trades_spot: bool,
    /// Whether contracts are traded.
    pub trades_linear: bool,
}

/// Something about account or keys that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFinding {
    /// Which rule.
    pub rule: PolicyRule,
    /// Whether trading is refused for it, or it only deserves a look.
    pub refuses: bool,
    /// What was seen, without keys and secrets.
    pub detail: String,
}

impl fmt::Display for PolicyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.as_str(), self.detail)
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The rules of the live gate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum PolicyRule {
            $($(#[$doc])* $name,)*
        }

        impl PolicyRule {
            /// The stable code for operators.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

rules! {
    /// No key may withdraw.
    Withdraw = "KEY_WITHDRAW",
    /// No key may move money between accounts or out by other ways.
    Transfer = "KEY_TRANSFER",
    /// The trade key holds a right that trading does not need.
    Excess = "KEY_EXCESS",
    /// The read key may only read.
    ReadKeyTrades = "READ_KEY_TRADES",
    /// The trade key may trade what is to be traded.
    TradeKeyCannot = "TRADE_KEY_CANNOT",
    /// Keys are bound to addresses.
    Unbound = "KEY_UNBOUND",
    /// Keys are bound to no address but the configured ones.
    Address = "KEY_ADDRESS",
    /// Trading happens on a sub-account.
    MainAccount = "MAIN_ACCOUNT",
    /// The keys belong to the configured account.
    OtherAccount = "OTHER_ACCOUNT",
    /// Both keys belong to one account.
    TwoAccounts = "TWO_ACCOUNTS",
    /// The two keys are two.
    OneKey = "ONE_KEY",
    /// The key is old.
    KeyAge = "KEY_AGE",
    /// The key expires soon, or has.
    KeyExpiry = "KEY_EXPIRY",
    /// The key belongs to an application of somebody else.
    KeyKind = "KEY_KIND",
    /// A key or its secret has a length that none of the venue has.
    KeyLength = "KEY_LENGTH",
    /// Environments have keys of their own.
    SharedKey = "SHARED_KEY",
    /// The account is unified.
    NotUnified = "NOT_UNIFIED",
    /// Positions are one-way.
    PositionMode = "POSITION_MODE",
    /// Margin is set up as configured.
    MarginMode = "MARGIN_MODE",
    /// Leverage is no higher than configured.
    Leverage = "LEVERAGE",
}

/// Everything that is not as the policy wants it; trading is refused while one of the findings refuses.
pub fn live_gate(policy: &AccountPolicy, facts: &AccountFacts, now: Timestamp) -> Vec<PolicyFinding> {
    let mut findings = Findings::default();
    for (name, key) in [("read key", &facts.read_key), ("trade key", &facts.trade_key)] {
        rights(&mut findings, name, key);
        binding(&mut findings, name, key, policy);
        lifetime(&mut findings, name, key, policy, now);
    }
    roles(&mut findings, facts);
    ownership(&mut findings, policy, facts);
    account(&mut findings, policy, facts);
    findings.0
}

#[derive(Default)]
struct Findings(Vec<PolicyFinding>);

impl Findings {
    fn refuse(&mut self, rule: PolicyRule, detail: impl Into<String>) {
        self.0.push(PolicyFinding { rule, refuses: true, detail: detail.into() });
    }

    fn warn(&mut self, rule: PolicyRule, detail: impl Into<String>) {
        self.0.push(PolicyFinding { rule, refuses: false, detail: detail.into() });
    }
}

/// Groups of rights that move money by other ways than the wallet.
const MONEY: [&str; 7] =
    ["FiatP2P", "FiatConvertBroker", "FiatGlobalPay", "FiatBitPay", "FiatBybitPay", "BitCard", "Affiliate"];

/// Groups of rights that trading needs, or that only show something.
const NEEDED: [&str; 6] = ["ContractTrade", "Spot", "Derivatives", "Options", "Exchange", "Wallet"];

/// A right of the wallet that only lists.
const LISTS: &str = "SubMemberTransferList";

fn rights(findings: &mut Findings, name: &str, key: &wire::ApiKey) {
    if key.may("Wallet", "Withdraw") {
        findings.refuse(PolicyRule::Withdraw, format!("the {name} may withdraw"));
    }
    let wallet = key.permissions.get("Wallet").into_iter().flatten();
    let mut moves: Vec<&str> =
        wallet.map(String::as_str).filter(|right| !["Withdraw", LISTS].contains(right)).collect();
    moves.extend(
        MONEY.into_iter().filter(|group| key.permissions.get(*group).is_some_and(|held| !held.is_empty())),
    );
    if !moves.is_empty() {
        let detail = format!("the {name} holds {}", moves.join(", "));
        // A key that may only read cannot use them; it is untidy, and one click away from being dangerous.
        if key.read_only == 1 {
            findings.warn(PolicyRule::Transfer, detail);
        } else {
            findings.refuse(PolicyRule::Transfer, detail);
        }
    }
    let excess: Vec<&str> = key
        .permissions
        .iter()
        .filter(|(group, held)| {
            !held.is_empty() && !NEEDED.contains(&group.as_str()) && !MONEY.contains(&group.as_str())
        })
        .map(|(group, _)| group.as_str())
        .collect();
    if key.read_only != 1 && !excess.is_empty() {
        findings.warn(
            PolicyRule::Excess,
            format!("the {name} holds {}, which trading does not need", excess.join(", ")),
        );
    }
    if key.kind == 2 {
        findings.warn(PolicyRule::KeyKind, format!("the {name} belongs to a third party's application"));
    }
}

fn binding(findings: &mut Findings, name: &str, key: &wire::ApiKey, policy: &AccountPolicy) {
    let bound: Vec<&str> = key.ips.iter().map(|ip| ip.trim()).filter(|ip| !ip.is_empty()).collect();
    if bound.is_empty() || bound.contains(&"*") {
        return findings.refuse(PolicyRule::Unbound, format!("the {name} works from every address"));
    }
    let configured = |ip: &&&str| ip.parse::<IpAddr>().is_ok_and(|ip| policy.addresses.contains(&ip));
    let strange: Vec<&str> = bound.iter().filter(|ip| !configured(ip)).copied().collect();
    if !strange.is_empty() {
        let detail = format!("the {name} also works from {}, which is not configured", strange.join(", "));
        findings.refuse(PolicyRule::Address, detail);
    }
}

fn lifetime(findings: &mut Findings, name: &str, key: &wire::ApiKey, policy: &AccountPolicy, now: Timestamp) {
    const DAY_S: u64 = 86_400;
    /// Days before its end at which a key is worth renewing.
    const SOON_DAYS: u64 = 14;
    let now_s = now.millis().checked_div(1_000).unwrap_or(0);
    match parse_time(&key.created_at) {
        Some(made) => {
            let days = now_s.saturating_sub(made).checked_div(DAY_S).unwrap_or(0);
            if days >= policy.key_age_warn_days {
                findings.warn(PolicyRule::KeyAge, format!("the {name} is {days} days old"));
            }
        }
        None => findings.warn(PolicyRule::KeyAge, format!("the {name} does not say when it was made")),
    }
    match parse_time(&key.expired_at) {
        // A key that is bound to addresses has no end; the venue writes the epoch.
        Some(0) => {}
        Some(end) if end <= now_s => {
            findings.refuse(PolicyRule::KeyExpiry, format!("the {name} has expired"))
        }
        Some(end) => {
            let days = end.saturating_sub(now_s).checked_div(DAY_S).unwrap_or(0);
            if days < SOON_DAYS {
                findings.warn(PolicyRule::KeyExpiry, format!("the {name} expires in {days} days"));
            }
        }
        None => findings.warn(PolicyRule::KeyExpiry, format!("the {name} does not say when it expires")),
    }
}

fn roles(findings: &mut Findings, facts: &AccountFacts) {
    if facts.read_key.read_only != 1 {
        findings.refuse(PolicyRule::ReadKeyTrades, "the read key is not read-only");
    }
    let trade = &facts.trade_key;
    if trade.read_only != 0 {
        findings.refuse(PolicyRule::TradeKeyCannot, "the trade key is read-only");
    }
    let needed = [
        (facts.trades_linear, "ContractTrade", "Order"),
        (facts.trades_linear, "ContractTrade", "Position"),
        (facts.trades_spot, "Spot", "SpotTrade"),
    ];
    for (is_needed, group, right) in needed {
        if is_needed && !trade.may(group, right) {
            findings.refuse(PolicyRule::TradeKeyCannot, format!("the trade key lacks {group}/{right}"));
        }
    }
    if !facts.read_key.id.is_empty() && facts.read_key.id == trade.id {
        findings.refuse(PolicyRule::OneKey, "read key and trade key are the same");
    }
}
