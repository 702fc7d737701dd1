//! One entry, one command.

use portcullis_journal::JournaledCommand;

fn twice(command: JournaledCommand) -> (JournaledCommand, JournaledCommand) {
    (command.clone(), command)
}

fn main() {
    let _ = twice;
}
