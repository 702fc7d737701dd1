//! Every role of a demo that trades has given up what it does not need, in each of its threads.

use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use portcullis_role::Sandbox;

use crate::support::BINARY;
use crate::{ends_well, trading};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("every_role_is_confined", every_role_is_confined),
        Trial::test("a_role_opens_no_file_but_its_own", a_role_opens_no_file_but_its_own),
    ]
}

fn every_role_is_confined() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let mut roles = Vec::new();
    for (role, pid) in
        demo.ready["pids"].as_object().unwrap().iter().filter(|(role, _)| *role != "supervisor")
    {
        roles.push(role.as_str());
        for thread in Path::new("/proc").join(pid.to_string()).join("task").read_dir()? {
            let status = std::fs::read_to_string(thread?.path().join("status"))?;
            for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
                assert!(status.lines().any(|found| found == line), "{role} lacks {line:?}:\n{status}");
            }
        }
    }
    assert_eq!(roles, ["console", "gateway", "paper", "runner", "sentinel", "signer"]);
    ends_well(demo);
    Ok(())
}

/// The console's database leads out of its directory, to a file that its user could read and change.
fn a_role_opens_no_file_but_its_own() -> Result<(), Failed> {
    let sandbox = Sandbox::probe().require()?;
    assert!(sandbox.confines_tcp(), "{sandbox}");
    let (dir, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let outside = elsewhere.path().join("console.sqlite");
    std::fs::write(&outside, "")?;
    std::os::unix::fs::symlink(&outside, dir.path().join("console.sqlite"))?;
    let console = Command::new(BINARY)
        .args(["console", "--listen", "127.0.0.1:0", "--dir"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .output()?;
    let told = String::from_utf8(console.stderr)?;
    assert_eq!(console.status.code(), Some(3), "{told}");
    assert!(told.contains("console.sqlite cannot be opened: Permission denied"), "{told}");
    Ok(())
}
