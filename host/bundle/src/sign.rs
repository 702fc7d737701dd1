//! Signing: the author's first signature, and another person's over the same bytes.

use crate::container::Container;
use crate::envelope::Envelope;
use crate::open::{inspect, sha256};
use crate::{
    BundleSource, ComponentRef, Fingerprint, Inadmissible, Manifest, Refusal, SIGNATURES_MAX, SecretKey,
    UnixSeconds, Violations, admit, manifest, statement,
};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A host would not take the component.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
    /// The manifest would be wrong.
    #[error("the manifest would be wrong: {0}")]
    ManifestInvalid(Violations),
    /// The bundle to be signed again is not one.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No key was given.
    #[error("no key to sign with")]
    NoKey,
    /// The key has signed already.
    #[error("{key} has signed already")]
    SignedAlready {
        /// The key's name.
        key: Fingerprint,
    },
    /// No room for another signature, or for so large a manifest.
    #[error("the bundle would be too large: at most {SIGNATURES_MAX} signatures and 64 KiB of manifest")]
    TooLarge,
}

impl SignError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Inadmissible(reason) => reason.code(),
            Self::Refused(reason) => reason.code(),
            Self::ManifestInvalid(_) => "MANIFEST_INVALID",
            Self::NoKey => "NO_KEY",
            Self::SignedAlready { .. } => "SIGNED_ALREADY",
            Self::TooLarge => "BUNDLE_TOO_LARGE",
        }
    }
}

/// A bundle of `component` as `source` describes it, valid from `now`, signed by `keys`.
///
/// The component goes through admission first, so that nobody signs what every host refuses.
///
/// # Errors
///
/// [`SignError`]; nothing is signed then.
pub fn sign(
    component: &[u8],
    source: &BundleSource,
    now: UnixSeconds,
    keys: &[&SecretKey],
) -> Result<Vec<u8>, SignError> {
    let admitted = admit(component, source.tier, source.limits.memory_bytes_max)?;
    let component_ref = ComponentRef { sha256: sha256(component), size: component.len() as u64 };
    let manifest = manifest_of(source, admitted.world, component_ref, now);
    manifest.check().map_err(SignError::ManifestInvalid)?;
    let payload = statement::encode(&manifest).map_err(|_| SignError::TooLarge)?;
    let mut envelope = Envelope::unsigned(payload);
    if keys.is_empty() {
        return Err(SignError::NoKey);
    }
    for key in keys {
        add(&mut envelope, key)?;
    }
    finish(&envelope, component)
}

/// The same bundle with one more signature over the same payload; its digest stays the same.
///
/// Read it with [`inspect`] first: the signature says that its owner has seen this manifest and this component.
///
/// # Errors
///
/// [`SignError`], among them when the bundle is damaged or the key has signed already. Signatures already in it are not
/// verified, since that needs a trust root.
pub fn add_signature(bundle: &[u8], key: &SecretKey) -> Result<Vec<u8>, SignError> {
    inspect(bundle)?;
    let container = Container::parse(bundle)?;
    let mut envelope = Envelope::parse(container.envelope)?;
    add(&mut envelope, key)?;
    finish(&envelope, container.component)
}

fn add(envelope: &mut Envelope, key: &SecretKey) -> Result<(), SignError> {
    if envelope.add_signature(key) {
        Ok(())
    } else {
        Err(SignError::SignedAlready { key: key.public().fingerprint() })
    }
}

fn finish(envelope: &Envelope, component: &[u8]) -> Result<Vec<u8>, SignError> {
    let envelope = envelope.encode();
    // The reader's own limits decide, so that what is written can be read.
    Envelope::parse(&envelope).map_err(|_| SignError::TooLarge)?;
    Container { envelope: &envelope, component }.encode().ok_or(SignError::TooLarge)
}

fn manifest_of(
    source: &BundleSource,
    world: &'static str,
    component: ComponentRef,
    now: UnixSeconds,
) -> Manifest {
    let (not_before, not_after) = manifest::validity(now, source.valid_days);
    Manifest {
        format: manifest::FORMAT,
        name: source.name.clone(),
        version: source.version.clone(),
        sequence: source.sequence,
        world: world.to_owned(),
        tier: source.tier,
        not_before,
        not_after,
        environments: source.environments.clone(),
        capabilities: source.capabilities.clone(),
        limits: source.limits.clone(),
        component,
        source: source.source.clone(),
    }
}
