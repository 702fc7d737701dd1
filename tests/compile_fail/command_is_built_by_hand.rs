//! A journaled command has no public fields and no constructor.

use portcullis_core::{Class, Command, Digest, LinkId, Sequence, Timestamp};
use portcullis_journal::JournaledCommand;

fn forge(command: Command, link: LinkId) -> JournaledCommand {
    JournaledCommand {
        command,
        class: Class::Adding,
        approved_at: Timestamp(0),
        sequence: Sequence(0),
        leaf: Digest::default(),
        link,
    }
}

fn main() {
    let _ = forge;
}
