//! Keys on disk.
//!
//! Each file is three lines, in the manner of PEM, around the base64 of 32 bytes: the seed of a private key (RFC 8032), or
//! the public key.
//!
//! ```text
//! -----BEGIN PORTCULLIS PRIVATE KEY-----
//! q83v…base64 of 32 bytes…
//! -----END PORTCULLIS PRIVATE KEY-----
//! ```
//!
//! Not PKCS #8: its optional fields are what a parser gets wrong, and secret scanners know the words `PRIVATE KEY` anyway.
//! The private file has mode 0600 and is refused when others can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::file::{read_bounded, write_new};
use crate::{BundleName, FileError, InvalidKey, PublicKey, SecretKey};

const KEY_FILE_BYTES_MAX: u64 = 1024;
const PRIVATE: &str = "PORTCULLIS PRIVATE KEY";
const PUBLIC: &str = "PORTCULLIS PUBLIC KEY";

/// Where a key pair was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPairFiles {
    /// `NAME.key`, mode 0600.
    pub private: PathBuf,
    /// `NAME.pub`, mode 0644.
    pub public: PathBuf,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Other users can read the private key.
    #[error("{} is open to others (mode {mode:04o}); run chmod 600 on it, or better make a new key", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not the three lines of a key file.
    #[error("{} is not a {kind} file", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The kind of key that was expected.
        kind: &'static str,
    },
    /// The public key in it may not be trusted.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: InvalidKey,
    },
}

impl KeyError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::OpenToOthers { .. } => "KEY_OPEN_TO_OTHERS",
            Self::Malformed { .. } => "KEY_MALFORMED",
            Self::Invalid { .. } => "KEY_INVALID",
        }
    }
}

/// Writes `NAME.key` and `NAME.pub` into `directory`, which must exist.
///
/// # Errors
///
/// [`FileError::Exists`] if either is there: a key is never replaced.
pub fn write_key_pair(
    directory: &Path,
    name: &BundleName,
    key: &SecretKey,
) -> Result<KeyPairFiles, FileError> {
    let files = KeyPairFiles {
        private: directory.join(format!("{name}.key")),
        public: directory.join(format!("{name}.pub")),
    };
    // Looked at first, so that no private key is left behind without its public half.
    if files.public.exists() {
        return Err(FileError::Exists { path: files.public });
    }
    write_new(&files.private, 0o600, armour(PRIVATE, &key.seed()).as_bytes())?;
    write_new(&files.public, 0o644, armour(PUBLIC, &key.public().to_bytes()).as_bytes())?;
    Ok(files)
}

/// Reads a private key file.
///
/// # Errors
///
/// [`KeyError`], among them when group or others have any permission on the file.
pub fn read_secret_key(path: &Path) -> Result<SecretKey, KeyError> {
    let text = read_bounded(path, KEY_FILE_BYTES_MAX)?;
    let metadata = fs::metadata(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::OpenToOthers { path: path.to_owned(), mode });
    }
    let seed = unarmour(PRIVATE, &text)
        .ok_or_else(|| KeyError::Malformed { path: path.to_owned(), kind: "private key" })?;
    Ok(SecretKey::from_seed(&seed))
}

/// Reads a public key file.
///
/// # Errors
///
/// [`KeyError`], among them for a weak key.
pub fn read_public_key(path: &Path) -> Result<PublicKey, KeyError> {
    let text = read_bounded(path, KEY_FILE_BYTES_MAX)?;
    let bytes = unarmour(PUBLIC, &text)
        .ok_or_else(|| KeyError::Malformed { path: path.to_owned(), kind: "public key" })?;
    PublicKey::from_bytes(&bytes).map_err(|reason| KeyError::Invalid { path: path.to_owned(), reason })
}

fn armour(label: &str, bytes: &[u8; 32]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", encoded.as_str()))
}

fn unarmour(label: &str, file: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = str::from_utf8(file).ok()?;
    let body = text
        .strip_prefix(&format!("-----BEGIN {label}-----\n"))?
        .trim_end()
        .strip_suffix(&format!("\n-----END {label}-----"))?;
    let decoded = Zeroizing::new(STANDARD.decode(body).ok()?);
    let mut bytes = Zeroizing::new([0; 32]);
    if decoded.len() != bytes.len() {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(bytes)
}
