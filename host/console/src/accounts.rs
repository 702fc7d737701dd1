//! Users and API tokens, as the command line makes them.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::names::{AccountName, Right};
use crate::passwords::{self, HashFailed};
use crate::secret::{TOKEN_PREFIX, mint};
use crate::store::{self, Row, Store, StoreError};
use crate::{attempts, secret};

/// Shortest password, in characters. There are no rules about which (OWASP ASVS 5, 6.2.5).
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Longest password, in bytes.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1_024;

/// The users and tokens of a data directory.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
}

/// A user or token in a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// When it was made, seconds since 1970-01-01 UTC.
    pub created_s: u64,
    /// What a token may do; none for a user, who may do everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
    /// Until when a token is good, seconds since 1970-01-01 UTC; none for a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}

/// A new token.
#[derive(Debug)]
pub struct Token {
    /// What clients send; it is kept nowhere and cannot be shown again.
    pub secret: SecretString,
    /// Until when it is good, seconds since 1970-01-01 UTC.
    pub expires_s: u64,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name is taken.
    #[error("there is already a {what} {name}; take another name or remove that one first")]
    Exists {
        /// `user` or `token`.
        what: &'static str,
        /// Its name.
        name: AccountName,
    },
    /// There is none of this name.
    #[error("there is no {what} {name}")]
    Unknown {
        /// `user` or `token`.
        what: &'static str,
        /// Its name.
        name: AccountName,
    },
    /// The password is too short or too long.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    Password,
    /// No randomness or no memory.
    #[error("the system gave no randomness or no memory")]
    System,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "ACCOUNT_EXISTS",
            Self::Unknown { .. } => "UNKNOWN_ACCOUNT",
            Self::Password => "UNFIT_PASSWORD",
            Self::System => "ENVIRONMENT",
            Self::Store(_) => "CONSOLE_DATABASE",
        }
    }
}

impl From<HashFailed> for AccountError {
    fn from(_: HashFailed) -> Self {
        Self::System
    }
}

impl Accounts {
    /// Opens the accounts of a data directory, which must exist; makes `console.sqlite` when there is none.
    ///
    /// # Errors
    ///
    /// [`AccountError::Store`].
    pub fn open(dir: &Path) -> Result<Self, AccountError> {
        Ok(Self { store: Store::open(dir)? })
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`AccountError::Exists`], [`AccountError::Password`], or what the system lacks.
    pub fn add_user(
        &self,
        name: &AccountName,
        password: &SecretString,
        now_s: u64,
    ) -> Result<(), AccountError> {
        let hash = fit(password)?;
        if self.store.with(|c| store::add_user(c, name, &hash, now_s))? {
            Ok(())
        } else {
            Err(AccountError::Exists { what: "user", name: name.clone() })
        }
    }

    /// Changes a user's password and ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`AccountError::Unknown`], [`AccountError::Password`], or what the system lacks.
    pub fn set_password(&self, name: &AccountName, password: &SecretString) -> Result<(), AccountError> {
        let hash = fit(password)?;
        self.found("user", name, self.store.with(|c| store::set_password(c, name, &hash))?)
    }

    /// Removes a user and ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`AccountError::Unknown`] or [`AccountError::Store`].
    pub fn remove_user(&self, name: &AccountName) -> Result<(), AccountError> {
        self.found("user", name, self.store.with(|c| store::remove_user(c, name))?)
    }

    /// Ends the lock that failed attempts put on a user; true when there was one. Locks on addresses stay.
    ///
    /// # Errors
    ///
    /// [`AccountError::Store`].
    pub fn unlock_user(&self, name: &AccountName) -> Result<bool, AccountError> {
        Ok(self.store.with(|c| attempts::unlock(c, name.as_str()))?)
    }

    /// Every user, by name.
    ///
    /// # Errors
    ///
    /// [`AccountError::Store`].
    pub fn users(&self) -> Result<Vec<Account>, AccountError> {
        Ok(self.store.with(|c| store::users(c))?.into_iter().map(account).collect())
    }

    /// Makes a token that is good for `days`.
    ///
    /// # Errors
    ///
    /// [`AccountError::Exists`], or what the system lacks.
    pub fn add_token(
        &self,
        name: &AccountName,
        right: Right,
        days: u32,
        now_s: u64,
    ) -> Result<Token, AccountError> {
        let (secret, hash) = mint(TOKEN_PREFIX).map_err(|_| AccountError::System)?;
        let expires_s = now_s.saturating_add(u64::from(days).saturating_mul(24 * 60 * 60));
        if self.store.with(|c| store::add_token(c, name, &hash, right, now_s, expires_s))? {
            Ok(Token { secret, expires_s })
        } else {
            Err(AccountError::Exists { what: "token", name: name.clone() })
        }
    }

    /// Revokes a token; it is good for nothing from now on.
    ///
    /// # Errors
    ///
    /// [`AccountError::Unknown`] or [`AccountError::Store`].
    pub fn revoke_token(&self, name: &AccountName) -> Result<(), AccountError> {
        self.found("token", name, self.store.with(|c| store::revoke_token(c, name))?)
    }

    /// Every token, by name, the expired ones too.
    ///
    /// # Errors
    ///
    /// [`AccountError::Store`].
    pub fn tokens(&self) -> Result<Vec<Account>, AccountError> {
        Ok(self.store.with(|c| store::tokens(c))?.into_iter().map(account).collect())
    }

    /// A random password of 128 bits.
    ///
    /// # Errors
    ///
    /// [`AccountError::System`].
    pub fn random_password() -> Result<SecretString, AccountError> {
        secret::random_hex::<16>().map(Into::into).map_err(|_| AccountError::System)
    }

    fn found(&self, what: &'static str, name: &AccountName, found: bool) -> Result<(), AccountError> {
        if found { Ok(()) } else { Err(AccountError::Unknown { what, name: name.clone() }) }
    }
}

fn fit(password: &SecretString) -> Result<String, AccountError> {
    let text = password.expose_secret();
    if text.chars().count() < PASSWORD_CHARS_MIN || text.len() > PASSWORD_BYTES_MAX {
        return Err(AccountError::Password);
    }
    Ok(passwords::hash(password)?)
}

fn account(row: Row) -> Account {
    Account { name: row.name, created_s: row.created_s, right: row.right, expires_s: row.expires_s }
}
