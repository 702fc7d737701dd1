//! What keys say about themselves before anyone asks the venue.

use portcullis_core::Environment;
use secrecy::{ExposeSecret as _, SecretString};

use super::{PolicyFinding, PolicyRule};

/// Lengths of the venue's keys, and of the secrets it makes.
const KEY: core::ops::RangeInclusive<usize> = 10..=40;
const SECRET: core::ops::RangeInclusive<usize> = 20..=128;

/// Whether a key and its secret have the shape of the venue's. A file with the two swapped, cut short or padded is found here, and
/// not by an answer that echoes the key.
pub fn key_text(name: &str, key: &str, secret: &SecretString) -> Vec<PolicyFinding> {
    let mut findings = Vec::new();
    let mut find = |what: &str, length: usize| {
        let detail =
            format!("the {what} of the {name} has {length} characters, or others than letters and digits");
        findings.push(PolicyFinding { rule: PolicyRule::KeyLength, refuses: true, detail });
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !KEY.contains(&key.len()) || !is_plain(key) {
        find("key", key.len());
    }
    let secret = secret.expose_secret();
    let is_private_key = secret.contains("PRIVATE KEY");
    if !is_private_key && (!SECRET.contains(&secret.len()) || !is_plain(secret) || secret == key) {
        find("secret", secret.len());
    }
    findings
}

/// Keys that more than one environment uses, by environment and key.
pub fn shared_keys(keys: &[(Environment, &str)]) -> Vec<PolicyFinding> {
    let mut findings = Vec::new();
    for (at, (environment, key)) in keys.iter().enumerate() {
        let others = keys.iter().skip(at.saturating_add(1));
        for (other, _) in others.filter(|(other, same)| other != environment && same == key) {
            let detail = format!("{environment} and {other} use the same key");
            findings.push(PolicyFinding { rule: PolicyRule::SharedKey, refuses: true, detail });
        }
    }
    findings
}
