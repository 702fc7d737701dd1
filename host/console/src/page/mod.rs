//! The page for people: a login form, and the Overview behind it. It works without its script; the script only keeps it up to date.

mod assets;
mod figures;
mod overview;
mod view;

pub(crate) use assets::{__path_asset, asset};
pub(crate) use overview::{
    __path_halt, __path_login, __path_logout, __path_overview, halt, login, logout, overview,
};
pub(crate) use view::{View, view};
