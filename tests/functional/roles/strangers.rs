//! The sockets of a running demo, tried by another user of the machine, to whom file modes would let them in.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use crate::{ends_well, tools, trading};

/// Set in the process that knocks.
const KNOCK: &str = "--knock";

/// Nobody's number.
const NOBODY: u32 = 65_534;

/// Every socket of a data directory.
const SOCKETS: [&str; 5] =
    ["control.sock", "sentinel.sock", "runner/runner.sock", "signer/gateway.sock", "signer/sentinel.sock"];

pub(crate) fn tests() -> Vec<Trial> {
    // To become another user takes root.
    let missing = (!rustix::process::geteuid().is_root()).then_some("root");
    vec![tools::trial("another_user_is_not_answered", missing, another_user_is_not_answered)]
}

pub(crate) fn is_asked_to_knock() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == KNOCK)
}

/// Connects to each socket, says something, and prints how many bytes came back.
pub(crate) fn knock() {
    for socket in std::env::args().skip(2) {
        let mut stream = UnixStream::connect(&socket).expect("file modes let everybody in");
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The signer's greeting, and a question in the words of the control protocol. Either may be cut off.
        let _ = stream.write_all(b"\x09\x00\x00\x00PORTSIGN\x01{\"request\":\"status\"}\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        let waited = end.is_err_and(|error| {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        });
        println!("{} bytes, {}", answer.len(), if waited { "still open" } else { "closed" });
    }
}

fn another_user_is_not_answered() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let open = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    let program = dir.path().join("knock");
    std::fs::copy(std::env::current_exe()?, &program)?;
    for (path, mode) in [(dir.path(), 0o711), (&program, 0o755)] {
        open(path, mode)?;
    }
    let mut knock = Command::new(&program);
    knock.arg(KNOCK).current_dir("/");
    for socket in SOCKETS {
        let path = dir.path().join(socket);
        open(path.parent().unwrap(), 0o711)?;
        open(&path, 0o666)?;
        knock.arg(path);
    }
    // The runner serves one session at a time and has the gateway's: whoever comes meanwhile waits, and is not answered either.
    let as_root = knock.output()?;
    let said = String::from_utf8(as_root.stdout)?;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), SOCKETS.len(), "{said}{}", String::from_utf8_lossy(&as_root.stderr));
    for number in [0, 1, 3, 4] {
        assert!(!lines[number].starts_with("0 bytes"), "root is answered on {}: {said}", SOCKETS[number]);
    }
    let output = knock.uid(NOBODY).gid(NOBODY).output()?;
    let said = String::from_utf8(output.stdout)?;
    let answers: Vec<&str> = said.lines().collect();
    assert_eq!(answers.len(), SOCKETS.len(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for (socket, answer) in SOCKETS.iter().zip(&answers) {
        assert!(answer.starts_with("0 bytes"), "{socket} answered another user: {said}");
        assert!(*socket == SOCKETS[2] || answer.ends_with("closed"), "{socket}: {said}");
    }
    ends_well(demo);
    Ok(())
}
