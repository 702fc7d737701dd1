//! Every role of a demo that trades has given up what it does not need, in each of its threads; and what is given up is out of reach.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use portcullis_role::{Confined, Confinement, Files, Profile, Sandbox, Tcp, confine};

use crate::support::BINARY;
use crate::{ends_well, tools, trading};

/// The word by which this binary asks itself to try what a confined role could.
const TRY: &str = "try-confined";

/// What is tried, and which of it succeeds for the roles that call others, and for those that listen on a port of any number.
const ATTEMPTS: [(&str, bool, bool); 7] = [
    ("writes its own", true, true),
    ("writes another's", false, false),
    ("reads another's", false, false),
    ("executes", false, false),
    ("changes its root", false, false),
    ("calls", true, false),
    ("listens", false, true),
];

pub(crate) fn tests() -> Vec<Trial> {
    let sandbox = Sandbox::probe();
    let missing = (!sandbox.confines_files() || !sandbox.confines_tcp()).then_some("Landlock with TCP");
    vec![
        Trial::test("every_role_is_confined", every_role_is_confined),
        tools::trial("a_role_opens_no_file_but_its_own", missing, a_role_opens_no_file_but_its_own),
        tools::trial("what_a_role_gave_up_is_out_of_reach", missing, what_a_role_gave_up_is_out_of_reach),
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

fn what_a_role_gave_up_is_out_of_reach() -> Result<(), Failed> {
    let (own, others) = (tempfile::tempdir()?, tempfile::tempdir()?);
    std::fs::write(others.path().join("key"), "secret")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    for profile in [Profile::Gateway, Profile::Sentinel, Profile::Console, Profile::Paper] {
        let output = Command::new(std::env::current_exe()?)
            .args([TRY, &profile.to_string(), &address])
            .args([own.path(), others.path()])
            .output()?;
        let told = String::from_utf8(output.stdout)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (attempt, caller, listening) in ATTEMPTS {
            let succeeds = if calls(profile) { caller } else { listening };
            let line = format!("{attempt}: {}", if succeeds { "succeeds" } else { "is denied" });
            assert!(told.lines().any(|found| found == line), "{profile}: not {line:?} in\n{told}");
        }
    }
    Ok(())
}

/// Whether the role calls others by TCP; the rest listen.
fn calls(profile: Profile) -> bool {
    matches!(profile, Profile::Gateway | Profile::Sentinel)
}

pub(crate) fn is_asked_to_try() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == TRY)
}

/// Gives up what the role does, then tries everything, and prints what came of it.
pub(crate) fn attempt() {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [name, address, own, others] = arguments.as_slice() else { panic!("{arguments:?}") };
    let profile = Profile::ALL.into_iter().find(|profile| profile.to_string() == *name).unwrap();
    let tcp = if calls(profile) { Tcp::Connect(Vec::new()) } else { Tcp::Listen(vec![0]) };
    let files = Files {
        read: vec![PathBuf::from("/usr")],
        write: vec![PathBuf::from(own)],
        tcp,
        unix_sockets: true,
        ..Files::default()
    };
    let confinement = Confinement { files, ..Confinement::nothing(profile, 64) };
    confine(&confinement).and_then(Confined::settle).unwrap();
    let own = Path::new(own).join(name);
    let others = Path::new(others);
    let came: [io::Result<()>; 7] = [
        File::create(own).map(drop),
        File::create(others.join(name)).map(drop),
        File::open(others.join("key")).map(drop),
        Command::new("/usr/bin/true").spawn().map(drop),
        std::os::unix::fs::chroot("/"),
        TcpStream::connect(address.as_str()).map(drop),
        TcpListener::bind("127.0.0.1:0").map(drop),
    ];
    for ((attempt, ..), came) in ATTEMPTS.iter().zip(came) {
        match came {
            Ok(()) => println!("{attempt}: succeeds"),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => println!("{attempt}: is denied"),
            Err(error) => println!("{attempt}: {error}"),
        }
    }
}
