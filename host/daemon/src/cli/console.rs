//! `console`: the role, and who may use it.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use portcullis_console::{AccountName, Listen, Origin, Right};

/// `console`, as a role or with a command.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Console {
    #[command(flatten)]
    pub(crate) serve: ServeConsole,
    #[command(subcommand)]
    pub(crate) command: Option<ConsoleCommand>,
}

/// Options of the console role.
#[derive(Debug, Args)]
pub(crate) struct ServeConsole {
    /// Where to listen: an address of the loopback, or unix:PATH behind a proxy.
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:8000")]
    pub(crate) listen: Listen,
    /// Where browsers reach it, for example https://trade.example.org; may be given several times [default: the address
    /// listened on].
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Vec<Origin>,
    /// A proxy whose X-Real-IP is believed; may be given several times. Over a Unix socket it always is.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) proxy: Vec<IpAddr>,
    /// The gateway's control socket [default: control.sock in --run-dir].
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

/// `console …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConsoleCommand {
    /// Who may log in.
    #[command(subcommand, alias = "user")]
    Users(Users),
    /// API tokens, for programs.
    #[command(subcommand, alias = "token")]
    Tokens(Tokens),
}

/// `console users …`
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Add a user; the password is asked for, or read from the first line of the standard input.
    Add {
        /// The user's name.
        name: AccountName,
    },
    /// Change a password, read as for `add`, and end the user's sessions.
    Password {
        /// The user's name.
        name: AccountName,
    },
    /// Remove a user and end the user's sessions.
    Remove {
        /// The user's name.
        name: AccountName,
    },
    /// Let a user try again who is locked out after failed attempts.
    Unlock {
        /// The user's name.
        name: AccountName,
    },
    /// List the users.
    List,
}

/// `console tokens …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Make a token and print it, once.
    Add {
        /// What it is for.
        name: AccountName,
        /// What it may do: read, or operate (halt, stop and upload as well).
        #[arg(long, default_value = "operate")]
        right: Right,
        /// How many days it is good for.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Revoke a token at once.
    Revoke {
        /// Its name.
        name: AccountName,
    },
    /// List the tokens, without their secrets.
    List,
}
