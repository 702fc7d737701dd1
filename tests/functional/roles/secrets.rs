//! Where the trade key's secret is, in a running demo: with the signer, and with the exchange, which made it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use libtest_mimic::Failed;

use crate::support::{Demo, kill};
use crate::{ends_well, restarted, trading};

/// Roles that must not have it. The exchange checks signatures with it, and the demo's own process has written the files.
const ROLES: [&str; 4] = ["gateway", "sentinel", "runner", "console"];

pub(crate) fn the_trade_key_is_the_signers_alone() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let file = dir.path().join("keys/trade.toml");
    let keys: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(&file)?)?;
    let secret = keys["secret"].as_bytes();

    let mut pids: Vec<(String, u32)> = ROLES.map(|role| (role.to_owned(), demo.pid(role))).into();
    let status = demo.ask(&["status"]);
    for strategy in status["strategies"].as_array().unwrap() {
        let name = strategy["name"].as_str().unwrap();
        pids.push((format!("cell of {name}"), u32::try_from(strategy["pid"].as_u64().unwrap())?));
    }
    assert_eq!(pids.len(), ROLES.len() + 2, "{status}");
    let root = rustix::process::geteuid().is_root();
    for (role, pid) in &pids {
        let proc = Path::new("/proc").join(pid.to_string());
        // Only root may look into roles: they are not dumpable.
        for name in if root { vec!["environ", "cmdline", "maps"] } else { vec!["cmdline"] } {
            let bytes = fs::read(proc.join(name))?;
            assert!(!contains(&bytes, secret), "{name} of the {role} holds the secret");
            assert!(!contains(&bytes, b"trade.toml"), "{name} of the {role} names the key's file");
        }
        if root {
            for descriptor in fs::read_dir(proc.join("fd"))? {
                // One may be closed meanwhile.
                let open = fs::read_link(descriptor?.path()).unwrap_or_default();
                assert_ne!(open, file, "the {role} has the key's file open");
            }
            assert!(!memory_holds(&proc, secret)?, "the memory of the {role} holds the secret");
        }
    }
    if root {
        // The search finds what there is to find.
        let signer = Path::new("/proc").join(demo.pid("signer").to_string());
        let key = keys["key"].as_bytes();
        assert!(memory_holds(&signer, key)?, "the signer's memory holds the key");
    } else {
        println!("not root: memory, environment and descriptors were not looked at");
    }
    comes_back_without_the_file(&demo, &file)?;
    ends_well(demo);
    Ok(())
}

/// A gateway and a sentinel start where the file is not even there.
fn comes_back_without_the_file(demo: &Demo, file: &Path) -> Result<(), Failed> {
    let aside = file.with_extension("aside");
    fs::rename(file, &aside)?;
    for role in ["sentinel", "gateway"] {
        kill(demo.pid(role), "KILL");
        restarted(demo, role);
    }
    demo.wait_for("trading without the file", &["status"], |status| {
        status["signer"]["state"] == "up"
            && status["protection"]["sentinel"] == "holding"
            && status["inhibits"].as_array().is_some_and(Vec::is_empty)
    });
    fs::rename(&aside, file)?;
    Ok(())
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// Whether a process's writable memory holds some bytes.
fn memory_holds(proc: &Path, needle: &[u8]) -> Result<bool, Failed> {
    let mut memory = File::open(proc.join("mem"))?;
    for line in fs::read_to_string(proc.join("maps"))?.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        let Some((from, to)) = range.split_once('-') else { continue };
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        // Reserved space of a strategy's engine has no rights, and what is only read was there before the process.
        if !rights.starts_with("rw") || to - from > 1 << 30 {
            continue;
        }
        memory.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        // A page that was never touched, or has gone meanwhile, ends the read.
        let _ = (&mut memory).take(to - from).read_to_end(&mut bytes);
        if memchr(&bytes, needle) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As [`contains`], fast enough for a whole memory.
fn memchr(hay: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    let mut rest = hay;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
