//! Admission: which components a host is willing to compile.
//!
//! The list is [`admit`]. It judges bytes only, in time linear in their number; it neither compiles nor runs anything. What
//! the component does at run time is bounded elsewhere (fuel, memory, deadline).

mod census;
mod contract;
mod features;
mod inadmissible;
mod limits;
mod wasi;

use census::Census;
pub use contract::served_worlds;
pub(crate) use contract::{check_same_world, check_world};
pub use inadmissible::{Inadmissible, Upgrade};
pub use limits::StaticLimit;
pub use wasi::WASI_INTERFACES;

use crate::Tier;

/// A component that passed [`admit`], in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The tier whose limits it met.
    pub tier: Tier,
    /// The version of the contract it is written for.
    pub world: &'static str,
    /// Its length in bytes.
    pub component_bytes: u64,
    /// Core functions with a body.
    pub functions: u64,
    /// Memory it starts with, in bytes over all linear memories.
    pub initial_memory_bytes: u64,
}

/// Decides whether `component` may be compiled and run with at most `memory_bytes_max` bytes of memory.
///
/// The same function stands behind `strategy build`, `strategy check` and every load, so an author sees the host's verdict
/// before shipping.
///
/// # Errors
///
/// The first [`Inadmissible`] of the list.
pub fn admit(component: &[u8], tier: Tier, memory_bytes_max: u64) -> Result<Admitted, Inadmissible> {
    check_size(component, tier)?;
    check_is_component(component)?;
    let census = Census::take(component, tier)?;
    limits::check_memory(&census, memory_bytes_max)?;
    match tier {
        Tier::Native | Tier::Script => contract::check_imports_nothing(&census)?,
        Tier::Wasi => wasi::check_imports(&census)?,
    }
    let mut validator = features::validator();
    let types = features::validate(&mut validator, component)?;
    let contract = contract::check_exports(&census, &types, &mut validator)?;
    Ok(Admitted {
        tier,
        world: contract.world,
        component_bytes: component.len() as u64,
        functions: census.total(StaticLimit::Functions),
        initial_memory_bytes: census.total(StaticLimit::InitialMemory),
    })
}

fn check_size(component: &[u8], tier: Tier) -> Result<(), Inadmissible> {
    let (bytes, limit) = (component.len() as u64, tier.component_bytes_max());
    if bytes > limit { Err(Inadmissible::TooLarge { bytes, limit, tier }) } else { Ok(()) }
}

/// Machine code in the containers it comes in: ELF, which is also how wasmtime writes compiled components, a host's own
/// artifacts, Mach-O, PE, static libraries, and the formats of other ahead-of-time compilers.
const MACHINE_CODE: [&[u8]; 10] = [
    b"\x7fELF",
    b"PCARTIF1",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"MZ",
    b"!<arch>\n",
    b"wasmer-universal",
];

/// Looks at the first bytes only, to tell apart what people hand in by mistake.
fn check_is_component(component: &[u8]) -> Result<(), Inadmissible> {
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
    if component.starts_with(COMPONENT) {
        Ok(())
    } else if component.starts_with(CORE_MODULE) {
        Err(Inadmissible::CoreModule)
    } else if MACHINE_CODE.iter().any(|magic| component.starts_with(magic)) {
        Err(Inadmissible::Precompiled)
    } else if is_text(component) {
        Err(Inadmissible::TextFormat)
    } else {
        Err(Inadmissible::NotWasm)
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"(") || text.starts_with(b";;")
}
