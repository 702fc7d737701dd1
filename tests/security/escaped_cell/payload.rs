//! The attacker's process.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;

use portcullis_cell::{CELL_PROTOCOL, CellReply, CellRequest, RoleError, Snapshot, confine_cell};
use portcullis_role::{
    Confinement, FIRST_DESCRIPTOR, MESSAGE_BYTES_MAX, MessageLink, Party, Profile, in_child, inherited,
    read_sealed,
};

use crate::attempts::{self, Attempt};
use crate::live;
use crate::world::{Stage, World};

/// The strategy whose cells are payloads of one attempt.
pub const PAYLOAD: &str = "escaped";

/// As in the cell's own limits.
const MEMORY_BYTES_MAX: u64 = 1 << 20;

/// In place of a cell: the socket is descriptor 3, the world descriptor 4.
pub fn cell(arguments: &[OsString]) -> Result<(), RoleError> {
    if arguments[0].to_str() != Some(PAYLOAD) {
        return live::cell(arguments);
    }
    let socket = inherited(FIRST_DESCRIPTOR).unwrap();
    let handed = inherited(FIRST_DESCRIPTOR + 1).unwrap();
    let world = world(&handed);
    let attempt = attempts::find(&world.attempt);
    if world.stage != Stage::Handed {
        let confined = confine_cell(MEMORY_BYTES_MAX)?;
        let _bytes = read_sealed(handed, 1 << 20).unwrap();
        if attempt.in_a_thread() {
            // Started before the last filter is in force, as the thread of the epoch is.
            return attempts::in_a_thread(attempt, &world, confined, socket);
        }
        if world.stage == Stage::Work {
            confined.settle().unwrap();
        }
    }
    answer(socket, attempt, &world);
    Ok(())
}

/// Attacks when asked for a snapshot, and answers with what came of it.
pub fn answer(socket: OwnedFd, attempt: &Attempt, world: &World) {
    let mut link = greeted(socket);
    loop {
        match link.receive::<CellRequest<'_>>() {
            Ok(CellRequest::Snapshot) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_) => return,
        }
        let told = attempt.run(world);
        link.send(&CellReply::Snapshot(Snapshot { version: 0, bytes: told.into_bytes() })).unwrap();
    }
}

/// A cell's link, on which it has said what it is.
pub fn greeted(socket: OwnedFd) -> MessageLink {
    let party = Party { protocol: CELL_PROTOCOL, us: "payload", them: "gateway" };
    let mut link = MessageLink::greeting(socket, MESSAGE_BYTES_MAX, party);
    link.flush().unwrap();
    link
}

/// The attempt in a child of its own; says on standard output what came of it.
pub fn lab() -> Result<(), RoleError> {
    let handed = inherited(FIRST_DESCRIPTOR).unwrap();
    let world = world(&handed);
    let attempt = attempts::find(&world.attempt);
    let confinement = Confinement::nothing(Profile::Lab, 16);
    match in_child(&confinement, 1 << 16, |confined| {
        confined.settle().unwrap();
        attempt.run(&world).into_bytes()
    }) {
        Ok(told) => println!("{}", String::from_utf8(told).unwrap()),
        Err(portcullis_role::ApartError::Killed(signal)) => println!("killed {signal}"),
        Err(error) => panic!("{error}"),
    }
    Ok(())
}

fn world(handed: &OwnedFd) -> World {
    let mut file = File::from(handed.try_clone().unwrap());
    let mut bytes = Vec::new();
    // Whoever wrote the bytes shares the position.
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    World::parse(&bytes).unwrap()
}
