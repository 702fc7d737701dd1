//! What a component of the `wasi` tier may import: interfaces whose every answer the host can make a function of the strategy's input.

use semver::Version;

use super::Inadmissible;
use super::census::Census;

/// The interfaces, without their version, which must be one of WASI 0.2. Files, sockets, HTTP and whatever else is not in this list is
/// refused by name.
pub const WASI_INTERFACES: [&str; 18] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Refuses any import that is not an instance of one of [`WASI_INTERFACES`] at version 0.2, naming those. Their functions are looked
/// at when the compiled component is linked, where a function that is not offered fails.
pub(super) fn check_imports(census: &Census) -> Result<(), Inadmissible> {
    if census.bare_imports.total() > 0 {
        return Err(census.bare_imports.forbidden());
    }
    let strange = census.imports.without(is_offered);
    // More imports than the census keeps names of cannot all be in a list this short, unless one stands there twice, which the
    // validator refuses.
    match (strange.total(), census.imports.is_complete()) {
        (0, true) => Ok(()),
        (0, false) => Err(census.imports.forbidden()),
        _ => Err(strange.forbidden()),
    }
}

fn is_offered(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    let served = |version: Version| version.major == 0 && version.minor == 2 && version.pre.is_empty();
    WASI_INTERFACES.contains(&interface) && version.parse().is_ok_and(served)
}
