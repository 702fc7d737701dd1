//! Which bundles are opened.
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

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_bundle::{
    BundleSource, Refusal, SecretKey, SignError, TrustRoot, UnixSeconds, add_signature, inspect, open, sign,
};
use portcullis_core::Environment;
use serde_json::{Value, json};
use support::*;

/// The parts of a bundle, for tests that put them together wrongly.
fn split(bundle: &[u8]) -> (Value, Vec<u8>) {
    let length = u32::from_le_bytes(bundle[4..8].try_into().unwrap()) as usize;
    let envelope = serde_json::from_slice(&bundle[8..8 + length]).unwrap();
    (envelope, bundle[8 + length + 8..].to_vec())
}

fn join_text(envelope: &str, component: &[u8]) -> Vec<u8> {
    let mut bundle = b"PCS1".to_vec();
    bundle.extend_from_slice(&(envelope.len() as u32).to_le_bytes());
    bundle.extend_from_slice(envelope.as_bytes());
    bundle.extend_from_slice(&(component.len() as u64).to_le_bytes());
    bundle.extend_from_slice(component);
    bundle
}

fn join(envelope: &Value, component: &[u8]) -> Vec<u8> {
    join_text(&envelope.to_string(), component)
}

fn envelope_text(payload: &[u8], signatures: &[(String, Vec<u8>)]) -> String {
    let signatures: Vec<String> = signatures
        .iter()
        .map(|(keyid, sig)| format!(r#"{{"keyid":"{keyid}","sig":"{}"}}"#, STANDARD.encode(sig)))
        .collect();
    format!(
        r#"{{"payload":"{}","payloadType":"application/vnd.in-toto+json","signatures":[{}]}}"#,
        STANDARD.encode(payload),
        signatures.join(",")
    )
}

/// Signs any payload, as a hostile but trusted author could.
fn signed_payload(payload: &[u8], key: u8) -> Vec<u8> {
    use ed25519_dalek::{Signer as _, SigningKey};
    let mut message = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
    message.extend_from_slice(payload);
    let signature = SigningKey::from_bytes(&[key; 32]).sign(&message).to_bytes().to_vec();
    let keyid = SecretKey::from_seed(&[key; 32]).public().fingerprint().to_string();
    join_text(&envelope_text(payload, &[(keyid, signature)]), &tiny())
}

fn payload() -> Value {
    let (envelope, _) = split(&bundle());
    serde_json::from_slice(&STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap()
}

/// Changes the payload and signs it properly.
fn with_payload(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut payload = payload();
    change(&mut payload);
    signed_payload(payload.to_string().as_bytes(), 1)
}

#[test]
fn a_signed_bundle_opens_and_says_what_was_signed() {
    let opened = open_code(&bundle()).unwrap();
    assert_eq!(opened.component(), tiny());
    assert_eq!(opened.manifest().name.as_str(), "tiny");
    assert_eq!(opened.manifest().sequence, 7);
    assert_eq!(opened.manifest().file_name(), "tiny-0.1.0.strategy");
    assert_eq!(opened.signers(), [ana().public().fingerprint()]);
    assert_eq!(opened.environment(), Environment::Paper);
    let digest = opened.digest().to_string();
    assert_eq!(opened.stored_file_name(), format!("tiny-0.1.0-{}.strategy", &digest[..8]));
}

#[test]
fn the_format_has_not_changed() {
    let golden = include_bytes!("../../../tests/fixtures/bundle/tiny-0.1.0.strategy");
    let opened = open(golden, &trust(), Environment::Live, NOW).unwrap();
    assert_eq!(opened.manifest().limits, source().limits);

    // Signing is deterministic, so the same component and source give the same file.
    let first = sign(opened.component(), &source(), SIGNED_AT, &[&ana()]).unwrap();
    assert_eq!(add_signature(&first, &boris()).unwrap(), golden);
}

#[test]
fn what_is_signed_is_an_in_toto_statement() {
    let payload = payload();
    assert_eq!(payload["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(payload["predicateType"], "https://portcullis.dev/strategy/v1");
    assert_eq!(payload["subject"][0]["name"], "tiny");
    assert_eq!(payload["subject"][0]["digest"]["sha256"], payload["predicate"]["component"]["sha256"]);
    assert_eq!(payload["predicate"]["sequence"], 7);
    assert_eq!(payload["predicate"]["capabilities"]["symbols"], json!(["linear:BTCUSDT"]));
}

#[test]
fn strangers_are_not_trusted() {
    let by_stranger = sign(&tiny(), &source(), SIGNED_AT, &[&mallory()]).unwrap();
    assert_eq!(open_code(&by_stranger).unwrap_err(), "SIGNER_UNKNOWN");
    // Nor beside a trusted signature: bytes that do not count could be changed unseen.
    let beside = add_signature(&bundle(), &mallory()).unwrap();
    assert_eq!(open_code(&beside).unwrap_err(), "SIGNER_UNKNOWN");
    let nobody = TrustRoot::new(Vec::new()).unwrap();
    assert_eq!(open(&bundle(), &nobody, Environment::Paper, NOW).unwrap_err().code(), "SIGNER_UNKNOWN");
}

#[test]
fn a_keyid_must_name_the_key_that_signed() {
    let (mut envelope, component) = split(&bundle());
    for other in [boris(), mallory()] {
        envelope["signatures"][0]["keyid"] = json!(other.public().fingerprint());
        let refusal = open(&join(&envelope, &component), &trust(), Environment::Paper, NOW).unwrap_err();
        let expected = Refusal::KeyIdMismatch {
            found: other.public().fingerprint(),
            signer: ana().public().fingerprint(),
        };
        assert_eq!(refusal, expected);
    }
    envelope["signatures"][0]["keyid"] = json!("");
    assert_eq!(open_code(&join(&envelope, &component)).unwrap_err(), "KEYID_MALFORMED");
}

#[test]
fn a_changed_payload_does_not_verify() {
    let (mut envelope, component) = split(&bundle());
    let mut payload = payload();
    payload["predicate"]["limits"]["orders_per_hour"] = json!(601);
    envelope["payload"] = json!(STANDARD.encode(payload.to_string()));
    assert_eq!(open_code(&join(&envelope, &component)).unwrap_err(), "SIGNATURE_INVALID");
}

#[test]
fn another_component_is_not_the_signed_one() {
    let (envelope, mut component) = split(&bundle());
    let last = component.len() - 1;
    component[last] ^= 1;
    assert_eq!(open_code(&join(&envelope, &component)).unwrap_err(), "DIGEST_MISMATCH");
    component.push(0);
    assert_eq!(open_code(&join(&envelope, &component)).unwrap_err(), "SIZE_MISMATCH");
}

#[test]
fn base64_is_strict() {
    let (envelope, component) = split(&bundle());
    let signature = envelope["signatures"][0]["sig"].as_str().unwrap().to_owned();
    assert!(signature.ends_with("=="));
    let last = signature.chars().rev().nth(2).unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let loose_bits = format!("{}{next}==", &signature[..signature.len() - 3]);
    let spellings = [
        signature.trim_end_matches('=').to_owned(),
        format!("{signature}="),
        format!("{signature}\n"),
        format!(" {signature}"),
        signature.replace('/', "_").replace('+', "-") + "-",
        loose_bits,
    ];
    for spelling in spellings {
        let mut changed = envelope.clone();
        changed["signatures"][0]["sig"] = json!(spelling);
        assert_eq!(open_code(&join(&changed, &component)).unwrap_err(), "BASE64_NOT_STRICT", "{spelling:?}");
    }
}

#[test]
fn an_envelope_has_one_spelling() {
    let (envelope, component) = split(&bundle());
    let text = envelope.to_string();
    let spellings = [
        (format!("{text} "), "ENVELOPE_NOT_CANONICAL"),
        (text.replace("\":", "\": "), "ENVELOPE_NOT_CANONICAL"),
        (text.replace("payloadType", "payload\\u0054ype"), "ENVELOPE_NOT_CANONICAL"),
        (serde_json::to_string_pretty(&envelope).unwrap(), "ENVELOPE_NOT_CANONICAL"),
        (text.replacen('{', r#"{"extra":1,"#, 1), "ENVELOPE_MALFORMED"),
        (text.replacen('{', r#"{"payload":"","#, 1), "ENVELOPE_MALFORMED"),
        (text.replace("vnd.in-toto", "vnd.other"), "PAYLOAD_TYPE_UNKNOWN"),
        (format!("{text}{text}"), "ENVELOPE_MALFORMED"),
        (String::new(), "ENVELOPE_MALFORMED"),
    ];
    for (spelling, code) in spellings {
        assert_eq!(open_code(&join_text(&spelling, &component)).unwrap_err(), code, "{spelling:.80}");
    }
}

#[test]
fn signatures_are_bounded_sorted_and_unique() {
    let (mut envelope, component) = split(&add_signature(&bundle(), &boris()).unwrap());
    let signatures = envelope["signatures"].as_array().unwrap().clone();
    let with = |list: Vec<Value>, envelope: &mut Value| {
        envelope["signatures"] = json!(list);
        open_code(&join(envelope, &component)).map(drop)
    };
    let (first, second) = (signatures[0].clone(), signatures[1].clone());
    assert_eq!(with(vec![first.clone(), second.clone()], &mut envelope), Ok(()));
    assert_eq!(with(vec![second, first.clone()], &mut envelope), Err("SIGNATURES_UNSORTED"));
    assert_eq!(with(vec![first.clone(), first.clone()], &mut envelope), Err("SIGNATURES_UNSORTED"));
    assert_eq!(with(vec![first; 17], &mut envelope), Err("TOO_MANY_SIGNATURES"));
    assert_eq!(with(vec![], &mut envelope), Err("UNSIGNED"));
}

#[test]
fn oversize_parts_are_refused() {
    let payload = vec![b' '; (64 << 10) + 1];
    assert_eq!(open_code(&signed_payload(&payload, 1)).unwrap_err(), "PAYLOAD_TOO_LARGE");
    let envelope = " ".repeat((256 << 10) + 1);
    assert_eq!(open_code(&join_text(&envelope, b"")).unwrap_err(), "ENVELOPE_TOO_LARGE");
    let beyond = vec![0; 33 << 20];
    assert_eq!(open_code(&beyond).unwrap_err(), "BUNDLE_TOO_LARGE");
}

#[test]
fn fields_may_be_neither_unknown_nor_repeated_nor_missing() {
    let text = payload().to_string();
    let spellings = [
        text.replacen('{', r#"{"extra":1,"#, 1),
        text.replace(r#""limits":{"#, r#""limits":{"extra":1,"#),
        text.replace(r#""sequence":7"#, r#""sequence":7,"sequence":8"#),
        text.replace(r#""sequence":7"#, r#""sequence":7,"\u0073equence":8"#),
        text.replace(r#""deadline_ms":20"#, r#""deadline_ms":20,"deadline_ms":20"#),
        text.replace(r#""sha256":"#, r#""sha256":"00","sha256":"#),
        text.replace(r#""sequence":7,"#, ""),
        text.replace(r#""sequence":7"#, r#""sequence":7.0"#),
        text.replace(r#""sequence":7"#, r#""sequence":-7"#),
        text.replace(r#""sequence":7"#, r#""sequence":18446744073709551616"#),
        text.replace("linear:BTCUSDT", "inverse:BTCUSD"),
        text.replace("\"native\"", "\"docker\""),
        "[]".to_owned(),
        text.clone() + "x",
    ];
    for spelling in spellings {
        assert_ne!(spelling, text);
        assert_eq!(
            open_code(&signed_payload(spelling.as_bytes(), 1)).unwrap_err(),
            "MANIFEST_MALFORMED",
            "{spelling}"
        );
    }
    assert!(open_code(&signed_payload(text.as_bytes(), 1)).is_ok());
}

#[test]
fn a_wrong_statement_is_refused() {
    let cases: [(&str, Vec<u8>); 7] = [
        ("STATEMENT_TYPE_UNKNOWN", with_payload(|p| p["_type"] = json!("https://in-toto.io/Statement/v0.1"))),
        (
            "PREDICATE_TYPE_UNKNOWN",
            with_payload(|p| p["predicateType"] = json!("https://slsa.dev/provenance/v1")),
        ),
        ("SUBJECT_MISMATCH", with_payload(|p| p["subject"][0]["name"] = json!("other"))),
        ("SUBJECT_MISMATCH", with_payload(|p| p["subject"][0]["digest"]["sha256"] = json!("00".repeat(32)))),
        ("MANIFEST_MALFORMED", with_payload(|p| p["subject"] = json!([p["subject"][0], p["subject"][0]]))),
        ("WORLD_UNKNOWN", with_payload(|p| p["predicate"]["world"] = json!("wasi:cli/command@0.2.0"))),
        ("WORLD_VERSION", with_payload(|p| p["predicate"]["world"] = json!("portcullis:strategy@0.2.0"))),
    ];
    for (code, bundle) in cases {
        assert_eq!(open_code(&bundle).unwrap_err(), code);
    }
}

#[test]
fn all_violations_of_a_manifest_come_at_once() {
    let bundle = with_payload(|payload| {
        let manifest = &mut payload["predicate"];
        manifest["format"] = json!(2);
        manifest["sequence"] = json!(0);
        manifest["environments"] = json!(["paper", "paper"]);
        manifest["capabilities"]["symbols"] = json!([]);
        manifest["limits"]["memory_bytes_max"] = json!((64 << 20) + 1);
        manifest["limits"]["deadline_ms"] = json!(0);
        manifest["limits"]["orders_per_hour"] = json!(0);
        manifest["not_after"] = manifest["not_before"].clone();
    });
    let Err(Refusal::ManifestInvalid(violations)) = open(&bundle, &trust(), Environment::Paper, NOW) else {
        panic!("not refused for its manifest");
    };
    let fields: Vec<_> = violations.as_slice().iter().map(|violation| violation.field.as_str()).collect();
    let expected = [
        "format",
        "sequence",
        "not_after",
        "environments",
        "capabilities.symbols",
        "limits.memory_bytes_max",
        "limits.deadline_ms",
        "limits.orders_per_hour",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn live_validity_is_at_most_ninety_days() {
    let longer = |days: u64| {
        with_payload(|payload| {
            let manifest = &mut payload["predicate"];
            manifest["not_after"] = json!(SIGNED_AT.0 + days * 86_400 + 1);
        })
    };
    assert_eq!(open_code(&longer(90)).unwrap_err(), "MANIFEST_INVALID");
    assert!(open_code(&longer(89)).is_ok());
}

#[test]
fn validity_begins_and_ends_to_the_second() {
    let at = |now: u64| open(&bundle(), &trust(), Environment::Paper, UnixSeconds(now)).map_err(|r| r.code());
    let end = SIGNED_AT.0 + 90 * 86_400;
    assert_eq!(at(SIGNED_AT.0 - 1).unwrap_err(), "NOT_YET_VALID");
    assert!(at(SIGNED_AT.0).is_ok());
    assert!(at(end - 1).is_ok());
    assert_eq!(at(end).unwrap_err(), "EXPIRED");
}

#[test]
fn a_bundle_runs_only_where_its_manifest_says() {
    let source = BundleSource::from_toml(&STRATEGY_TOML.replace(r#", "demo", "live""#, "")).unwrap();
    let bundle = sign(&tiny(), &source, SIGNED_AT, &[&ana(), &boris()]).unwrap();
    assert!(open(&bundle, &trust(), Environment::Testnet, NOW).is_ok());
    for environment in [Environment::Demo, Environment::Live] {
        let refusal = open(&bundle, &trust(), environment, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::EnvironmentNotAllowed { environment });
    }
}

#[test]
fn live_takes_two_people() {
    let live =
        |bundle: &[u8], trust: &TrustRoot| open(bundle, trust, Environment::Live, NOW).map_err(|r| r.code());
    let one = bundle();
    assert_eq!(live(&one, &trust()).unwrap_err(), "THRESHOLD_NOT_MET");
    let two = add_signature(&one, &boris()).unwrap();
    let opened = live(&two, &trust()).unwrap();
    assert_eq!(
        opened.digest(),
        open_code(&one).unwrap().digest(),
        "the second signature changes nothing that runs"
    );

    // Two keys of one person are one person, however spelled.
    let same_owner =
        TrustRoot::new(vec![trusted(&ana(), "ana", &EVERYWHERE), trusted(&boris(), "Ana", &EVERYWHERE)])
            .unwrap();
    assert_eq!(live(&two, &same_owner).unwrap_err(), "THRESHOLD_NOT_MET");

    // A key that does not count for live does not count for live.
    let paper_only = TrustRoot::new(vec![
        trusted(&ana(), "ana", &EVERYWHERE),
        trusted(&boris(), "boris", &[Environment::Paper]),
    ])
    .unwrap();
    assert_eq!(live(&two, &paper_only).unwrap_err(), "THRESHOLD_NOT_MET");
    assert!(open(&two, &paper_only, Environment::Paper, NOW).is_ok());
}

#[test]
fn a_key_signs_once() {
    let error = add_signature(&bundle(), &ana()).unwrap_err();
    assert_eq!(error.code(), "SIGNED_ALREADY");
    assert_eq!(sign(&tiny(), &source(), SIGNED_AT, &[]).unwrap_err().code(), "NO_KEY");
}

#[test]
fn nobody_signs_what_every_host_refuses() {
    let component = tiny_and(&[r#"(import "host-log" (func))"#]);
    let error = sign(&component, &source(), SIGNED_AT, &[&ana()]).unwrap_err();
    assert!(matches!(error, SignError::Inadmissible(_)));
    assert_eq!(error.code(), "IMPORT_FORBIDDEN");

    let mut damaged = bundle();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(add_signature(&damaged, &boris()).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn a_component_signed_past_admission_is_refused_on_opening() {
    // A trusted author with tools of their own signs a component with an import.
    let component = tiny_and(&[r#"(import "host-log" (func))"#]);
    let bundle = {
        use sha2::{Digest as _, Sha256};
        let digest = hex::encode(Sha256::digest(&component));
        let (envelope, _) = split(&with_payload(|payload| {
            payload["subject"][0]["digest"]["sha256"] = json!(digest);
            payload["predicate"]["component"] = json!({"sha256": digest, "size": component.len()});
        }));
        join(&envelope, &component)
    };
    assert_eq!(open_code(&bundle).unwrap_err(), "IMPORT_FORBIDDEN");
}

#[test]
fn inspection_needs_no_trust() {
    let by_stranger = sign(&tiny(), &source(), SIGNED_AT, &[&mallory()]).unwrap();
    let inspection = inspect(&by_stranger).unwrap();
    assert_eq!(inspection.claimed_signers, [mallory().public().fingerprint()]);
    assert_eq!(inspection.manifest.name.as_str(), "tiny");
}
