//! Signed strategy bundles: container, envelope, manifest, trust, admission, and the build of a component.
//!
//! A bundle is one file, `NAME-VERSION.strategy`:
//!
//! ```text
//! "PCS1" ‖ u32le envelope length ‖ DSSE envelope (JSON) ‖ u64le component length ‖ component
//! ```
//!
//! The envelope signs an in-toto statement, which names the component by digest and carries the [`Manifest`]. A host uses a
//! bundle only as a [`VerifiedBundle`], and [`open`] is the only way to one. An author's road is [`build_strategy`], then
//! [`BundleSource`] (`strategy.toml`), then [`sign`]; a second person's is [`inspect`], then [`add_signature`].
//!
//! Nothing here reads a clock, and only [`build_strategy`] starts processes.

#![forbid(unsafe_code)]

mod admission;
mod build;
mod container;
mod envelope;
mod file;
mod key;
mod key_file;
mod mandate;
mod manifest;
mod names;
mod open;
mod refusal;
mod sign;
mod source;
mod statement;
mod tier;
mod toml_section;
mod trust;
mod untrusted_text;
mod violation;

pub use admission::{Admitted, Inadmissible, StaticLimit, Upgrade, WASI_INTERFACES, admit, served_worlds};
pub use build::{BuildError, BuildNotice, BuildRequest, Built, Toolchain, build_strategy, componentise};
pub use container::{COMPONENT_BYTES_MAX, ENVELOPE_BYTES_MAX};
pub use envelope::{PAYLOAD_BYTES_MAX, SIGNATURES_MAX};
pub use file::FileError;
pub use key::{Fingerprint, InvalidFingerprint, InvalidKey, PublicKey, SecretKey};
pub use key_file::{KeyError, KeyPairFiles, read_public_key, read_secret_key, write_key_pair};
pub use mandate::mandate;
pub use manifest::{Capabilities, ComponentRef, Limits, Manifest, SourceRef};
pub use names::{BundleName, InvalidName, LimitAmount, Market, OrderType, Owner, UnixSeconds};
pub use open::{Inspection, VerifiedBundle, component, inspect, open};
pub use refusal::Refusal;
pub use sign::{SignError, add_signature, sign};
pub use source::{BundleSource, SourceError};
pub use tier::Tier;
pub use trust::{TrustError, TrustRoot, TrustedKey};
pub use violation::{Violation, Violations};
