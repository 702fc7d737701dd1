//! `install.sh`, run for real in a copy of this very system that is thrown away.

use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::{BINARY, deploy, run, trial};

/// What the copy of the system is made with, besides root.
const TOOLS: &[&str] = &["root", "unshare", "chroot", "useradd", "nginx", "openssl", "systemctl", "strip"];

/// This system as a lower layer, and a layer in memory that takes every change: `$upper` holds what was changed. The folder
/// under test is at /mnt and the binary at /media. `see NAME` writes down the kind, mode, owner, time of change, link and hash of
/// everything changed.
const PRELUDE: &str = r#"
set -eu
mount -t tmpfs none "$SCRATCH/layers"
upper=$SCRATCH/layers/upper system=$SCRATCH/layers/system
mkdir "$upper" "$system" "$SCRATCH/layers/work" "$SCRATCH/layers/binaries"
# Without what a debugger needs: a tenth of the size, and all of this lies in memory.
strip -o "$SCRATCH/layers/binaries/portcullis" "$BINARY"
mount -t overlay none -o "lowerdir=/,upperdir=$upper,workdir=$SCRATCH/layers/work" "$system"
mount -t proc none "$system/proc"
mount --rbind /dev "$system/dev"
mount -t tmpfs none "$system/run"
mount -t tmpfs none "$system/tmp"
mount --bind "$DEPLOY" "$system/mnt"
mount --bind "$SCRATCH/layers/binaries" "$system/media"
inside() { chroot "$system" "$@"; }
install() { inside /mnt/install.sh --binary /media/portcullis "$@"; }
see() {
    (cd "$upper" && find . -printf '%p %y %m %u:%g %T@ %l\n' | sort &&
        find . -type f -exec sha256sum {} + | sort) >"$SCRATCH/$1"
}
"#;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial("the_script_is_sound", &["shellcheck"], the_script_is_sound),
        trial("a_second_run_changes_nothing", TOOLS, a_second_run_changes_nothing),
        trial("an_operators_file_is_kept", TOOLS, an_operators_file_is_kept),
        trial("nginx_takes_the_installed_site", TOOLS, nginx_takes_the_installed_site),
        trial("what_will_not_do_is_named", &["root"], what_will_not_do_is_named),
        trial("only_root_installs", &["root", "setpriv"], only_root_installs),
    ]
}

fn the_script_is_sound() -> Result<(), Failed> {
    let (exit, said) = run(Command::new("shellcheck").arg(deploy().join("install.sh")));
    assert_eq!(exit, 0, "{said}");
    Ok(())
}

fn a_second_run_changes_nothing() -> Result<(), Failed> {
    let scratch = in_a_copy(
        r#"
install --host trade.example.org >"$SCRATCH/first.out"
see first
install >"$SCRATCH/second.out"
see second
"$DEPLOY/install.sh" --root "$system" --binary "$SCRATCH/layers/binaries/portcullis" >"$SCRATCH/outside.out"
see third
for path in etc/portcullis var/lib/portcullis var/lib/portcullis/keys var/lib/portcullis/limits.toml \
    var/lib/portcullis/keys/read.toml etc/portcullis/paper-trade.toml etc/portcullis/signer.toml etc/portcullis/tls/key.pem etc/systemd/system/portcullis-gateway.service; do
    inside stat -c '%A %U:%G %n' "/$path"
done >"$SCRATCH/modes"
cp "$system/var/lib/portcullis/limits.toml" "$system/etc/portcullis/console.env" "$SCRATCH"
inside systemctl is-enabled portcullis.target >"$SCRATCH/enabled" || true
"#,
    )?;
    let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
    assert!(read("first").contains("./usr/local/bin/portcullis f 755 root:root"), "{}", read("first"));
    assert_eq!(read("first"), read("second"));
    assert_eq!(read("first"), read("third"));
    for out in ["second.out", "outside.out"] {
        let text = read(out);
        assert!(text.contains("Nothing to do") && text.contains("host trade.example.org"), "{text}");
        assert!(!text.contains("created"), "{text}");
    }
    let modes = "drwxr-x--- root:portcullis /etc/portcullis\n\
                 drwxr-x--- portcullis:portcullis /var/lib/portcullis\n\
                 drwx------ portcullis:portcullis /var/lib/portcullis/keys\n\
                 -rw-r----- root:portcullis /var/lib/portcullis/limits.toml\n\
                 -rw------- portcullis:portcullis /var/lib/portcullis/keys/read.toml\n\
                 -rw------- root:root /etc/portcullis/paper-trade.toml\n\
                 -rw------- root:root /etc/portcullis/signer.toml\n\
                 -rw------- root:root /etc/portcullis/tls/key.pem\n\
                 -rw-r--r-- root:root /etc/systemd/system/portcullis-gateway.service\n";
    assert_eq!(read("modes"), modes);
    assert_eq!(read("limits.toml"), portcullis_core::INSTALL_LIMITS);
    assert!(read("console.env").ends_with("\nPORTCULLIS_ORIGIN=https://trade.example.org\n"));
    assert_eq!(read("enabled"), "disabled\n", "nothing starts before the operator has read the limits");
    Ok(())
}

fn an_operators_file_is_kept() -> Result<(), Failed> {
    let scratch = in_a_copy(
        r#"
install --host trade.example.org >/dev/null
# As an installation from before there was a signer has it.
mv "$system/etc/portcullis/paper-trade.toml" "$system/var/lib/portcullis/keys/trade.toml"
sha256sum <"$system/var/lib/portcullis/keys/trade.toml" >"$SCRATCH/trade_before"
sed -i 's/order_notional_max = "5000"/order_notional_max = "50"/' "$system/var/lib/portcullis/limits.toml"
chmod 0666 "$system/etc/portcullis/portcullis.toml"
rm "$system/etc/tmpfiles.d/portcullis.conf"
printf '# the operator was here\n' >>"$system/etc/systemd/system/portcullis-runner.service"
install >"$SCRATCH/kept.out"
sha256sum <"$system/etc/portcullis/paper-trade.toml" >"$SCRATCH/trade_after"
cp "$system/var/lib/portcullis/limits.toml" "$SCRATCH"
inside stat -c %a /etc/portcullis/portcullis.toml >"$SCRATCH/mode"

# A newer version of two units, one of which the operator has changed.
mkdir "$SCRATCH/layers/newer"
cp -r "$DEPLOY/." "$SCRATCH/layers/newer"
printf '# newer\n' | tee -a "$SCRATCH/layers/newer/systemd/portcullis-runner.service" >>"$SCRATCH/layers/newer/systemd/portcullis-gateway.service"
umount "$system/mnt"
mount --bind "$SCRATCH/layers/newer" "$system/mnt"
install >"$SCRATCH/newer.out"
for unit in runner.service runner.service.new gateway.service; do
    tail -n 1 "$system/etc/systemd/system/portcullis-$unit"
done >"$SCRATCH/last_lines"
see first
install >"$SCRATCH/again.out"
see second
"#,
    )?;
    let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
    let kept = read("kept.out");
    assert!(kept.contains("kept       /var/lib/portcullis/limits.toml"), "{kept}");
    assert!(kept.contains("kept       /etc/systemd/system/portcullis-runner.service"), "{kept}");
    assert!(kept.contains("mended     /etc/portcullis/portcullis.toml"), "{kept}");
    assert!(kept.contains("created    /etc/tmpfiles.d/portcullis.conf"), "{kept}");
    assert!(read("limits.toml").contains("order_notional_max = \"50\""));
    assert!(kept.contains("moved      /var/lib/portcullis/keys/trade.toml"), "{kept}");
    assert_eq!(read("trade_before"), read("trade_after"), "the key that the exchange knows");
    assert_eq!(read("mode"), "640\n");
    let newer = read("newer.out");
    assert!(newer.contains("new        /etc/systemd/system/portcullis-runner.service.new"), "{newer}");
    assert!(newer.contains("updated    /etc/systemd/system/portcullis-gateway.service"), "{newer}");
    assert_eq!(read("last_lines"), "# the operator was here\n# newer\n# newer\n");
    assert!(read("again.out").contains("Nothing to do"), "{}", read("again.out"));
    assert_eq!(read("first"), read("second"));
    Ok(())
}

fn nginx_takes_the_installed_site() -> Result<(), Failed> {
    let scratch = in_a_copy(
        r#"
install --host trade.example.org >/dev/null
inside nginx -t 2>"$SCRATCH/nginx.out" || true
"#,
    )?;
    let said = std::fs::read_to_string(scratch.path().join("nginx.out"))?;
    assert!(said.contains("test is successful") && !said.contains("[warn]"), "{said}");
    Ok(())
}

fn what_will_not_do_is_named() -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path().to_str().unwrap();
    let units = ["etc/systemd/system", "usr/lib/systemd/system"];
    let release = |text: &str| std::fs::write(scratch.path().join("etc/os-release"), text).unwrap();
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let mut command = Command::new(deploy().join("install.sh"));
        let (exit, said) = run(command.args(arguments));
        assert_eq!(exit, code, "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    };
    refused(&["--prefix", "/opt"], 2, "unknown argument: --prefix");
    refused(&["--binary"], 2, "--binary needs a value");
    refused(&["--root", "/nowhere"], 3, "no such directory: /nowhere");
    refused(&["--root", root], 3, "os-release");
    std::fs::create_dir(scratch.path().join("etc"))?;
    release("ID=fedora\nVERSION_ID=44\n");
    refused(&["--root", root], 3, "unknown distribution: fedora");
    release("ID=debian\nVERSION_ID=\"11\"\n");
    refused(&["--root", root], 3, "debian 11 is too old");
    release("ID=ubuntu\nVERSION_ID=\"22.04\"\n");
    refused(&["--root", root], 3, "ubuntu 22.04 is too old");
    release("ID=ubuntu\nVERSION_ID=\"24.04\"\n");
    refused(&["--root", root], 3, "no systemd");
    for path in units {
        std::fs::create_dir_all(scratch.path().join(path))?;
    }
    refused(&["--root", root, "--binary", "/nowhere/portcullis"], 3, "no binary at /nowhere/portcullis");
    refused(&["--root", root, "--binary", "/bin/false"], 3, "/bin/false does not run");
    refused(&["--root", root, "--binary", BINARY, "--host", "a b"], 2, "not a host's name");
    let left: Vec<_> =
        std::fs::read_dir(scratch.path().join("etc"))?.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "a refusal leaves nothing behind: {left:?}");
    Ok(())
}

fn only_root_installs() -> Result<(), Failed> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-s"]);
    // The folder may lie where nobody else can look.
    command.stdin(std::fs::File::open(deploy().join("install.sh"))?);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("must be run as root"), "{said}");
    Ok(())
}

/// Runs a script in a namespace of its own, in which a copy of this system stands ready; what it leaves in `$SCRATCH` remains.
fn in_a_copy(script: &str) -> Result<tempfile::TempDir, Failed> {
    let scratch = tempfile::tempdir()?;
    std::fs::create_dir(scratch.path().join("layers"))?;
    let (exit, said) = run(Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", &format!("{PRELUDE}{script}")])
        .env("SCRATCH", scratch.path())
        .env("DEPLOY", deploy())
        .env("BINARY", BINARY));
    if exit == 0 { Ok(scratch) } else { Err(format!("the script ended with {exit}: {said}").into()) }
}
