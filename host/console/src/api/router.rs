//! Every address there is. An address is in the router because it is in the description: both are made from the same list.

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{bundles, door, limits, operate, read};
use crate::app::Shared;
use crate::error::ApiError;
use crate::guard::guard;
use crate::{events, page};

const ABOUT: &str = "What the console of Portcullis offers to programs and to its page. Money, prices and quantities are decimal strings; counts and \
    nanoseconds are numbers. Every error is `{code, detail}` with a stable code. Besides what is listed, every address may answer 400 \
    (`NO_CLIENT_ADDRESS`: a proxy that does not name its client), 403 (`FOREIGN_ORIGIN`), 421 (`FOREIGN_HOST`), 431 and 500.";

/// The router.
pub(crate) fn router(app: Shared) -> Router {
    let (router, _) = addresses().split_for_parts();
    router
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// The description, as JSON.
pub(crate) fn openapi() -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&addresses().into_openapi())
}

fn addresses() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(preamble())
        .routes(routes!(door::login))
        .routes(routes!(door::logout))
        .routes(routes!(read::status))
        .routes(routes!(read::orders))
        .routes(routes!(read::positions))
        .routes(routes!(read::denials))
        .routes(routes!(read::journal))
        .routes(routes!(events::events))
        .routes(routes!(operate::halt))
        .routes(routes!(operate::stop))
        .routes(routes!(limits::limits, limits::set))
        .routes(routes!(limits::grant_override))
        .routes(routes!(bundles::upload))
        .routes(routes!(read::deployment))
        .routes(routes!(read::description))
        .routes(routes!(read::health))
        .routes(routes!(page::overview))
        .routes(routes!(page::login))
        .routes(routes!(page::logout))
        .routes(routes!(page::halt))
        .routes(routes!(page::asset))
}

fn preamble() -> utoipa::openapi::OpenApi {
    let info = InfoBuilder::new()
        .title("Portcullis console")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, made with `portcullis console tokens add NAME`."))
        .build();
    let session = ApiKey::Cookie(ApiKeyValue::with_description(
        "__Host-portcullis",
        "Set by `POST /api/login`; named `portcullis` on the loopback, where there is no TLS. A request that changes something \
         must carry `Origin`, too.",
    ));
    let mut components = Components::new();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}
