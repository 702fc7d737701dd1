//! The units, as systemd reads them.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::{BINARY, deploy, run, trial};

/// The highest exposure of each unit, in tenths, as `systemd-analyze security` counts it.
const EXPOSURE_MAX: [(&str, u32); 6] =
    [("signer", 4), ("runner", 2), ("console", 3), ("sentinel", 11), ("gateway", 11), ("paper", 11)];

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial("units_are_understood", &["systemd-analyze"], units_are_understood),
        trial("units_expose_little", &["systemd-analyze"], units_expose_little),
        trial("every_unit_is_counted", &[], every_unit_is_counted),
        trial("the_configuration_is_taken", &[], the_configuration_is_taken),
        trial("the_signers_file_is_taken", &[], the_signers_file_is_taken),
    ]
}

fn units_are_understood() -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let mut files = Vec::new();
    for unit in ["service", "socket", "target"].into_iter().flat_map(units) {
        // A unit whose program is missing is an error to systemd.
        let text = std::fs::read_to_string(&unit)?.replace("/usr/local/bin/portcullis", BINARY);
        let file = scratch.path().join(unit.file_name().unwrap());
        std::fs::write(&file, text)?;
        files.push(file);
    }
    let (exit, said) = run(Command::new("systemd-analyze").arg("verify").args(&files));
    // An unknown key is only a remark, and then the protection it stands for is missing.
    assert_eq!((exit, said.as_str()), (0, ""));
    Ok(())
}

fn units_expose_little() -> Result<(), Failed> {
    for (role, most) in EXPOSURE_MAX {
        let unit = deploy().join(format!("systemd/portcullis-{role}.service"));
        let (exit, said) = run(Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=yes"])
            .arg(format!("--threshold={most}"))
            .arg(&unit));
        let overall = said.lines().find(|line| line.contains("Overall exposure")).unwrap_or(&said);
        assert_eq!(exit, 0, "above {most} tenths: {overall}");
    }
    Ok(())
}

fn every_unit_is_counted() -> Result<(), Failed> {
    let mut counted: Vec<String> =
        EXPOSURE_MAX.iter().map(|(role, _)| format!("portcullis-{role}.service")).collect();
    counted.sort();
    let mut there: Vec<String> = units("service")
        .iter()
        .map(|unit| unit.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    there.sort();
    assert_eq!(there, counted);
    Ok(())
}

/// The gateway gets past the shipped configuration: what it misses in an empty directory are the limits.
fn the_configuration_is_taken() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let (exit, said) = run(Command::new(BINARY)
        .arg("--dir")
        .arg(dir.path())
        .args(["gateway", "--config"])
        .arg(deploy().join("portcullis.toml")));
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("limits.toml"), "{said}");
    Ok(())
}

/// The signer gets past its shipped file: what it misses is the key, which the service manager hands over.
fn the_signers_file_is_taken() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let (exit, said) = run(Command::new(BINARY)
        .arg("--dir")
        .arg(dir.path())
        .args(["signer", "--config"])
        .arg(deploy().join("signer.toml")));
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("no credential paper-trade was handed over"), "{said}");
    Ok(())
}

fn units(extension: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(deploy().join("systemd")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    files
        .filter(|file: &PathBuf| Path::new(file).extension().is_some_and(|found| found == extension))
        .collect()
}
