//! `strategy`: operators and authors.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::key_value;

/// `strategy …`
#[derive(Debug, Subcommand)]
pub(crate) enum Strategy {
    #[command(flatten)]
    Author(Author),
    /// Start a signed bundle in the running gateway, now and after every restart of it (paper only).
    Start(StartStrategy),
    /// Stop a strategy for good: its entries are cancelled, its position is kept.
    Stop {
        /// The strategy's name.
        name: String,
    },
    /// List the strategies of the running gateway.
    List,
}

/// Options of `strategy start`.
#[derive(Debug, Args)]
pub(crate) struct StartStrategy {
    /// The signed bundle.
    pub(crate) file: PathBuf,
    /// Name of the strategy [default: the bundle's].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The capital it may use, in USDT.
    #[arg(long, value_name = "B", default_value = "1000")]
    pub(crate) budget: String,
    /// A process to share with others that name it too, to save memory; only for strategies you trust with each other. One of its own when
    /// left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) cell: Option<String>,
    /// A parameter that differs from its default; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// The commands of `strategy` that need no gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum Author {
    /// Build a strategy in Rust, JavaScript or Python to a component.
    Build {
        /// The strategy's folder, with a Cargo.toml, a package.json or a pyproject.toml.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Where to write the component [default: NAME.component.wasm below target/guest].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Sign a component and its strategy.toml into a bundle.
    Sign {
        /// The component.
        component: PathBuf,
        /// The strategy.toml: what the bundle asks for.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// A private key file; give it twice to sign for two people.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
        /// Where to write the bundle [default: NAME-VERSION.strategy].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say whether the host would take a bundle or component, and why not.
    Check {
        /// The bundle, or a bare component.
        file: PathBuf,
        /// Trusted keys [default: DIR/root.json].
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// For which environment.
        #[arg(long, default_value = "paper")]
        env: String,
    },
    /// Bring a fault about again from its file, and say whether it is the same: exit code 0 if so, 1 if not, 3 if this machine cannot say.
    ReplayFault {
        /// The file, from DIR/faults.
        file: PathBuf,
        /// The strategy's bundle or component [default: the one in DIR/bundles].
        #[arg(long, value_name = "B")]
        bundle: Option<PathBuf>,
    },
}
