//! What the console is told at its start.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::listen::Listen;
use crate::origin::Origin;

/// Everything `run` needs.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// The data directory; the console writes `console.sqlite` and `incoming/` in it and nothing else.
    pub dir: PathBuf,
    /// The gateway's control socket.
    pub control: PathBuf,
    /// Where to listen.
    pub listen: Listen,
    /// Where browsers reach the console; a request with another `Host` or `Origin` is refused. May be empty on the loopback,
    /// where the address listened on is meant; must not be on a Unix socket.
    pub origins: Vec<Origin>,
    /// Addresses of proxies: a connection from one of these must name its client in `X-Real-IP`, as every connection over a
    /// Unix socket must. From anybody else that header means nothing.
    pub proxies: Vec<IpAddr>,
    /// Largest bundle taken, in bytes.
    pub bundle_bytes_max: u64,
    /// How long and how many.
    pub bounds: Bounds,
    /// The wall clock.
    pub clock: Clock,
}

/// Bounds on what strangers may keep busy.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Longest wait for a request's head, and for the next request on a connection.
    pub head: Duration,
    /// Longest time for the whole body of a request that is no upload.
    pub body: Duration,
    /// Longest time for a whole upload.
    pub upload: Duration,
    /// Slowest upload, in bytes a second on average, once [`body`](Self::body) has passed.
    pub upload_bytes_per_s_min: u64,
    /// Uploads at once; more are refused.
    pub uploads_max: usize,
    /// Longest time a client may leave what we send unread.
    pub stall: Duration,
    /// Clients that follow events at once; more are refused.
    pub followers_max: usize,
    /// How often the gateway is asked while somebody follows events.
    pub poll: Duration,
    /// How long connections may take to end when the console stops.
    pub grace: Duration,
}

impl Bounds {
    /// What the product runs with.
    pub const PRODUCTION: Self = Self {
        connections_max: 256,
        head: Duration::from_secs(10),
        body: Duration::from_secs(10),
        upload: Duration::from_secs(300),
        upload_bytes_per_s_min: 16 * 1024,
        uploads_max: 2,
        stall: Duration::from_secs(30),
        followers_max: 32,
        poll: Duration::from_secs(1),
        grace: Duration::from_secs(3),
    };
}
