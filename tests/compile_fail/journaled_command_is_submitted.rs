//! The one way through: what a commit gives back may be submitted, once.

use portcullis_journal::{Committed, JournaledCommand};

fn submit(_command: JournaledCommand) {}

fn send(committed: Committed) {
    for command in committed.commands {
        submit(command);
    }
}

fn main() {
    let _ = send;
}
