//! What may become of a hostile component, and a trial that holds one against it.

use std::sync::{Arc, LazyLock};

use libtest_mimic::{Failed, Trial};
use portcullis_bundle::{Inadmissible, Tier, admit};
use portcullis_cell::{CellEngine, CellFault, CellLimits, FaultKind, Program, compile};

use crate::common::{self, Entry, LIMITS, Life, Source};

/// What has to become of it.
pub(crate) enum Expect {
    /// Admission refuses it with this code and these words.
    Refused(&'static str, &'static str),
    /// Admission takes it, and this entry ends in a fault of this kind, with these words and the entry's whole budget charged.
    Fault(Entry, FaultKind, &'static str),
    /// As above, but which of fuel and clock is first depends on the machine.
    Stopped(Entry),
    /// It lives its life within its limits, and this holds.
    Harmless(fn(&Life)),
}

/// One hostile component.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) component: Box<dyn FnOnce() -> Vec<u8> + Send>,
    pub(crate) limits: CellLimits,
    pub(crate) records: u32,
    pub(crate) expect: Expect,
}

impl Case {
    pub(crate) fn bytes(name: impl Into<String>, component: Vec<u8>, expect: Expect) -> Self {
        Self::lazy(name, move || component, expect)
    }

    pub(crate) fn lazy(
        name: impl Into<String>,
        component: impl FnOnce() -> Vec<u8> + Send + 'static,
        expect: Expect,
    ) -> Self {
        Self { name: name.into(), component: Box::new(component), limits: LIMITS, records: 3, expect }
    }

    /// A guest whose text is made of the common one.
    pub(crate) fn guest(name: impl Into<String>, source: Source, expect: Expect) -> Self {
        Self::lazy(name, move || common::component(&source), expect)
    }

    /// A guest that is fine until its first frame.
    pub(crate) fn frame(name: impl Into<String>, on_frame: impl Into<String>, expect: Expect) -> Self {
        Self::guest(name, Source { on_frame: leak(on_frame), ..Source::default() }, expect)
    }

    pub(crate) fn limits(mut self, limits: CellLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn trial(self) -> Trial {
        let name = self.name.clone();
        Trial::test(name, move || {
            self.check();
            Ok::<(), Failed>(())
        })
    }

    fn check(self) {
        let component = (self.component)();
        let admitted = admit(&component, Tier::Native, self.limits.memory_bytes_max);
        if let Expect::Refused(code, words) = self.expect {
            let refusal = admitted.unwrap_err();
            assert_refusal(&refusal);
            assert_eq!(refusal.code(), code, "{refusal}");
            assert!(refusal.to_string().contains(words), "{refusal}");
            return;
        }
        admitted.unwrap_or_else(|refusal| panic!("admission refuses it: {} {refusal}", refusal.code()));
        let program = program(&component);
        let lived = common::live(program.clone(), self.limits, self.records);
        match (self.expect, lived) {
            (Expect::Refused(..), _) => {}
            (Expect::Fault(entry, kind, words), lived) => {
                let (failed, fault) = failed(lived);
                assert_eq!((failed, fault.kind), (entry, kind), "{fault}");
                assert!(fault.detail.contains(words), "{fault}");
                assert_fault(&fault, entry, &self.limits, self.records);
                // What it did once it does again: nothing of it is left in the engine.
                let (again, second) = failed_again(program, self.limits, self.records);
                assert_eq!((again, second.kind), (failed, fault.kind), "{second}");
            }
            (Expect::Stopped(entry), lived) => {
                let (failed, fault) = failed(lived);
                assert_eq!(failed, entry, "{fault}");
                assert!(matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::Deadline), "{fault}");
                assert_fault(&fault, entry, &self.limits, self.records);
            }
            (Expect::Harmless(holds), lived) => {
                let life = lived.unwrap_or_else(|(entry, fault)| panic!("{entry:?}: {fault}"));
                assert!(u64::try_from(life.memory_bytes).unwrap() <= self.limits.memory_bytes_max);
                holds(&life);
            }
        }
    }
}

/// Anything at all.
pub(crate) fn anything(_: &Life) {}

/// The component in the one engine of this trial.
pub(crate) fn program(component: &[u8]) -> Program {
    Program::load(&Arc::new(CellEngine::new().unwrap()), &compile(component).unwrap()).unwrap()
}

fn failed(lived: Result<Life, (Entry, CellFault)>) -> (Entry, CellFault) {
    match lived {
        Ok(life) => panic!("it lived: {life:?}"),
        Err(failed) => failed,
    }
}

fn failed_again(program: Program, limits: CellLimits, records: u32) -> (Entry, CellFault) {
    failed(common::live(program, limits, records))
}

/// What holds of every refusal: it can be shown as it is.
pub(crate) fn assert_refusal(refusal: &Inadmissible) {
    let text = refusal.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.len() < 16_384 && !refusal.fix().is_empty());
}

/// What holds of every fault of a guest's: it is bounded, can be shown as it is, and the whole budget of the entry is charged.
pub(crate) fn assert_fault(fault: &CellFault, entry: Entry, limits: &CellLimits, records: u32) {
    assert!(fault.detail.len() <= 512 && !fault.detail.chars().any(char::is_control), "{fault:?}");
    assert_eq!(fault.fuel_charged, entry.fuel(limits, records), "{fault}");
    assert!(fault.kind.is_guests(), "{fault}");
}

pub(crate) fn leak(text: impl Into<String>) -> &'static str {
    String::leak(text.into())
}

/// The good component in text, without its last parenthesis, so that fields can follow.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let text = wasmprinter::print_bytes(good()).unwrap();
    text.trim_end().strip_suffix(')').unwrap().to_owned()
});

/// The good component.
pub(crate) fn good() -> Vec<u8> {
    static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| common::component(&Source::default()));
    GOOD.clone()
}

/// The good component with further fields.
pub(crate) fn good_and(fields: &str) -> Vec<u8> {
    with_fields(&GOOD, fields)
}

/// Another component with further fields.
pub(crate) fn and(component: &[u8], fields: &str) -> Vec<u8> {
    let text = wasmprinter::print_bytes(component).unwrap();
    with_fields(text.trim_end().strip_suffix(')').unwrap(), fields)
}

fn with_fields(text: &str, fields: &str) -> Vec<u8> {
    wat::parse_str(format!("{text} {fields})")).unwrap()
}
