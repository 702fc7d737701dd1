//! Which compiler builds a strategy: a choice from facts, made without starting anything.

use std::fmt;
use std::path::{Path, PathBuf};

use semver::Version;

/// The target of every native strategy: no operating system, so nothing to import.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler, under a name of its own since rustup's comes first in the search path.
pub(super) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The Debian packages with that compiler and the source of its standard library.
pub(super) const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Oldest Debian compiler that can build the SDK (edition 2024).
const DEBIAN_RUSTC_MIN: Version = Version::new(1, 85, 0);

/// The compiler a strategy is built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The active toolchain, which has the target.
    Active,
    /// Debian's `rustc-web`, which builds the standard library from `rust-web-src`.
    Debian {
        /// Its version.
        version: Version,
        /// The active toolchain's `rust-lld`, since Debian packages no linker for wasm with it.
        linker: PathBuf,
    },
    /// componentize-js, on this version of Node.
    JavaScript {
        /// What Node says.
        node: String,
    },
    /// componentize-py, installed by this version of Python.
    Python {
        /// What Python says.
        python: String,
    },
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => write!(f, "the active toolchain's {TARGET}"),
            Self::Debian { version, .. } => {
                write!(f, "Debian's rustc {version} with its standard library's source")
            }
            Self::JavaScript { node } => write!(f, "componentize-js on Node {node}"),
            Self::Python { python } => write!(f, "componentize-py on {python}"),
        }
    }
}

/// What a compiler says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compiler {
    version: Version,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// From the output of `rustc -vV` and `rustc --print sysroot`.
    pub(super) fn parse(verbose_version: &str, sysroot: &str) -> Option<Self> {
        let field =
            |name: &str| verbose_version.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some(Self {
            version: field("release:")?.parse().ok()?,
            host: field("host:")?.to_owned(),
            sysroot: PathBuf::from(sysroot.trim()),
        })
    }

    fn has_target(&self) -> bool {
        self.sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
    }

    fn has_std_source(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file()
    }

    fn linker(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(&self.host).join("bin/rust-lld")
    }
}

/// Chooses, or says what is missing.
pub(super) fn choose(active: &Compiler, debian: Option<&Compiler>) -> Result<Toolchain, Missing> {
    if active.has_target() {
        return Ok(Toolchain::Active);
    }
    let missing = |detail: String, packages_help| Missing { detail, packages_help };
    let Some(debian) = debian else {
        return Err(missing(
            format!("the active toolchain has no such target, {DEBIAN_RUSTC} is not there"),
            true,
        ));
    };
    if debian.version < DEBIAN_RUSTC_MIN {
        let detail = format!("{DEBIAN_RUSTC} is {}, at least {DEBIAN_RUSTC_MIN} is needed", debian.version);
        return Err(missing(detail, true));
    }
    if !debian.has_std_source() {
        return Err(missing(format!("{DEBIAN_RUSTC} has no source of its standard library"), true));
    }
    let linker = active.linker();
    if !linker.is_file() {
        return Err(missing(format!("the active toolchain has no {}", linker.display()), false));
    }
    Ok(Toolchain::Debian { version: debian.version.clone(), linker })
}

/// Why no compiler was chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) detail: String,
    /// Whether Debian's packages would help.
    pub(super) packages_help: bool,
}

/// Whether `/etc/os-release` describes Debian or a child of it.
pub(super) fn is_debian(os_release: &str) -> bool {
    let value = |line: &str, key: &str| {
        line.strip_prefix(key)?.strip_prefix('=').map(|value| value.trim().trim_matches('"').to_owned())
    };
    os_release.lines().any(|line| {
        value(line, "ID").is_some_and(|id| id == "debian")
            || value(line, "ID_LIKE").is_some_and(|like| like.split(' ').any(|id| id == "debian"))
    })
}

/// Compiler flags that keep this machine's paths out of the component, so that it tells nobody where it was built and two
/// machines can build the same bytes. Of several prefixes that match, rustc takes the last.
pub(super) fn remap_flags(
    home: Option<&Path>,
    cargo_home: Option<&Path>,
    workspace: &Path,
    target: &Path,
) -> Vec<String> {
    let pairs =
        [(home, "/home"), (cargo_home, "/cargo"), (Some(workspace), "/strategy"), (Some(target), "/target")];
    pairs
        .into_iter()
        .filter_map(|(path, name)| Some((path?, name)))
        .filter(|(path, _)| path.parent().is_some())
        .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const VERBOSE: &str = "rustc 1.96.0 (ac68faa20 2026-05-25)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n";

    fn compiler(version: &str, sysroot: &Path, files: &[&str]) -> Compiler {
        for file in files {
            let path = sysroot.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        Compiler::parse(&VERBOSE.replace("1.96.0", version), sysroot.to_str().unwrap()).unwrap()
    }

    const TARGET_FILE: &str = "lib/rustlib/wasm32-unknown-unknown/lib/libcore.rlib";
    const STD_SOURCE: &str = "lib/rustlib/src/rust/library/Cargo.lock";
    const LINKER: &str = "lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld";

    #[test]
    fn the_active_toolchain_is_preferred() {
        let (active, debian) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let active = compiler("1.95.0", active.path(), &[TARGET_FILE, LINKER]);
        let debian = compiler("1.96.0", debian.path(), &[STD_SOURCE]);
        assert_eq!(choose(&active, Some(&debian)), Ok(Toolchain::Active));
    }

    #[test]
    fn debians_compiler_stands_in_with_the_active_linker() {
        let (active, debian) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let linker = active.path().join(LINKER);
        let active = compiler("1.95.0", active.path(), &[LINKER]);
        let debian = compiler("1.96.0", debian.path(), &[STD_SOURCE]);
        let expected = Toolchain::Debian { version: Version::new(1, 96, 0), linker };
        assert_eq!(choose(&active, Some(&debian)), Ok(expected));
    }

    #[test]
    fn what_is_missing_is_said() {
        let (active, debian) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let active = compiler("1.95.0", active.path(), &[]);
        assert!(choose(&active, None).unwrap_err().detail.contains("is not there"));

        let old = compiler("1.63.0", debian.path(), &[]);
        assert!(choose(&active, Some(&old)).unwrap_err().detail.contains("at least 1.85.0"));

        let without_source = compiler("1.85.0", debian.path(), &[]);
        assert!(choose(&active, Some(&without_source)).unwrap_err().packages_help);

        let whole = compiler("1.85.0", debian.path(), &[STD_SOURCE]);
        let no_linker = choose(&active, Some(&whole)).unwrap_err();
        assert!(no_linker.detail.contains("rust-lld") && !no_linker.packages_help);
    }

    #[test]
    fn debian_and_its_children_are_recognised() {
        assert!(is_debian("NAME=x\nID=debian\n"));
        assert!(is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_debian("ID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nVARIANT_ID=debian\n"));
    }

    #[test]
    fn the_workspace_wins_over_the_home_it_lies_in() {
        let flags = remap_flags(
            Some(Path::new("/home/a")),
            None,
            Path::new("/home/a/w"),
            Path::new("/home/a/w/target/guest"),
        );
        assert_eq!(
            flags,
            [
                "--remap-path-prefix=/home/a=/home",
                "--remap-path-prefix=/home/a/w=/strategy",
                "--remap-path-prefix=/home/a/w/target/guest=/target",
            ]
        );
        assert_eq!(remap_flags(Some(Path::new("/")), None, Path::new("/w"), Path::new("/w/t")).len(), 2);
    }
}
