//! The file around the envelope and the component. No archive format: nothing to extract, nothing to inflate.

use crate::Refusal;

/// First bytes of every bundle.
const MAGIC: [u8; 4] = *b"PCS1";

/// Largest envelope, in bytes.
pub const ENVELOPE_BYTES_MAX: u64 = 256 << 10;

/// Largest component of any tier, in bytes; the manifest's tier may lower it.
pub const COMPONENT_BYTES_MAX: u64 = crate::Tier::Script.component_bytes_max();

/// Magic and the two length fields.
const FRAMING_BYTES: u64 = 4 + 4 + 8;

/// The two parts of a bundle, not yet looked into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Container<'a> {
    pub(crate) envelope: &'a [u8],
    pub(crate) component: &'a [u8],
}

impl<'a> Container<'a> {
    /// Takes a file apart; every byte of it belongs to exactly one part.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, Refusal> {
        let bytes = file.len() as u64;
        let limit = FRAMING_BYTES + ENVELOPE_BYTES_MAX + COMPONENT_BYTES_MAX;
        if bytes > limit {
            return Err(Refusal::BundleTooLarge { bytes, limit });
        }
        let mut rest = file;
        if take(&mut rest, 4, "magic").map_err(|_| Refusal::NotABundle)? != MAGIC {
            return Err(Refusal::NotABundle);
        }
        let length = u64::from(u32::from_le_bytes(take_array(&mut rest, "envelope length")?));
        if length > ENVELOPE_BYTES_MAX {
            return Err(Refusal::EnvelopeTooLarge { bytes: length, limit: ENVELOPE_BYTES_MAX });
        }
        let envelope = take(&mut rest, length, "envelope")?;
        let length = u64::from_le_bytes(take_array(&mut rest, "component length")?);
        if length > COMPONENT_BYTES_MAX {
            return Err(Refusal::BundleTooLarge { bytes: length, limit: COMPONENT_BYTES_MAX });
        }
        let component = take(&mut rest, length, "component")?;
        if !rest.is_empty() {
            return Err(Refusal::TrailingBytes { bytes: rest.len() as u64 });
        }
        Ok(Self { envelope, component })
    }

    /// The file of these parts; `None` if one is too large for its length field or the format.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let envelope_length = u32::try_from(self.envelope.len()).ok()?;
        let component_length = u64::try_from(self.component.len()).ok()?;
        if u64::from(envelope_length) > ENVELOPE_BYTES_MAX || component_length > COMPONENT_BYTES_MAX {
            return None;
        }
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&envelope_length.to_le_bytes());
        file.extend_from_slice(self.envelope);
        file.extend_from_slice(&component_length.to_le_bytes());
        file.extend_from_slice(self.component);
        Some(file)
    }
}

fn take<'a>(rest: &mut &'a [u8], length: u64, part: &'static str) -> Result<&'a [u8], Refusal> {
    let truncated = Refusal::Truncated { part, expected: length, found: rest.len() as u64 };
    let length = usize::try_from(length).map_err(|_| truncated.clone())?;
    let (taken, left) = rest.split_at_checked(length).ok_or(truncated)?;
    *rest = left;
    Ok(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8], part: &'static str) -> Result<[u8; N], Refusal> {
    let truncated = Refusal::Truncated { part, expected: N as u64, found: rest.len() as u64 };
    let (taken, left) = rest.split_first_chunk().ok_or(truncated)?;
    *rest = left;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file() -> Vec<u8> {
        Container { envelope: b"{}", component: b"wasm" }.encode().unwrap()
    }

    #[test]
    fn parts_come_back() {
        assert_eq!(Container::parse(&file()).unwrap(), Container { envelope: b"{}", component: b"wasm" });
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = file();
        for length in 0..file.len() {
            let code = Container::parse(&file[..length]).unwrap_err().code();
            assert!(["NOT_A_BUNDLE", "BUNDLE_TRUNCATED"].contains(&code), "{length}: {code}");
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut file = file();
        file.push(0);
        assert_eq!(Container::parse(&file), Err(Refusal::TrailingBytes { bytes: 1 }));
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused_before_anything_is_read() {
        let mut envelope = b"PCS1".to_vec();
        envelope.extend_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Container::parse(&envelope).unwrap_err().code(), "ENVELOPE_TOO_LARGE");

        let mut component = b"PCS1\x02\0\0\0{}".to_vec();
        component.extend_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(Container::parse(&component).unwrap_err().code(), "BUNDLE_TOO_LARGE");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_parses_is_the_whole_file(
            head in prop::sample::select(vec![&b"PCS1"[..], b"PCS", b""]),
            envelope_length in prop_oneof![0..40_u32, any::<u32>()],
            tail in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut file = head.to_vec();
            file.extend_from_slice(&envelope_length.to_le_bytes());
            file.extend_from_slice(&tail);
            if let Ok(container) = Container::parse(&file) {
                prop_assert_eq!(container.encode().unwrap(), file);
            }
        }
    }
}
