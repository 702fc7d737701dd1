//! Whom this host trusts to sign: `root.json`.
//!
//! ```json
//! {
//!   "format": 1,
//!   "keys": [
//!     {
//!       "fingerprint": "ed25519:…32 hex digits…",
//!       "public": "…32 bytes in base64…",
//!       "owner": "ana",
//!       "environments": ["paper", "testnet", "demo"]
//!     }
//!   ]
//! }
//! ```
//!
//! `format` is the place where a later, signed and versioned root announces itself; this one is trusted because the
//! operator put it there.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_core::Environment;
use serde::{Deserialize, Serialize};

use crate::file::read_bounded;
use crate::untrusted_text::shown;
use crate::{FileError, Fingerprint, Owner, PublicKey, Violation, Violations};

const FORMAT: u32 = 1;
const ROOT_BYTES_MAX: u64 = 256 << 10;
const KEYS_MAX: usize = 256;

/// The keys this host trusts. Without keys it trusts nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustRoot {
    format: u32,
    keys: Vec<TrustedKey>,
}

/// One trusted key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Its name; must be that of `public`. It is written out so that people can compare it.
    pub fingerprint: Fingerprint,
    /// The key.
    pub public: PublicKey,
    /// Who holds it. Two keys of one owner count once where two signatures are needed.
    pub owner: Owner,
    /// Where its signature counts.
    pub environments: Vec<Environment>,
}

/// Why a trust root cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not the JSON described in the module's documentation.
    #[error("the trust root is not readable: {detail}")]
    Malformed {
        /// What the parser found.
        detail: String,
    },
    /// Readable, but wrong.
    #[error("the trust root is wrong: {0}")]
    Invalid(Violations),
}

impl TrustError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Malformed { .. } => "TRUST_ROOT_MALFORMED",
            Self::Invalid(_) => "TRUST_ROOT_INVALID",
        }
    }
}

impl TrustRoot {
    /// A root of these keys.
    ///
    /// # Errors
    ///
    /// All violations: a fingerprint that is not its key's, a key twice, an environment twice, more than 256 keys.
    pub fn new(keys: Vec<TrustedKey>) -> Result<Self, Violations> {
        let mut found = Vec::new();
        if keys.len() > KEYS_MAX {
            found.push(Violation::new("keys", format!("{} keys, at most {KEYS_MAX}", keys.len())));
        }
        let mut seen = BTreeSet::new();
        for (index, key) in keys.iter().enumerate() {
            let actual = key.public.fingerprint();
            if key.fingerprint != actual {
                let problem = format!("{} is not the name of this key, which is {actual}", key.fingerprint);
                found.push(Violation::new(format!("keys[{index}].fingerprint"), problem));
            }
            if !seen.insert(actual) {
                found.push(Violation::new(
                    format!("keys[{index}].public"),
                    format!("{actual} is there twice"),
                ));
            }
            if key.environments.iter().collect::<BTreeSet<_>>().len() != key.environments.len() {
                found.push(Violation::new(
                    format!("keys[{index}].environments"),
                    "one of them is there twice",
                ));
            }
        }
        Violations::check(found)?;
        Ok(Self { format: FORMAT, keys })
    }

    /// Reads `root.json` (at most 256 KiB).
    ///
    /// # Errors
    ///
    /// [`TrustError`]; a host without a readable root runs nothing.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        Self::from_json(&read_bounded(path, ROOT_BYTES_MAX)?)
    }

    /// Reads the text of a `root.json`.
    ///
    /// # Errors
    ///
    /// [`TrustError::Malformed`] or [`TrustError::Invalid`].
    pub fn from_json(json: &[u8]) -> Result<Self, TrustError> {
        let text: RootJson = serde_json::from_slice(json)
            .map_err(|error| TrustError::Malformed { detail: shown(&error.to_string()) })?;
        if text.format != FORMAT {
            let problem = format!("{} is not a format this host knows ({FORMAT})", text.format);
            return Err(TrustError::Invalid(Violations::one("format", problem)));
        }
        Self::new(text.keys).map_err(TrustError::Invalid)
    }

    /// The text of a `root.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The trusted keys.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The key of this name.
    pub fn key(&self, fingerprint: &Fingerprint) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.fingerprint == *fingerprint)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RootJson {
    format: u32,
    keys: Vec<TrustedKey>,
}
