//! The door for programs: TLS, signed requests, the JSON API, signed replies.
//!
//! [`Server::start`] opens it. Requests pass the stations of [`edge`] and reach a handler of
//! [`api`], or one of [`pages`]; every refusal on the way is a problem document with a stable code.

mod alerting;
pub mod api;
pub mod backup;
pub mod edge;
mod holds;
mod limits;
mod metrics;
mod models;
mod node;
mod notify;
pub mod pages;
mod progress;
pub mod rating;
pub mod reports;
pub mod rescreen;
pub mod rows;
mod screening;
mod serve;
mod server;
mod state;
pub mod tls;

pub use alerting::{Alerting, NotTaken};
pub use api::openapi_json;
pub use edge::errors_markdown;
pub use holds::{NotHeld, PayeeHolds};
pub use limits::Limits;
pub use node::Nodes;
pub use progress::Progress;
pub use rating::RatingFeed;
pub use reports::{LargeValues, Reports};
pub use server::{Config, Parts, Server, StartError};
