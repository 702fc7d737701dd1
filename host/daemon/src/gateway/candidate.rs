//! A configured strategy on its way to running: bundle verified, component compiled, cell started, described by itself.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use portcullis_bundle::{TrustRoot, UnixSeconds, VerifiedBundle, open};
use portcullis_cell::{
    Artifact, CellId, CellLimits, CellLink, CellReply, CellRequest, Description, RunnerClient,
    Stream as GuestStream,
};
use portcullis_core::{Category, Environment, StrategyName, Symbol};
use portcullis_gateway::Stream;
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::clock;
use crate::config::StrategyConfig;
use crate::gateway::artifacts::Artifacts;
use crate::gateway::parameters;

/// Longest wait for a cell to load its artifact and describe itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// A strategy that could start.
pub(crate) struct Candidate {
    pub(crate) config: StrategyConfig,
    pub(crate) name: StrategyName,
    pub(crate) bundle: VerifiedBundle,
    pub(crate) parameters: Vec<(String, String)>,
    /// The markets of the signed manifest, in its order: the strategy's own numbers of its instruments.
    pub(crate) markets: Vec<(Category, Symbol)>,
    /// Streams, each with the index of its market.
    pub(crate) streams: Vec<(usize, Stream)>,
    pub(crate) artifact: Artifact,
    pub(crate) limits: CellLimits,
    pub(crate) cell: CellId,
    pub(crate) pid: u32,
    pub(crate) link: CellLink,
}

impl Candidate {
    /// Takes a configured strategy through verification, compilation and its own description.
    pub(crate) fn prepare(
        dir: &Path,
        config: &StrategyConfig,
        environment: Environment,
        artifacts: &Artifacts,
        runner: &mut RunnerClient,
        cell: CellId,
    ) -> anyhow::Result<Self> {
        let file = dir.join(&config.bundle);
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let trust = TrustRoot::load(&dir.join("root.json"))?;
        let bundle = open(&bytes, &trust, environment, UnixSeconds(clock::now_s()))
            .map_err(|refusal| anyhow::anyhow!("{}: {refusal}. {}", refusal.code(), refusal.fix()))?;
        let name: StrategyName = config.name.parse()?;
        let artifact = artifacts.get(&bundle, runner)?;
        let limits = cell_limits(&bundle)?;
        let mut started = runner.start(cell, &name, limits, &artifact)?;
        let description = describe(&mut started.link)?;
        let manifest = bundle.manifest();
        if description.name != manifest.name.as_str() || description.version != manifest.version.to_string() {
            bail!(
                "the component says it is {} {}, the signed manifest says {} {}; sign the right component",
                description.name,
                description.version,
                manifest.name,
                manifest.version
            );
        }
        let parameters = parameters::check(&description, &config.parameters)
            .map_err(|wrong| anyhow::anyhow!("parameters: {}", wrong.join("; ")))?;
        let markets = markets(&bundle)?;
        let streams = streams(&description, &markets)?;
        Ok(Self {
            config: config.clone(),
            name,
            bundle,
            parameters,
            markets,
            streams,
            artifact,
            limits,
            cell,
            pid: started.pid,
            link: started.link,
        })
    }
}

fn cell_limits(bundle: &VerifiedBundle) -> anyhow::Result<CellLimits> {
    let limits = &bundle.manifest().limits;
    Ok(CellLimits {
        memory_bytes_max: limits.memory_bytes_max,
        fuel_per_event: limits.fuel_per_event,
        deadline_ms: limits.deadline_ms,
        actions_per_event_max: limits.actions_per_event_max,
        log_bytes_max: limits.log_bytes_max,
    }
    .checked()?)
}

fn describe(link: &mut CellLink) -> anyhow::Result<Description> {
    link.send(&CellRequest::Describe)?;
    let asked = Instant::now();
    loop {
        match link.try_receive()? {
            Some(CellReply::Described(description)) => return Ok(description),
            Some(CellReply::Fault(fault)) => bail!("the strategy failed while it described itself: {fault}"),
            Some(_) => bail!("the cell answered out of turn"),
            None => {}
        }
        let left = PATIENCE.saturating_sub(asked.elapsed());
        if left.is_zero() {
            bail!("the cell did not describe its strategy within {} s", PATIENCE.as_secs());
        }
        let timeout = Timespec::try_from(left).unwrap_or_default();
        rustix::event::poll(&mut [PollFd::new(&*link, PollFlags::IN)], Some(&timeout))?;
    }
}

fn markets(bundle: &VerifiedBundle) -> anyhow::Result<Vec<(Category, Symbol)>> {
    bundle.manifest().capabilities.symbols.iter().map(|market| parse_market(&market.to_string())).collect()
}

fn parse_market(text: &str) -> anyhow::Result<(Category, Symbol)> {
    let (category, symbol) =
        text.split_once(':').with_context(|| format!("{text:?} is not category:SYMBOL"))?;
    let category = match category {
        "linear" => Category::Linear,
        "spot" => Category::Spot,
        other => bail!("{other:?} is not a category traded here: linear or spot"),
    };
    Ok((category, symbol.parse()?))
}

fn streams(
    description: &Description,
    markets: &[(Category, Symbol)],
) -> anyhow::Result<Vec<(usize, Stream)>> {
    let mut streams = Vec::new();
    for subscription in &description.subscriptions {
        let wanted: Vec<usize> = match &subscription.symbol {
            None => (0..markets.len()).collect(),
            Some(text) => {
                let market = parse_market(text)?;
                let index = markets.iter().position(|listed| *listed == market).with_context(|| {
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
                    bail!(
                        "the strategy asks for {warm_up} bars of history, which this version does not deliver; ask for 0"
                    )
                }
                GuestStream::Funding => Stream::Funding,
                GuestStream::Mark => Stream::Mark,
            };
            streams.push((index, stream));
        }
    }
    Ok(streams)
}
