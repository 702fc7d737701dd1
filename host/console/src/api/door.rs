//! Coming in and going out.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{IntoResponse as _, Response};
use portcullis_role::AccessKind;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::Done;
use crate::accounts::PASSWORD_BYTES_MAX;
use crate::app::{App, Shared};
use crate::attempts::{self, Admission, Keys};
use crate::body;
use crate::caller::{Caller, Credential, Operator, SESSION_S, cookie, set_cookie};
use crate::client_address::ClientAddress;
use crate::error::{ApiError, Problem};
use crate::names::AccountName;
use crate::secret::mint;
use crate::store::{self, Session};

/// Longest user name that is looked at, in bytes.
const USER_BYTES_MAX: usize = 256;

/// A user and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user's name.
    #[schema(example = "operator")]
    pub(crate) user: String,
    /// The user's password.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretString,
}

/// A session has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Welcome {
    /// The user's name.
    pub(crate) user: String,
    /// How long the session lasts, in seconds.
    pub(crate) expires_in_s: u64,
}

/// Log in
///
/// Sets the session's cookie, which is good for an hour and from the client's address only. Five failures within 15 minutes lock the
/// address and the account for an hour. Programs use an API token instead: `portcullis console tokens add NAME`.
#[utoipa::path(post, path = "/api/login", tag = "session", request_body = Credentials, responses(
    (status = 200, description = "Logged in", body = Welcome, headers(("Set-Cookie" = String, description = "The session"))),
    (status = 400, description = "Not the body that is expected, or an unknown field", body = Problem),
    (status = 401, description = "Wrong user or password", body = Problem),
    (status = 403, description = "The request comes from another site", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be JSON", body = Problem),
    (status = 429, description = "Too many failures", body = Problem, headers(("Retry-After" = u64, description = "Seconds"))),
    (status = 503, description = "Too many log in at once", body = Problem),
))]
pub(crate) async fn login(
    State(app): State<Shared>,
    axum::Extension(address): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let credentials = body::json(&headers, body, &app.bounds).await?;
    let (welcome, cookie) = come_in(&app, &headers, address, credentials).await?;
    Ok(([(SET_COOKIE, cookie)], Json(welcome)).into_response())
}

/// Log out
///
/// Ends the session.
#[utoipa::path(post, path = "/api/logout", tag = "session", security(("session" = [])), responses(
    (status = 200, description = "Logged out", body = Done),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The request comes from another site", body = Problem),
))]
pub(crate) async fn logout(
    State(app): State<Shared>,
    Operator(caller): Operator,
) -> Result<Response, ApiError> {
    let cookie = go_out(&app, &caller).await?;
    let done = Done { detail: "logged out".to_owned() };
    Ok(([(SET_COOKIE, cookie)], Json(done)).into_response())
}

/// Checks the password and begins a session.
pub(crate) async fn come_in(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    credentials: Credentials,
) -> Result<(Welcome, HeaderValue), ApiError> {
    let Credentials { user, password } = credentials;
    if user.len() > USER_BYTES_MAX || password.expose_secret().len() > PASSWORD_BYTES_MAX {
        return Err(ApiError::Malformed("the user or the password is too long".to_owned()));
    }
    let now_s = app.clock.now_s();
    let keys = Keys::new(address.0, &user);
    let attempt = keys.clone();
    if let Admission::LockedFor { seconds } =
        app.store.run(move |c| attempts::begin(c, &attempt, now_s)).await?
    {
        app.reports.failure();
        return Err(ApiError::LockedOut { seconds });
    }
    // What can be no name is no user, and takes as long to find out.
    let name: Option<AccountName> = user.parse().ok();
    let asked = name.clone();
    let stored = app.store.run(move |c| asked.map_or(Ok(None), |name| store::password(c, &name))).await?;
    let matches = app.passwords.verify(stored, password).await.map_err(|_| ApiError::Busy("logins"))?;
    let Some(user) = name.filter(|_| matches) else {
        app.reports.failure();
        let locked = app.store.run(move |c| attempts::failed(c, &keys, now_s)).await?;
        tracing::warn!(%address, locked, "a login failed");
        return Err(ApiError::WrongPassword);
    };

    let (secret, hash) = mint("")?;
    let session = Session {
        user: user.clone(),
        address: address.to_string(),
        expires_s: now_s.saturating_add(SESSION_S),
    };
    let earlier = cookie(app, headers);
    app.store
        .run(move |c| {
            attempts::succeeded(c, &keys)?;
            if let Some(earlier) = earlier {
                store::end_session(c, &earlier)?;
            }
            store::add_session(c, &hash, &session, now_s)
        })
        .await?;
    tracing::info!(%user, %address, "logged in");
    app.reports.access(AccessKind::Login, &user, address);
    let cookie = set_cookie(app, Some(secret.expose_secret()))?;
    Ok((Welcome { user: user.to_string(), expires_in_s: SESSION_S }, cookie))
}

/// Ends the caller's session. Returns the cookie that says so.
pub(crate) async fn go_out(app: &App, caller: &Caller) -> Result<HeaderValue, ApiError> {
    let Credential::Session(hash) = caller.credential else { return Err(ApiError::NotAuthenticated) };
    app.store.run(move |c| store::end_session(c, &hash)).await?;
    tracing::info!(user = %caller.name, address = %caller.address, "logged out");
    app.reports.access(AccessKind::Logout, &caller.name, caller.address);
    set_cookie(app, None)
}
