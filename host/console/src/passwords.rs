//! Passwords: argon2id with the cost that OWASP ASVS 5 (appendix C) names for one lane.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

/// Memory of one hash in KiB.
const MEMORY_KIB: u32 = 47_104;

/// Hashes at once: each takes [`MEMORY_KIB`] and a processor.
const AT_ONCE: usize = 2;

/// Requests that may wait for a hash; more are turned away.
const WAITING_MAX: usize = 16;

/// The hash could not be made: out of randomness, or out of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub(crate) struct HashFailed;

/// More passwords wait to be checked than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Checks passwords, off the threads that serve and a few at once.
#[derive(Debug)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What is checked for users that do not exist, so that they take as long.
    dummy: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, HashFailed> {
        let nobody = crate::secret::random_hex::<32>().map_err(|_| HashFailed)?;
        Ok(Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            dummy: hash(&nobody.into())?.into(),
        })
    }

    /// Whether the password is the one behind `stored`; never for a user without one, which takes as long to find out.
    pub(crate) async fn verify(&self, stored: Option<String>, password: SecretString) -> Result<bool, Busy> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Busy)?;
        drop(place);
        let dummy = Arc::clone(&self.dummy);
        let check = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let known = stored.is_some();
            let matches = verify(stored.as_deref().unwrap_or(&dummy), &password);
            known && matches
        });
        Ok(check.await.unwrap_or(false))
    }
}

/// Hashes a password with a random salt, as text that carries salt and cost.
pub(crate) fn hash(password: &SecretString) -> Result<String, HashFailed> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).map_err(|_| HashFailed)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.expose_secret().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| HashFailed)
}

fn verify(stored: &str, password: &SecretString) -> bool {
    // The cost is read from the stored text; the comparison takes constant time.
    Argon2::default().verify_password(password.expose_secret().as_bytes(), stored).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_the_cost_of_the_standard() {
        let text = hash(&"correct horse battery".to_owned().into()).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{text}");
        assert!(verify(&text, &"correct horse battery".to_owned().into()));
        assert!(!verify(&text, &"correct horse batterz".to_owned().into()));
        assert!(!verify("not a hash", &"x".to_owned().into()));
    }
}
