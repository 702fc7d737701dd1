//! A small component, its keys and its trust root, from which every test starts.

use std::sync::LazyLock;

use portcullis_bundle::{
    BundleSource, SecretKey, Tier, TrustRoot, TrustedKey, UnixSeconds, VerifiedBundle, open, sign,
};
use portcullis_core::Environment;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

/// When the test bundles are signed: 2026-11-24T00:00:00Z.
pub(crate) const SIGNED_AT: UnixSeconds = UnixSeconds(1_795_478_400);

/// A moment at which they are valid.
pub(crate) const NOW: UnixSeconds = UnixSeconds(SIGNED_AT.0 + 3_600);

pub(crate) const STRATEGY_TOML: &str = r#"
format = 1
name = "tiny"
version = "0.1.0"
sequence = 7
tier = "native"
environments = ["paper", "testnet", "demo", "live"]
valid_days = 90

[capabilities]
symbols = ["linear:BTCUSDT"]
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

/// The contract of this release.
pub(crate) const WIT: &str = include_str!("../../../../wit/v0.1/strategy.wit");

/// A component for this WIT, whose functions trap.
pub(crate) fn from_wit(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("strategy.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("strategy")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The smallest component that is admitted.
pub(crate) fn tiny() -> Vec<u8> {
    static TINY: LazyLock<Vec<u8>> = LazyLock::new(|| from_wit(WIT));
    TINY.clone()
}

/// The same with further fields, in text, behind its own.
pub(crate) fn tiny_and(fields: &[&str]) -> Vec<u8> {
    static TEXT: LazyLock<String> = LazyLock::new(|| wasmprinter::print_bytes(tiny()).unwrap());
    let text = TEXT.trim_end().strip_suffix(')').unwrap();
    wat::parse_str(format!("{text} {})", fields.concat())).unwrap()
}

/// A component of these fields alone, in text.
pub(crate) fn component_of(fields: &[&str]) -> Vec<u8> {
    wat::parse_str(format!("(component {})", fields.concat())).unwrap()
}

pub(crate) fn source() -> BundleSource {
    BundleSource::from_toml(STRATEGY_TOML).unwrap()
}

/// Somebody's key, always the same.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

pub(crate) fn ana() -> SecretKey {
    key(1)
}

pub(crate) fn boris() -> SecretKey {
    key(2)
}

/// Not in the trust root.
pub(crate) fn mallory() -> SecretKey {
    key(66)
}

pub(crate) fn trusted(key: &SecretKey, owner: &str, environments: &[Environment]) -> TrustedKey {
    TrustedKey {
        fingerprint: key.public().fingerprint(),
        public: key.public(),
        owner: owner.parse().unwrap(),
        environments: environments.to_vec(),
    }
}

pub(crate) const EVERYWHERE: [Environment; 4] =
    [Environment::Paper, Environment::Testnet, Environment::Demo, Environment::Live];

/// Trusts Ana and Boris everywhere.
pub(crate) fn trust() -> TrustRoot {
    TrustRoot::new(vec![trusted(&ana(), "ana", &EVERYWHERE), trusted(&boris(), "boris", &EVERYWHERE)])
        .unwrap()
}

/// The tiny component, signed by Ana.
pub(crate) fn bundle() -> Vec<u8> {
    sign(&tiny(), &source(), SIGNED_AT, &[&ana()]).unwrap()
}

/// Opens for paper at a valid moment; the code of the refusal otherwise.
pub(crate) fn open_code(bundle: &[u8]) -> Result<VerifiedBundle, &'static str> {
    open(bundle, &trust(), Environment::Paper, NOW).map_err(|refusal| refusal.code())
}

/// Admits as a native strategy with 64 MiB; the code of the refusal otherwise.
pub(crate) fn admit_code(component: &[u8]) -> Result<(), &'static str> {
    portcullis_bundle::admit(component, Tier::Native, 64 << 20).map(drop).map_err(|reason| reason.code())
}
