//! The contract: a strategy imports nothing and exports one interface, whole and of this version.

use semver::Version;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;

use super::census::{Census, listed};
use super::{Inadmissible, Upgrade};
use crate::untrusted_text::shown;

/// The world a manifest must name.
pub const WORLD: &str = "portcullis:strategy@0.1.0";

/// The instance a component must export.
pub const GUEST_EXPORT: &str = "portcullis:strategy/guest@0.1.0";

/// The functions that instance must have.
pub const GUEST_FUNCTIONS: [&str; 5] = ["describe", "init", "on-frame", "snapshot", "restore"];

const WORLD_PREFIX: &str = "portcullis:strategy@";
const GUEST_PREFIX: &str = "portcullis:strategy/guest@";
const SERVED: Version = Version::new(0, 1, 0);

/// Any import is refused, of whatever kind: a strategy gets frames and returns actions.
pub(super) fn check_imports_nothing(census: &Census) -> Result<(), Inadmissible> {
    if census.imports.is_empty() {
        Ok(())
    } else {
        Err(Inadmissible::Import { names: listed(&census.imports) })
    }
}

/// The export is looked up in the validated types, so a name without a function behind it does not count. Signatures are
/// checked when the compiled component is linked against the typed bindings.
pub(super) fn check_exports(census: &Census, types: &Types) -> Result<(), Inadmissible> {
    let types = types.as_ref();
    let Some(ComponentEntityType::Instance(guest)) =
        types.component_item_for_export(GUEST_EXPORT).map(|item| item.ty)
    else {
        return Err(other_version(census).unwrap_or(Inadmissible::ExportMissing { expected: GUEST_EXPORT }));
    };
    let exports = types.get(guest).map(|guest| &guest.exports);
    for function in GUEST_FUNCTIONS {
        let item = exports.and_then(|exports| exports.get(function));
        if !matches!(item.map(|item| item.ty), Some(ComponentEntityType::Func(_))) {
            return Err(Inadmissible::FunctionMissing { interface: GUEST_EXPORT, function });
        }
    }
    Ok(())
}

fn other_version(census: &Census) -> Option<Inadmissible> {
    census.exports.iter().find_map(|name| version_mismatch(name, GUEST_PREFIX, GUEST_EXPORT))
}

/// The manifest's word for the same contract.
pub(crate) fn check_world(world: &str) -> Result<(), Inadmissible> {
    if world == WORLD {
        return Ok(());
    }
    Err(version_mismatch(world, WORLD_PREFIX, WORLD)
        .unwrap_or_else(|| Inadmissible::WorldUnknown { found: shown(world), supported: WORLD }))
}

fn version_mismatch(found: &str, prefix: &str, supported: &'static str) -> Option<Inadmissible> {
    let version: Version = found.strip_prefix(prefix)?.parse().ok()?;
    let upgrade = if version > SERVED { Upgrade::Host } else { Upgrade::Strategy };
    Some(Inadmissible::WorldVersion { found: shown(found), supported, upgrade })
}
