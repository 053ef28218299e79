//! Reports to financial intelligence units: a suspicion as structured data, every fault of it with
//! a place and a hint, and the same report in goAML, FinCEN SAR and PBoC XML.
//!
//! What differs from country to country is data, see [`Profile`]: deadlines, large-value
//! thresholds, the Travel Rule, code tables and rules of fields.
//!
//! No clock, no file: the moment, holidays and exchange rates come from the caller.

pub mod check;
pub mod clock;
mod day;
pub mod export;
mod fields;
pub mod large;
pub mod profile;
pub mod rates;
pub mod report;
pub mod travel;

pub use check::{Fault, check};
pub use clock::{Basis, Due};
pub use day::Day;
pub use export::{Format, Refused, export};
pub use large::{Assessment, LargeValue, Movement};
pub use profile::{Profile, Profiles};
pub use rates::Rates;
pub use report::{Duty, Report};
