//! Tiers: what kind of toolchain made a component, and so how large and how busy it may be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidName;

/// The kind of a component. Limits differ per tier, because a script component carries a whole interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Compiled from Rust or C: small and quick to compile.
    Native,
    /// An interpreter with a script in it (JavaScript, Python).
    Script,
    /// One that insists on WASI: it may import a fixed, deterministic set (`WASI_INTERFACES`), and runs only in a binary of its own,
    /// where the operator allows it.
    Wasi,
}

impl Tier {
    /// Largest component, in bytes: 2 MiB native, 32 MiB script and wasi.
    pub const fn component_bytes_max(self) -> u64 {
        match self {
            Self::Native => 2 << 20,
            Self::Script | Self::Wasi => 32 << 20,
        }
    }

    /// Most memory a manifest may ask for, in bytes over all linear memories: 64 MiB, the size of a slot of the host's pool.
    pub const fn memory_bytes_ceiling(self) -> u64 {
        match self {
            Self::Native | Self::Script | Self::Wasi => 64 << 20,
        }
    }

    /// The word used in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Script => "script",
            Self::Wasi => "wasi",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "native" => Ok(Self::Native),
            "script" => Ok(Self::Script),
            "wasi" => Ok(Self::Wasi),
            _ => Err(InvalidName { what: "tier", allowed: "native, script or wasi" }),
        }
    }
}
