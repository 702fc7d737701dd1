//! System calls by name, with what their arguments must be.

/// A system call and the arguments under which it is meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// `SYS_` and its name.
    name: &'static str,
    pub(super) number: i64,
    /// Any of these sets of conditions; none at all means any arguments.
    pub(super) forms: &'static [&'static [Argument]],
}

/// One argument: with `mask` it must be `value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument {
    pub(super) index: u8,
    pub(super) mask: u64,
    pub(super) value: u64,
}

impl Call {
    pub(super) const fn new(name: &'static str, number: i64) -> Self {
        Self { name, number, forms: &[] }
    }

    /// The call in these forms alone.
    pub(super) const fn only(self, forms: &'static [&'static [Argument]]) -> Self {
        Self { forms, ..self }
    }

    /// As the manual has it.
    pub(super) fn name(&self) -> &'static str {
        self.name.strip_prefix("SYS_").unwrap_or(self.name)
    }
}

/// The argument at `index` is `value`, as far as `mask` goes.
pub(super) const fn masked(index: u8, mask: u64, value: u64) -> Argument {
    Argument { index, mask, value }
}

/// The argument at `index` is the 32-bit `value`.
pub(super) const fn is(index: u8, value: u64) -> Argument {
    masked(index, 0xffff_ffff, value)
}

/// A list of calls: `calls![SYS_read, SYS_mmap: NO_CODE]`.
macro_rules! calls {
    ($($name:ident $(: $forms:expr)?),* $(,)?) => {
        &[$($crate::confine::calls::Call::new(stringify!($name), libc::$name)$(.only($forms))?),*]
    };
}

pub(super) use calls;
