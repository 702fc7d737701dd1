//! The contract: a strategy imports nothing and exports one interface, whole, with the types of a version this host serves.

use std::sync::OnceLock;

use semver::Version;
use wasmparser::Validator;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId, SubtypeCx,
};
use wasmparser::types::{Types, TypesRef};

use super::census::Census;
use super::{Inadmissible, Upgrade};
use crate::untrusted_text::shown;

/// One released version of the contract. Its directory under `wit/` is frozen.
#[derive(Debug)]
pub(super) struct Contract {
    version: Version,
    /// The world, as manifests name it.
    pub(super) world: &'static str,
    /// The instance a component of this version exports.
    export: &'static str,
    /// The interface in words; what a component exports is held against it.
    wit: &'static str,
}

/// The versions this host admits, oldest first; `portcullis-cell` has bindings for the same.
static SERVED: [Contract; 1] = [Contract {
    version: Version::new(0, 1, 0),
    world: "portcullis:strategy@0.1.0",
    export: "portcullis:strategy/guest@0.1.0",
    wit: include_str!("../../../../wit/v0.1/strategy.wit"),
}];

/// The functions the exported instance must have, in every version so far.
const FUNCTIONS: [&str; 5] = ["describe", "init", "on-frame", "snapshot", "restore"];

const WORLD_PREFIX: &str = "portcullis:strategy@";
const GUEST_PREFIX: &str = "portcullis:strategy/guest@";

/// The worlds this host admits, oldest first.
pub fn served_worlds() -> impl Iterator<Item = &'static str> {
    SERVED.iter().map(|contract| contract.world)
}

/// Any import is refused, of whatever kind: a strategy gets frames and returns actions.
pub(super) fn check_imports_nothing(census: &Census) -> Result<(), Inadmissible> {
    if census.imports.total() == 0 { Ok(()) } else { Err(census.imports.forbidden()) }
}

/// Finds the version the component was built for, and compares every function it has to have with that version's own, by name
/// and by type. A wrong type would otherwise show only when a cell links it, after all the compiling.
pub(super) fn check_exports(
    census: &Census,
    types: &Types,
    validator: &mut Validator,
) -> Result<&'static Contract, Inadmissible> {
    // The newest first: a component that carries two versions is served as the newer one.
    let exported = |contract: &Contract| types.as_ref().component_item_for_export(contract.export);
    let found = SERVED.iter().rev().find_map(|contract| Some((contract, exported(contract)?.ty)));
    let Some((contract, item)) = found else {
        return Err(other_version(census));
    };
    let ComponentEntityType::Instance(guest) = item else {
        return Err(Inadmissible::ExportMissing { expected: contract.export });
    };
    let reference = contract.reference(validator)?;
    for function in FUNCTIONS {
        let missing = Inadmissible::FunctionMissing { interface: contract.export, function };
        let found = function_of(types.as_ref(), guest, function).ok_or(missing)?;
        let expected = reference.function(function).ok_or_else(broken)?;
        SubtypeCx::new_with_refs(types.as_ref(), reference.types.as_ref())
            .component_func_type(found, expected, 0)
            .map_err(|error| Inadmissible::FunctionType {
                interface: contract.export,
                function,
                detail: shown(error.message()),
            })?;
    }
    Ok(contract)
}

/// The manifest's word for the contract: a version this host serves.
pub(crate) fn check_world(world: &str) -> Result<(), Inadmissible> {
    if served_worlds().any(|served| served == world) {
        return Ok(());
    }
    Err(version_mismatch(world, WORLD_PREFIX)
        .unwrap_or_else(|| Inadmissible::WorldUnknown { found: shown(world), supported: listed_worlds() }))
}

/// The manifest's word and the component's must be the same: the one is what people read before they sign.
pub(crate) fn check_same_world(manifest: &str, component: &'static str) -> Result<(), Inadmissible> {
    if manifest == component {
        return Ok(());
    }
    Err(Inadmissible::WorldMixed { manifest: shown(manifest), component })
}

fn other_version(census: &Census) -> Inadmissible {
    let other = census.exports.names().find_map(|name| version_mismatch(name, GUEST_PREFIX));
    let expected = SERVED.last().map_or(GUEST_PREFIX, |newest| newest.export);
    other.unwrap_or(Inadmissible::ExportMissing { expected })
}

fn version_mismatch(found: &str, prefix: &str) -> Option<Inadmissible> {
    let version: Version = found.strip_prefix(prefix)?.parse().ok()?;
    let upgrade = behind(&version, SERVED.iter().map(|contract| &contract.version));
    Some(Inadmissible::WorldVersion { found: shown(found), supported: listed_worlds(), upgrade })
}

/// Which side has to move so that `found` and a host that serves `served` understand each other. A version that is not newer
/// than everything here was either dropped or never released: the strategy is rebuilt.
fn behind<'a>(found: &Version, served: impl Iterator<Item = &'a Version>) -> Upgrade {
    if served.max().is_none_or(|newest| found > newest) { Upgrade::Host } else { Upgrade::Strategy }
}

fn listed_worlds() -> String {
    served_worlds().collect::<Vec<_>>().join(", ")
}

fn function_of(
    types: TypesRef<'_>,
    instance: ComponentInstanceTypeId,
    name: &str,
) -> Option<ComponentFuncTypeId> {
    let ComponentEntityType::Func(function) = types.get(instance)?.exports.get(name)?.ty else { return None };
    Some(function)
}

/// The types of a version, read from its WIT by the same validator as the component's, which makes them comparable.
struct Reference {
    types: Types,
    guest: ComponentInstanceTypeId,
}

impl Reference {
    fn function(&self, name: &str) -> Option<ComponentFuncTypeId> {
        function_of(self.types.as_ref(), self.guest, name)
    }
}

impl Contract {
    fn reference(&self, validator: &mut Validator) -> Result<Reference, Inadmissible> {
        validator.reset();
        let types = validator.validate_all(self.encoded()?).map_err(|_| broken())?;
        let guest = self.guest_of(types.as_ref()).ok_or_else(broken)?;
        Ok(Reference { types, guest })
    }

    /// The interface among the types of an encoded package, which is one exported component type for each interface, exporting
    /// that interface as an instance.
    fn guest_of(&self, types: TypesRef<'_>) -> Option<ComponentInstanceTypeId> {
        let ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(interface), .. } =
            types.component_item_for_export("guest")?.ty
        else {
            return None;
        };
        let ComponentEntityType::Instance(guest) = types.get(interface)?.exports.get(self.export)?.ty else {
            return None;
        };
        Some(guest)
    }

    /// The WIT in binary; made once.
    fn encoded(&self) -> Result<&'static [u8], Inadmissible> {
        static ENCODED: [OnceLock<Option<Vec<u8>>>; SERVED.len()] = [const { OnceLock::new() }; SERVED.len()];
        let place = SERVED.iter().position(|served| served.version == self.version);
        let encoded = place.and_then(|place| ENCODED.get(place)).ok_or_else(broken)?;
        encoded.get_or_init(|| encode(self.wit)).as_deref().ok_or_else(broken)
    }
}

fn encode(wit: &str) -> Option<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("strategy.wit", wit).ok()?;
    wit_component::encode(&resolve, package).ok()
}

/// What is built in is what the tests ran with, so this cannot happen; if it does, nothing is admitted.
fn broken() -> Inadmissible {
    Inadmissible::Invalid { offset: 0, detail: "this host cannot read its own contract".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn the_side_that_is_behind_is_named() {
        let served = ["0.2.0", "0.3.0", "1.1.0"].map(version);
        let side = |found| behind(&version(found), served.iter());
        for newer in ["1.1.1", "1.2.0", "2.0.0", "1.2.0-rc.1"] {
            assert_eq!(side(newer), Upgrade::Host, "{newer}");
        }
        // Older than the oldest, between two that are served, and a draft of one that is.
        for older in ["0.1.0", "0.1.9", "0.2.5", "1.0.0", "1.1.0-rc.1"] {
            assert_eq!(side(older), Upgrade::Strategy, "{older}");
        }
    }

    #[test]
    fn every_served_version_has_all_functions() {
        for contract in &SERVED {
            let mut validator = super::super::features::validator();
            let reference = contract.reference(&mut validator).unwrap();
            for function in FUNCTIONS {
                assert!(reference.function(function).is_some(), "{} {function}", contract.world);
            }
            assert_eq!(contract.world, format!("{WORLD_PREFIX}{}", contract.version));
            assert_eq!(contract.export, format!("{GUEST_PREFIX}{}", contract.version));
        }
        assert!(SERVED.is_sorted_by_key(|contract| &contract.version));
    }

    #[test]
    fn a_manifest_that_names_another_version_than_its_component_is_refused() {
        assert_eq!(check_same_world("portcullis:strategy@0.1.0", "portcullis:strategy@0.1.0"), Ok(()));
        let refusal = check_same_world("portcullis:strategy@0.1.0", "portcullis:strategy@0.2.0").unwrap_err();
        assert_eq!(refusal.code(), "WORLD_MIXED");
    }
}
