//! The only way to a [`VerifiedBundle`].

use std::collections::BTreeSet;

use portcullis_core::{Digest, Environment};
use sha2::{Digest as _, Sha256};

use crate::admission::{check_same_world, check_world};
use crate::container::Container;
use crate::envelope::Envelope;
use crate::{Admitted, Fingerprint, Manifest, Refusal, TrustRoot, TrustedKey, UnixSeconds, admit, statement};

/// A bundle that passed every check for one environment. [`open`] alone makes it.
#[must_use]
#[derive(Debug)]
pub struct VerifiedBundle {
    manifest: Manifest,
    component: Vec<u8>,
    digest: Digest,
    signers: Vec<Fingerprint>,
    environment: Environment,
    admitted: Admitted,
}

/// Checks a bundle's bytes for `environment` at the time `now`, in this order: size, container, envelope, payload type, every
/// signature, threshold, manifest, world, environment, validity, digest, admission. Nothing is parsed from bytes that are
/// not verified yet, except what is needed to verify them.
///
/// Whether the manifest's `sequence` is high enough is the caller's question: only they know what ran here before.
///
/// # Errors
///
/// The first [`Refusal`].
pub fn open(
    bundle: &[u8],
    trust: &TrustRoot,
    environment: Environment,
    now: UnixSeconds,
) -> Result<VerifiedBundle, Refusal> {
    let container = Container::parse(bundle)?;
    let envelope = Envelope::parse(container.envelope)?;
    let signers = envelope.verify(trust)?;
    check_threshold(&signers, environment)?;
    let manifest = statement::decode(envelope.payload())?;
    check_world(&manifest.world)?;
    check_environment(&manifest, environment)?;
    check_validity(&manifest, now)?;
    check_component(&manifest, container.component)?;
    let admitted = admit(container.component, manifest.tier, manifest.limits.memory_bytes_max)?;
    check_same_world(&manifest.world, admitted.world)?;
    Ok(VerifiedBundle {
        digest: sha256(envelope.payload()),
        signers: envelope.key_names().collect(),
        component: container.component.to_vec(),
        manifest,
        environment,
        admitted,
    })
}

impl VerifiedBundle {
    /// What was signed.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The component's bytes, those the manifest names.
    pub fn component(&self) -> &[u8] {
        &self.component
    }

    /// SHA-256 of the signed payload: the bundle's identity. It covers manifest and component, and stays the same when another
    /// person adds a signature, so what was tested is provably what was promoted.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// SHA-256 of the component.
    pub fn component_digest(&self) -> Digest {
        self.manifest.component.sha256
    }

    /// Who signed, sorted by name.
    pub fn signers(&self) -> &[Fingerprint] {
        &self.signers
    }

    /// The environment it was checked for; it may run nowhere else.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// What admission measured.
    pub fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// `NAME-VERSION-DIGEST8.strategy`, the file's name in a host's store.
    pub fn stored_file_name(&self) -> String {
        let digest = self.digest.to_string();
        let short = digest.get(..8).unwrap_or(&digest);
        format!("{}-{}-{short}.strategy", self.manifest.name, self.manifest.version)
    }
}

/// What a bundle says about itself, for a person who is about to sign or trust it. **Nothing here is verified** beyond its
/// form, the component's digest and admission: no signature was checked.
#[derive(Debug)]
pub struct Inspection {
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of the payload, as [`VerifiedBundle::digest`].
    pub digest: Digest,
    /// The keys that claim to have signed.
    pub claimed_signers: Vec<Fingerprint>,
    /// What admission measured.
    pub admitted: Admitted,
}

/// The component in a bundle. It says nothing about who vouches for it: check the bundle with [`open`] or [`inspect`].
///
/// # Errors
///
/// When the bytes are no bundle.
pub fn component(bundle: &[u8]) -> Result<&[u8], Refusal> {
    Ok(Container::parse(bundle)?.component)
}

/// Reads a bundle without trusting anybody.
///
/// # Errors
///
/// The first [`Refusal`] of the checks that need no trust root, environment or time.
pub fn inspect(bundle: &[u8]) -> Result<Inspection, Refusal> {
    let container = Container::parse(bundle)?;
    let envelope = Envelope::parse(container.envelope)?;
    let manifest = statement::decode(envelope.payload())?;
    check_world(&manifest.world)?;
    check_component(&manifest, container.component)?;
    let admitted = admit(container.component, manifest.tier, manifest.limits.memory_bytes_max)?;
    check_same_world(&manifest.world, admitted.world)?;
    Ok(Inspection {
        digest: sha256(envelope.payload()),
        claimed_signers: envelope.key_names().collect(),
        manifest,
        admitted,
    })
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn check_threshold(signers: &[&TrustedKey], environment: Environment) -> Result<(), Refusal> {
    // The envelope holds each key once, so different owners mean different keys as well.
    let owners: BTreeSet<String> = signers
        .iter()
        .filter(|key| key.environments.contains(&environment))
        .map(|key| key.owner.as_str().to_ascii_lowercase())
        .collect();
    let required = owners_required(environment);
    if owners.len() < required {
        return Err(Refusal::ThresholdNotMet { environment, owners: owners.len(), required });
    }
    Ok(())
}

/// Two people for real money, so that no single one, and no single stolen key, can put code in front of it.
fn owners_required(environment: Environment) -> usize {
    match environment {
        Environment::Paper | Environment::Testnet | Environment::Demo => 1,
        Environment::Live => 2,
    }
}

fn check_environment(manifest: &Manifest, environment: Environment) -> Result<(), Refusal> {
    if manifest.environments.contains(&environment) {
        Ok(())
    } else {
        Err(Refusal::EnvironmentNotAllowed { environment })
    }
}

fn check_validity(manifest: &Manifest, now: UnixSeconds) -> Result<(), Refusal> {
    let Manifest { not_before, not_after, .. } = *manifest;
    if now < not_before {
        return Err(Refusal::NotYetValid { not_before, now });
    }
    if now >= not_after {
        return Err(Refusal::Expired { not_after, now });
    }
    Ok(())
}

fn check_component(manifest: &Manifest, component: &[u8]) -> Result<(), Refusal> {
    let bytes = component.len() as u64;
    if bytes != manifest.component.size {
        return Err(Refusal::SizeMismatch { bytes, expected: manifest.component.size });
    }
    let found = sha256(component);
    if found != manifest.component.sha256 {
        return Err(Refusal::DigestMismatch { found, expected: manifest.component.sha256 });
    }
    Ok(())
}
