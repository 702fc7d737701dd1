//! What a payload tries: a table of system calls, and a few things that take more than one.

mod more;
mod table;

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::mpsc::channel;

use portcullis_cell::RoleError;
use portcullis_role::Confined;

use crate::payload;
use crate::world::{Stage, World};

/// What is to come of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The kernel ends the process for the call (`SIGSYS`).
    Killed,
    /// The kernel ends it by this signal or for the call: on some kernels there is no such entry at all.
    KilledBy(i32),
    /// The call fails with this error.
    Fails(i32),
    /// The payload finds this, and nothing else.
    Finds(&'static str),
    /// The process ends with this code, and is reported.
    Ends(i32),
    /// The gateway takes its link away, and says this.
    Breaks(&'static str),
}

/// An argument of a system call.
#[derive(Debug, Clone, Copy)]
pub enum Arg {
    /// A number.
    N(i64),
    /// A path, or any text.
    T(&'static str),
    /// The path of the key.
    Key,
    /// A path in the directory that is not there.
    New,
    /// The directory.
    Directory,
    /// A page of zeros to read from or write to.
    Page,
    /// The address of the key's path in `struct sockaddr_un`.
    Control,
    /// The test, in place of the gateway.
    Gateway,
    /// The runner.
    Parent,
    /// Another cell.
    Sibling,
    /// This process.
    Own,
    /// A page of this program's code.
    Code,
}

/// One attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    pub name: &'static str,
    act: Act,
    /// In a cell at work.
    pub work: Option<Expected>,
    /// In a cell that loads.
    pub loading: Option<Expected>,
    /// Under what the runner hands down.
    pub handed: Option<Expected>,
    /// In a child of a backtest.
    pub lab: Option<Expected>,
    thread: bool,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Call(i64, &'static [Arg]),
    More(fn(&World) -> String),
}

impl Attempt {
    /// A system call that ends the process wherever guest code, or an artifact, is handled.
    const fn call(name: &'static str, number: i64, arguments: &'static [Arg]) -> Self {
        Self::new(name, Act::Call(number, arguments))
    }

    const fn more(name: &'static str, act: fn(&World) -> String) -> Self {
        Self::new(name, Act::More(act))
    }

    const fn new(name: &'static str, act: Act) -> Self {
        let killed = Some(Expected::Killed);
        Self { name, act, work: killed, loading: killed, handed: None, lab: killed, thread: false }
    }

    /// Loading takes the call.
    const fn loads(self) -> Self {
        Self { loading: None, ..self }
    }

    /// What comes of it while a cell loads.
    const fn loading(self, expected: Expected) -> Self {
        Self { loading: Some(expected), ..self }
    }

    /// A backtest's child has it, for its report.
    const fn reports(self) -> Self {
        Self { lab: None, ..self }
    }

    /// For a cell at work, and nothing else.
    const fn only_work(self, expected: Expected) -> Self {
        Self { work: Some(expected), loading: None, lab: None, ..self }
    }

    /// The same everywhere under a cell's own filters.
    const fn everywhere(self, expected: Expected) -> Self {
        let expected = Some(expected);
        Self { work: expected, loading: expected, lab: expected, ..self }
    }

    /// What comes of it before the cell confines itself.
    const fn handed(self, expected: Expected) -> Self {
        Self { handed: Some(expected), ..self }
    }

    /// From a thread that was there before the last filter.
    const fn threaded(self) -> Self {
        Self { thread: true, ..self }
    }

    pub fn in_a_thread(&self) -> bool {
        self.thread
    }

    /// What is to come of it at a stage, if it is tried there.
    pub fn expected(&self, stage: Stage) -> Option<Expected> {
        match stage {
            Stage::Work => self.work,
            Stage::Loading => self.loading,
            Stage::Handed => self.handed,
            Stage::Lab => self.lab,
            Stage::Live => None,
        }
    }

    /// Tries it.
    pub fn run(&self, world: &World) -> String {
        match self.act {
            Act::More(act) => act(world),
            Act::Call(number, arguments) => told(call(number, arguments, world)),
        }
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Attempt> {
    table::CALLS.iter().chain(more::MORE)
}

pub fn find(name: &str) -> &'static Attempt {
    all().find(|attempt| attempt.name == name).unwrap_or_else(|| panic!("no attempt {name}"))
}

/// Settles with a second thread alive, which then attacks.
pub fn in_a_thread(
    attempt: &'static Attempt,
    world: &World,
    confined: Confined,
    socket: OwnedFd,
) -> Result<(), RoleError> {
    let (go, wait) = channel::<()>();
    let (started, running) = channel::<()>();
    let world = world.clone();
    let thread = std::thread::spawn(move || {
        started.send(()).unwrap();
        wait.recv().unwrap();
        payload::answer(socket, attempt, &world);
    });
    running.recv().unwrap();
    confined.settle().unwrap();
    go.send(()).unwrap();
    thread.join().unwrap();
    Ok(())
}

/// `value` and nothing else, or `error` and its number.
fn told(value: i64) -> String {
    if value == -1 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap();
        format!("error {errno}")
    } else {
        format!("value {value}")
    }
}

/// What [`told`] says of a failure.
pub fn failure(errno: i32) -> String {
    format!("error {errno}")
}

fn call(number: i64, arguments: &[Arg], world: &World) -> i64 {
    let mut kept = Vec::new();
    let mut values = [0_i64; 6];
    for (value, argument) in values.iter_mut().zip(arguments) {
        *value = argument.value(world, &mut kept);
    }
    let [a, b, c, d, e, f] = values;
    unsafe { libc::syscall(number, a, b, c, d, e, f) }
}

impl Arg {
    fn value(self, world: &World, kept: &mut Vec<Box<[u8]>>) -> i64 {
        let mut keep = |bytes: Vec<u8>| {
            kept.push(bytes.into_boxed_slice());
            kept.last().unwrap().as_ptr() as i64
        };
        let mut text = |bytes: &[u8]| keep(CString::new(bytes).unwrap().into_bytes_with_nul());
        match self {
            Self::N(number) => number,
            Self::T(chars) => text(chars.as_bytes()),
            Self::Key => text(world.key.as_os_str().as_bytes()),
            Self::New => text(world.directory.join("new").as_os_str().as_bytes()),
            Self::Directory => text(world.directory.as_os_str().as_bytes()),
            Self::Page => keep(vec![0; 4096]),
            Self::Control => {
                let mut address = 1_u16.to_ne_bytes().to_vec();
                address.extend(world.control.as_os_str().as_bytes());
                address.resize(110, 0);
                keep(address)
            }
            Self::Gateway => world.gateway.into(),
            Self::Parent => world.parent.into(),
            Self::Sibling => world.sibling.into(),
            Self::Own => world.own.into(),
            Self::Code => (failure as *const () as i64) & !0xfff,
        }
    }
}
