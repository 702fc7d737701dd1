//! `limits`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{Since, duration, since};

/// `limits …`
#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Print the limits.toml that an installation starts with, for an operator to edit.
    Template,
    /// Show every limit in force, the value it is held against, and how much of it is used.
    Show,
    /// Say in words what a limit measures, what it stops and what it does not, and how far away it is.
    Explain {
        /// A key such as daily_loss_max or account.daily_loss_max, or a check such as order-notional [default: all, the nearest
        /// first].
        key: Option<String>,
    },
    /// Hold the decisions in the journal against another limits file, and say which would have been others.
    Simulate(SimulateLimits),
    /// Put another limits file in force. Where it loosens anything it takes a second step.
    Set {
        /// The new limits.toml.
        file: PathBuf,
        /// Why, for the journal.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The code that the first step printed.
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// Let one order of a strategy pass a bound, in two steps.
    Override(OverrideLimit),
}

/// Options of `limits simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateLimits {
    /// The limits file to try out.
    pub(crate) file: PathBuf,
    /// First entry to judge.
    #[arg(long, value_name = "SEQ", conflicts_with = "since")]
    pub(crate) from: Option<u64>,
    /// Judge what was written since then: a time ago such as 24h, or a UTC time such as 2026-11-24 or 2026-11-24T12:30.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Most changed decisions to list of each kind [default: 20, or 1000 with --json].
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<usize>,
}

/// Options of `limits override`.
#[derive(Debug, Args)]
pub(crate) struct OverrideLimit {
    /// The strategy's name.
    #[arg(long)]
    pub(crate) strategy: String,
    /// The check whose bound is lifted, such as order-notional.
    #[arg(long)]
    pub(crate) check: String,
    /// The bound for that one order.
    #[arg(long, value_name = "N")]
    pub(crate) limit: String,
    /// How long it is good, at most 1h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) r#for: std::time::Duration,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The code that the first step printed.
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
}
