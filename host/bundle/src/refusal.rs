//! Why a bundle is refused: one reason per check, each with the value seen, the bound, a stable code and the way out.

use portcullis_core::{Digest, Environment};

use crate::{Fingerprint, Inadmissible, UnixSeconds, Violations};

/// Why a bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file, or the component it announces, is larger than any bundle.
    #[error("{bytes} bytes, at most {limit} are taken")]
    BundleTooLarge {
        /// Bytes seen or announced.
        bytes: u64,
        /// Most allowed.
        limit: u64,
    },
    /// The first bytes are not a bundle's.
    #[error("the file does not begin with PCS1, so it is not a bundle")]
    NotABundle,
    /// The file ends early.
    #[error("the file ends in its {part}: {expected} bytes expected, {found} left")]
    Truncated {
        /// What was being read.
        part: &'static str,
        /// Bytes it should have.
        expected: u64,
        /// Bytes left in the file.
        found: u64,
    },
    /// The file goes on after the component.
    #[error("{bytes} bytes after the end of the component")]
    TrailingBytes {
        /// How many.
        bytes: u64,
    },
    /// The envelope is too large.
    #[error("the envelope has {bytes} bytes, at most {limit} are taken")]
    EnvelopeTooLarge {
        /// Bytes announced.
        bytes: u64,
        /// Most allowed.
        limit: u64,
    },
    /// The envelope is not DSSE's JSON.
    #[error("the envelope is malformed: {detail}")]
    EnvelopeMalformed {
        /// What the parser found.
        detail: String,
    },
    /// Base64 that a strict decoder does not take.
    #[error("the {part} is not strict base64 (standard alphabet, canonical padding)")]
    Base64NotStrict {
        /// Payload or signature.
        part: &'static str,
    },
    /// The envelope says the same in other bytes than the one spelling allowed.
    #[error("the envelope is not in its canonical spelling")]
    EnvelopeNotCanonical,
    /// The payload is something else than an in-toto statement.
    #[error("payload type {found:?}, {expected:?} is expected")]
    PayloadTypeUnknown {
        /// Type seen.
        found: String,
        /// The only type taken.
        expected: &'static str,
    },
    /// The payload is too large.
    #[error("the payload has {bytes} bytes, at most {limit} are taken")]
    PayloadTooLarge {
        /// Bytes seen.
        bytes: u64,
        /// Most allowed.
        limit: u64,
    },
    /// Nobody signed.
    #[error("the bundle carries no signature")]
    Unsigned,
    /// Too many signed.
    #[error("{signatures} signatures, at most {limit} are taken")]
    TooManySignatures {
        /// Signatures seen.
        signatures: usize,
        /// Most allowed.
        limit: usize,
    },
    /// The signatures are not sorted by key, or one key is there twice.
    #[error("the signatures are not sorted by keyid with each key once")]
    SignaturesUnsorted,
    /// A key id that is not a fingerprint.
    #[error("keyid {found:?} is not a fingerprint (ed25519: and 32 hex digits)")]
    KeyIdMalformed {
        /// Text seen.
        found: String,
    },
    /// A signature of a wrong length.
    #[error("a signature has {bytes} bytes, not 64")]
    SignatureLength {
        /// Bytes seen.
        bytes: u64,
    },
    /// A signature by a key that is not in the trust root.
    #[error("signed by {key}, which this host does not trust")]
    SignerUnknown {
        /// The name the signature gives.
        key: Fingerprint,
    },
    /// A good signature under another key's name (RULES O2).
    #[error("a signature names {found} but was made by {signer}")]
    KeyIdMismatch {
        /// The name the signature gives.
        found: Fingerprint,
        /// The key that made it.
        signer: Fingerprint,
    },
    /// A signature that does not verify.
    #[error(
        "the signature of {key} does not verify: the manifest was changed after signing, or the signature was"
    )]
    SignatureInvalid {
        /// The name the signature gives.
        key: Fingerprint,
    },
    /// Not enough people signed for this environment.
    #[error("{owners} owner(s) signed whose keys count for {environment}, {required} are needed")]
    ThresholdNotMet {
        /// Where it should run.
        environment: Environment,
        /// Different owners among the signatures that count there.
        owners: usize,
        /// Owners needed.
        required: usize,
    },
    /// The payload is not a statement with a manifest.
    #[error("the manifest is malformed: {detail}")]
    ManifestMalformed {
        /// What the parser found.
        detail: String,
    },
    /// Not an in-toto statement of version 1.
    #[error("statement type {found:?}, {expected:?} is expected")]
    StatementTypeUnknown {
        /// Type seen.
        found: String,
        /// The only type taken.
        expected: &'static str,
    },
    /// A statement about something else than a strategy.
    #[error("predicate type {found:?}, {expected:?} is expected")]
    PredicateTypeUnknown {
        /// Type seen.
        found: String,
        /// The only type taken.
        expected: &'static str,
    },
    /// The statement's subject is not the manifest's component.
    #[error("the statement's subject is not the manifest's name and component digest")]
    SubjectMismatch,
    /// Fields of the manifest are out of bounds.
    #[error("the manifest is wrong: {0}")]
    ManifestInvalid(Violations),
    /// The bundle is not meant for this environment.
    #[error("the manifest does not allow {environment}")]
    EnvironmentNotAllowed {
        /// Where it should run.
        environment: Environment,
    },
    /// Validity has not begun.
    #[error("valid from {not_before} (unix seconds), now is {now}")]
    NotYetValid {
        /// First valid second.
        not_before: UnixSeconds,
        /// The caller's now.
        now: UnixSeconds,
    },
    /// Validity is over.
    #[error("valid until {not_after} (unix seconds), now is {now}")]
    Expired {
        /// First second that is not valid any more.
        not_after: UnixSeconds,
        /// The caller's now.
        now: UnixSeconds,
    },
    /// The component has another length than the manifest says.
    #[error("the component has {bytes} bytes, the manifest says {expected}")]
    SizeMismatch {
        /// Bytes seen.
        bytes: u64,
        /// Bytes signed.
        expected: u64,
    },
    /// The component is not the one that was signed.
    #[error("the component's SHA-256 is {found}, the manifest says {expected}")]
    DigestMismatch {
        /// Digest seen.
        found: Digest,
        /// Digest signed.
        expected: Digest,
    },
    /// The component itself is refused.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
}

impl Refusal {
    /// The stable code of this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BundleTooLarge { .. } => "BUNDLE_TOO_LARGE",
            Self::NotABundle => "NOT_A_BUNDLE",
            Self::Truncated { .. } => "BUNDLE_TRUNCATED",
            Self::TrailingBytes { .. } => "BUNDLE_TRAILING_BYTES",
            Self::EnvelopeTooLarge { .. } => "ENVELOPE_TOO_LARGE",
            Self::EnvelopeMalformed { .. } => "ENVELOPE_MALFORMED",
            Self::Base64NotStrict { .. } => "BASE64_NOT_STRICT",
            Self::EnvelopeNotCanonical => "ENVELOPE_NOT_CANONICAL",
            Self::PayloadTypeUnknown { .. } => "PAYLOAD_TYPE_UNKNOWN",
            Self::PayloadTooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::Unsigned => "UNSIGNED",
            Self::TooManySignatures { .. } => "TOO_MANY_SIGNATURES",
            Self::SignaturesUnsorted => "SIGNATURES_UNSORTED",
            Self::KeyIdMalformed { .. } => "KEYID_MALFORMED",
            Self::SignatureLength { .. } => "SIGNATURE_LENGTH",
            Self::SignerUnknown { .. } => "SIGNER_UNKNOWN",
            Self::KeyIdMismatch { .. } => "KEYID_MISMATCH",
            Self::SignatureInvalid { .. } => "SIGNATURE_INVALID",
            Self::ThresholdNotMet { .. } => "THRESHOLD_NOT_MET",
            Self::ManifestMalformed { .. } => "MANIFEST_MALFORMED",
            Self::StatementTypeUnknown { .. } => "STATEMENT_TYPE_UNKNOWN",
            Self::PredicateTypeUnknown { .. } => "PREDICATE_TYPE_UNKNOWN",
            Self::SubjectMismatch => "SUBJECT_MISMATCH",
            Self::ManifestInvalid(_) => "MANIFEST_INVALID",
            Self::EnvironmentNotAllowed { .. } => "ENVIRONMENT_NOT_ALLOWED",
            Self::NotYetValid { .. } => "NOT_YET_VALID",
            Self::Expired { .. } => "EXPIRED",
            Self::SizeMismatch { .. } => "SIZE_MISMATCH",
            Self::DigestMismatch { .. } => "DIGEST_MISMATCH",
            Self::Inadmissible(reason) => reason.code(),
        }
    }

    /// What to do about it, for the person who has the bundle in hand.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotABundle => "give the .strategy file that `strategy sign` wrote",
            Self::BundleTooLarge { .. } => "make the component smaller: release profile, fewer dependencies",
            Self::Truncated { .. } | Self::TrailingBytes { .. } => {
                "copy the file again; it was damaged on the way"
            }
            Self::EnvelopeTooLarge { .. }
            | Self::EnvelopeMalformed { .. }
            | Self::Base64NotStrict { .. }
            | Self::EnvelopeNotCanonical
            | Self::PayloadTypeUnknown { .. }
            | Self::PayloadTooLarge { .. }
            | Self::TooManySignatures { .. }
            | Self::SignaturesUnsorted
            | Self::KeyIdMalformed { .. }
            | Self::SignatureLength { .. }
            | Self::KeyIdMismatch { .. }
            | Self::StatementTypeUnknown { .. }
            | Self::PredicateTypeUnknown { .. }
            | Self::ManifestMalformed { .. }
            | Self::SubjectMismatch => "copy the file again, or sign the component anew with `strategy sign`",
            Self::Unsigned => "sign it with `strategy sign`",
            Self::SignerUnknown { .. } => {
                "if you know the signer, compare the fingerprint with them and add the key to root.json"
            }
            Self::SignatureInvalid { .. } | Self::SizeMismatch { .. } | Self::DigestMismatch { .. } => {
                "do not use this file; get it again from its author"
            }
            Self::ThresholdNotMet { .. } => {
                "have another owner, whose key root.json allows for this environment, add a signature"
            }
            Self::ManifestInvalid(_) => "correct strategy.toml and sign anew",
            Self::EnvironmentNotAllowed { .. } => "add the environment to strategy.toml and sign anew",
            Self::NotYetValid { .. } => "check this machine's clock, or wait",
            Self::Expired { .. } => "sign a new release, or check this machine's clock",
            Self::Inadmissible(reason) => reason.fix(),
        }
    }
}
