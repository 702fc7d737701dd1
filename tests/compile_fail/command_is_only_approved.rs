//! An approved command is not a journaled one.

use portcullis_core::ApprovedCommand;
use portcullis_journal::JournaledCommand;

fn submit(_command: JournaledCommand) {}

fn send(approved: ApprovedCommand) {
    submit(approved);
}

fn main() {
    let _ = send;
}
