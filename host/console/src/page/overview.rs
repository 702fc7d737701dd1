//! The page's addresses. What they do is what the API does; they answer with pages.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::figures::sentence;
use super::view::View;
use crate::api::{Credentials, come_in, go_out, halt_trading};
use crate::app::Shared;
use crate::body;
use crate::caller::{Caller, Operator};
use crate::client_address::ClientAddress;
use crate::error::{ApiError, Problem};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    problem: &'a str,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    user: &'a str,
    may_operate: bool,
    problem: &'a str,
    view: &'a View,
}

/// The halt form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HaltForm {
    /// Why; journaled.
    reason: String,
    /// `yes`, from the box that must be ticked.
    #[serde(default)]
    confirm: String,
}

/// The login form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginForm {
    user: String,
    #[schema(value_type = String)]
    password: SecretString,
}

/// The Overview page
///
/// A login form for those who are not logged in.
#[utoipa::path(get, path = "/", tag = "page", responses(
    (status = 200, description = "The page", body = String, content_type = "text/html"),
    (status = 503, description = "The page, saying that the gateway does not answer", body = String, content_type = "text/html"),
))]
pub(crate) async fn overview(
    State(app): State<Shared>,
    axum::Extension(address): axum::Extension<ClientAddress>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match Caller::identify(&app, &headers, address).await {
        Ok(caller) => show(&app, &caller, None).await,
        Err(ApiError::NotAuthenticated) => login_page(StatusCode::OK, ""),
        Err(other) => Err(other),
    }
}

/// Log in from the page
#[utoipa::path(post, path = "/login", tag = "page", request_body(
    content = LoginForm, content_type = "application/x-www-form-urlencoded"
), responses(
    (status = 303, description = "Logged in; the page is at `/`"),
    (status = 400, description = "Not the form", body = Problem),
    (status = 403, description = "The request comes from another site", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be a form", body = Problem),
    (status = 503, description = "The form again: too many log in at once", body = String, content_type = "text/html"),
    (status = 401, description = "The form again, saying why", body = String, content_type = "text/html"),
    (status = 429, description = "The form again, saying for how long", body = String, content_type = "text/html"),
))]
pub(crate) async fn login(
    State(app): State<Shared>,
    axum::Extension(address): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let LoginForm { user, password } = body::form(&headers, body, &app.bounds).await?;
    match come_in(&app, &headers, address, Credentials { user, password }).await {
        Ok((_, cookie)) => Ok(go_to_overview(Some(cookie))),
        Err(error @ (ApiError::WrongPassword | ApiError::LockedOut { .. } | ApiError::Busy(_))) => {
            login_page(error.status(), &sentence(&error.detail()))
        }
        Err(other) => Err(other),
    }
}

/// Log out from the page
#[utoipa::path(post, path = "/logout", tag = "page", security(("session" = [])), responses(
    (status = 303, description = "Logged out; the form is at `/`"),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The request comes from another site", body = Problem),
))]
pub(crate) async fn logout(
    State(app): State<Shared>,
    Operator(caller): Operator,
) -> Result<Response, ApiError> {
    let cookie = go_out(&app, &caller).await?;
    Ok(go_to_overview(Some(cookie)))
}

/// Halt from the page
#[utoipa::path(post, path = "/halt", tag = "page", security(("session" = [])), request_body(
    content = HaltForm, content_type = "application/x-www-form-urlencoded"
), responses(
    (status = 303, description = "Halted; the page is at `/`"),
    (status = 400, description = "The page, saying what is missing", body = String, content_type = "text/html"),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The request comes from another site", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 409, description = "The page, saying why the gateway refuses", body = String, content_type = "text/html"),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be a form", body = Problem),
    (status = 503, description = "The page, saying that the gateway does not answer", body = String, content_type = "text/html"),
))]
pub(crate) async fn halt(
    State(app): State<Shared>,
    Operator(caller): Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let form: HaltForm = body::form(&headers, body, &app.bounds).await?;
    let halted = if form.confirm == "yes" {
        halt_trading(&app, &caller, form.reason).await.map(drop)
    } else {
        Err(ApiError::Malformed("tick the box to confirm the halt".to_owned()))
    };
    match halted {
        Ok(()) => Ok(go_to_overview(None)),
        Err(error) => show(&app, &caller, Some(&error)).await,
    }
}

async fn show(app: &Shared, caller: &Caller, problem: Option<&ApiError>) -> Result<Response, ApiError> {
    let reading = app.live.read().await;
    let problem_text = problem.map(|error| sentence(&error.detail())).unwrap_or_default();
    let page = OverviewPage {
        user: caller.name.as_str(),
        may_operate: caller.right >= crate::names::Right::Operate,
        problem: &problem_text,
        view: &reading.view,
    };
    let status = match problem {
        Some(error) => error.status(),
        None if reading.view.code.is_empty() => StatusCode::OK,
        None => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok((status, Html(render(&page)?)).into_response())
}

fn login_page(status: StatusCode, problem: &str) -> Result<Response, ApiError> {
    Ok((status, Html(render(&LoginPage { problem })?)).into_response())
}

fn render(page: &impl Template) -> Result<String, ApiError> {
    page.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be rendered");
        ApiError::Failed
    })
}

fn go_to_overview(cookie: Option<HeaderValue>) -> Response {
    let mut response = Redirect::to("/").into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
