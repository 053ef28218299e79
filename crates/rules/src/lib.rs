//! The rule language of Paywarden: typed conditions over payments, kept in packs, checked before
//! they run.
//!
//! The language is a subset of [CEL](https://github.com/cel-expr/cel-spec) with amounts of money,
//! time spans and windows over the past. A pack is parsed from YAML ([`Pack::parse`]), all packs
//! together are compiled into an immutable [`RuleSet`] ([`compile`]), their examples are run
//! through the very evaluator that decides payments ([`check_examples`]).
//!
//! *Invariant*: missing is not zero. Conditions are three-valued; a rule fires only when its
//! condition is definitely true, and what cannot be computed is a [`Fault`], never silence.
//!
//! *Invariant*: no I/O, no clock, no floats for amounts. Amounts of different currencies never
//! meet: literals are converted when the rule set is compiled, or refused.
//!
//! Where it differs from CEL: int widens to double where the two meet; dividing by zero and
//! leaving the range of a double are faults too; texts are not joined; there are no macros, maps,
//! regular expressions or conversions.

mod checker;
mod columns;
mod definitions;
pub mod diagnostic;
mod evaluator;
mod examples;
mod explain;
mod format;
mod index;
mod lexer;
mod literal;
mod literals;
mod normal;
pub mod pack;
pub mod parser;
mod pass;
mod program;
mod rates;
pub mod rule_set;
mod schema;
mod scratch;
mod slots;
mod symbols;
pub mod syntax;
mod truth;

pub use columns::{BLOCK_ROWS, Bitmaps, Columns, Found};
pub use diagnostic::{Code, Diagnostic};
pub use examples::{check_examples, try_example};
pub use format::format;
pub use pack::{Pack, canonical_source};
pub use parser::{Parsed, parse};
pub use rates::{RateError, Rates};
pub use rule_set::{Hits, ListProbe, Rule, RuleSet, compile, compile_beside};
pub use schema::{Field, Type};
pub use scratch::Scratch;
pub use slots::{FieldValue, Slots};
pub use truth::{Fault, Truth};
