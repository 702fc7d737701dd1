//! What is fuzzed: everything that reads bytes from somebody who may mean harm. A target takes any bytes and says whether it took
//! them for what they should be; what must hold of what was taken, it asserts.

mod actions;
mod bundle;
mod fault_file;
mod frame;
mod messages;
mod packing;
mod paper;
mod signer;
mod venue;
/// The gate with a journal in memory, as its own tests have it.
#[allow(
    dead_code,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    reason = "written for the tests of the core, which use all of it"
)]
#[path = "../../../host/core/tests/support/mod.rs"]
mod world;

/// A target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, as `tests/fuzz/run` takes it.
    pub name: &'static str,
    /// Inputs that are taken, made by the real encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether the input was taken. Panics where something that must hold does not.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "bundle", seeds: bundle::bundles, run: bundle::bundle },
    Target { name: "envelope", seeds: bundle::envelopes, run: bundle::envelope },
    Target { name: "manifest", seeds: bundle::payloads, run: bundle::manifest },
    Target { name: "frame", seeds: frame::seeds, run: frame::run },
    Target { name: "packing", seeds: packing::seeds, run: packing::run },
    Target { name: "actions", seeds: actions::seeds, run: actions::run },
    Target { name: "cell_reply", seeds: messages::cell_replies, run: messages::cell_reply },
    Target { name: "cell_request", seeds: messages::cell_requests, run: messages::cell_request },
    Target { name: "runner", seeds: messages::runner_messages, run: messages::runner },
    Target { name: "signer_request", seeds: signer::requests, run: signer::request },
    Target { name: "signer_reply", seeds: signer::replies, run: signer::reply },
    Target { name: "control", seeds: messages::control_requests, run: messages::control },
    Target { name: "rest", seeds: venue::rest_answers, run: venue::rest },
    Target { name: "public_stream", seeds: venue::public_frames, run: venue::public_stream },
    Target { name: "private_stream", seeds: venue::private_frames, run: venue::private_stream },
    Target { name: "fault_file", seeds: fault_file::seeds, run: fault_file::run },
    Target { name: "market_file", seeds: paper::market_files, run: paper::market_file },
    Target { name: "venue_faults", seeds: paper::fault_files, run: paper::venue_faults },
];
