//! One file a command.

mod console;
mod deploy;
mod emergency;
mod journal;
pub(crate) mod keys;
mod limits;
pub(crate) mod operate;
mod paper;
mod reconcile;
mod replay_fault;
mod roles;
mod run;
pub(crate) mod strategy;

use std::process::ExitCode;

use portcullis_role::ControlRequest;

use crate::cli::{Cli, Command, HaltNow, Strategy};
use crate::failure::Failure;
use crate::places::Places;
use crate::{backtest, bench, demo, gateway, sentinel, signer};

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let places = Places::new(cli.dir.as_deref(), cli.run_dir.as_deref());
    let dir = places.data();
    let operate = |request| operate::run(&request, &places, cli.json);
    match &cli.command {
        Command::Demo(demo) => demo::run(demo, cli.dir.as_deref(), cli.json),
        Command::Run(arguments) => run::run(arguments, &places),
        Command::Gateway(arguments) => gateway::run(arguments, &places),
        Command::Runner(arguments) => roles::runner(arguments, &places),
        Command::Signer(arguments) => signer::run(arguments, &places),
        Command::Cell { arguments } => roles::cell(arguments),
        Command::Compile { arguments } => roles::compile(arguments),
        Command::Paper(arguments) => paper::run(arguments, cli.dir.as_deref()),
        Command::Console(arguments) => console::console(arguments, &places, cli.json),
        Command::Status => operate(ControlRequest::Status {}),
        Command::Orders => operate(ControlRequest::Orders {}),
        Command::Positions => operate(ControlRequest::Positions {}),
        Command::Denials => operate(ControlRequest::Denials {}),
        Command::Sentinel(arguments) => sentinel::run(arguments, &places),
        Command::Halt(HaltNow { emergency: true, halt }) => emergency::run(&halt.reason, &places, cli.json),
        Command::Halt(HaltNow { halt, .. }) => {
            let (reason, scope) = (halt.reason.clone(), halt.target.scope());
            operate(ControlRequest::Halt { reason, scope, actor: None })
        }
        Command::Reconcile(_) => reconcile::run(&places, cli.json),
        Command::Flatten(halt) => {
            let (reason, scope) = (halt.reason.clone(), halt.target.scope());
            operate(ControlRequest::Flatten { reason, scope, actor: None })
        }
        Command::CancelEntries(halt) => {
            let (reason, scope) = (halt.reason.clone(), halt.target.scope());
            operate(ControlRequest::CancelEntries { reason, scope, actor: None })
        }
        Command::Rearm(rearm) => operate(ControlRequest::Rearm {
            reason: rearm.reason.clone(),
            scope: rearm.target.scope(),
            new_baseline: rearm.new_baseline,
            code: rearm.confirm.clone(),
            actor: None,
        }),
        Command::Strategy(Strategy::Start(arguments)) => deploy::start(arguments, &places, cli.json),
        Command::Strategy(Strategy::Stop { name }) => deploy::stop(name, &places, cli.json),
        Command::Strategy(Strategy::List) => deploy::list(&places, cli.json),
        Command::Strategy(Strategy::Author(command)) => strategy::run(command, dir, cli.json),
        Command::Keys(command) => keys::run(command, dir, cli.json),
        Command::Limits(command) => limits::run(command, &places, cli.json),
        Command::Journal(command) => journal::run(command, dir, cli.json),
        Command::Backtest(arguments) => backtest::run(arguments, cli.json),
        Command::Bench(arguments) => bench::run(arguments, cli.json),
    }
}
