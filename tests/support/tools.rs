//! Tests that take something which a machine may lack.

#![allow(dead_code, reason = "each suite uses a part of it")]

use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

/// A program's name as it is installed, and a command that succeeds where it is.
pub(crate) type Tool = (&'static str, &'static [&'static str]);

pub(crate) const PYTHON: Tool = ("python3-venv", &["python3", "-m", "ensurepip", "--version"]);
pub(crate) const NODE: Tool = ("node", &["node", "-v"]);
pub(crate) const NPM: Tool = ("npm", &["npm", "-v"]);

/// A test that is ignored, and says why, where a tool is missing; and fails there where everything must be there.
pub(crate) fn trial(name: &str, missing: Option<&'static str>, test: fn() -> Result<(), Failed>) -> Trial {
    match missing {
        None => Trial::test(name, test),
        Some(tool) if std::env::var_os("CI").is_some() => {
            Trial::test(name, move || Err(format!("there is no {tool}").into()))
        }
        Some(tool) => Trial::test(format!("{name} (ignored: no {tool})"), || Ok(())).with_ignored_flag(true),
    }
}

/// The first of the tools that is not there.
pub(crate) fn missing(tools: &[Tool]) -> Option<&'static str> {
    tools.iter().find(|(_, command)| !runs(command)).map(|(tool, _)| *tool)
}

fn runs(command: &[&str]) -> bool {
    let [program, arguments @ ..] = command else { return false };
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
