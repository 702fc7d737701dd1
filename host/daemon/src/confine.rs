//! What the roles of the daemon give up before they listen, connect or read from outside. They serve TLS and HTTP, which takes many
//! system calls, so theirs is a list of what they may not make; and they may read the machine's files, but change only their own.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_role::{Confined, Confinement, Files, Profile, Tcp, confine};

use crate::failure::Failure;
use crate::places::Places;

/// Connections, segments, uploads; the system's own limit where that is lower.
const OPEN_FILES: u64 = 65_536;

/// Where anybody may write, and libraries do.
const COMMON: [&str; 3] = ["/dev", "/tmp", "/var/tmp"];

/// Puts this process into the sandbox of `profile`, in which it may change what lies in its places, which must be there, and in
/// `besides`. It must have a single thread.
pub(crate) fn confine_role(
    profile: Profile,
    places: &Places,
    besides: Option<&Path>,
    tcp: Tcp,
) -> Result<(), Failure> {
    for place in [places.data(), places.sockets()] {
        // Where this fails, the role says so itself, of the file it wants there.
        let _there_or_not = std::fs::create_dir_all(place);
    }
    let own = [places.data(), places.sockets()].into_iter().chain(besides).map(Path::to_owned);
    let files = Files {
        read: vec![PathBuf::from("/")],
        write: own.chain(COMMON.map(PathBuf::from)).collect(),
        execute: Vec::new(),
        tcp,
        unix_sockets: true,
    };
    let confinement = Confinement { files, ..Confinement::nothing(profile, OPEN_FILES) };
    let sandbox =
        confine(&confinement).and_then(Confined::settle).context("the role could not be confined")?;
    tracing::info!(%profile, %sandbox, "confined");
    Ok(())
}
