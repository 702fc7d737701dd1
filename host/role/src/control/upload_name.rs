//! The name of an uploaded file: bounded and plain before anything else looks at it.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The name of a file in the folder for uploads: one component of a path, and no hidden file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadName(Box<str>);

/// Why a piece of text is not the name of an upload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a bundle's file name is 1 to {NAME_BYTES_MAX} of [A-Za-z0-9._-] and does not begin with a dot")]
pub struct InvalidUploadName;

impl UploadName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UploadName {
    type Err = InvalidUploadName;

    fn from_str(text: &str) -> Result<Self, InvalidUploadName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = !text.is_empty() && text.len() <= NAME_BYTES_MAX;
        if fits && !text.starts_with('.') && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidUploadName)
        }
    }
}

impl TryFrom<String> for UploadName {
    type Error = InvalidUploadName;

    fn try_from(text: String) -> Result<Self, InvalidUploadName> {
        text.parse()
    }
}

impl From<UploadName> for String {
    fn from(name: UploadName) -> String {
        name.0.into()
    }
}

impl fmt::Display for UploadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
