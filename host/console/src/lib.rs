//! The console: operators' page and HTTP API, in a process of its own.
//!
//! It holds sessions and nothing else. It asks the gateway over the control socket, as the command line does, and it writes two
//! places of the data directory only: `console.sqlite` (users, tokens, sessions, failed attempts) and `incoming/` (bundles on
//! their way to the gateway). It listens on the loopback or on a Unix socket; the world reaches it through a proxy that does TLS.
//!
//! What a request passes, in this order: bounds of the connection (`serve`), host, origin and client address (`guard`), who it is
//! (`caller`), then its body (`body`), then the handler (`api`, `page`).

#![forbid(unsafe_code)]

mod accounts;
mod api;
mod app;
mod attempts;
mod body;
mod caller;
mod client_address;
mod clock;
mod config;
mod error;
mod events;
mod gateway;
mod guard;
mod listen;
mod live;
mod names;
mod origin;
mod page;
mod passwords;
mod report;
mod secret;
mod serve;
mod store;

pub use accounts::{Account, AccountError, Accounts, PASSWORD_CHARS_MIN, Token};
pub use clock::Clock;
pub use config::{Bounds, ConsoleConfig};
pub use listen::{InvalidListen, Listen, Place};
pub use names::{AccountName, InvalidAccountName, Right, UnknownRight};
pub use origin::{InvalidOrigin, Origin};
pub use serve::{ConsoleError, run};
