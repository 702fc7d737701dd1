//! Why a component is not admitted.

use super::limits::StaticLimit;
use crate::Tier;

/// Why a component is not admitted: one reason per check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// More bytes than its tier allows.
    #[error("the component has {bytes} bytes, tier {tier} allows {limit}")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// Most allowed.
        limit: u64,
        /// The tier.
        tier: Tier,
    },
    /// A core module, not yet a component.
    #[error("this is a core module, not a component")]
    CoreModule,
    /// The text format.
    #[error("this is WebAssembly text, not a binary component")]
    TextFormat,
    /// Machine code, for example of an ahead-of-time compiler.
    #[error("this is precompiled machine code, not a component")]
    Precompiled,
    /// None of these.
    #[error("this is not WebAssembly")]
    NotWasm,
    /// A static limit is exceeded.
    #[error("{what}: {actual}, at most {limit} allowed")]
    Limit {
        /// Which limit.
        what: StaticLimit,
        /// The component's figure.
        actual: u64,
        /// Most allowed.
        limit: u64,
    },
    /// It starts with more memory than its manifest asks for.
    #[error("it starts with {bytes} bytes of memory, memory_bytes_max is {limit}")]
    MemoryAboveManifest {
        /// Bytes over all memories.
        bytes: u64,
        /// The manifest's limit.
        limit: u64,
    },
    /// A nested component holds or passes on code.
    #[error(
        "a core module lies in a nested component or passes through one; only the outermost component may hold code"
    )]
    NestedCoreModule,
    /// It wants something of the host.
    #[error("it imports {names} ({count} in all); a strategy imports nothing (tier wasi: a fixed set)")]
    Import {
        /// The names, one by one.
        names: String,
        /// How many there are.
        count: usize,
    },
    /// Not valid, or valid only with a proposal that is switched off here.
    #[error("not a valid component at byte {offset}: {detail}")]
    Invalid {
        /// Where.
        offset: u64,
        /// What.
        detail: String,
    },
    /// It does not export the contract.
    #[error("it does not export the interface {expected}")]
    ExportMissing {
        /// The interface.
        expected: &'static str,
    },
    /// It exports the contract, but not all of it.
    #[error("the interface {interface} lacks the function {function}")]
    FunctionMissing {
        /// The interface.
        interface: &'static str,
        /// The function.
        function: &'static str,
    },
    /// It exports the contract, but with other types.
    #[error("the function {function} of {interface} has another type than the contract's: {detail}")]
    FunctionType {
        /// The interface.
        interface: &'static str,
        /// The function.
        function: &'static str,
        /// Where the two differ.
        detail: String,
    },
    /// It is written for another version of the contract.
    #[error("written for {found}, this host serves {supported}: {upgrade}")]
    WorldVersion {
        /// What the component or its manifest names.
        found: String,
        /// What this host serves.
        supported: String,
        /// Which side is behind.
        upgrade: Upgrade,
    },
    /// The manifest names another contract altogether.
    #[error("the world {found} is not {supported}")]
    WorldUnknown {
        /// What the manifest names.
        found: String,
        /// What this host serves.
        supported: String,
    },
    /// The manifest names one version of the contract, the component another.
    #[error("the manifest says {manifest}, the component is written for {component}")]
    WorldMixed {
        /// What the manifest names.
        manifest: String,
        /// What the component exports.
        component: &'static str,
    },
}

/// Which side of the contract is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// The strategy is newer than this host: the host is upgraded.
    Host,
    /// The strategy is older than what this host still serves: it is rebuilt with a newer SDK.
    Strategy,
}

impl std::fmt::Display for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host => "upgrade the host",
            Self::Strategy => "upgrade the strategy: rebuild it with a newer SDK",
        })
    }
}

impl Inadmissible {
    /// The stable code of this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "COMPONENT_TOO_LARGE",
            Self::CoreModule => "CORE_MODULE",
            Self::TextFormat => "TEXT_FORMAT",
            Self::Precompiled => "PRECOMPILED",
            Self::NotWasm => "NOT_WASM",
            Self::Limit { what, .. } => what.code(),
            Self::MemoryAboveManifest { .. } => "INITIAL_MEMORY_ABOVE_MANIFEST",
            Self::NestedCoreModule => "NESTED_CORE_MODULE",
            Self::Import { .. } => "IMPORT_FORBIDDEN",
            Self::Invalid { .. } => "COMPONENT_INVALID",
            Self::ExportMissing { .. } => "EXPORT_MISSING",
            Self::FunctionMissing { .. } => "EXPORT_INCOMPLETE",
            Self::FunctionType { .. } => "EXPORT_TYPE",
            Self::WorldVersion { .. } => "WORLD_VERSION",
            Self::WorldUnknown { .. } => "WORLD_UNKNOWN",
            Self::WorldMixed { .. } => "WORLD_MIXED",
        }
    }

    /// What its author can do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => {
                "build with the guest profile and fewer dependencies, or use the tier it belongs to"
            }
            Self::CoreModule | Self::TextFormat | Self::Precompiled | Self::NotWasm => {
                "build the component with `portcullis strategy build`"
            }
            Self::Limit { .. } => "make the strategy smaller: fewer dependencies and less generated code",
            Self::MemoryAboveManifest { .. } => {
                "raise limits.memory_bytes_max in strategy.toml, or shrink static data"
            }
            Self::NestedCoreModule => {
                "do not compose components; link libraries into the strategy's one core module"
            }
            Self::Import { .. } => {
                "drop what needs the host: no WASI, no clock, no randomness, no files; build for wasm32-unknown-unknown"
            }
            Self::Invalid { .. } => {
                "rebuild it; proposals beyond what Rust emits by default are switched off here"
            }
            Self::ExportMissing { .. } | Self::FunctionMissing { .. } => {
                "call portcullis_sdk::export! once in the strategy's crate"
            }
            Self::FunctionType { .. } => {
                "build against the released SDK; a changed copy of the WIT is another contract, whatever its name"
            }
            Self::WorldVersion { upgrade: Upgrade::Host, .. } => {
                "upgrade Portcullis, or build against its older SDK"
            }
            Self::WorldVersion { upgrade: Upgrade::Strategy, .. } => {
                "rebuild the strategy with an SDK of a version this host serves"
            }
            Self::WorldUnknown { .. } | Self::WorldMixed { .. } => {
                "sign again with this host's `strategy sign`"
            }
        }
    }
}
