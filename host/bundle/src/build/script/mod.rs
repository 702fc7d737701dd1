//! Strategies in JavaScript and Python: a component that carries an interpreter and the script.
//!
//! The tools that make it are pinned to the byte (a lockfile, hashes) and installed once, in a folder of the build; installing
//! runs none of their scripts. Nothing of this is there when the strategy runs.

mod javascript;
mod project;
mod python;
mod tools;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use self::project::Project;
use super::{BuildError, BuildRequest};

pub(super) use javascript::build as build_javascript;
pub(super) use python::build as build_python;

/// The contract, which both toolchains make their bindings from.
const WIT: &str = include_str!("../../../../../wit/v0.1/strategy.wit");

/// Folder of a target directory for everything here.
const FOLDER: &str = "script";

/// Where a project's build keeps its files.
struct Workshop {
    /// The project's own folder.
    folder: PathBuf,
    /// The finished component.
    component: PathBuf,
    /// What the component was made of; it is written last.
    mark: PathBuf,
    /// A folder with the contract alone.
    wit: PathBuf,
    /// Held until the build is over: two builds of one project would write the same files.
    _turn: File,
}

impl Workshop {
    fn open(project: &Project, request: &BuildRequest) -> Result<Self, BuildError> {
        let folder = project.target(request)?.join(FOLDER).join(project.name.as_str());
        let wit = folder.join("wit");
        make(&wit)?;
        let turn = wait_for_turn(&folder)?;
        write(&wit.join("strategy.wit"), WIT.as_bytes())?;
        Ok(Self {
            _turn: turn,
            component: folder.join(format!("{}.component.wasm", project.name)),
            mark: folder.join("made-of"),
            wit,
            folder,
        })
    }

    /// The component, made by `make` unless the last one was made of the same.
    fn component(
        &self,
        made_of: &Sha256,
        make: impl FnOnce(&Path) -> Result<(), BuildError>,
    ) -> Result<Vec<u8>, BuildError> {
        let made_of = hex::encode(made_of.clone().chain_update(WIT).finalize());
        if fs::read_to_string(&self.mark).is_ok_and(|mark| mark == made_of)
            && let Ok(component) = fs::read(&self.component)
        {
            return Ok(component);
        }
        remove(&self.mark)?;
        make(&self.component)?;
        let component = read(&self.component)?;
        write(&self.mark, made_of.as_bytes())?;
        Ok(component)
    }
}

/// The lock of a folder, as soon as nobody else has it.
fn wait_for_turn(folder: &Path) -> Result<File, BuildError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(unwritable(&path))?;
    file.lock().map_err(unwritable(&path))?;
    Ok(file)
}

fn make(folder: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(folder).map_err(unwritable(folder))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    fs::write(file, bytes).map_err(unwritable(file))
}

fn read(file: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(file).map_err(|source| BuildError::Unreadable { path: file.to_owned(), source })
}

fn remove(file: &Path) -> Result<(), BuildError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(file)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::Unwritable { path, source }
}
