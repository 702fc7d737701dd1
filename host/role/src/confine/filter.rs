//! Filters of system calls, installed in every thread.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::calls::Call;

/// Set in the number of a call made by the ABI with 32-bit pointers, which runs under the same architecture.
const X32: i64 = 0x4000_0000;

/// What becomes of system calls.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    /// These are made; any other ends the process.
    Allow {
        /// The lists, one after the other.
        lists: Vec<&'static [Call]>,
        /// Calls that fail as on a kernel without them, so that the library takes the older one, whose arguments can be looked at.
        missing: &'static [Call],
    },
    /// These fail with `EPERM`; any other is made.
    Deny(Vec<&'static [Call]>),
}

/// Installs `filter` beside those that are in force already: a call is made if all of them let it.
pub(super) fn install(filter: &Filter) -> io::Result<()> {
    match filter {
        Filter::Allow { lists, missing } => {
            if !missing.is_empty() {
                apply(&[missing], SeccompAction::Allow, errno(libc::ENOSYS), false)?;
            }
            let all: Vec<&[Call]> = lists.iter().copied().chain([*missing]).collect();
            apply(&all, SeccompAction::KillProcess, SeccompAction::Allow, false)
        }
        Filter::Deny(lists) => apply(lists, SeccompAction::Allow, errno(libc::EPERM), true),
    }
}

fn errno(number: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(u32::try_from(number).unwrap_or(1))
}

fn apply(lists: &[&[Call]], others: SeccompAction, these: SeccompAction, both_abis: bool) -> io::Result<()> {
    let program = compiled(lists, others, these, both_abis).map_err(io::Error::other)?;
    apply_filter_all_threads(&program).map_err(io::Error::other)
}

fn compiled(
    lists: &[&[Call]],
    others: SeccompAction,
    these: SeccompAction,
    both_abis: bool,
) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in lists.iter().copied().flatten() {
        let forms = forms(call)?;
        if both_abis {
            rules.insert(call.number | X32, forms.clone());
        }
        rules.insert(call.number, forms);
    }
    SeccompFilter::new(rules, others, these, TargetArch::x86_64)?.try_into()
}

fn forms(call: &Call) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |arguments: &&[super::calls::Argument]| {
        let conditions: Result<Vec<SeccompCondition>, BackendError> = arguments
            .iter()
            .map(|argument| {
                let operator = SeccompCmpOp::MaskedEq(argument.mask);
                SeccompCondition::new(argument.index, SeccompCmpArgLen::Qword, operator, argument.value)
            })
            .collect();
        SeccompRule::new(conditions?)
    };
    call.forms.iter().map(rule).collect()
}
