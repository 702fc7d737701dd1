//! A journaled command cannot be read from bytes.

use portcullis_journal::JournaledCommand;

fn read(bytes: &[u8]) -> Option<JournaledCommand> {
    postcard::from_bytes(bytes).ok()
}

fn main() {
    let _ = read;
}
