//! The half of a build that starts processes: `rustc`, `cargo`, and on Debian `apt-get`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cargo_messages::{Metadata, TargetJson, module_path};
use super::process::run;
use super::toolchain::{Compiler, DEBIAN_PACKAGES, DEBIAN_RUSTC, TARGET, choose, is_debian, remap_flags};
use super::{BuildError, BuildNotice, BuildRequest, Built, Toolchain, componentise};

/// Builds the crate at `request.manifest_path` and wraps it into a component. Cargo rebuilds only what has changed.
///
/// The compiler is the active toolchain if it has `wasm32-unknown-unknown`, else Debian's `rustc-web`; see [`Toolchain`]. The
/// user's rustup is never changed. The profile is the workspace's `guest`, or one made like ours where it has none.
///
/// # Errors
///
/// [`BuildError`]; a failed compilation is [`BuildError::ToolFailed`] with the end of cargo's output.
pub(super) fn build_crate(
    request: &BuildRequest,
    notice: &mut dyn FnMut(BuildNotice<'_>),
) -> Result<Built, BuildError> {
    let manifest = request.manifest_path.canonicalize().map_err(|source| BuildError::NotACrate {
        manifest: request.manifest_path.clone(),
        detail: source.to_string(),
    })?;
    let session = Session { directory: manifest.parent().unwrap_or(Path::new("/")).to_owned(), manifest };
    let package = session.package()?;
    let toolchain = session.toolchain(request.may_install, notice)?;
    notice(BuildNotice::Toolchain(&toolchain));
    let module = session.compile(&package, request, &toolchain, notice)?;
    let bytes =
        fs::read(&module).map_err(|source| BuildError::Unreadable { path: module.clone(), source })?;
    Ok(Built {
        component: componentise(&bytes)?,
        package: package.name,
        version: package.version,
        toolchain,
        module,
    })
}

/// A package as cargo describes it.
struct Package {
    id: String,
    name: String,
    version: String,
    workspace: PathBuf,
    target: PathBuf,
}

struct Session {
    manifest: PathBuf,
    directory: PathBuf,
}

impl Session {
    fn package(&self) -> Result<Package, BuildError> {
        let not_a_crate = |detail: String| BuildError::NotACrate { manifest: self.manifest.clone(), detail };
        let mut cargo = self.command("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&self.manifest);
        let output = run(cargo, &mut |_| {})?;
        let metadata: Metadata =
            serde_json::from_slice(&output).map_err(|error| not_a_crate(error.to_string()))?;
        let package = metadata
            .packages
            .into_iter()
            .find(|package| package.manifest_path == self.manifest)
            .ok_or_else(|| not_a_crate("it is a workspace without a package of its own".to_owned()))?;
        if !package.targets.iter().any(TargetJson::is_cdylib) {
            return Err(BuildError::NoCdylib { package: package.name });
        }
        Ok(Package {
            id: package.id,
            name: package.name,
            version: package.version,
            workspace: metadata.workspace_root,
            target: metadata.target_directory.join("guest"),
        })
    }

    fn toolchain(
        &self,
        may_install: bool,
        notice: &mut dyn FnMut(BuildNotice<'_>),
    ) -> Result<Toolchain, BuildError> {
        let active = self.compiler("rustc")?;
        let missing = match choose(&active, self.debian_compiler().as_ref()) {
            Ok(toolchain) => return Ok(toolchain),
            Err(missing) => missing,
        };
        if !(may_install && missing.packages_help && is_root() && on_debian()) {
            return Err(BuildError::NoToolchain { detail: missing.detail });
        }
        self.install_packages(notice)?;
        choose(&active, self.debian_compiler().as_ref())
            .map_err(|missing| BuildError::NoToolchain { detail: missing.detail })
    }

    fn compiler(&self, rustc: &str) -> Result<Compiler, BuildError> {
        let ask = |arguments: &[&str]| {
            let mut command = self.command(rustc);
            command.args(arguments);
            run(command, &mut |_| {}).map(|output| String::from_utf8_lossy(&output).into_owned())
        };
        let (version, sysroot) = (ask(&["-vV"])?, ask(&["--print", "sysroot"])?);
        Compiler::parse(&version, &sysroot)
            .ok_or_else(|| BuildError::NoToolchain { detail: format!("{rustc} does not say its version") })
    }

    fn debian_compiler(&self) -> Option<Compiler> {
        if Path::new(DEBIAN_RUSTC).is_file() { self.compiler(DEBIAN_RUSTC).ok() } else { None }
    }

    fn install_packages(&self, notice: &mut dyn FnMut(BuildNotice<'_>)) -> Result<(), BuildError> {
        notice(BuildNotice::Installing(&DEBIAN_PACKAGES));
        let mut apt_get = |arguments: &[&str]| {
            let mut command = self.command("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            run(command, &mut |line| notice(BuildNotice::Line(line)))
        };
        // A fresh machine has no package lists, and a stale list names packages that are gone.
        apt_get(&["-q", "update"])?;
        let [compiler, source] = DEBIAN_PACKAGES;
        apt_get(&["-q", "install", "-y", "--no-install-recommends", compiler, source])?;
        Ok(())
    }

    fn compile(
        &self,
        package: &Package,
        request: &BuildRequest,
        toolchain: &Toolchain,
        notice: &mut dyn FnMut(BuildNotice<'_>),
    ) -> Result<PathBuf, BuildError> {
        let target = request.target_dir.as_ref().map_or(Ok(package.target.clone()), std::path::absolute);
        let target =
            target.map_err(|source| BuildError::Unreadable { path: package.target.clone(), source })?;
        let mut cargo = self.command("cargo");
        cargo
            .args(["build", "--lib", "--target", TARGET, "--profile", "guest"])
            .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
            .arg(&self.manifest)
            .arg("--target-dir")
            .arg(&target)
            .args(profile_arguments(&package.workspace)?);
        if request.locked {
            cargo.arg("--locked");
        }
        if let Toolchain::Debian { linker, .. } = toolchain {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        let flags = remap_flags(
            std::env::home_dir().as_deref(),
            cargo_home().as_deref(),
            &package.workspace,
            &target,
        );
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        let messages = run(cargo, &mut |line| notice(BuildNotice::Line(line)))?;
        module_path(&messages, &package.id).ok_or_else(|| BuildError::NotACrate {
            manifest: self.manifest.clone(),
            detail: "cargo built it but named no .wasm file".to_owned(),
        })
    }

    /// A command in the crate's directory, so that its toolchain file counts, with an environment that does not depend on who
    /// called us: `cargo run` and `cargo test` leave settings behind that are meant for the outer build.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if is_of_outer_build(&name) {
                command.env_remove(name);
            }
        }
        // A toolchain file may name targets that are not there: say so, instead of fetching them behind the user's back.
        command.env("RUSTUP_AUTO_INSTALL", "0");
        command
    }
}

/// Settings of an outer cargo, or of a shell that steers one. Where the user's registry is and how to reach it stays.
fn is_of_outer_build(name: &OsStr) -> bool {
    const KEPT: [&str; 4] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
    const CLEARED: [&str; 5] = ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "RUSTUP_TOOLCHAIN"];
    let name = name.to_string_lossy();
    let begins_with = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    begins_with(&CLEARED) && !begins_with(&KEPT)
}

/// Settings for a workspace that has no profile of this name: small and fast, without unwinding.
fn profile_arguments(workspace: &Path) -> Result<Vec<String>, BuildError> {
    let path = workspace.join("Cargo.toml");
    let text =
        fs::read_to_string(&path).map_err(|source| BuildError::Unreadable { path: path.clone(), source })?;
    let has_profile = text
        .parse::<toml::Table>()
        .is_ok_and(|root| root.get("profile").is_some_and(|p| p.get("guest").is_some()));
    if has_profile {
        return Ok(Vec::new());
    }
    let settings = [
        "inherits='release'",
        "opt-level=3",
        "lto=true",
        "codegen-units=1",
        "panic='abort'",
        "debug=false",
        "strip=true",
    ];
    Ok(settings
        .iter()
        .flat_map(|setting| ["--config".to_owned(), format!("profile.guest.{setting}")])
        .collect())
}

fn cargo_home() -> Option<PathBuf> {
    let stated =
        std::env::vars_os().find(|(name, _)| name == "CARGO_HOME").map(|(_, path)| PathBuf::from(path));
    stated.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn on_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| is_debian(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_outer_build_are_cleared_and_the_users_registry_is_kept() {
        let cleared = |name: &str| is_of_outer_build(OsStr::new(name));
        for name in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_BOOTSTRAP",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(cleared(name), "{name}");
        }
        for name in
            ["PATH", "HOME", "CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_X_TOKEN", "RUSTUP_HOME"]
        {
            assert!(!cleared(name), "{name}");
        }
    }

    #[test]
    fn a_workspaces_own_guest_profile_wins() {
        let workspace = tempfile::tempdir().unwrap();
        let manifest = workspace.path().join("Cargo.toml");
        fs::write(&manifest, "[profile.release]\nlto = true\n").unwrap();
        let arguments = profile_arguments(workspace.path()).unwrap();
        assert!(arguments.contains(&"profile.guest.inherits='release'".to_owned()));
        fs::write(&manifest, "[profile.guest]\ninherits = \"release\"\n").unwrap();
        assert_eq!(profile_arguments(workspace.path()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_a_strategys_crate_is_refused_before_anything_is_built() {
        let build = |manifest: &Path| {
            let request = BuildRequest {
                manifest_path: manifest.to_owned(),
                target_dir: None,
                locked: false,
                may_install: false,
            };
            build_crate(&request, &mut |_| {}).unwrap_err().code()
        };
        let directory = tempfile::tempdir().unwrap();
        let manifest = directory.path().join("Cargo.toml");
        assert_eq!(build(&manifest), "NOT_A_CRATE");
        fs::write(&manifest, "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(build(&manifest), "NOT_A_CRATE");
        fs::create_dir(directory.path().join("src")).unwrap();
        fs::write(directory.path().join("src/lib.rs"), "").unwrap();
        fs::write(&manifest, "[package]\nname = \"x\"\n[workspace]\n").unwrap();
        assert_eq!(build(&manifest), "NO_CDYLIB");
    }
}
