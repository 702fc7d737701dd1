//! Who may try a password: five failures within 15 minutes lock an address or an account for an hour.
//!
//! An attempt is counted before the password is looked at, so that attempts in parallel do not outrun the count. Accounts that do
//! not exist are counted as well: whoever asks learns nothing from being locked out. All of it is in the database and survives a
//! restart. At most [`ROWS_MAX`] rows are kept; beyond that nobody new may try (the checks of passwords are so slow that
//! strangers cannot make that many before theirs expire).

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::store::{seconds, unsigned};

/// Failures that lock.
const FAILURES_MAX: u32 = 5;

/// Time within which they count, in seconds.
const WINDOW_S: u64 = 15 * 60;

/// How long a lock holds, in seconds.
const LOCK_S: u64 = 60 * 60;

/// Most attempts kept.
const ROWS_MAX: u32 = 131_072;

/// How long to wait when as many attempts as may fail are still being checked, in seconds.
const CHECKING_S: u64 = 5;

/// Whose attempt it is: an address (of version 6, its network of 64 bits) and an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys([String; 2]);

impl Keys {
    pub(crate) fn new(address: IpAddr, account: &str) -> Self {
        Self([format!("address:{}", network(address)), account_key(account)])
    }
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may, and is counted as failed until [`succeeded`] is called.
    Admitted,
    /// Not before this long.
    LockedFor {
        /// Seconds, at least 1.
        seconds: u64,
    },
}

/// Counts an attempt, unless one of its keys is locked.
pub(crate) fn begin(connection: &mut Connection, keys: &Keys, now_s: u64) -> rusqlite::Result<Admission> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = seconds(now_s);
    for key in &keys.0 {
        let sql = "SELECT until_s FROM lockout WHERE key = ?1 AND until_s > ?2";
        let until: Option<i64> =
            transaction.query_row(sql, params![key, now], |row| row.get(0)).optional()?;
        if let Some(until) = until {
            return Ok(Admission::LockedFor { seconds: unsigned(until).saturating_sub(now_s).max(1) });
        }
    }
    transaction.execute("DELETE FROM lockout WHERE until_s <= ?1", [now])?;
    transaction
        .execute("DELETE FROM attempt WHERE time_s <= ?1", [seconds(now_s.saturating_sub(WINDOW_S))])?;
    let rows: u32 = transaction.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0))?;
    for key in &keys.0 {
        if rows >= ROWS_MAX || count(&transaction, key)? >= FAILURES_MAX {
            return Ok(Admission::LockedFor { seconds: CHECKING_S });
        }
    }
    for key in &keys.0 {
        transaction.execute("INSERT INTO attempt (key, time_s) VALUES (?1, ?2)", params![key, now])?;
    }
    transaction.commit()?;
    Ok(Admission::Admitted)
}

/// The password was wrong: locks what has failed too often. True when that happened.
pub(crate) fn failed(connection: &mut Connection, keys: &Keys, now_s: u64) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut locked = false;
    for key in &keys.0 {
        if count(&transaction, key)? >= FAILURES_MAX {
            let until = seconds(now_s.saturating_add(LOCK_S));
            transaction.execute(
                "INSERT OR REPLACE INTO lockout (key, until_s) VALUES (?1, ?2)",
                params![key, until],
            )?;
            transaction.execute("DELETE FROM attempt WHERE key = ?1", [key])?;
            locked = true;
        }
    }
    transaction.commit()?;
    Ok(locked)
}

/// The password was right: its keys start over.
pub(crate) fn succeeded(connection: &mut Connection, keys: &Keys) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for key in &keys.0 {
        transaction.execute("DELETE FROM attempt WHERE key = ?1", [key])?;
    }
    transaction.commit()
}

/// Lets an account try again, from addresses that are not locked themselves. True when it was locked.
pub(crate) fn unlock(connection: &mut Connection, account: &str) -> rusqlite::Result<bool> {
    let key = account_key(account);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM attempt WHERE key = ?1", [&key])?;
    let locked = transaction.execute("DELETE FROM lockout WHERE key = ?1", [&key])?;
    transaction.commit()?;
    Ok(locked > 0)
}

fn count(connection: &Connection, key: &str) -> rusqlite::Result<u32> {
    connection.query_row("SELECT count(*) FROM attempt WHERE key = ?1", [key], |row| row.get(0))
}

fn account_key(account: &str) -> String {
    format!("account:{account}")
}

/// The network an attacker surely holds when he holds the address.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use super::*;
    use crate::store::Store;

    const NOW: u64 = 1_700_000_000;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    fn keys(address: &str, account: &str) -> Keys {
        Keys::new(address.parse().unwrap(), account)
    }

    fn fail(store: &Store, keys: &Keys, now_s: u64) -> Admission {
        let admission = store.with(|c| begin(c, keys, now_s)).unwrap();
        if admission == Admission::Admitted {
            store.with(|c| failed(c, keys, now_s)).unwrap();
        }
        admission
    }

    #[test]
    fn five_failures_lock_for_an_hour() {
        let (_dir, store) = store();
        let keys = keys("192.0.2.1", "ann");
        for attempt in 0..5 {
            assert_eq!(fail(&store, &keys, NOW + attempt), Admission::Admitted);
        }
        assert_eq!(fail(&store, &keys, NOW + 5), Admission::LockedFor { seconds: 3_599 });
        assert_eq!(fail(&store, &keys, NOW + 4 + 3_599), Admission::LockedFor { seconds: 1 });
        assert_eq!(fail(&store, &keys, NOW + 4 + 3_600), Admission::Admitted);
    }

    #[test]
    fn failures_far_apart_do_not_lock() {
        let (_dir, store) = store();
        let keys = keys("192.0.2.1", "ann");
        for attempt in 0..20 {
            assert_eq!(fail(&store, &keys, NOW + attempt * 226), Admission::Admitted);
        }
    }

    #[test]
    fn an_account_is_locked_from_everywhere_and_an_address_for_everybody() {
        let (_dir, store) = store();
        for host in 1..=5 {
            fail(&store, &keys(&format!("192.0.2.{host}"), "ann"), NOW);
        }
        assert!(matches!(fail(&store, &keys("192.0.2.9", "ann"), NOW), Admission::LockedFor { .. }));
        assert_eq!(fail(&store, &keys("192.0.2.9", "bob"), NOW), Admission::Admitted);
        for name in ["a", "b", "c", "d", "e"] {
            fail(&store, &keys("2001:db8:1:2:3::1", name), NOW);
        }
        assert!(matches!(fail(&store, &keys("2001:db8:1:2:4::9", "f"), NOW), Admission::LockedFor { .. }));
        assert_eq!(fail(&store, &keys("2001:db8:1:3::1", "f"), NOW), Admission::Admitted);
    }

    #[test]
    fn attempts_in_parallel_do_not_outrun_the_count() {
        let (_dir, store) = store();
        let keys = keys("192.0.2.1", "ann");
        for _ in 0..5 {
            assert_eq!(store.with(|c| begin(c, &keys, NOW)).unwrap(), Admission::Admitted);
        }
        assert!(matches!(store.with(|c| begin(c, &keys, NOW)).unwrap(), Admission::LockedFor { .. }));
    }

    #[test]
    fn a_success_starts_over_and_a_restart_does_not() {
        let (dir, store) = store();
        let keys = keys("192.0.2.1", "ann");
        for _ in 0..4 {
            fail(&store, &keys, NOW);
        }
        store.with(|c| begin(c, &keys, NOW)).unwrap();
        store.with(|c| succeeded(c, &keys)).unwrap();
        for _ in 0..5 {
            assert_eq!(fail(&store, &keys, NOW), Admission::Admitted);
        }
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert!(matches!(fail(&store, &keys, NOW), Admission::LockedFor { .. }));
        assert!(store.with(|c| unlock(c, "ann")).unwrap());
        assert_eq!(fail(&store, &Keys::new("192.0.2.2".parse().unwrap(), "ann"), NOW), Admission::Admitted);
    }
}
