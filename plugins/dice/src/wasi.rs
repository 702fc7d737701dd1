//! The three things of WASI that the lesson takes, and what stands in for them in native tests.

/// A die from 1 to 6.
pub(crate) fn throw() -> u64 {
    outside::random().wrapping_rem(6).saturating_add(1)
}

pub(crate) use outside::{say, seconds};

#[cfg(target_arch = "wasm32")]
mod outside {
    mod bindings {
        wit_bindgen::generate!({ path: "wit", world: "wasi", generate_all });
    }

    use bindings::wasi::{cli::stdout, clocks::wall_clock, random::random};

    pub(crate) fn seconds() -> u64 {
        wall_clock::now().seconds
    }

    pub(crate) fn random() -> u64 {
        random::get_random_u64()
    }

    pub(crate) fn say(text: &str) {
        // A strategy whose output is lost goes on.
        let _ = stdout::get_stdout().blocking_write_and_flush(text.as_bytes());
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod outside {
    use std::cell::Cell;

    thread_local! {
        static THROWS: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) const fn seconds() -> u64 {
        0
    }

    /// Counts, so that throws are 2, 3, 4 and so on.
    pub(crate) fn random() -> u64 {
        THROWS.with(|throws| {
            let next = throws.get().saturating_add(1);
            throws.set(next);
            next
        })
    }

    pub(crate) const fn say(_: &str) {}
}
