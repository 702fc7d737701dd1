//! Two steps for what makes trading riskier: the first is answered with a code, the second brings it within a minute.

use sha2::{Digest as _, Sha256};

use crate::{CheckId, Digest, Reply, Scope, Span, StrategyId, Timestamp};

use super::turn::Turn;

/// How long a code is good.
const CODE_VALID: Span = Span::from_secs(60);

/// What waits for its second step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intention {
    /// Back to active.
    Rearm(Scope),
    /// These limits, looser than those in force.
    Limits(Digest),
    /// One order past this bound.
    Override(StrategyId, CheckId, i128),
}

/// The first step, taken.
#[derive(Debug)]
pub(super) struct FirstStep {
    intention: Intention,
    code: String,
    until: Timestamp,
}

impl Turn<'_> {
    /// Takes the first step. An earlier one is void then.
    pub(super) fn ask_to_confirm(&mut self, intention: Intention) -> Reply {
        // Not a secret: the code makes a person read what they confirm, so that nothing happens by a stray key.
        let seed = format!("{}/{intention:?}", self.now.0);
        let digest: [u8; 32] = Sha256::digest(seed).into();
        let code = hex::encode(digest).get(..6).unwrap_or_default().to_owned();
        let until = self.now.after(CODE_VALID);
        self.desk.first_step = Some(FirstStep { intention, code: code.clone(), until });
        Reply::ConfirmWith { code, until }
    }

    /// Takes the second step; says why not when it is none. Either way the first is used up.
    pub(super) fn confirm(&mut self, intention: &Intention, code: &str) -> Result<(), Reply> {
        let refused = |why: &str| Err(Reply::Refused(why.to_owned()));
        let Some(first) = self.desk.first_step.take() else {
            return refused("nothing waits to be confirmed");
        };
        if first.intention != *intention || first.code != code {
            return refused("the code belongs to another request");
        }
        if self.now > first.until {
            return refused("the code is no longer valid");
        }
        Ok(())
    }
}
