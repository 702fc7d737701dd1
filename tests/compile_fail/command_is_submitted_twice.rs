//! Submitting consumes the command.

use portcullis_journal::JournaledCommand;

fn submit(_command: JournaledCommand) {}

fn send(command: JournaledCommand) {
    submit(command);
    submit(command);
}

fn main() {
    let _ = send;
}
