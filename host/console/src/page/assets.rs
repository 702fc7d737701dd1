//! The files of the page, part of the binary.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::error::{ApiError, Problem};

/// Browsers keep a file and ask whether it is still the one.
const CACHING: HeaderValue = HeaderValue::from_static("no-cache");

/// A file of the page
///
/// Open to everybody; answered with an `ETag`, and 304 when that is sent as `If-None-Match`.
#[utoipa::path(get, path = "/static/{file}", tag = "page", params(
    ("file" = String, Path, description = "`overview.css`, `overview.js` or `mark.svg`"),
), responses(
    (status = 200, description = "The file", body = String, content_type = "text/css"),
    (status = 304, description = "The file that the client has"),
    (status = 404, description = "No such file", body = Problem),
))]
pub(crate) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let (content_type, bytes): (&str, &'static [u8]) = match file.as_str() {
        "overview.css" => ("text/css; charset=utf-8", include_bytes!("../../assets/overview.css")),
        "overview.js" => ("text/javascript; charset=utf-8", include_bytes!("../../assets/overview.js")),
        "mark.svg" => ("image/svg+xml", include_bytes!("../../assets/mark.svg")),
        _ => return Err(ApiError::NotFound),
    };
    let digest = hex::encode(Sha256::digest(bytes));
    let tag = HeaderValue::try_from(format!("\"{digest}\"")).map_err(|_| ApiError::Failed)?;
    if headers.get(IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag), (CACHE_CONTROL, CACHING)]).into_response());
    }
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static(content_type)), (ETAG, tag), (CACHE_CONTROL, CACHING)];
    Ok((headers, Bytes::from_static(bytes)).into_response())
}
