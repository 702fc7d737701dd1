//! Words in messages: bounded and plain before anything else looks at them.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a piece of text is not one of the protocol's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to {max} bytes of {allowed}")]
pub struct InvalidText {
    /// Which word was meant.
    pub what: &'static str,
    /// Longest length allowed, in bytes.
    pub max: usize,
    /// What is allowed.
    pub allowed: &'static str,
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                let allowed: fn(&str) -> bool = $ok;
                if text.is_empty() || text.len() > $max || !allowed(text) {
                    return Err(InvalidText { what: $what, max: $max, allowed: $allowed });
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// Who asks, for the journal: `console:USER`, for example.
    ActorName, "an actor", 64, "printable ASCII", is_printable
);
word!(
    /// A user of the console.
    UserName, "a user", 64, "printable ASCII", is_printable
);
word!(
    /// The network address a request came from.
    PeerAddress, "an address", 64, "printable ASCII", is_printable
);
word!(
    /// The name of a file in the folder for uploads: one component of a path, and no hidden file.
    UploadName, "a bundle's file name", 128, "[A-Za-z0-9._-], not beginning with a dot", is_file_name
);

fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

fn is_file_name(text: &str) -> bool {
    !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
