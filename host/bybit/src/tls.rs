//! One TLS configuration for HTTP and WebSocket: aws-lc-rs, the Mozilla roots, nothing older than TLS 1.2.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The client configuration.
///
/// # Errors
/// When the provider does not support the protocol versions, which a build error alone could cause.
pub(crate) fn client_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
