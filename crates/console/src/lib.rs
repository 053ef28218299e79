//! The door for people: the pages on which analysts, officers and auditors work.
//!
//! A page is one file under `pages/` and one line in its table: path, who may see it, what it shows,
//! what its forms do, its words in both languages. It sees and does everything through the routes of
//! the API, as the person who is signed in; see [`paywarden_server::pages`].

mod assets;
mod chart;
mod desk;
mod format;
mod icon;
mod layout;
mod look;
mod metrics;
mod names;
mod page;
mod pages;
mod parts;
mod policy;
mod refused;
mod risks;
mod said;
mod terms;
mod visit;
mod word;

use paywarden_server::pages::Pages;
use std::sync::Arc;

/// Answers for every page of the console.
pub fn pages() -> Pages {
    Arc::new(|desk| Box::pin(desk::answer(desk)))
}

/// The most bytes of all our own script together.
pub const SCRIPT_BYTES_MAX: usize = 40 * 1024;
