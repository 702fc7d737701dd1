//! The generated bindings, one module a released version of the contract. Nothing outside sees a generated type: what comes
//! from a guest is turned into our own types, with its lengths bounded, before anything is kept.

mod v0_1;

pub(crate) use v0_1::{ACTION_BYTES, CallError, Instance, Program};
