//! `console`: the role that serves the page and the API, and the commands that make its users and tokens.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_console::{
    AccountError, AccountName, Accounts, Bounds, Clock, ConsoleConfig, ConsoleError, Listen,
    PASSWORD_CHARS_MIN, run,
};
use portcullis_role::{AccessKind, ControlReply, ControlRequest, Profile, Tcp, call};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Console, ConsoleCommand, ServeConsole, Tokens, Users};
use crate::confine::{Own, confine_role};
use crate::failure::Failure;
use crate::gateway::BUNDLE_BYTES_MAX;
use crate::places::Places;
use crate::{clock, output};

/// Longest wait for the gateway to journal a change of tokens.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(5);

/// Longest line that is read as a password, in bytes; longer ones are refused later.
const PASSWORD_LINE_BYTES_MAX: u64 = 4 * 1024;

/// Whence a token is made or revoked when somebody does it on the machine.
const HERE: &str = "command-line";

/// Serves, or changes users and tokens.
pub(crate) fn console(console: &Console, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    match &console.command {
        None => serve(&console.serve, places),
        Some(ConsoleCommand::Users(command)) => users(command, places.data(), as_json),
        Some(ConsoleCommand::Tokens(command)) => tokens(command, places, as_json),
    }
}

/// Serves until it is interrupted.
fn serve(arguments: &ServeConsole, places: &Places) -> Result<ExitCode, Failure> {
    let config = ConsoleConfig {
        dir: places.data().to_owned(),
        control: arguments.control.clone().unwrap_or_else(|| places.control_socket()),
        listen: arguments.listen.clone(),
        origins: arguments.origin.clone(),
        proxies: arguments.proxy.clone(),
        bundle_bytes_max: BUNDLE_BYTES_MAX,
        bounds: Bounds::PRODUCTION,
        clock: Clock::new(clock::now_s),
    };
    let mut own = Own { write: vec![places.data()], ..Own::default() };
    let tcp = match &arguments.listen {
        Listen::Unix(path) => {
            own.write.extend(path.parent());
            Tcp::None
        }
        Listen::Tcp(address) => Tcp::Listen(vec![address.port()]),
    };
    confine_role(Profile::Console, &own, tcp)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no threads")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot catch signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot catch signals")?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let ready = |place: &portcullis_console::Place| {
            output::json(&json!({"type": "ready", "role": "console", "console": place.to_string()}));
        };
        run(config, ready, shutdown).await.map_err(|error| {
            if matches!(error, ConsoleError::NoOrigin) {
                Failure::Usage(error.to_string())
            } else {
                Failure::Environment(error.into())
            }
        })?;
        Ok(ExitCode::SUCCESS)
    })
}

fn users(command: &Users, dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let accounts = Accounts::open(dir).map_err(refuse)?;
    let done = match command {
        Users::Add { name } => {
            accounts.add_user(name, &read_password(name)?, clock::now_s()).map_err(refuse)?;
            format!("{name} may log in")
        }
        Users::Password { name } => {
            accounts.set_password(name, &read_password(name)?).map_err(refuse)?;
            format!("the password of {name} is changed, and earlier sessions are ended")
        }
        Users::Remove { name } => {
            accounts.remove_user(name).map_err(refuse)?;
            format!("{name} is removed, and earlier sessions are ended")
        }
        Users::Unlock { name } => {
            let locked = accounts.unlock_user(name).map_err(refuse)?;
            if locked { format!("{name} may try again") } else { format!("{name} was not locked") }
        }
        Users::List => {
            let users = accounts.users().map_err(refuse)?;
            if as_json {
                output::json(&json!({"ok": true, "users": users}));
            } else {
                users.iter().for_each(|user| output::text(&user.name));
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    say(&done, as_json);
    Ok(ExitCode::SUCCESS)
}

fn tokens(command: &Tokens, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let accounts = Accounts::open(places.data()).map_err(refuse)?;
    match command {
        Tokens::Add { name, right, days } => {
            let token = accounts.add_token(name, *right, *days, clock::now_s()).map_err(refuse)?;
            journal(AccessKind::TokenCreated, name, places);
            let secret = token.secret.expose_secret();
            if as_json {
                output::json(&json!({
                    "ok": true, "name": name.as_str(), "token": secret, "right": right, "expires_s": token.expires_s,
                }));
            } else {
                output::text(secret);
                output::remark(format!(
                    "Good for {days} days, with the right {}. It is shown this once.",
                    right.as_str()
                ));
            }
        }
        Tokens::Revoke { name } => {
            accounts.revoke_token(name).map_err(refuse)?;
            journal(AccessKind::TokenRevoked, name, places);
            say(&format!("the token {name} is revoked"), as_json);
        }
        Tokens::List => {
            let tokens = accounts.tokens().map_err(refuse)?;
            if as_json {
                output::json(&json!({"ok": true, "tokens": tokens}));
            } else {
                for token in &tokens {
                    let right = token.right.map(portcullis_console::Right::as_str).unwrap_or_default();
                    let days = token.expires_s.unwrap_or(0).saturating_sub(clock::now_s()) / (24 * 60 * 60);
                    output::text(format!("{:<32} {right:<8} {days} days left", token.name));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse(error: AccountError) -> Failure {
    Failure::finding(error.code(), &error)
}

fn say(done: &str, as_json: bool) {
    if as_json {
        output::json(&json!({"ok": true, "detail": done}));
    } else {
        output::text(done);
    }
}

/// Lets a running gateway journal it. A token made while none runs is good all the same: whoever can write the database needs no
/// token.
fn journal(kind: AccessKind, token: &AccountName, places: &Places) {
    let (Ok(user), Ok(address)) = (token.as_str().parse(), HERE.parse()) else { return };
    let request = ControlRequest::Access { kind, user, address };
    let told = match call(&places.control_socket(), &request, JOURNAL_PATIENCE) {
        Ok(ControlReply::Error { detail, .. }) => Err(detail),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(why) = told {
        output::remark(format!("not journaled, because no gateway took it: {why}"));
    }
}

/// A password from the terminal, typed twice and not shown, or else the first line of the standard input.
fn read_password(name: &AccountName) -> Result<SecretString, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let ask = |prompt: String| {
            rpassword::prompt_password(prompt).map(SecretString::from).context("cannot read the password")
        };
        let first = ask(format!("Password for {name} (at least {PASSWORD_CHARS_MIN} characters): "))?;
        let second = ask("Again: ".to_owned())?;
        if first.expose_secret() != second.expose_secret() {
            return Err(Failure::finding(
                "PASSWORDS_DIFFER",
                "the two passwords differ; nothing was changed",
            ));
        }
        return Ok(first);
    }
    let mut line = String::new();
    stdin.lock().take(PASSWORD_LINE_BYTES_MAX).read_line(&mut line).context("cannot read the password")?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line.into())
}
