//! Who there is: names of users and tokens, and what they may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest name in bytes. With the prefix that the journal cites it must fit its 64.
const NAME_BYTES_MAX: usize = 48;

/// The name of a user or a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName(Box<str>);

/// Why a piece of text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to {NAME_BYTES_MAX} of [A-Za-z0-9._@-]")]
pub struct InvalidAccountName;

impl AccountName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = InvalidAccountName;

    fn from_str(text: &str) -> Result<Self, InvalidAccountName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
        if !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAccountName)
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a token may do. A session may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Look.
    Read,
    /// Look, halt, stop and deploy.
    Operate,
}

/// The word is no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a right is read or operate")]
pub struct UnknownRight;

impl Right {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        match text {
            "read" => Ok(Self::Read),
            "operate" => Ok(Self::Operate),
            _ => Err(UnknownRight),
        }
    }
}
