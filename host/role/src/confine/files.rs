//! Files and sockets out of reach, by Landlock: what is not named cannot be opened, whoever the process runs as.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const VERSION: libc::c_uint = 1;

/// What a role may open and reach. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Files, and directories with all that is in them, to be read. What is not there is left out.
    pub read: Vec<PathBuf>,
    /// The same to be changed too: written, made, renamed, removed.
    pub write: Vec<PathBuf>,
    /// The same to be read and executed.
    pub execute: Vec<PathBuf>,
    /// TCP; other protocols are for the filter of system calls.
    pub tcp: Tcp,
    /// Whether to leave the Unix sockets of files reachable where the kernel could forbid that.
    pub unix_sockets: bool,
}

/// What of TCP is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tcp {
    /// Nothing.
    #[default]
    None,
    /// Connections to others, and listening on these ports.
    Connect(Vec<u16>),
    /// Listening on these ports.
    Listen(Vec<u16>),
    /// All of it.
    Any,
}

/// What the running kernel can enforce beside the filter of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sandbox {
    /// Version of Landlock's interface; 0 without Landlock.
    pub landlock_abi: u32,
}

/// The kernel lacks what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the files of a process cannot be confined here (Landlock is missing, switched off, or kept from this container: {0}); use Linux \
     5.13 or newer with landlock in its lsm= list, let the container have the system calls landlock_*, or do without by leaving \
     --require-sandbox out"
)]
pub struct NoSandbox(pub Sandbox);

impl Sandbox {
    /// Newest version whose means are used here.
    const WHOLE: u32 = 6;

    /// What this kernel offers.
    #[expect(unsafe_code, reason = "the crate tells the version only once a process is restricted")]
    pub fn probe() -> Self {
        // SAFETY: with this flag the call looks at no memory and returns the version of the interface, or an error.
        let version = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION)
        };
        Self { landlock_abi: u32::try_from(version).unwrap_or_default() }
    }

    fn of(status: LandlockStatus) -> Self {
        let LandlockStatus::Available { effective_abi, kernel_abi } = status else {
            return Self { landlock_abi: 0 };
        };
        let newest = kernel_abi.unwrap_or(effective_abi as i32);
        Self { landlock_abi: u32::try_from(newest).unwrap_or_default() }
    }

    /// Whether files can be put out of reach.
    pub fn confines_files(self) -> bool {
        self.landlock_abi >= 1
    }

    /// Whether TCP can be put out of reach.
    pub fn confines_tcp(self) -> bool {
        self.landlock_abi >= 4
    }

    /// Whether signals and abstract sockets end at the process and its children.
    pub fn confines_signals(self) -> bool {
        self.landlock_abi >= Self::WHOLE
    }

    /// Whether nothing is missing.
    pub fn is_whole(self) -> bool {
        self.landlock_abi >= Self::WHOLE
    }

    /// Refuses a kernel that cannot put files out of reach. What else it may lack, TCP and signals, is held by the filter of system
    /// calls wherever strangers' code runs.
    ///
    /// # Errors
    ///
    /// [`NoSandbox`].
    pub fn require(self) -> Result<Self, NoSandbox> {
        if self.confines_files() { Ok(self) } else { Err(NoSandbox(self)) }
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |confined: bool| if confined { "confined" } else { "NOT CONFINED" };
        write!(
            f,
            "Landlock {}: files {}, TCP {}, signals and abstract sockets {}",
            self.landlock_abi,
            told(self.confines_files()),
            told(self.confines_tcp()),
            told(self.confines_signals())
        )
    }
}

/// Puts everything but `files` out of reach of this thread and what it starts.
pub(super) fn restrict(files: &Files) -> io::Result<Sandbox> {
    let status = ruleset(files).and_then(RulesetCreated::restrict_self).map_err(io::Error::other)?;
    Ok(Sandbox::of(status.landlock))
}

fn ruleset(files: &Files) -> Result<RulesetCreated, RulesetError> {
    // Later versions restrict what roles with sockets need.
    let abi = if files.unix_sockets { ABI::V6 } else { ABI::V10 };
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .scope(Scope::from_all(ABI::V6))?;
    let (connect, listen) = match &files.tcp {
        Tcp::None => (false, Some([].as_slice())),
        Tcp::Connect(ports) => (true, Some(ports.as_slice())),
        Tcp::Listen(ports) => (false, Some(ports.as_slice())),
        Tcp::Any => (true, None),
    };
    let mut net = BitFlags::EMPTY;
    if !connect {
        net |= AccessNet::ConnectTcp;
    }
    if listen.is_some() {
        net |= AccessNet::BindTcp;
    }
    if !net.is_empty() {
        ruleset = ruleset.handle_access(net)?;
    }
    let read = AccessFs::from_read(abi) & !AccessFs::Execute;
    let mut created = ruleset
        .create()?
        .add_rules(path_beneath_rules(existing(&files.read), read))?
        .add_rules(path_beneath_rules(existing(&files.write), AccessFs::from_all(abi) & !AccessFs::Execute))?
        .add_rules(path_beneath_rules(existing(&files.execute), AccessFs::from_read(abi)))?;
    for port in listen.unwrap_or_default() {
        created = created.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    Ok(created)
}

fn existing(paths: &[PathBuf]) -> impl Iterator<Item = &Path> {
    paths.iter().map(PathBuf::as_path)
}
