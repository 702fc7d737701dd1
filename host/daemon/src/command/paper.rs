//! `paper`: the Bybit-compatible exchange by itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_paper::{Faults, Live, PaperConfig, PaperKey, Speed, bind};
use portcullis_role::{Profile, Tcp};
use portcullis_wire::Credentials;
use serde::Deserialize;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Paper;
use crate::confine::{Own, confine_role};
use crate::failure::Failure;
use crate::output;

/// Runs the exchange until it is interrupted. With `--dir` its state outlives the process.
pub(crate) fn run(arguments: &Paper, dir: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = config(arguments, dir)?;
    let own = Own {
        read: config.data.iter().map(PathBuf::as_path).collect(),
        write: config.state.as_deref().into_iter().collect(),
    };
    // A live source is reached by TCP, and nobody else is.
    let tcp = match config.live {
        Some(_) => Tcp::Any,
        None => {
            Tcp::Listen([Some(config.listen), config.admin].iter().flatten().map(SocketAddr::port).collect())
        }
    };
    confine_role(Profile::Paper, &own, tcp)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no threads")?;
    runtime.block_on(async {
        let paper = bind(config).await.map_err(|error| Failure::Environment(error.into()))?;
        let address = paper.address();
        let mut ready = json!({
            "type": "ready",
            "role": "paper",
            "rest": format!("http://{address}"),
            "ws": format!("ws://{address}"),
            "skipped": paper.skipped(),
            "gaps": paper.gaps(),
        });
        if let (Some(admin), Some(members)) = (paper.admin(), ready.as_object_mut()) {
            members.insert("admin".to_owned(), format!("http://{admin}").into());
        }
        output::json(&ready);
        let mut terminate = signal(SignalKind::terminate()).context("cannot catch signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot catch signals")?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        paper.run(shutdown).await.map_err(|error| Failure::Environment(error.into()))?;
        Ok(ExitCode::SUCCESS)
    })
}

fn config(arguments: &Paper, dir: Option<&Path>) -> Result<PaperConfig, Failure> {
    let keys = match &arguments.key_file {
        Some(file) => keys(file)?,
        None => {
            let credentials = Credentials::new(&arguments.key, &arguments.secret.clone().into());
            vec![PaperKey { credentials, read_only: false }]
        }
    };
    let mut config = PaperConfig::new(arguments.listen, keys);
    config.speed = Speed::new(arguments.speed).ok_or_else(|| {
        Failure::Usage(format!("--speed {}: must be above 0 and at most 1000", arguments.speed))
    })?;
    config.live = live(arguments, config.speed)?;
    if config.live.is_none() {
        config.data = arguments.data.clone();
    }
    config.repeat = !arguments.no_loop;
    config.admin = arguments.admin;
    config.limits = !arguments.no_limits;
    config.state = dir.map(|dir| dir.join("paper"));
    config.faults = match &arguments.faults {
        None => None,
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(
                Faults::parse(&text)
                    .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
            )
        }
    };
    Ok(config)
}

/// The live source, if `--data` names one.
fn live(arguments: &Paper, speed: Speed) -> Result<Option<Live>, Failure> {
    let parse = |data: &PathBuf| data.to_str().and_then(|text| Live::parse(text, Some(&arguments.live_url)));
    let Some(live) = arguments.data.iter().find_map(parse) else { return Ok(None) };
    if arguments.data.len() > 1 {
        return Err(Failure::Usage("live: cannot be mixed with other --data".to_owned()));
    }
    if speed != Speed::REAL_TIME {
        return Err(Failure::Usage("live: runs at the market's own speed; leave --speed away".to_owned()));
    }
    live.map(Some).map_err(|error| Failure::Usage(error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    account: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
    secret: secrecy::SecretString,
    read_only: bool,
}

fn keys(file: &Path) -> Result<Vec<PaperKey>, Failure> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    // The parser's message would quote the line, and with it the secret.
    let file: KeyFile = toml::from_str(&text).map_err(|_| {
        Failure::Usage(format!(
            "{} must hold [[account]] tables with key, secret and read_only",
            file.display()
        ))
    })?;
    let typed = file.account.into_iter().map(|account| PaperKey {
        credentials: Credentials::new(&account.key, &account.secret),
        read_only: account.read_only,
    });
    Ok(typed.collect())
}
