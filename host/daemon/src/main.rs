//! The `portcullis` binary: every role and every command of Portcullis.

#![forbid(unsafe_code)]

mod backtest;
mod bench;
mod cli;
mod clock;
mod command;
mod config;
mod confine;
mod demo;
mod failure;
mod gateway;
mod logs;
mod output;
mod places;
mod sentinel;
mod signer;
mod sockets;
mod supervise;
mod venue;

use std::process::ExitCode;

use clap::Parser as _;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logs::start(&cli.command);
    match keep_to_itself(&cli.command).and_then(|()| command::run(&cli)) {
        Ok(code) => code,
        Err(failure) => {
            output::failure(&failure, cli.json);
            failure.exit_code()
        }
    }
}

/// Roles hold keys or read what strangers send, and may run as one user: none leaves a core dump, and none lets another process
/// of that user look into its memory, its descriptors or its view of the file system.
fn keep_to_itself(command: &cli::Command) -> Result<(), failure::Failure> {
    if command.is_role() {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(anyhow::Error::new)?;
    }
    Ok(())
}
