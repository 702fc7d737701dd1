//! What the demo needs before it can start: strategies built and signed, keys, limits, a configuration.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_bundle::{
    BundleName, BundleSource, SecretKey, Tier, UnixSeconds, inspect, read_secret_key, sign, write_key_pair,
};
use portcullis_core::{DEMO_LIMITS, Environment};

use crate::command::{keys, strategy};
use crate::config::{Config, SentinelConfig, StrategyConfig, VenueConfig, WasiConfig};
use crate::demo::port;
use crate::failure::Failure;
use crate::signer::{CapFile, SignerFile};
use crate::{clock, output};

/// The strategy that the gateway is configured with, and the one that is uploaded while it runs (RULES P2: one symbol each).
const STRATEGIES: [&str; 2] = ["ema-cross", "market-maker"];

/// What each of them may use, in USDT.
const BUDGET: &str = "10000";

/// What the demo's limits have instruments for.
const SYMBOLS: [&str; 2] = ["linear:BTCUSDT", "linear:ETHUSDT"];

/// Where the gateway keeps bundles.
const BUNDLES: &str = "bundles";

/// Where a bundle waits to be uploaded.
const BUILT: &str = "built";

/// The binary of the wasi tier.
const WASI_CELL: &str = "portcullis-wasi-cell";

/// Where installed strategies lie.
const INSTALLED: &str = "/usr/share/portcullis/strategies";

/// What was prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Where the paper exchange is to listen: the same port at every start of the demo, so that a gateway finds it again.
    pub(crate) paper_address: SocketAddr,
    /// What is to be uploaded once everything runs.
    pub(crate) upload: Upload,
    /// The binary of the wasi tier's cells, when a strategy that was given is of that tier.
    pub(crate) wasi_cell: Option<PathBuf>,
}

/// A bundle to be uploaded.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The file.
    pub(crate) bundle: PathBuf,
    /// Name of the strategy.
    pub(crate) name: &'static str,
    /// What it may use, in USDT.
    pub(crate) budget: &'static str,
}

/// Prepares a data directory; what is there already is kept.
pub(crate) fn prepare(dir: &Path, given: &[PathBuf]) -> Result<Prepared, Failure> {
    for part in [BUNDLES, BUILT, "keys", "artifacts", "snapshots", "paper"] {
        make(&dir.join(part))?;
    }
    let key = signing_key(dir)?;
    write_once(&dir.join("limits.toml"), DEMO_LIMITS, 0o600)?;
    for (name, key_name) in [("read", "demo-read"), ("trade", "demo-trade")] {
        let file = dir.join("keys").join(format!("{name}.toml"));
        write_once(&file, &format!("key = \"{key_name}\"\nsecret = \"{}\"\n", random_hex()?), 0o600)?;
    }
    paper_credentials(dir)?;
    signer_file(dir)?;
    let [configured, uploaded] = STRATEGIES;
    let bundle = bundle(dir, BUNDLES, configured, given.first(), &key)?;
    let upload = Upload {
        bundle: dir.join(self::bundle(dir, BUILT, uploaded, given.get(1), &key)?),
        name: uploaded,
        budget: BUDGET,
    };
    let wasi_cell = wasi_cell(given)?;
    let paper_address = address(dir)?;
    let config = Config {
        environment: "paper".to_owned(),
        venue: VenueConfig {
            rest: Some(format!("http://{paper_address}")),
            ws: Some(format!("ws://{paper_address}")),
            read_key: "keys/read.toml".into(),
            trade_key: None,
            lookahead_us: 1_000,
            region: None,
            trade_socket: false,
        },
        account: None,
        sentinel: Some(SentinelConfig { lease_s: 10 }),
        wasi: wasi_cell
            .as_ref()
            .map(|_| WasiConfig { allow: [configured, uploaded].map(str::to_owned).into(), cell: None }),
        strategies: vec![StrategyConfig {
            cell: None,
            name: configured.to_owned(),
            bundle,
            budget: BUDGET.to_owned(),
            parameters: Default::default(),
        }],
    };
    let text = toml::to_string(&config).context("cannot write the configuration")?;
    fs::write(dir.join("portcullis.toml"), text).context("cannot write the configuration")?;
    Ok(Prepared { paper_address, upload, wasi_cell })
}

/// The binary `portcullis-wasi-cell` beside this one, when a bundle that was given needs it: who starts the demo with such a bundle is its
/// operator, and allows it.
fn wasi_cell(given: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
    for file in given {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        if !inspect(&bytes).is_ok_and(|bundle| bundle.manifest.tier == Tier::Wasi) {
            continue;
        }
        let binary = std::env::current_exe().context("cannot find this binary")?.with_file_name(WASI_CELL);
        if !binary.exists() {
            return Err(Failure::Environment(anyhow::anyhow!(
                "{} is of tier wasi, and there is no {}: cargo build --release -p portcullis-wasi-cell",
                file.display(),
                binary.display()
            )));
        }
        return Ok(Some(binary));
    }
    Ok(None)
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

/// The bundle of a strategy in a folder, relative to the directory: the one that is given, else one that an earlier start left, else
/// one that is built.
fn bundle(
    dir: &Path,
    folder: &str,
    name: &str,
    given: Option<&PathBuf>,
    key: &SecretKey,
) -> Result<PathBuf, Failure> {
    if let Some(file) = given {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        return store(dir, folder, &bytes);
    }
    match [BUNDLES, BUILT].iter().find_map(|folder| stored(dir, folder, name)) {
        Some(bundle) => Ok(bundle),
        None => store(dir, folder, &built(name, key)?),
    }
}

/// A bundle of this name that an earlier start left.
fn stored(dir: &Path, folder: &str, name: &str) -> Option<PathBuf> {
    let prefix = format!("{name}-");
    let mut found: Vec<PathBuf> = fs::read_dir(dir.join(folder))
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
    Some(PathBuf::from(folder).join(found.pop()?.file_name()?))
}

fn built(name: &str, key: &SecretKey) -> Result<Vec<u8>, Failure> {
    let installed = Path::new(INSTALLED).join(format!("{name}.strategy"));
    let Some(crate_dir) = plugin(name)? else {
        if installed.exists() {
            return Ok(fs::read(&installed).with_context(|| format!("cannot read {}", installed.display()))?);
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
    sign(&component, &source, UnixSeconds(clock::now_s()), &[key])
        .map_err(|error| Failure::finding(error.code(), &error))
}

/// The crate of a reference strategy, looked for from the working directory upward.
pub(crate) fn plugin(name: &str) -> Result<Option<PathBuf>, Failure> {
    let here = std::env::current_dir().context("no working directory")?;
    Ok(here
        .ancestors()
        .map(|dir| dir.join("plugins").join(name))
        .find(|dir| dir.join("strategy.toml").exists()))
}

fn store(dir: &Path, folder: &str, bundle: &[u8]) -> Result<PathBuf, Failure> {
    let inspection = inspect(bundle).map_err(|error| Failure::finding(error.code(), &error))?;
    let digest = inspection.digest.to_string();
    let short = digest.get(..8).unwrap_or(&digest);
    let file = PathBuf::from(folder)
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

/// The signer's own file, with a cap a little above the demo's limits.
fn signer_file(dir: &Path) -> Result<(), Failure> {
    let file = SignerFile {
        environment: Environment::Paper,
        trade_key: "keys/trade.toml".into(),
        trade_socket: false,
        cap: CapFile {
            symbols: SYMBOLS.map(str::to_owned).into(),
            notional_max: "25000".to_owned(),
            adding_per_minute: 1_200,
            violations_max: 20,
        },
    };
    let text = toml::to_string(&file).context("cannot write the signer's file")?;
    write_once(&dir.join("keys/signer.toml"), &text, 0o600)
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
    let address = port::any()?;
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
