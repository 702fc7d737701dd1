//! Ports that are free, and still are when a child that is started a moment later listens on them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context as _;

/// Below the range from which the system takes ports for connections, so that none of those comes in between.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
const TRIES: u32 = 100;

/// Any free port of the loopback.
pub(super) fn any() -> anyhow::Result<SocketAddr> {
    for _ in 0..TRIES {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes)
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        if let Ok(address) = this(FIRST.saturating_add(u16::from_le_bytes(bytes) % COUNT)) {
            return Ok(address);
        }
    }
    this(0).context("no free port on the loopback")
}

/// This port of the loopback, if it is free.
pub(super) fn this(port: u16) -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr())
}
