//! On shapes the venue answers with.

#![allow(clippy::indexing_slicing, reason = "test code")]

use portcullis_core::Environment;
use secrecy::SecretString;

use super::*;

/// An answer of today, of a sub-account's key that is bound to two addresses.
fn key(id: &str, read_only: i64) -> wire::ApiKey {
    serde_json::from_value(serde_json::json!({
        "id": id, "note": "portcullis", "apiKey": "XXXXXXXX", "readOnly": read_only, "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": [], "Options": [],
            "Derivatives": ["DerivativesTrade"], "CopyTrading": [], "BlockTrade": [], "Exchange": ["ExchangeHistory"],
            "NFT": [], "Affiliate": [], "Earn": [], "FiatP2P": [], "FiatConvertBroker": [], "FiatGlobalPay": [],
            "FiatBitPay": [], "BitCard": [], "ByXPost": []
        },
        "ips": ["198.51.100.7", "198.51.100.8"], "type": 1, "deadlineDay": -2, "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": "2026-10-13T03:20:45Z", "unified": 0, "uta": 1, "userID": 24_617_703, "inviterID": 0,
        "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "", "isMaster": false,
        "parentUid": "1448939", "kycLevel": "LEVEL_1", "kycRegion": "MYS"
    }))
    .unwrap()
}

/// 2026-11-24.
const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);

fn facts() -> AccountFacts {
    let account = r#"{"marginMode":"REGULAR_MARGIN","updatedTime":"1697078946000","unifiedMarginStatus":5,"dcpStatus":"OFF"}"#;
    let position = r#"{"positionIdx":0,"symbol":"BTCUSDT","side":"","size":"0","leverage":"10"}"#;
    AccountFacts {
        read_key: key("1", 1),
        trade_key: key("2", 0),
        account: serde_json::from_str(account).unwrap(),
        positions: vec![serde_json::from_str(position).unwrap()],
        trades_spot: true,
        trades_linear: true,
    }
}

fn policy() -> AccountPolicy {
    let addresses = vec!["198.51.100.7".parse().unwrap(), "198.51.100.8".parse().unwrap()];
    AccountPolicy { leverage_max: Some(10), ..AccountPolicy::strict(addresses, MarginMode::Cross) }
}

/// The rules that a change of the facts breaks: those that refuse, and those that warn.
fn broken(change: impl FnOnce(&mut AccountFacts)) -> (Vec<PolicyRule>, Vec<PolicyRule>) {
    let mut facts = facts();
    change(&mut facts);
    let (refuses, warns): (Vec<_>, Vec<_>) =
        live_gate(&policy(), &facts, NOW).into_iter().partition(|finding| finding.refuses);
    let rules = |findings: Vec<PolicyFinding>| findings.into_iter().map(|finding| finding.rule).collect();
    (rules(refuses), rules(warns))
}

fn refused(change: impl FnOnce(&mut AccountFacts)) -> Vec<PolicyRule> {
    broken(change).0
}

fn hold(key: &mut wire::ApiKey, group: &str, right: &str) {
    key.permissions.entry(group.to_owned()).or_default().push(right.to_owned());
}

#[test]
fn an_account_that_is_as_it_should_be_passes() {
    assert_eq!(live_gate(&policy(), &facts(), NOW), []);
}

#[test]
fn no_key_may_move_money() {
    assert_eq!(refused(|f| hold(&mut f.trade_key, "Wallet", "Withdraw")), [PolicyRule::Withdraw]);
    assert_eq!(refused(|f| hold(&mut f.read_key, "Wallet", "Withdraw")), [PolicyRule::Withdraw]);
    for (group, right) in [
        ("Wallet", "AccountTransfer"),
        ("Wallet", "SubMemberTransfer"),
        ("Wallet", "SomethingNew"),
        ("FiatP2P", "FiatP2POrder"),
        ("BitCard", "BitCard"),
    ] {
        assert_eq!(refused(|f| hold(&mut f.trade_key, group, right)), [PolicyRule::Transfer], "{right}");
        let (refuses, warns) = broken(|f| hold(&mut f.read_key, group, right));
        assert_eq!((refuses, warns), (vec![], vec![PolicyRule::Transfer]), "{right}");
    }
    assert_eq!(broken(|f| hold(&mut f.trade_key, "Wallet", "SubMemberTransferList")), (vec![], vec![]));
    assert_eq!(broken(|f| hold(&mut f.trade_key, "Earn", "Earn")).1, [PolicyRule::Excess]);
}

#[test]
fn each_key_has_its_role() {
    assert_eq!(refused(|f| f.read_key.read_only = 0), [PolicyRule::ReadKeyTrades]);
    assert_eq!(refused(|f| f.trade_key.read_only = 1), [PolicyRule::TradeKeyCannot]);
    assert_eq!(
        refused(|f| drop(
            f.trade_key.permissions.insert("ContractTrade".to_owned(), vec!["Order".to_owned()])
        )),
        [PolicyRule::TradeKeyCannot]
    );
    assert_eq!(refused(|f| drop(f.trade_key.permissions.remove("Spot"))), [PolicyRule::TradeKeyCannot]);
    assert_eq!(refused(|f| (f.trades_spot = false, f.trade_key.permissions.remove("Spot")).0), []);
    assert_eq!(refused(|f| f.trade_key.id = "1".to_owned()), [PolicyRule::OneKey]);
    assert_eq!(refused(|f| f.trade_key.user_id = 5), [PolicyRule::TwoAccounts]);
}

#[test]
fn both_keys_belong_to_the_account_that_the_operator_named() {
    let rules = |uid: &str| -> Vec<PolicyRule> {
        let named = AccountPolicy { uid: Some(uid.to_owned()), ..policy() };
        live_gate(&named, &facts(), NOW).into_iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(rules("24617703"), []);
    for other in ["24617704", "1448939", "", "024617703"] {
        assert_eq!(rules(other), [PolicyRule::OtherAccount; 2], "{other}");
    }
}

#[test]
fn keys_are_bound_to_the_configured_addresses() {
    let star = || vec!["*".to_owned()];
    assert_eq!(refused(|f| f.trade_key.ips = star()), [PolicyRule::Unbound]);
    assert_eq!(refused(|f| f.read_key.ips = vec![]), [PolicyRule::Unbound]);
    assert_eq!(refused(|f| f.read_key.ips.push("203.0.113.1".to_owned())), [PolicyRule::Address]);
    assert_eq!(refused(|f| f.read_key.ips.push("198.51.100.0/24".to_owned())), [PolicyRule::Address]);
    assert_eq!(refused(|f| f.read_key.ips = vec!["198.51.100.8".to_owned()]), []);
}

#[test]
fn a_main_account_is_allowed_explicitly_or_not_at_all() {
    let main = |f: &mut AccountFacts| {
        f.trade_key.is_master = true;
        f.trade_key.parent_uid = "0".to_owned();
    };
    assert_eq!(refused(main), [PolicyRule::MainAccount]);
    let mut facts = facts();
    main(&mut facts);
    let lax = AccountPolicy { allow_main_account: true, ..policy() };
    assert!(live_gate(&lax, &facts, NOW).iter().all(|finding| !finding.refuses));
}

#[test]
fn the_account_is_set_up_as_configured() {
    for status in [0, 1, 7] {
        assert_eq!(refused(|f| f.account.unified_margin_status = status), [PolicyRule::NotUnified]);
    }
    assert_eq!(refused(|f| f.account.margin_mode = "ISOLATED_MARGIN".into()), [PolicyRule::MarginMode]);
    assert_eq!(refused(|f| f.account.margin_mode = "NEW_MARGIN".into()), [PolicyRule::MarginMode]);
    assert_eq!(refused(|f| f.positions[0].position_idx = 1), [PolicyRule::PositionMode]);
    assert_eq!(refused(|f| f.positions[0].leverage = "10.5".to_owned()), [PolicyRule::Leverage]);
    assert_eq!(broken(|f| f.positions[0].leverage = String::new()).1, [PolicyRule::Leverage]);
}

#[test]
fn what_is_set_up_wrong_is_told_with_what_is_wanted_and_what_to_do() {
    let words = |change: fn(&mut AccountFacts)| {
        let mut facts = facts();
        change(&mut facts);
        let findings = live_gate(&policy(), &facts, NOW);
        findings.into_iter().map(|finding| finding.detail).collect::<Vec<_>>().join("; ")
    };
    let symbol = facts().positions[0].symbol.clone();
    let expected: [(String, &[&str]); 3] = [
        (
            words(|f| f.account.margin_mode = "ISOLATED_MARGIN".into()),
            &[
                "is ISOLATED_MARGIN",
                "wanted is REGULAR_MARGIN",
                "/v5/account/set-margin-mode",
                "margin_mode in limits.toml",
            ],
        ),
        (
            words(|f| f.positions[0].position_idx = 1),
            &["hedge mode", "wanted is one-way", "/v5/position/switch-mode"],
        ),
        (
            words(|f| f.positions[0].leverage = "25".to_owned()),
            &[
                "has leverage 25",
                "wanted is at most 10",
                "/v5/position/set-leverage",
                "leverage_max in [account]",
            ],
        ),
    ];
    for (words, parts) in expected {
        for part in parts {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
    assert!(words(|f| f.positions[0].position_idx = 2).contains(&symbol));
}

#[test]
fn keys_age_and_end() {
    assert_eq!(broken(|f| f.read_key.created_at = "2026-01-13T03:20:45Z".to_owned()).1, [PolicyRule::KeyAge]);
    assert_eq!(
        broken(|f| f.trade_key.expired_at = "2026-12-01T00:00:00Z".to_owned()).1,
        [PolicyRule::KeyExpiry]
    );
    assert_eq!(
        refused(|f| f.trade_key.expired_at = "2026-11-01T00:00:00Z".to_owned()),
        [PolicyRule::KeyExpiry]
    );
    assert_eq!(broken(|f| f.trade_key.expired_at = "soon".to_owned()).1, [PolicyRule::KeyExpiry]);
}

/// Of 2023: without half of the groups, without parent and master, for every address and about to end.
#[test]
fn an_old_answer_is_read_and_refused_for_what_it_lacks() {
    let old = r#"{"id":"214087","note":"full3","apiKey":"XXXX","readOnly":0,"secret":"","permissions":{
        "ContractTrade":["Order","Position"],"Spot":["SpotTrade"],"Wallet":["AccountTransfer","SubMemberTransfer"],
        "Options":["OptionsTrade"],"Derivatives":["DerivativesTrade"],"CopyTrading":["CopyTrading"],"BlockTrade":[],
        "Exchange":["ExchangeHistory"],"NFT":[]},"ips":["*"],"type":1,"deadlineDay":63,"expiredAt":"2027-04-23T05:52:24Z",
        "createdAt":"2026-10-20T13:26:50Z","unified":0,"uta":1,"userID":24617703,"inviterID":0,"vipLevel":"No VIP",
        "mktMakerLevel":"0","affiliateID":0}"#;
    let (refuses, warns) = broken(|f| f.trade_key = serde_json::from_str(old).unwrap());
    assert_eq!(refuses, [PolicyRule::Transfer, PolicyRule::Unbound, PolicyRule::MainAccount]);
    assert_eq!(warns, [PolicyRule::Excess]);
}

#[test]
fn an_empty_answer_proves_nothing_and_passes_nothing() {
    let facts = AccountFacts { trades_linear: true, ..AccountFacts::default() };
    let rules: Vec<PolicyRule> =
        live_gate(&policy(), &facts, NOW).into_iter().filter(|f| f.refuses).map(|f| f.rule).collect();
    for rule in [
        PolicyRule::Unbound,
        PolicyRule::ReadKeyTrades,
        PolicyRule::TradeKeyCannot,
        PolicyRule::MainAccount,
        PolicyRule::NotUnified,
        PolicyRule::MarginMode,
    ] {
        assert!(rules.contains(&rule), "{rule:?} of {rules:?}");
    }
}

#[test]
fn keys_have_the_venues_lengths_and_their_own_environment() {
    let secret = |text: &str| SecretString::from(text.to_owned());
    let good = secret("aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6");
    assert_eq!(key_text("read key", "AbCdEfGh1234567890", &good), []);
    let swapped =
        key_text("read key", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6kkkkkkk", &secret("AbCdEfGh1234567890"));
    assert_eq!(swapped.len(), 2);
    assert!(!format!("{swapped:?}").contains("AbCdEf"), "nothing of either is shown");
    assert_eq!(key_text("read key", "AbCdEfGh1234567890\n", &good).len(), 1);
    let rsa = secret("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n");
    assert_eq!(key_text("read key", "AbCdEfGh1234567890", &rsa), []);

    let (live, test) = (Environment::Live, Environment::Testnet);
    assert_eq!(shared_keys(&[(live, "a"), (live, "a"), (test, "b")]), []);
    assert_eq!(shared_keys(&[(live, "a"), (test, "a")])[0].rule, PolicyRule::SharedKey);
}
