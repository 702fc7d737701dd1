//! Static limits: how much of everything a component may hold before anything of it is compiled.
//!
//! Compilers are not built against hostile input: a small file with many parameters, locals or functions can cost gigabytes
//! (CosmWasm's advisory CWA-2023-004 is one such case). The limits stand far above what honest toolchains emit.

use std::fmt;

use super::Inadmissible;
use super::census::Census;
use crate::Tier;

macro_rules! static_limits {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $label:literal, native $native:expr, script $script:expr;)*) => {
        /// A figure of a component that is bounded per tier.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StaticLimit {
            $($(#[$doc])* $name,)*
        }

        impl StaticLimit {
            /// Every limit.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code of a refusal for this limit.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// Most that `tier` allows.
            pub const fn max(self, tier: Tier) -> u64 {
                match (self, tier) {
                    $(
                        (Self::$name, Tier::Native) => $native,
                        // What insists on WASI carries a runtime too.
                        (Self::$name, Tier::Script | Tier::Wasi) => $script,
                    )*
                }
            }
        }

        impl fmt::Display for StaticLimit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $label,)*
                })
            }
        }
    };
}

static_limits! {
    /// Core modules over the whole component.
    Modules, "TOO_MANY_MODULES", "core modules", native 4, script 64;
    /// Nested components over the whole component.
    Components, "TOO_MANY_COMPONENTS", "nested components", native 8, script 8;
    /// Instances, of core modules and components together. A component of Python links three dozen modules, with an instance for
    /// each and two for what each imports; the host's pool has 64 core instances per component.
    Instances, "TOO_MANY_INSTANCES", "instances", native 16, script 160;
    /// Types, aliases, canonical functions and exports of all components.
    ComponentItems, "TOO_MANY_COMPONENT_ITEMS", "component items", native 2_000, script 10_000;
    /// Linear memories.
    Memories, "TOO_MANY_MEMORIES", "memories", native 2, script 4;
    /// Bytes of memory at the start, over all memories: 512 pages native.
    InitialMemory, "INITIAL_MEMORY_TOO_LARGE", "bytes of initial memory", native 512 << 16, script 1024 << 16;
    /// Tables.
    Tables, "TOO_MANY_TABLES", "tables", native 2, script 4;
    /// Elements at the start, over all tables; the size of a table in the host's pool.
    TableElements, "TOO_MANY_TABLE_ELEMENTS", "table elements", native 20_000, script 20_000;
    /// Imports of core modules from other modules of the component.
    CoreImports, "TOO_MANY_CORE_IMPORTS", "imports of core modules", native 100, script 5_000;
    /// Exports of core modules.
    CoreExports, "TOO_MANY_CORE_EXPORTS", "exports of core modules", native 500, script 10_000;
    /// Function types of core modules.
    FunctionTypes, "TOO_MANY_FUNCTION_TYPES", "function types", native 2_000, script 10_000;
    /// Core functions with a body.
    Functions, "TOO_MANY_FUNCTIONS", "functions", native 20_000, script 100_000;
    /// Parameters of any one function type.
    FunctionParams, "TOO_MANY_FUNCTION_PARAMS", "parameters of one function", native 100, script 100;
    /// Results of any one function type.
    FunctionResults, "TOO_MANY_FUNCTION_RESULTS", "results of one function", native 16, script 16;
    /// Parameters summed over all functions: each costs the compiler registers or stack.
    TotalParams, "TOO_MANY_PARAMS", "parameters of all functions", native 10_000, script 500_000;
    /// Locals of any one function.
    FunctionLocals, "TOO_MANY_FUNCTION_LOCALS", "locals of one function", native 5_000, script 20_000;
    /// Locals summed over all functions.
    TotalLocals, "TOO_MANY_LOCALS", "locals of all functions", native 200_000, script 2_000_000;
    /// Bytes of any one function's code: compile time grows faster than linearly with it.
    FunctionBytes, "FUNCTION_TOO_LARGE", "bytes of one function", native 256 << 10, script 2 << 20;
    /// Globals.
    Globals, "TOO_MANY_GLOBALS", "globals", native 1_000, script 10_000;
    /// Data segments. A memory that was kept from a run has 10,000 at most.
    DataSegments, "TOO_MANY_DATA_SEGMENTS", "data segments", native 1_000, script 10_000;
    /// Element segments.
    ElementSegments, "TOO_MANY_ELEMENT_SEGMENTS", "element segments", native 100, script 1_000;
}

impl StaticLimit {
    /// Refuses `actual` if it exceeds what `tier` allows.
    pub(super) fn check(self, tier: Tier, actual: u64) -> Result<(), Inadmissible> {
        let limit = self.max(tier);
        if actual > limit { Err(Inadmissible::Limit { what: self, actual, limit }) } else { Ok(()) }
    }
}

/// The component must be able to start within the memory its manifest asks for.
pub(super) fn check_memory(census: &Census, memory_bytes_max: u64) -> Result<(), Inadmissible> {
    let bytes = census.total(StaticLimit::InitialMemory);
    if bytes > memory_bytes_max {
        return Err(Inadmissible::MemoryAboveManifest { bytes, limit: memory_bytes_max });
    }
    Ok(())
}
