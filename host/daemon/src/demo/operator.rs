//! What an operator would do once everything runs: make himself a user and a token, and upload a bundle over HTTP.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use portcullis_console::{AccountError, AccountName, Accounts, Right};
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::prepare::Upload;
use crate::clock;
use crate::failure::Failure;

/// Name of the demo's user.
const USER: &str = "operator";

/// Name of the demo's token.
const TOKEN: &str = "demo";

/// How long the token is good for, in days.
const TOKEN_DAYS: u32 = 30;

/// Longest wait for the uploaded strategy: compiling takes a while on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often it is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Longest wait for one answer; the gateway verifies an upload before it answers.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// How to come in at the demo's console.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) user: &'static str,
    /// Made anew at every start.
    pub(crate) password: SecretString,
    /// Made anew at every start.
    pub(crate) token: SecretString,
}

/// Makes user and token.
pub(crate) fn access(dir: &Path) -> Result<Access, Failure> {
    let make = || -> Result<Access, AccountError> {
        let accounts = Accounts::open(dir)?;
        let password = Accounts::random_password()?;
        let user = name(USER);
        match accounts.set_password(&user, &password) {
            Err(AccountError::Unknown { .. }) => accounts.add_user(&user, &password, clock::now_s())?,
            other => other?,
        }
        match accounts.revoke_token(&name(TOKEN)) {
            Ok(()) | Err(AccountError::Unknown { .. }) => {}
            Err(other) => return Err(other),
        }
        let token = accounts.add_token(&name(TOKEN), Right::Operate, TOKEN_DAYS, clock::now_s())?;
        Ok(Access { user: USER, password, token: token.secret })
    };
    make().map_err(|error| Failure::finding(error.code(), &error))
}

/// Uploads a bundle and waits until its strategy runs. One that an earlier start uploaded runs by itself.
pub(crate) fn upload(console: &str, token: &SecretString, upload: &Upload) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads")?;
    runtime.block_on(async {
        let client = Client::new(console, token)?;
        let started = Instant::now();
        if client.state_of(upload.name).await?.is_none() {
            client.deploy(upload).await?;
        }
        while client.state_of(upload.name).await?.as_deref() != Some("running") {
            if started.elapsed() > PATIENCE {
                bail!("the strategy {} does not run; `portcullis status` shows it", upload.name);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    })
}

struct Client<'a> {
    http: reqwest::Client,
    base: &'a str,
    token: &'a SecretString,
}

impl<'a> Client<'a> {
    fn new(base: &'a str, token: &'a SecretString) -> anyhow::Result<Self> {
        // The client wants to know how TLS would be done, though on the loopback there is none. Somebody else may have said already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build()?;
        Ok(Self { http, base, token })
    }

    /// The state of a strategy that is there.
    async fn state_of(&self, strategy: &str) -> anyhow::Result<Option<String>> {
        let status = self.answer(self.http.get(format!("{}/api/status", self.base))).await?;
        let strategies = status.get("strategies").and_then(Value::as_array).into_iter().flatten();
        let mut found = strategies.filter(|line| line.get("name").is_some_and(|name| name == strategy));
        Ok(found.next().and_then(|line| Some(line.get("state")?.as_str()?.to_owned())))
    }

    /// Uploads, and waits until what is deployed runs.
    async fn deploy(&self, upload: &Upload) -> anyhow::Result<()> {
        let bundle = std::fs::read(&upload.bundle)
            .with_context(|| format!("cannot read {}", upload.bundle.display()))?;
        let Upload { name, budget, .. } = upload;
        let request = self
            .http
            .post(format!("{}/api/bundles?name={name}&budget={budget}", self.base))
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(bundle);
        let accepted = self.answer(request).await?;
        let id =
            accepted.get("deployment").and_then(Value::as_u64).context("a deployment without a number")?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let line = self.answer(self.http.get(format!("{}/api/deployments/{id}", self.base))).await?;
            match line.get("state").and_then(Value::as_str) {
                Some("running") => return Ok(()),
                Some("failed") => bail!("the strategy {name} could not be started: {line}"),
                _ => tokio::time::sleep(ASK_EVERY).await,
            }
        }
        Err(anyhow!("the strategy {name} was not started within {PATIENCE:?}"))
    }

    /// The JSON of an answer that is a success.
    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.bearer_auth(self.token.expose_secret()).send().await.context("the console")?;
        let status = answer.status();
        let body: Value = answer.json().await.context("the console's answer")?;
        if status.is_success() { Ok(body) } else { Err(anyhow!("the console answers {status}: {body}")) }
    }
}

/// A name written here.
#[expect(clippy::expect_used, reason = "constants of this file")]
fn name(text: &str) -> AccountName {
    text.parse().expect("a valid name")
}
