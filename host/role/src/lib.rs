//! What every role of the binary shares: messages over Unix sockets, sealed memory files, the start and confinement of
//! child processes, and the control protocol between the operator's tools and the gateway.
//!
//! Everything that arrives over a socket is hostile until it has its type: lengths are bounded before memory is taken, and a
//! peer that breaks the framing costs its connection and nothing else.

mod apart;
mod confine;
mod control;
mod folder;
mod greeting;
mod link;
mod memory_file;
mod message;
mod peer;
mod socket;
mod spawn;
mod usage;
mod wait;

pub use apart::{ApartError, in_child};
pub use confine::{Confined, Confinement, Files, NoSandbox, Profile, Sandbox, Tcp, confine};
pub use control::{
    AccessKind, ActorName, Answer, CONTROL_LINE_BYTES_MAX, ComparisonLine, ControlError, ControlReply,
    ControlRequest, ControlServer, DenialLine, DeployRequest, DeploymentLine, DeploymentState, GaugeLine,
    InvalidUploadName, JournalHead, Lease, LimitsReport, OrderLine, OverrideLine, OverrideRequest, OwedHalt,
    PeerAddress, PositionLine, ProtectionReport, RaisedLine, ScopeName, SentinelReply, SentinelRequest,
    SentinelStatus, SetLimitsRequest, SignerReport, StatusReport, StrategyLine, UploadName, UserName, call,
};
pub use folder::{Folder, FolderEntry};
pub use greeting::{GREETING_BYTES, GreetingError, Party, Protocol};
pub use link::MessageLink;
pub use memory_file::{MemoryFileError, create_memory_file, read_sealed, seal, sealed_memory_file};
pub use message::{MESSAGE_BYTES_MAX, MessageError, decode as decode_message};
pub use peer::{check_peer, check_peer_among, listen};
pub use socket::{DESCRIPTORS_MAX, MessageSocket};
pub use spawn::{FIRST_DESCRIPTOR, RoleCommand, inherited};
pub use usage::peak_memory_kib;
pub use wait::stay_awake_for;
