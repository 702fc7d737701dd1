//! What the account earned, to be shown.

use crate::checks::{account_loss, account_profit};
use crate::{Amount, Timestamp};

use super::Gate;
use super::turn::situation;

/// What the account earned: realised and open profit, fees and funding taken off. `None` while a position cannot be valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profit {
    /// Since the journal began.
    pub total: Option<Amount>,
    /// Since the start of the UTC day, or since an operator set the baseline anew.
    pub day: Option<Amount>,
}

impl Gate {
    /// What the account earned, at the prices last seen.
    pub fn profit(&self, now: Timestamp) -> Profit {
        let situation = situation(&self.state, &self.desk, None, now);
        Profit {
            total: account_profit(&situation),
            day: account_loss(&situation).and_then(Amount::checked_neg),
        }
    }
}
