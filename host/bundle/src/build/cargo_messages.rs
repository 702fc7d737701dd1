//! What cargo says in JSON. Only the fields used are named; the rest is cargo's business and may change.

use std::ffi::OsStr;
use std::path::PathBuf;

use serde::Deserialize;

/// The `.wasm` file among cargo's messages about package `id`.
pub(super) fn module_path(messages: &[u8], id: &str) -> Option<PathBuf> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<ArtifactJson>(line).ok())
        .filter(|artifact| artifact.reason == "compiler-artifact" && artifact.package_id == id)
        .filter(|artifact| artifact.target.is_cdylib())
        .flat_map(|artifact| artifact.filenames)
        .find(|file| file.extension() == Some(OsStr::new("wasm")))
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<PackageJson>,
    pub(super) workspace_root: PathBuf,
    pub(super) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct PackageJson {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) manifest_path: PathBuf,
    pub(super) targets: Vec<TargetJson>,
}

#[derive(Deserialize)]
pub(super) struct TargetJson {
    crate_types: Vec<String>,
}

impl TargetJson {
    pub(super) fn is_cdylib(&self) -> bool {
        self.crate_types.iter().any(|kind| kind == "cdylib")
    }
}

#[derive(Deserialize)]
struct ArtifactJson {
    reason: String,
    package_id: String,
    target: TargetJson,
    filenames: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(package: &str, kind: &str, file: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{package}","target":{{"crate_types":["{kind}"]}},"filenames":["{file}"],"fresh":true}}"#
        )
    }

    #[test]
    fn the_module_is_found_among_other_messages() {
        let messages = [
            "not json".to_owned(),
            r#"{"reason":"build-script-executed","package_id":"p"}"#.to_owned(),
            artifact("dependency", "cdylib", "/t/dependency.wasm"),
            artifact("p", "rlib", "/t/p.rlib"),
            artifact("p", "cdylib", "/t/p.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let text = messages.join("\n");
        assert_eq!(module_path(text.as_bytes(), "p"), Some(PathBuf::from("/t/p.wasm")));
        assert_eq!(module_path(text.as_bytes(), "q"), None);
        assert_eq!(module_path(b"", "p"), None);
    }
}
