//! One binary for all targets: `FUZZ_TARGET` names the one to run, `FUZZ_SEEDS` the folder to put its seeds into.

#![no_main]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a fuzzer stops at what is wrong")]

#[path = "../targets/mod.rs"]
mod targets;

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

fn target() -> &'static Target {
    static TARGET: OnceLock<&'static Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names the target");
        TARGETS.iter().find(|target| target.name == name).expect("there is no such target")
    })
}

fn write_seeds(folder: &Path) {
    for (number, seed) in (target().seeds)().into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed).expect("the folder of seeds can be written");
    }
}

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
            write_seeds(Path::new(&folder));
        }
    },
    |data: &[u8]| {
        (target().run)(data);
    }
);
