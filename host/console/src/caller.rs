//! Who asks: a user with a session, or a program with a token. Found out before the body is looked at.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderValue, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use portcullis_role::ActorName;

use crate::app::{App, Shared};
use crate::client_address::ClientAddress;
use crate::error::ApiError;
use crate::names::{AccountName, Right};
use crate::secret::SecretHash;
use crate::store;

/// How long a session lasts, in seconds.
pub(crate) const SESSION_S: u64 = 60 * 60;

/// Name of the cookie over TLS; the prefix makes browsers refuse one that another host or path sets.
const COOKIE_SECURE: &str = "__Host-portcullis";

/// Name of the cookie on the loopback, where there is no TLS and the prefix is not allowed.
const COOKIE_PLAIN: &str = "portcullis";

/// Somebody who is known.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: AccountName,
    pub(crate) right: Right,
    pub(crate) address: ClientAddress,
    pub(crate) credential: Credential,
}

/// What the caller showed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credential {
    /// The cookie of a session.
    Session(SecretHash),
    /// An API token.
    Token(SecretHash),
}

/// A caller who may look.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Caller);

/// A caller who may change things.
#[derive(Debug)]
pub(crate) struct Operator(pub(crate) Caller);

/// Filled in once it is known who asks, for the access log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whois(pub(crate) Arc<OnceLock<ActorName>>);

impl Caller {
    /// How the journal cites the caller.
    pub(crate) fn actor(&self) -> Option<ActorName> {
        match self.credential {
            Credential::Session(_) => format!("console:{}", self.name),
            Credential::Token(_) => format!("console:token/{}", self.name),
        }
        .parse()
        .ok()
    }

    /// Who sent the request, from its token or else its cookie.
    pub(crate) async fn identify(
        app: &App,
        headers: &HeaderMap,
        address: ClientAddress,
    ) -> Result<Self, ApiError> {
        let found = match headers.get(AUTHORIZATION) {
            Some(value) => Self::by_token(app, value, address).await?,
            None => Self::by_session(app, headers, address).await?,
        };
        match found {
            Some(caller) => Ok(caller),
            None => {
                // Coming without anything is no attempt.
                if headers.contains_key(AUTHORIZATION) || cookie(app, headers).is_some() {
                    app.reports.failure();
                }
                Err(ApiError::NotAuthenticated)
            }
        }
    }

    /// Whether what the caller showed is still good.
    pub(crate) async fn is_valid(&self, app: &App) -> bool {
        let now_s = app.clock.now_s();
        let found = match self.credential {
            Credential::Session(hash) => {
                app.store.run(move |c| store::session(c, &hash, now_s).map(|session| session.is_some())).await
            }
            Credential::Token(hash) => {
                app.store.run(move |c| store::token(c, &hash, now_s).map(|token| token.is_some())).await
            }
        };
        found.unwrap_or(false)
    }

    async fn by_token(
        app: &App,
        value: &HeaderValue,
        address: ClientAddress,
    ) -> Result<Option<Self>, ApiError> {
        let sent = value.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((_, secret)) = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Ok(None);
        };
        let Some(hash) = SecretHash::of(secret.trim()) else { return Ok(None) };
        let now_s = app.clock.now_s();
        let found = app.store.run(move |c| store::token(c, &hash, now_s)).await?;
        Ok(found.map(|(name, right)| Self { name, right, address, credential: Credential::Token(hash) }))
    }

    async fn by_session(
        app: &App,
        headers: &HeaderMap,
        address: ClientAddress,
    ) -> Result<Option<Self>, ApiError> {
        let Some(hash) = cookie(app, headers) else { return Ok(None) };
        let now_s = app.clock.now_s();
        let Some(session) = app.store.run(move |c| store::session(c, &hash, now_s)).await? else {
            return Ok(None);
        };
        if session.address != address.to_string() {
            tracing::warn!(user = %session.user, %address, "a session's cookie came from another address");
            return Ok(None);
        }
        Ok(Some(Self {
            name: session.user,
            right: Right::Operate,
            address,
            credential: Credential::Session(hash),
        }))
    }

    /// A browser sends the cookie along with whatever some page makes it send; where the request comes from is in `Origin`.
    fn check_origin(&self, app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
        if matches!(self.credential, Credential::Token(_)) {
            return Ok(());
        }
        match headers.get(ORIGIN) {
            None => return Err(ApiError::NoOrigin),
            Some(origin) => check_origin(app, origin)?,
        }
        match headers.get("sec-fetch-site") {
            Some(site) if site != "same-origin" => Err(ApiError::ForeignOrigin),
            _ => Ok(()),
        }
    }
}

/// Refuses an origin that is not ours.
pub(crate) fn check_origin(app: &App, origin: &HeaderValue) -> Result<(), ApiError> {
    if app.origins.iter().any(|ours| origin.as_bytes() == ours.as_str().as_bytes()) {
        Ok(())
    } else {
        Err(ApiError::ForeignOrigin)
    }
}

/// The hash of the session's cookie, if one was sent.
pub(crate) fn cookie(app: &App, headers: &HeaderMap) -> Option<SecretHash> {
    let name = cookie_name(app);
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(sent, _)| *sent == name).and_then(|(_, value)| SecretHash::of(value))
}

/// The `Set-Cookie` that keeps a session in the browser for as long as it lasts, or that ends it when there is no secret.
pub(crate) fn set_cookie(app: &App, secret: Option<&str>) -> Result<HeaderValue, ApiError> {
    let (name, secure) = (cookie_name(app), if app.is_secure() { "; Secure" } else { "" });
    let (value, age) = secret.map_or(("", 0), |secret| (secret, SESSION_S));
    let text = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).map_err(|_| ApiError::Failed)?;
    value.set_sensitive(true);
    Ok(value)
}

fn cookie_name(app: &App) -> &'static str {
    if app.is_secure() { COOKIE_SECURE } else { COOKIE_PLAIN }
}

async fn identify(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    let address = parts.extensions.get::<ClientAddress>().copied().ok_or(ApiError::Failed)?;
    let caller = Caller::identify(app, &parts.headers, address).await?;
    if let (Some(Whois(whois)), Some(actor)) = (parts.extensions.get(), caller.actor()) {
        // Already set only if a handler asks twice, with the same answer.
        let _ = whois.set(actor);
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        caller.check_origin(app, &parts.headers)?;
    }
    Ok(caller)
}

impl FromRequestParts<Shared> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        identify(parts, app).await.map(Self)
    }
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        if caller.right >= Right::Operate {
            Ok(Self(caller))
        } else {
            Err(ApiError::Forbidden { has: caller.right, takes: Right::Operate })
        }
    }
}
