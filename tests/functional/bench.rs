//! `portcullis bench` gives the figures it names. What they are is no test's business: a test machine is busy.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_figure_of_the_quick_benches_is_there() {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["--json", "bench", "cell", "feed", "order", "paper"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let figures: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for name in [
        "cell_event_ns_1",
        "cell_event_ns_16",
        "cell_event_ns_256",
        "cell_process_p50_us",
        "cell_restart_ms",
        "cell_runaway_stop_ms",
        "cells_own_100_up_ms",
        "cells_own_100_kib_each",
        "cells_shared_1000_up_ms",
        "cells_shared_1000_kib_each",
        "feed_frame_ns",
        "order_encode_sign_p50_ns",
        "pipeline_p50_us",
        "pipeline_p99_us",
        "paper_frames_per_s",
        "paper_frames_delivered_per_s",
        "paper_orders_per_s",
        "signer_round_trip_p50_us",
        "signer_round_trip_p99_us",
    ] {
        assert!(figures[name].as_f64().is_some_and(|figure| figure > 0.0), "{name} in {figures}");
    }
}
