//! Why a project does not become a component.

use std::io;
use std::path::PathBuf;

/// Why a project does not become a component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The manifest path does not lead to one package.
    #[error("{} is not a package cargo can build: {detail}", manifest.display())]
    NotACrate {
        /// The `Cargo.toml` asked for.
        manifest: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The package has no dynamic library to build.
    #[error(
        "package {package} has no cdylib; its Cargo.toml needs crate-type = [\"cdylib\", \"rlib\"] under [lib]"
    )]
    NoCdylib {
        /// The package.
        package: String,
    },
    /// A tool cannot be started.
    #[error("cannot start {tool}: {source}; install Rust from https://rustup.rs")]
    ToolMissing {
        /// The tool.
        tool: String,
        /// Why.
        source: io::Error,
    },
    /// A tool ran and failed.
    #[error("{tool} failed ({status}):\n{output}")]
    ToolFailed {
        /// The tool.
        tool: String,
        /// Its exit status in words.
        status: String,
        /// The end of what it printed to stderr.
        output: String,
    },
    /// No compiler for wasm32 is there.
    #[error(
        "no Rust compiler for wasm32-unknown-unknown: {detail}. Either run `rustup target add wasm32-unknown-unknown`, \
         or on Debian `apt-get install rustc-web rust-web-src` as root"
    )]
    NoToolchain {
        /// What was looked for and not found.
        detail: String,
    },
    /// The file does not describe a strategy in JavaScript or Python.
    #[error("{} does not describe a strategy: {detail}", file.display())]
    NotAProject {
        /// The project's file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// What a script's language needs is not there.
    #[error("{program}: {detail}; {fix}")]
    LanguageMissing {
        /// The program.
        program: &'static str,
        /// What is wrong with it.
        detail: String,
        /// What to install.
        fix: &'static str,
    },
    /// A file or folder of the build cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The core module does not carry the strategy contract.
    #[error(
        "the module cannot be made a component: {detail}; does the crate call portcullis_sdk::export! once?"
    )]
    NotAStrategy {
        /// What the encoder found.
        detail: String,
    },
}

impl BuildError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotACrate { .. } => "NOT_A_CRATE",
            Self::NoCdylib { .. } => "NO_CDYLIB",
            Self::NotAProject { .. } => "NOT_A_PROJECT",
            Self::ToolMissing { .. } | Self::LanguageMissing { .. } => "TOOL_MISSING",
            Self::Unwritable { .. } => "FILE_UNWRITABLE",
            Self::ToolFailed { .. } => "TOOL_FAILED",
            Self::NoToolchain { .. } => "NO_WASM_TOOLCHAIN",
            Self::Unreadable { .. } => "FILE_UNREADABLE",
            Self::NotAStrategy { .. } => "NOT_A_STRATEGY",
        }
    }
}
