//! The gateway's end of the wires: what the road sees as its venue.

use portcullis_core::{Command, Query, Timestamp};
use portcullis_gateway::{Venue, VenueEvent};
use portcullis_journal::JournaledCommand;

use crate::clock::{SECOND, SimClock};
use crate::disk::Disk;
use crate::plan::Sabotage;
use crate::queue::Request;
use crate::shared::Shared;
use crate::watch::Submitted;
use crate::words::tail;

/// One life of the gateway's connection to the venue.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) outside: Shared,
    pub(crate) disk: Disk,
    pub(crate) clock: SimClock,
    pub(crate) session: u32,
}

impl Venue for Wire {
    fn submit(&mut self, command: JournaledCommand) {
        // The crash may come just before the bytes leave.
        if !self.disk.lives_on() {
            return;
        }
        let mut outside = self.outside.get();
        let outside = &mut *outside;
        let now = self.clock.now();
        let (of, link) = (command.sequence(), command.link().clone());
        outside.note(&[6, of.0], || format!("gateway sends #{} {:?}", of.0, command.command()));
        outside.orders += u64::from(command.command().is_create());
        outside.cancel_alls += u64::from(matches!(command.command(), Command::CancelAll(_)));
        let submitted = Submitted { command: &command, local: self.clock.local(), now, disk: &self.disk };
        outside.watch.submitted(&submitted, &outside.exchange, &outside.network);
        let signed = Timestamp(self.clock.local().0);
        let request = Request {
            session: self.session,
            of,
            link,
            command: command.command().clone(),
            signed,
            answered: true,
            copy: false,
            arrives: now,
        };
        if outside.sabotage == Some(Sabotage::SendTwice) && of.0 % 16 == 0 {
            outside.watch.submitted(&submitted, &outside.exchange, &outside.network);
            outside.fly(now + SECOND, request.clone());
        }
        outside.send(now, request);
    }

    fn query(&mut self, query: Query) {
        if self.disk.is_crashed() {
            return;
        }
        let mut outside = self.outside.get();
        let what = match &query {
            Query::Order { order, link, .. } => format!("order {} {}", order.0, tail(link)),
            Query::Snapshot { .. } => "everything".to_owned(),
        };
        outside.note(&[7], || format!("gateway asks about {what}"));
        outside.ask(self.clock.now(), self.session, query);
    }

    /// The world feeds the road itself.
    fn poll(&mut self) -> Option<VenueEvent> {
        None
    }
}
