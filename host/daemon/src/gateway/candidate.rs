//! A strategy on its way to running: what is known of it once its bundle is checked, and once it has described itself.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;

use portcullis_bundle::{Tier, TrustRoot, UnixSeconds, VerifiedBundle, mandate, open};
use portcullis_cell::{
    Artifact, CellLimits, CompileLimits, CompiledArtifact, Description, SealedArtifact, Stream as GuestStream,
};
use portcullis_core::{Category, Environment, Mandate, Symbol};
use portcullis_gateway::Stream;
use portcullis_role::sealed_memory_file;

use crate::clock;
use crate::gateway::artifacts::Artifacts;
use crate::gateway::launch_error::LaunchError;
use crate::gateway::parameters;

/// A bundle that may run here.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) bundle: VerifiedBundle,
    pub(crate) limits: CellLimits,
    /// What the signed manifest allows.
    pub(crate) mandate: Mandate,
    /// The markets of the signed manifest, in its order: the strategy's own numbers of its instruments.
    pub(crate) markets: Vec<(Category, Symbol)>,
}

/// What a cell is started on.
#[derive(Debug)]
pub(crate) enum Code {
    /// Compiled before.
    Artifact(SealedArtifact),
    /// To be compiled: a sealed memory file.
    Component(OwnedFd),
}

impl Checked {
    /// Verifies a bundle and looks its artifact up. Heavy: nothing for the pipeline's thread.
    pub(crate) fn new(
        bytes: &[u8],
        root: &Path,
        environment: Environment,
        artifacts: &Artifacts,
    ) -> Result<(Self, Code), LaunchError> {
        let trust = TrustRoot::load(root).map_err(|error| LaunchError::new(error.code(), error))?;
        let bundle = open(bytes, &trust, environment, UnixSeconds(clock::now_s()))?;
        let limits = cell_limits(&bundle)?;
        let manifest = bundle.manifest();
        let mandate = mandate(&manifest.capabilities, &manifest.limits)
            .map_err(|error| LaunchError::new("LIMITS_INVALID", error))?;
        let markets = markets(&bundle).map_err(|detail| LaunchError::new("MARKET_NOT_TRADED", detail))?;
        let failed = |error: &dyn core::fmt::Display| LaunchError::new("ARTIFACT_UNAVAILABLE", error);
        let code = match artifacts.find(&bundle).map_err(|error| failed(&format!("{error:#}")))? {
            Some(artifact) => Code::Artifact(artifact.seal().map_err(|error| failed(&error))?),
            None => {
                let tried = artifacts.failure(bundle.component_digest(), compile_limits(manifest.tier));
                if let Some(reason) = tried.map_err(|error| failed(&format!("{error:#}")))? {
                    let detail =
                        format!("{reason} (found out before; the same component is not compiled again)");
                    return Err(LaunchError::new("COMPILE_FAILED", detail));
                }
                let component = sealed_memory_file("component", bundle.component());
                Code::Component(component.map_err(|error| failed(&error))?)
            }
        };
        Ok((Self { bundle, limits, mandate, markets }, code))
    }

    /// `name-version` of the bundle.
    pub(crate) fn label(&self) -> String {
        let manifest = self.bundle.manifest();
        format!("{}-{}", manifest.name, manifest.version)
    }

    /// What its compilation may use.
    pub(crate) fn compile_limits(&self) -> CompileLimits {
        compile_limits(self.bundle.manifest().tier)
    }
}

/// What the compilation of a component of this tier may use.
pub(crate) fn compile_limits(tier: Tier) -> CompileLimits {
    match tier {
        Tier::Native => CompileLimits::NATIVE,
        Tier::Script | Tier::Wasi => CompileLimits::SCRIPT,
    }
}

/// Takes over what the runner compiled, and stores it. Heavy: nothing for the pipeline's thread.
pub(crate) fn take_compiled(
    compiled: CompiledArtifact,
    component: portcullis_core::Digest,
    artifacts: &Artifacts,
) -> Result<SealedArtifact, LaunchError> {
    let failed = |error: &dyn core::fmt::Display| LaunchError::new("ARTIFACT_UNAVAILABLE", error);
    let artifact: Artifact = compiled.receive(component).map_err(|error| failed(&error))?;
    artifacts.keep(&artifact).map_err(|error| failed(&format!("{error:#}")))?;
    artifact.seal().map_err(|error| failed(&error))
}

/// What a strategy's own description settles.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Every parameter with its value.
    pub(crate) parameters: Vec<(String, String)>,
    /// Streams, each with the index of its market.
    pub(crate) streams: Vec<(usize, Stream)>,
}

impl Settled {
    /// Compares the description with the signed manifest and the operator's parameters.
    pub(crate) fn new(
        checked: &Checked,
        description: &Description,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, LaunchError> {
        let manifest = checked.bundle.manifest();
        if description.name != manifest.name.as_str() || description.version != manifest.version.to_string() {
            let detail = format!(
                "the component says it is {} {}, the signed manifest says {} {}; sign the right component",
                description.name, description.version, manifest.name, manifest.version
            );
            return Err(LaunchError::new("DESCRIPTION_MISMATCH", detail));
        }
        let parameters = parameters::check(description, given)
            .map_err(|wrong| LaunchError::new("PARAMETERS_INVALID", wrong.join("; ")))?;
        let streams = streams(description, &checked.markets)
            .map_err(|detail| LaunchError::new("SUBSCRIPTION_INVALID", detail))?;
        Ok(Self { parameters, streams })
    }
}

fn cell_limits(bundle: &VerifiedBundle) -> Result<CellLimits, LaunchError> {
    let limits = &bundle.manifest().limits;
    CellLimits {
        memory_bytes_max: limits.memory_bytes_max,
        fuel_per_event: limits.fuel_per_event,
        deadline_ms: limits.deadline_ms,
        actions_per_event_max: limits.actions_per_event_max,
        log_bytes_max: limits.log_bytes_max,
    }
    .checked()
    .map_err(|error| LaunchError::new("LIMITS_INVALID", error))
}

fn markets(bundle: &VerifiedBundle) -> Result<Vec<(Category, Symbol)>, String> {
    bundle.manifest().capabilities.symbols.iter().map(|market| parse_market(&market.to_string())).collect()
}

pub(crate) fn parse_market(text: &str) -> Result<(Category, Symbol), String> {
    let (category, symbol) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is not category:SYMBOL"))?;
    let category = match category {
        "linear" => Category::Linear,
        "spot" => Category::Spot,
        other => return Err(format!("{other:?} is not a category traded here: linear or spot")),
    };
    Ok((category, symbol.parse().map_err(|error| format!("{text:?}: {error}"))?))
}

pub(crate) fn streams(
    description: &Description,
    markets: &[(Category, Symbol)],
) -> Result<Vec<(usize, Stream)>, String> {
    let mut streams = Vec::new();
    for subscription in &description.subscriptions {
        let wanted: Vec<usize> = match &subscription.symbol {
            None => (0..markets.len()).collect(),
            Some(text) => {
                let market = parse_market(text)?;
                let index = markets.iter().position(|listed| *listed == market).ok_or_else(|| {
                    format!("the strategy subscribes to {text}, which its signed manifest does not name")
                })?;
                vec![index]
            }
        };
        for index in wanted {
            let stream = match subscription.stream {
                GuestStream::Trades => Stream::Trades,
                GuestStream::Quotes => Stream::Quotes,
                GuestStream::Book { levels } => Stream::Book(levels),
                GuestStream::Bars { interval_s, warm_up: 0 } => Stream::Bars(interval_s),
                GuestStream::Bars { warm_up, .. } => {
                    return Err(format!(
                        "the strategy asks for {warm_up} bars of history, which this version does not deliver; ask for 0"
                    ));
                }
                GuestStream::Funding => Stream::Funding,
                GuestStream::Mark => Stream::Mark,
            };
            streams.push((index, stream));
        }
    }
    Ok(streams)
}
