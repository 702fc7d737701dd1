//! What the demo needs before it can start: strategies built and signed, keys, limits, a configuration.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_bundle::{
    BundleName, BundleSource, SecretKey, UnixSeconds, inspect, read_secret_key, sign, write_key_pair,
};
use portcullis_core::{DEMO_LIMITS, Environment};

use crate::command::{keys, strategy};
use crate::config::{Config, StrategyConfig, VenueConfig};
use crate::failure::Failure;
use crate::{clock, output};

/// The reference strategies and what each may use, in USDT (RULES P2: one symbol each).
const STRATEGIES: [(&str, &str); 2] = [("ema-cross", "10000"), ("market-maker", "10000")];

/// Where installed strategies lie.
const INSTALLED: &str = "/usr/share/portcullis/strategies";

/// What was prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Where the paper exchange is to listen: the same port at every start of the demo, so that a gateway finds it again.
    pub(crate) paper_address: SocketAddr,
}

/// Prepares a data directory; what is there already is kept.
pub(crate) fn prepare(dir: &Path, given: &[PathBuf]) -> Result<Prepared, Failure> {
    for part in ["bundles", "keys", "artifacts", "snapshots", "paper"] {
        make(&dir.join(part))?;
    }
    let key = signing_key(dir)?;
    write_once(&dir.join("limits.toml"), DEMO_LIMITS, 0o600)?;
    for (name, key_name) in [("read", "demo-read"), ("trade", "demo-trade")] {
        let file = dir.join("keys").join(format!("{name}.toml"));
        write_once(&file, &format!("key = \"{key_name}\"\nsecret = \"{}\"\n", random_hex()?), 0o600)?;
    }
    paper_credentials(dir)?;
    let bundles = bundles(dir, given, &key)?;
    let paper_address = address(dir)?;
    let config = Config {
        environment: "paper".to_owned(),
        venue: VenueConfig {
            rest: Some(format!("http://{paper_address}")),
            ws: Some(format!("ws://{paper_address}")),
            read_key: "keys/read.toml".into(),
            trade_key: "keys/trade.toml".into(),
            lookahead_us: 1_000,
        },
        strategies: bundles
            .into_iter()
            .zip(STRATEGIES)
            .map(|(bundle, (name, budget))| StrategyConfig {
                name: name.to_owned(),
                bundle,
                budget: budget.to_owned(),
                parameters: Default::default(),
            })
            .collect(),
    };
    let text = toml::to_string(&config).context("cannot write the configuration")?;
    fs::write(dir.join("portcullis.toml"), text).context("cannot write the configuration")?;
    Ok(Prepared { paper_address })
}

/// Deletes an earlier demo, and refuses to delete anything else.
pub(crate) fn clear(dir: &Path) -> Result<(), Failure> {
    let ours = dir.join("portcullis.toml").exists()
        || fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    if !ours {
        return Err(Failure::Usage(format!(
            "--fresh: {} is not a demo's directory; name another with --dir",
            dir.display()
        )));
    }
    Ok(fs::remove_dir_all(dir).with_context(|| format!("cannot delete {}", dir.display()))?)
}

fn bundles(dir: &Path, given: &[PathBuf], key: &SecretKey) -> Result<Vec<PathBuf>, Failure> {
    let mut bundles = Vec::new();
    for (index, (name, _)) in STRATEGIES.iter().enumerate() {
        bundles.push(match given.get(index) {
            Some(file) => {
                store(dir, &fs::read(file).with_context(|| format!("cannot read {}", file.display()))?)?
            }
            None => match stored(dir, name) {
                Some(bundle) => bundle,
                None => built(dir, name, key)?,
            },
        });
    }
    Ok(bundles)
}

/// A bundle of this name that an earlier start left.
fn stored(dir: &Path, name: &str) -> Option<PathBuf> {
    let prefix = format!("{name}-");
    let mut found: Vec<PathBuf> = fs::read_dir(dir.join("bundles"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "strategy")
                && path
                    .file_name()
                    .and_then(|file| file.to_str())
                    .is_some_and(|file| file.starts_with(&prefix))
        })
        .collect();
    found.sort();
    Some(PathBuf::from("bundles").join(found.pop()?.file_name()?))
}

fn built(dir: &Path, name: &str, key: &SecretKey) -> Result<PathBuf, Failure> {
    let installed = Path::new(INSTALLED).join(format!("{name}.strategy"));
    let Some(crate_dir) = plugin(name)? else {
        if installed.exists() {
            let bundle =
                fs::read(&installed).with_context(|| format!("cannot read {}", installed.display()))?;
            return store(dir, &bundle);
        }
        return Err(Failure::Environment(anyhow::anyhow!(
            "no strategy {name}: run this inside the repository, name a bundle with --strategy, or install one as {}",
            installed.display()
        )));
    };
    output::remark(format!("building the strategy {name}; the first time takes a minute or two"));
    let (component, _) = strategy::build_component(&crate_dir, None)?;
    let source = BundleSource::load(&crate_dir.join("strategy.toml"))
        .map_err(|error| Failure::finding(error.code(), &error))?;
    let bundle = sign(&component, &source, UnixSeconds(clock::now_s()), &[key])
        .map_err(|error| Failure::finding(error.code(), &error))?;
    store(dir, &bundle)
}

/// The crate of a reference strategy, looked for from the working directory upward.
pub(crate) fn plugin(name: &str) -> Result<Option<PathBuf>, Failure> {
    let here = std::env::current_dir().context("no working directory")?;
    Ok(here
        .ancestors()
        .map(|dir| dir.join("plugins").join(name))
        .find(|dir| dir.join("strategy.toml").exists()))
}

fn store(dir: &Path, bundle: &[u8]) -> Result<PathBuf, Failure> {
    let inspection = inspect(bundle).map_err(|error| Failure::finding(error.code(), &error))?;
    let digest = inspection.digest.to_string();
    let short = digest.get(..8).unwrap_or(&digest);
    let file = PathBuf::from("bundles")
        .join(format!("{}-{}-{short}.strategy", inspection.manifest.name, inspection.manifest.version));
    fs::write(dir.join(&file), bundle).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn signing_key(dir: &Path) -> Result<SecretKey, Failure> {
    let keys = dir.join("keys");
    let file = keys.join("demo-author.key");
    if !file.exists() {
        let name: BundleName = "demo-author".parse().map_err(|error| anyhow::anyhow!("{error}"))?;
        let key = SecretKey::generate()
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        write_key_pair(&keys, &name, &key).map_err(|error| Failure::finding(error.code(), &error))?;
    }
    let key = read_secret_key(&file).map_err(|error| Failure::finding(error.code(), &error))?;
    let owner = "demo".parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    keys::add_trusted(dir, key.public(), owner, vec![Environment::Paper])?;
    Ok(key)
}

/// The exchange knows both of the gateway's keys.
fn paper_credentials(dir: &Path) -> Result<(), Failure> {
    let mut text = String::new();
    for name in ["read", "trade"] {
        let file = dir.join("keys").join(format!("{name}.toml"));
        let credentials =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let read_only = name == "read";
        text.push_str(&format!("[[account]]\n{credentials}read_only = {read_only}\n\n"));
    }
    write_once(&dir.join("keys/paper.toml"), &text, 0o600)
}

/// A free port of the loopback, remembered in the directory.
fn address(dir: &Path) -> Result<SocketAddr, Failure> {
    let file = dir.join("paper/address");
    let remembered = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    if let Some(address) = remembered
        && TcpListener::bind::<SocketAddr>(address).is_ok()
    {
        return Ok(address);
    }
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("no free port on the loopback")?;
    fs::write(&file, address.to_string()).context("cannot remember the exchange's port")?;
    Ok(address)
}

fn random_hex() -> Result<String, Failure> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(hex::encode(bytes))
}

fn make(dir: &Path) -> Result<(), Failure> {
    Ok(fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?)
}

fn write_once(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    let mut options = fs::OpenOptions::new();
    let write = || -> std::io::Result<()> {
        let mut out = options.write(true).create_new(true).mode(mode).open(file)?;
        std::io::Write::write_all(&mut out, text.as_bytes())
    };
    let mut write = write;
    Ok(write().with_context(|| format!("cannot write {}", file.display()))?)
}
