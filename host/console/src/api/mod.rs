//! The HTTP API: one file a group of addresses, and the router that is also the API's description.

mod answers;
mod bundles;
mod door;
mod limits;
mod operate;
mod read;
mod router;
mod upload;

pub(crate) use door::{Credentials, come_in, go_out};
pub(crate) use operate::halt_trading;
pub(crate) use router::{openapi, router};
pub(crate) use upload::prepare as prepare_incoming;
