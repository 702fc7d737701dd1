//! Keys, trust roots and strategy.toml on disk.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use portcullis_bundle::{
    BundleSource, FileError, KeyError, SecretKey, SourceError, TrustError, TrustRoot, read_public_key,
    read_secret_key, write_key_pair,
};
use portcullis_core::Environment;
use support::*;

#[test]
fn a_key_pair_survives_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let key = SecretKey::generate().unwrap();
    let files = write_key_pair(directory.path(), &"ana".parse().unwrap(), &key).unwrap();
    assert_eq!(fs::metadata(&files.private).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(read_secret_key(&files.private).unwrap().public(), key.public());
    assert_eq!(read_public_key(&files.public).unwrap(), key.public());
    assert_ne!(SecretKey::generate().unwrap().public(), key.public());
}

#[test]
fn a_key_is_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let name = "ana".parse().unwrap();
    let files = write_key_pair(directory.path(), &name, &ana()).unwrap();
    let again = write_key_pair(directory.path(), &name, &boris());
    assert!(matches!(again, Err(FileError::Exists { .. })));
    fs::remove_file(&files.public).unwrap();
    let again = write_key_pair(directory.path(), &name, &boris());
    assert!(matches!(again, Err(FileError::Exists { path }) if path == files.private));
    assert_eq!(read_secret_key(&files.private).unwrap().public(), ana().public());
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let files = write_key_pair(directory.path(), &"ana".parse().unwrap(), &ana()).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644] {
        fs::set_permissions(&files.private, Permissions::from_mode(mode)).unwrap();
        let error = read_secret_key(&files.private).unwrap_err();
        assert!(matches!(error, KeyError::OpenToOthers { mode: found, .. } if found == mode));
    }
    fs::set_permissions(&files.private, Permissions::from_mode(0o400)).unwrap();
    assert!(read_secret_key(&files.private).is_ok());
}

#[test]
fn damaged_key_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let files = write_key_pair(directory.path(), &"ana".parse().unwrap(), &ana()).unwrap();
    // One kind is not the other.
    assert_eq!(read_public_key(&files.private).unwrap_err().code(), "KEY_MALFORMED");
    let text = fs::read_to_string(&files.public).unwrap();
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let body = text.lines().nth(1).unwrap();
    let cases = [
        (text.replace(body, ""), "KEY_MALFORMED"),
        (text.replace(body, &body[..40]), "KEY_MALFORMED"),
        (text.replace(body, weak), "KEY_INVALID"),
        (format!("x{text}"), "KEY_MALFORMED"),
        ("A".repeat(2_000), "FILE_TOO_LARGE"),
    ];
    for (text, code) in cases {
        let path = directory.path().join("changed.pub");
        fs::write(&path, text).unwrap();
        assert_eq!(read_public_key(&path).unwrap_err().code(), code);
    }
    assert_eq!(read_public_key(&directory.path().join("none.pub")).unwrap_err().code(), "FILE_UNREADABLE");
}

#[test]
fn a_trust_root_survives_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.json");
    fs::write(&path, trust().to_json()).unwrap();
    let loaded = TrustRoot::load(&path).unwrap();
    assert_eq!(loaded, trust());
    assert_eq!(loaded.key(&boris().public().fingerprint()).unwrap().owner.as_str(), "boris");
    assert!(loaded.key(&mallory().public().fingerprint()).is_none());
}

#[test]
fn all_violations_of_a_trust_root_come_at_once() {
    let mut wrong_name = trusted(&ana(), "ana", &[Environment::Paper, Environment::Paper]);
    wrong_name.fingerprint = mallory().public().fingerprint();
    let keys = vec![wrong_name, trusted(&boris(), "boris", &EVERYWHERE), trusted(&boris(), "b", &EVERYWHERE)];
    let violations = TrustRoot::new(keys).unwrap_err();
    let fields: Vec<_> = violations.as_slice().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["keys[0].fingerprint", "keys[0].environments", "keys[2].public"]);
}

#[test]
fn a_trust_root_is_read_strictly() {
    let text = trust().to_json();
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let cases = [
        (text.replace("\"format\": 1", "\"format\": 2"), "TRUST_ROOT_INVALID"),
        (
            text.replace("\"owner\": \"ana\"", "\"owner\": \"ana\", \"owner\": \"boris\""),
            "TRUST_ROOT_MALFORMED",
        ),
        (text.replace("\"owner\": \"ana\"", "\"owner\": \"ana\", \"admin\": true"), "TRUST_ROOT_MALFORMED"),
        (text.replace("\"owner\": \"ana\"", "\"owner\": \"\""), "TRUST_ROOT_MALFORMED"),
        (text.replace("\"live\"", "\"production\""), "TRUST_ROOT_MALFORMED"),
        (text.replace(&ana().public().to_string(), weak), "TRUST_ROOT_MALFORMED"),
        (text.replace("ed25519:", "ED25519:"), "TRUST_ROOT_MALFORMED"),
        (String::new(), "TRUST_ROOT_MALFORMED"),
    ];
    for (changed, code) in cases {
        assert_ne!(changed, text);
        assert_eq!(TrustRoot::from_json(changed.as_bytes()).unwrap_err().code(), code, "{changed}");
    }
    assert!(matches!(TrustRoot::load("/nonexistent".as_ref()), Err(TrustError::File(_))));
}

#[test]
fn strategy_toml_is_read_whole() {
    let source = source();
    assert_eq!((source.name.as_str(), source.sequence, source.valid_days), ("tiny", 7, 90));
    assert_eq!(source.environments, EVERYWHERE);
    assert_eq!(source.limits.order_notional_max.unwrap().as_str(), "2000");
    assert_eq!(source.limits.position_notional_max, None);
}

#[test]
fn all_violations_of_strategy_toml_come_at_once() {
    let text = r#"
        format = 2
        name = "Not Kebab"
        version = "1"
        sequence = 0
        environments = ["paper", "moon", "live"]
        valid_days = 91
        colour = "red"

        [capabilities]
        symbols = ["BTCUSDT", "linear:ETHUSDT"]
        order_types = "market"

        [limits]
        memory_bytes_max = -1
        fuel_per_event = 1000000
        deadline_ms = 20
        log_bytes_max = 4096
        actions_per_event_max = 16
        order_notional_max = 2000
        max_orders = 5
    "#;
    let Err(SourceError::Invalid(violations)) = BundleSource::from_toml(text) else {
        panic!("accepted");
    };
    let fields: Vec<_> = violations.as_slice().iter().map(|violation| violation.field.as_str()).collect();
    let expected = [
        "format",
        "name",
        "version",
        "tier",
        "environments",
        "capabilities.symbols",
        "capabilities.order_types",
        "limits.memory_bytes_max",
        "limits.order_notional_max",
        "limits.max_orders",
        "colour",
        "sequence",
    ];
    assert_eq!(fields, expected, "{violations}");
}

#[test]
fn bounds_of_strategy_toml_are_those_of_the_manifest() {
    let cases = [
        ("valid_days = 90", "valid_days = 91", "valid_days"),
        ("deadline_ms = 20", "deadline_ms = 1001", "limits.deadline_ms"),
        ("actions_per_event_max = 16", "actions_per_event_max = 33", "limits.actions_per_event_max"),
        ("sequence = 7", "sequence = 0", "sequence"),
        (r#"["linear:BTCUSDT"]"#, r#"["linear:BTCUSDT", "linear:BTCUSDT"]"#, "capabilities.symbols"),
        (r#"["paper", "testnet", "demo", "live"]"#, "[]", "environments"),
    ];
    for (from, to, field) in cases {
        let text = STRATEGY_TOML.replace(from, to);
        assert_ne!(text, STRATEGY_TOML);
        let Err(SourceError::Invalid(violations)) = BundleSource::from_toml(&text) else {
            panic!("{to} accepted");
        };
        assert_eq!(violations.as_slice()[0].field, field);
    }
}

#[test]
fn text_that_is_not_toml_names_the_line() {
    let error = BundleSource::from_toml("format = 1\nname = \n").unwrap_err();
    assert_eq!(error.code(), "SOURCE_MALFORMED");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn the_reference_strategies_are_described_correctly() {
    for (name, market) in [("ema-cross", "linear:BTCUSDT"), ("market-maker", "linear:ETHUSDT")] {
        let path = format!("{}/../../plugins/{name}/strategy.toml", env!("CARGO_MANIFEST_DIR"));
        let source = BundleSource::load(path.as_ref()).unwrap();
        assert_eq!(source.name.as_str(), name);
        assert_eq!(source.capabilities.symbols, [market.parse().unwrap()]);
    }
}
