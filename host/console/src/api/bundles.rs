//! Uploading a strategy.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use portcullis_core::{Amount, StrategyName};
use portcullis_role::{ControlReply, ControlRequest, DeployRequest, DeploymentState};

use super::answers::Deployment;
use super::upload::Upload;
use crate::app::Shared;
use crate::body::{Incoming, check_type};
use crate::caller::Operator;
use crate::error::{ApiError, Problem};

/// Most parameters of one strategy.
const PARAMETERS_MAX: usize = 64;

/// Longest key and value of a parameter, in bytes.
const PARAMETER_BYTES_MAX: usize = 256;

/// How the keys of parameters begin in the query.
const PARAMETER_PREFIX: &str = "set.";

/// What the query asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wishes {
    name: Option<String>,
    budget: String,
    parameters: BTreeMap<String, String>,
}

/// Upload a bundle
///
/// The body is the signed bundle as it is. It is verified, checked and started as a strategy on paper, now and after every restart. Accepted
/// means that signature and component are in order; `GET /api/deployments/{id}` says when it runs. Each parameter that is to differ from its
/// default is a further field of the query, `set.KEY=VALUE`.
#[utoipa::path(post, path = "/api/bundles", tag = "bundles", security(("token" = []), ("session" = [])), params(
    ("budget" = String, Query, description = "Capital it may use, in USDT", example = "10000"),
    ("name" = Option<String>, Query, description = "The strategy's name; the bundle's own when left out"),
    ("set.KEY" = Option<String>, Query, description = "A parameter, by its key"),
), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The bundle"), responses(
    (status = 202, description = "Accepted", body = Deployment),
    (status = 400, description = "An unknown or malformed field of the query, or the body broke off", body = Problem),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The token may only read, or the request comes from another site", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 409, description = "`STRATEGY_EXISTS` or `SYMBOL_OWNED`", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be application/octet-stream", body = Problem),
    (status = 422, description = "The gateway refuses the bundle, with the code of the reason", body = Problem),
    (status = 503, description = "The gateway does not answer, or too many upload at once", body = Problem),
    (status = 507, description = "The upload cannot be kept", body = Problem),
))]
pub(crate) async fn upload(
    State(app): State<Shared>,
    Operator(caller): Operator,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Deployment>), ApiError> {
    check_type(&headers, "application/octet-stream")?;
    let wishes = wishes(query.as_deref().unwrap_or_default())?;
    let _place = Arc::clone(&app.uploads).try_acquire_owned().map_err(|_| ApiError::Busy("uploads"))?;
    let incoming = Incoming::upload(body, app.bundle_bytes_max, &app.bounds)?;
    let upload = Upload::receive(&app.incoming, incoming).await?;
    let request = DeployRequest {
        bundle: upload.name().clone(),
        name: wishes.name,
        budget: wishes.budget,
        parameters: wishes.parameters,
        // Who shares a process with whom is decided on the host, by somebody who can read the others' bundles.
        cell: None,
        actor: caller.actor(),
    };
    // The gateway takes the file away; whatever is left of it goes with `upload`.
    let reply = app.gateway.ask(ControlRequest::Deploy(request)).await;
    app.live.forget().await;
    let ControlReply::Accepted { deployment, strategy, bundle, digest } = reply? else {
        return Err(ApiError::GatewayNonsense);
    };
    tracing::info!(strategy, bundle, digest, "a bundle is accepted");
    let state = DeploymentState::Compiling.as_str();
    let answer = Deployment { deployment, strategy, bundle, digest, state, code: None, detail: None };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn wishes(query: &str) -> Result<Wishes, ApiError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| ApiError::Malformed("the query is not of the form KEY=VALUE&…".to_owned()))?;
    let (mut name, mut budget, mut parameters) = (None, None, BTreeMap::new());
    for (key, value) in pairs {
        if key.len().max(value.len()) > PARAMETER_BYTES_MAX {
            return Err(malformed(&key, "is too long"));
        }
        let earlier = match key.as_str() {
            "name" => {
                value
                    .parse::<StrategyName>()
                    .map_err(|_| malformed("name", "must be 1 to 32 of [a-z0-9-]"))?;
                name.replace(value)
            }
            "budget" => {
                let amount =
                    Amount::parse(&value).map_err(|error| malformed("budget", &error.to_string()))?;
                if amount <= Amount::ZERO {
                    return Err(malformed("budget", "must be above 0"));
                }
                budget.replace(value)
            }
            other => match other.strip_prefix(PARAMETER_PREFIX) {
                Some(parameter) if !parameter.is_empty() => parameters.insert(parameter.to_owned(), value),
                _ => {
                    let detail = format!("unknown field `{other}`, expected budget, name or set.KEY");
                    return Err(ApiError::UnknownField(detail));
                }
            },
        };
        if earlier.is_some() {
            return Err(malformed(&key, "is there twice"));
        }
        if parameters.len() > PARAMETERS_MAX {
            return Err(ApiError::Malformed(format!("more than {PARAMETERS_MAX} parameters")));
        }
    }
    let budget = budget.ok_or_else(|| {
        malformed("budget", "is missing: say how much capital the strategy may use, for example budget=10000")
    })?;
    Ok(Wishes { name, budget, parameters })
}

fn malformed(field: &str, what: &str) -> ApiError {
    let field: String = field.chars().take(PARAMETER_BYTES_MAX).collect();
    ApiError::Malformed(format!("`{field}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let wishes = wishes("name=mm&budget=10000.5&set.half-spread=2&set.size=0.01%2B").unwrap();
        assert_eq!((wishes.name.as_deref(), wishes.budget.as_str()), (Some("mm"), "10000.5"));
        let parameters: Vec<_> = wishes.parameters.into_iter().collect();
        assert_eq!(parameters, [("half-spread".into(), "2".into()), ("size".into(), "0.01+".into())]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!("budget=1&set.{}=1", "x".repeat(300));
        for (query, code, word) in [
            ("", "MALFORMED", "budget"),
            ("name=mm", "MALFORMED", "budget"),
            ("budget=much", "MALFORMED", "budget"),
            ("budget=0", "MALFORMED", "budget"),
            ("budget=-5", "MALFORMED", "budget"),
            ("budget=1&budget=2", "MALFORMED", "twice"),
            ("budget=1&set.a=1&set.a=2", "MALFORMED", "set.a"),
            ("budget=1&name=../x", "MALFORMED", "name"),
            ("budget=1&size=2", "UNKNOWN_FIELD", "size"),
            ("budget=1&set.=2", "UNKNOWN_FIELD", "set."),
            (&long, "MALFORMED", "too long"),
        ] {
            let error = wishes(query).unwrap_err();
            assert_eq!(error.code(), code, "{query}");
            assert!(error.detail().contains(word), "{query}: {}", error.detail());
        }
    }
}
