//! The strategy to be tested: a signed bundle, a component, or a crate that is built first. Nobody's signature is needed to test.

use std::path::Path;

use anyhow::Context as _;
use portcullis_bundle::{BundleSource, Tier, admit, inspect, mandate};
use portcullis_cell::{Artifact, CellLimits, compile, component_digest};
use portcullis_core::{Digest, Mandate};
use portcullis_role::{Confined, Confinement, Profile, in_child, sealed_memory_file};

use crate::command::strategy;
use crate::failure::Failure;
use crate::gateway::candidate::compile_limits;

/// Largest file read as a strategy, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Descriptors of the compiling child.
const OPEN_FILES: u64 = 16;

/// In a backtest fuel decides; the clock only guards against a hang (RULES T9), so a busy machine must not end one.
const HANG_GUARD_MS: u32 = 1_000;

/// Bounds of a component that comes without a manifest.
fn bare(tier: Tier) -> CellLimits {
    CellLimits {
        memory_bytes_max: 64 << 20,
        fuel_per_event: match tier {
            Tier::Native => 10_000_000,
            Tier::Script | Tier::Wasi => 100_000_000,
        },
        deadline_ms: HANG_GUARD_MS,
        actions_per_event_max: 32,
        log_bytes_max: 4_096,
    }
}

/// A strategy, compiled.
pub(crate) struct Subject {
    /// Digest of the bundle, or of the component where there is none.
    pub(crate) digest: Digest,
    pub(crate) artifact: Artifact,
    pub(crate) limits: CellLimits,
    /// What its manifest allows; everything without a manifest.
    pub(crate) mandate: Mandate,
    /// The markets of its manifest as `category:SYMBOL`; `None` without a manifest, which means all of the data's.
    pub(crate) markets: Option<Vec<String>>,
}

impl Subject {
    /// Reads, admits and compiles.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            let source = BundleSource::load(&path.join("strategy.toml"))
                .map_err(|error| Failure::finding(error.code(), &error))?;
            let (component, _) = strategy::build_component(path, None)?;
            let markets = source.capabilities.symbols.iter().map(ToString::to_string).collect();
            let digest = component_digest(&component);
            let mandate = mandate(&source.capabilities, &source.limits).map_err(anyhow::Error::new)?;
            return Self::admitted(&component, digest, Some((source.limits, mandate, markets)), source.tier);
        }
        let bytes = read(path)?;
        if bytes.starts_with(b"\0asm") {
            let tier = strategy::tier_of(&bytes)
                .map_err(|error| Failure::finding(error.code(), format!("{error}. {}", error.fix())))?;
            return Self::admitted(&bytes, component_digest(&bytes), None, tier);
        }
        let refused = |refusal: portcullis_bundle::Refusal| {
            Failure::finding(refusal.code(), format!("{}: {refusal}. {}", path.display(), refusal.fix()))
        };
        let inspection = inspect(&bytes).map_err(refused)?;
        let manifest = inspection.manifest;
        let markets = manifest.capabilities.symbols.iter().map(ToString::to_string).collect();
        let component = portcullis_bundle::component(&bytes).map_err(refused)?;
        let mandate = mandate(&manifest.capabilities, &manifest.limits).map_err(anyhow::Error::new)?;
        let stated = Some((manifest.limits, mandate, markets));
        Self::admitted(component, inspection.digest, stated, manifest.tier)
    }

    fn admitted(
        component: &[u8],
        digest: Digest,
        manifest: Option<(portcullis_bundle::Limits, Mandate, Vec<String>)>,
        tier: Tier,
    ) -> Result<Self, Failure> {
        let (limits, mandate, markets) = match manifest {
            None => (bare(tier), Mandate::ALL, None),
            Some((limits, mandate, markets)) => (cell_limits(&limits)?, mandate, Some(markets)),
        };
        admit(component, tier, limits.memory_bytes_max)
            .map_err(|error| Failure::finding(error.code(), format!("{error}. {}", error.fix())))?;
        Ok(Self { digest, artifact: compiled(component, tier)?, limits, mandate, markets })
    }
}

/// Compiles in a child, because a component can be built to take very long and very much.
fn compiled(component: &[u8], tier: Tier) -> Result<Artifact, Failure> {
    let limits = compile_limits(tier);
    let confinement = Confinement {
        address_space_bytes: Some(limits.memory_bytes_max),
        cpu_s: Some(limits.cpu_s.into()),
        ..Confinement::nothing(Profile::Compile, OPEN_FILES)
    };
    let compile = |confined: Confined| {
        confined.settle().map_err(|error| error.to_string())?;
        compile(component).map_err(|error| error.to_string())
    };
    let work = |confined| match compile(confined) {
        Ok(artifact) => [b"+".as_slice(), artifact.bytes()].concat(),
        Err(error) => format!("-{error}").into_bytes(),
    };
    let most = portcullis_cell::ARTIFACT_BYTES_MAX.saturating_add(1);
    let answer = in_child(&confinement, most, work).map_err(|error| {
        Failure::finding("COMPILE_FAILED", format!("the strategy does not compile: {error}"))
    })?;
    match answer.split_first() {
        Some((b'+', bytes)) => {
            let file = sealed_memory_file("artifact", bytes).map_err(anyhow::Error::new)?;
            Ok(Artifact::receive(file).map_err(anyhow::Error::new)?)
        }
        Some((_, reason)) => Err(Failure::finding("COMPILE_FAILED", String::from_utf8_lossy(reason))),
        None => Err(Failure::finding("COMPILE_FAILED", "the compiler gave no answer")),
    }
}

fn cell_limits(limits: &portcullis_bundle::Limits) -> Result<CellLimits, Failure> {
    let limits = CellLimits {
        memory_bytes_max: limits.memory_bytes_max,
        fuel_per_event: limits.fuel_per_event,
        deadline_ms: HANG_GUARD_MS,
        actions_per_event_max: limits.actions_per_event_max,
        log_bytes_max: limits.log_bytes_max,
    };
    limits.checked().map_err(|error| Failure::finding("LIMITS", error))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::Usage(format!(
            "{} has {size} bytes, at most {FILE_BYTES_MAX} are read",
            path.display()
        )));
    }
    Ok(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
}
