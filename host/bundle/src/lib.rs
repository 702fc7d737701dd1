//! Signed strategy bundles: container, envelope, manifest, admission, componentise.
