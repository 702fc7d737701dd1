//! `SECURITY.md` lists what each profile may call, or may not; the lists are the code's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use portcullis_role::Profile;

/// Most distinct calls in the thread that runs guest code.
const CELL_CALLS_MAX: usize = 30;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("documented::security_md_lists_every_call", listed),
        Trial::test("documented::a_cell_at_work_has_few_calls", few),
    ]
}

fn few() -> Result<(), Failed> {
    let calls = Profile::Cell.allowed().unwrap();
    if calls.len() <= CELL_CALLS_MAX { Ok(()) } else { Err(format!("{} calls", calls.len()).into()) }
}

fn listed() -> Result<(), Failed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SECURITY.md");
    let text = std::fs::read_to_string(file)?;
    let missing: Vec<String> =
        rows().into_iter().filter(|row| !text.lines().any(|line| line == row)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("SECURITY.md lacks, under \"System calls\":\n{}", missing.join("\n")).into())
}

/// The rows of the table.
fn rows() -> Vec<String> {
    let row = |name: &str, what: &str, calls: &BTreeSet<&str>| {
        let names: Vec<&str> = calls.iter().copied().collect();
        format!("| {name} | {what} | {} | {} |", calls.len(), names.join(" "))
    };
    let mut rows = Vec::new();
    for profile in Profile::ALL {
        let name = profile.to_string();
        if let Some(calls) = profile.allowed() {
            rows.push(row(&name, "may make", &calls));
        }
        let first = profile.allowed_at_first();
        if !first.is_empty() {
            rows.push(row(&name, "may make besides until it has loaded", &first));
        }
    }
    for (calls, profiles) in forbidden() {
        rows.push(row(&profiles.join(", "), "may not make", &calls));
    }
    rows
}

/// Profiles with the same calls forbidden, together.
fn forbidden() -> BTreeMap<BTreeSet<&'static str>, Vec<String>> {
    let mut together: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for profile in Profile::ALL {
        if let Some(calls) = profile.forbidden() {
            together.entry(calls).or_default().push(profile.to_string());
        }
    }
    together
}
