//! Bundles: the container, the envelope around what was signed, and the manifest in it.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_bundle::{
    BundleSource, COMPONENT_BYTES_MAX, ENVELOPE_BYTES_MAX, Inspection, Manifest, PAYLOAD_BYTES_MAX, Refusal,
    SIGNATURES_MAX, SecretKey, TrustRoot, TrustedKey, UnixSeconds, add_signature, component, inspect, open,
    sign,
};
use portcullis_core::Environment;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const SIGNED_AT: UnixSeconds = UnixSeconds(1_795_478_400);

const SOURCE: &str = r#"
format = 1
name = "tiny"
version = "0.1.0"
sequence = 7
tier = "native"
environments = ["paper", "testnet"]
valid_days = 90

[capabilities]
symbols = ["linear:BTCUSDT", "spot:ETHUSDT"]
order_types = ["market", "limit"]

[limits]
memory_bytes_max = 1048576
fuel_per_event = 1000000
deadline_ms = 20
log_bytes_max = 4096
actions_per_event_max = 16
order_notional_max = "2000"
orders_per_hour = 600

[source]
repo = "https://example.org/tiny"
commit = "0123456789abcdef"
"#;

/// The bundle that pins the format; its component is the smallest that is admitted.
const GOLDEN: &[u8] = include_bytes!("../../fixtures/bundle/tiny-0.1.0.strategy");

/// What the targets start from.
struct Good {
    component: Vec<u8>,
    trust: TrustRoot,
    /// Signed by one and by two.
    bundles: Vec<Vec<u8>>,
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let component = component(GOLDEN).unwrap().to_vec();
        let source = BundleSource::from_toml(SOURCE).unwrap();
        let [ana, boris] = [1, 2].map(|seed| SecretKey::from_seed(&[seed; 32]));
        let trusted = |key: &SecretKey, owner: &str| TrustedKey {
            fingerprint: key.public().fingerprint(),
            public: key.public(),
            owner: owner.parse().unwrap(),
            environments: vec![Environment::Paper],
        };
        let trust = TrustRoot::new(vec![trusted(&ana, "ana"), trusted(&boris, "boris")]).unwrap();
        let one = sign(&component, &source, SIGNED_AT, &[&ana]).unwrap();
        let two = add_signature(&one, &boris).unwrap();
        Good { component, trust, bundles: vec![one, two] }
    })
}

pub fn bundles() -> Vec<Vec<u8>> {
    good().bundles.clone()
}

/// A container's parts are the whole file, and no other bytes than those that were signed are ever opened.
pub fn bundle(input: &[u8]) -> bool {
    opens_only_what_was_signed(input);
    let Ok(component) = component(input) else {
        assert!(inspect(input).is_err());
        return false;
    };
    let (envelope, again) = (envelope_of(input), component.len() as u64);
    assert!(envelope.len() as u64 <= ENVELOPE_BYTES_MAX && again <= COMPONENT_BYTES_MAX);
    assert_eq!(container(envelope, component), input, "the parts are not the file");
    true
}

fn opens_only_what_was_signed(input: &[u8]) {
    let now = UnixSeconds(SIGNED_AT.0 + 3_600);
    if open(input, &good().trust, Environment::Paper, now).is_ok() {
        assert!(good().bundles.iter().any(|bundle| bundle == input), "a changed bundle was opened");
    }
}

/// The envelopes of the good bundles.
pub fn envelopes() -> Vec<Vec<u8>> {
    bundles().iter().map(|bundle| envelope_of(bundle).to_vec()).collect()
}

/// An envelope has one spelling.
pub fn envelope(input: &[u8]) -> bool {
    let file = container(input, &good().component);
    opens_only_what_was_signed(&file);
    let inspected = inspect(&file);
    if refused_as_envelope(&inspected) {
        return false;
    }
    let parsed: Envelope = serde_json::from_slice(input).expect("it was taken");
    assert_eq!(serde_json::to_vec(&parsed).unwrap(), input, "it has a second spelling");
    let payload = STANDARD.decode(&parsed.payload).unwrap();
    assert!(payload.len() as u64 <= PAYLOAD_BYTES_MAX);
    assert!((1..=SIGNATURES_MAX).contains(&parsed.signatures.len()));
    assert!(parsed.signatures.is_sorted_by(|a, b| a.keyid < b.keyid), "a key signs twice");
    true
}

fn refused_as_envelope(inspected: &Result<Inspection, Refusal>) -> bool {
    inspected.as_ref().is_err_and(|refusal| {
        matches!(
            refusal,
            Refusal::EnvelopeMalformed { .. }
                | Refusal::EnvelopeTooLarge { .. }
                | Refusal::EnvelopeNotCanonical
                | Refusal::Base64NotStrict { .. }
                | Refusal::PayloadTypeUnknown { .. }
                | Refusal::PayloadTooLarge { .. }
                | Refusal::Unsigned
                | Refusal::TooManySignatures { .. }
                | Refusal::SignaturesUnsorted
                | Refusal::KeyIdMalformed { .. }
                | Refusal::SignatureLength { .. }
                | Refusal::Truncated { .. }
                | Refusal::BundleTooLarge { .. }
                | Refusal::NotABundle
        )
    })
}

/// What the good bundles sign.
pub fn payloads() -> Vec<Vec<u8>> {
    let payload = |envelope: &Vec<u8>| {
        let parsed: Envelope = serde_json::from_slice(envelope).unwrap();
        STANDARD.decode(parsed.payload).unwrap()
    };
    envelopes().iter().map(payload).collect()
}

/// A manifest that is taken is within all bounds, means the same when it is written again, and names the component.
pub fn manifest(input: &[u8]) -> bool {
    let signature = Signature { keyid: key_name(), sig: STANDARD.encode([7; 64]) };
    let envelope = Envelope {
        payload: STANDARD.encode(input),
        payload_type: "application/vnd.in-toto+json".to_owned(),
        signatures: vec![signature],
    };
    let file = container(&serde_json::to_vec(&envelope).unwrap(), &good().component);
    let Ok(inspected) = inspect(&file) else { return false };
    let manifest = &inspected.manifest;
    assert_eq!(inspected.digest.0, <[u8; 32]>::from(Sha256::digest(input)));
    assert_eq!(manifest.component.size, good().component.len() as u64);
    let again: Manifest = serde_json::from_value(serde_json::to_value(manifest).unwrap()).unwrap();
    assert_eq!(again, *manifest);
    assert!(manifest.not_before < manifest.not_after && manifest.sequence > 0);
    assert!((1..=4).contains(&manifest.environments.len()));
    assert!((1..=64).contains(&manifest.capabilities.symbols.len()));
    let limits = &manifest.limits;
    assert!((64 << 10..=64 << 20).contains(&limits.memory_bytes_max));
    assert!((1..=10_000_000_000).contains(&limits.fuel_per_event));
    assert!((1..=1_000).contains(&limits.deadline_ms) && limits.log_bytes_max <= 64 << 10);
    assert!((1..=32).contains(&limits.actions_per_event_max));
    assert!(limits.orders_per_hour.is_none_or(|orders| (1..=1_000_000).contains(&orders)));
    for amount in [&limits.order_notional_max, &limits.position_notional_max].into_iter().flatten() {
        assert!(!amount.to_string().starts_with('-'), "a negative limit");
    }
    true
}

fn key_name() -> String {
    SecretKey::from_seed(&[1; 32]).public().fingerprint().to_string()
}

fn container(envelope: &[u8], component: &[u8]) -> Vec<u8> {
    let mut file = b"PCS1".to_vec();
    file.extend_from_slice(&u32::try_from(envelope.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(envelope);
    file.extend_from_slice(&(component.len() as u64).to_le_bytes());
    file.extend_from_slice(component);
    file
}

/// The envelope of a bundle whose container is sound.
fn envelope_of(bundle: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(bundle[4..8].try_into().unwrap());
    &bundle[8..8 + usize::try_from(length).unwrap()]
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}
