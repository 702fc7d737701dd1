//! The `portcullis` binary: every role and every command of Portcullis.

#![forbid(unsafe_code)]

mod bench;
mod cli;
mod clock;
mod command;
mod config;
mod demo;
mod failure;
mod gateway;
mod logs;
mod output;
mod places;
mod supervise;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logs::start(&cli.command);
    match command::run(&cli) {
        Ok(code) => code,
        Err(failure) => {
            output::failure(&failure, cli.json);
            failure.exit_code()
        }
    }
}
