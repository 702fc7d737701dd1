//! Every changed bit of a bundle is refused with a code (RULES O2).
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

use std::collections::BTreeMap;

use portcullis_bundle::{add_signature, open};
use portcullis_core::Environment;
use proptest::prelude::*;
use support::*;

#[test]
fn every_changed_bit_is_refused() {
    let bundle = add_signature(&bundle(), &boris()).unwrap();
    let trust = trust();
    assert!(open(&bundle, &trust, Environment::Live, NOW).is_ok());

    let mut refused: BTreeMap<&str, u32> = BTreeMap::new();
    let mut changed = bundle.clone();
    let component_at = bundle.len() - tiny().len();
    for place in 0..bundle.len() {
        // One digest covers the component's bytes; a bit of each shows that none of them is left out.
        let bits = if place < component_at { 0..8 } else { place % 8..place % 8 + 1 };
        for bit in bits {
            changed[place] ^= 1 << bit;
            // For paper one good signature would do; the other one's bytes must count nevertheless.
            let refusal = open(&changed, &trust, Environment::Paper, NOW)
                .err()
                .unwrap_or_else(|| panic!("bit {bit} of byte {place} may be changed"));
            *refused.entry(refusal.code()).or_default() += 1;
            changed[place] = bundle[place];
        }
    }
    // Each layer did its share.
    for code in
        ["NOT_A_BUNDLE", "ENVELOPE_MALFORMED", "BASE64_NOT_STRICT", "SIGNATURE_INVALID", "DIGEST_MISMATCH"]
    {
        assert!(refused.contains_key(code), "{code} not among {refused:?}");
    }
}

#[test]
fn every_shorter_and_longer_file_is_refused() {
    let bundle = bundle();
    for length in 0..bundle.len() {
        assert!(open_code(&bundle[..length]).is_err(), "{length}");
    }
    let mut longer = bundle;
    longer.push(b'\n');
    assert_eq!(open_code(&longer).unwrap_err(), "BUNDLE_TRAILING_BYTES");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_open_and_never_panic(
        head in prop::sample::select(vec![&b""[..], b"PCS1", b"PCS1\x02\0\0\0{}"]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let file = [head, &tail].concat();
        prop_assert!(open_code(&file).is_err());
    }

    #[test]
    fn several_changed_bytes_are_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6)) {
        let original = bundle();
        let mut changed = original.clone();
        for (place, mask) in changes {
            let place = place.index(changed.len());
            changed[place] ^= mask;
        }
        prop_assume!(changed != original);
        prop_assert!(open_code(&changed).is_err());
    }
}
