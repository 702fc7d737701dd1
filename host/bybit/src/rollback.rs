//! Whether the venue has orders of ours that are newer than the journal: then an older copy of it was put back (RULES J5).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use portcullis_core::{Environment, LinkId, Sequence};
use portcullis_journal::{Epoch, LinkParts};
use portcullis_wire as wire;

use crate::rest::QueryError;
use crate::shared::Shared;

/// Where the journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalHead {
    /// Its life.
    pub epoch: Epoch,
    /// Its last entry.
    pub sequence: Sequence,
}

/// What this process sent before the venue was looked through: it is newer than the journal was at the start, too.
#[derive(Debug)]
pub(crate) struct Lookout {
    /// `None` once the venue was looked through, or need not be.
    sent: Mutex<Option<BTreeSet<LinkId>>>,
}

impl Lookout {
    /// Nothing sent yet; `needed` is whether there is a journal to compare with.
    pub(crate) fn new(needed: bool) -> Self {
        Self { sent: Mutex::new(needed.then(BTreeSet::new)) }
    }

    /// Call it before an order is sent.
    pub(crate) fn sends(&self, link: &LinkId) {
        if let Some(sent) = self.sent.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            sent.insert(link.clone());
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    pub(crate) fn end(&self) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Leaves out what this process sent.
    fn strangers(&self, links: Vec<String>) -> Vec<String> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let own =
            |text: &str| sent.as_ref().is_some_and(|sent| sent.iter().any(|link| link.as_str() == text));
        links.into_iter().filter(|text| !own(text)).collect()
    }
}

/// The newest of ours among client ids, if it is newer than the journal.
pub fn newer_than_journal<'a>(
    environment: Environment,
    head: JournalHead,
    links: impl IntoIterator<Item = &'a str>,
) -> Option<LinkId> {
    let ours = links.into_iter().filter_map(|text| {
        let link: LinkId = text.parse().ok()?;
        let parts = LinkParts::parse(&link).filter(|parts| parts.environment == environment)?;
        Some((JournalHead { epoch: parts.epoch, sequence: parts.sequence }, link))
    });
    let (newest, link) = ours.max_by_key(|(number, _)| *number)?;
    (newest > head).then_some(link)
}

/// Looks through what the venue has of open and closed orders and of executions. Cancelled orders are there for a day only, others for
/// as long as the history goes: an older roll-back shows in the positions.
pub(crate) async fn look(shared: &Shared, head: JournalHead) -> Result<Option<LinkId>, QueryError> {
    let mut links: Vec<String> = Vec::new();
    for category in shared.followed().table().categories() {
        let open = shared.rest.open_orders(category).await?;
        let closed = shared.rest.closed_orders(category).await?;
        links.extend(
            open.into_iter().chain(closed).flat_map(|row| [row.order_link_id, row.parent_order_link_id]),
        );
        let since = portcullis_core::Timestamp::from_millis(shared.now().millis().saturating_sub(DAY_MS));
        let executions: Vec<wire::Execution> = shared.rest.executions(category, since).await?;
        links.extend(executions.into_iter().map(|row| row.order_link_id));
    }
    // Asked after the venue was: whatever of ours it could tell was sent before.
    let links = shared.lookout.strangers(links);
    Ok(newer_than_journal(shared.config.environment, head, links.iter().map(String::as_str)))
}

const DAY_MS: u64 = 24 * 3_600 * 1_000;

#[cfg(test)]
mod tests {
    use portcullis_core::Digest;
    use portcullis_journal::link_id;

    use super::*;

    fn link(environment: Environment, epoch: u16, sequence: u64) -> String {
        let epoch = Epoch::new(epoch).unwrap();
        link_id(environment, epoch, Sequence(sequence), &Digest([7; 32])).unwrap().into()
    }

    #[test]
    fn the_highest_epoch_and_sequence_decide() {
        let head = JournalHead { epoch: Epoch::new(2).unwrap(), sequence: Sequence(100) };
        let newest = |links: &[String]| {
            newer_than_journal(Environment::Paper, head, links.iter().map(String::as_str)).map(String::from)
        };
        let of = |epoch, sequence| link(Environment::Paper, epoch, sequence);
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&[of(2, 100), of(2, 7), of(1, 5_000), "my-own-order".to_owned()]), None);
        assert_eq!(newest(&[of(2, 101), of(2, 33)]), Some(of(2, 101)));
        assert_eq!(newest(&[of(3, 1), of(2, 5_000)]), Some(of(3, 1)), "a later life counts more");
        assert_eq!(newest(&[link(Environment::Live, 9, 9)]), None, "another environment's journal");
    }
}
