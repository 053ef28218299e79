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
//! Where it differs from CEL:
//! - types are checked before anything runs: no `dyn`, `type` or `null`, lists and keys of one
//!   kind where they are compared, no protocol messages, `bytes`, `uint` or optional values;
//! - int widens to double where the two meet;
//! - dividing by zero and leaving the range of a double are faults too: no infinity, no NaN;
//! - what is missing (a field, an index, a key) is unknown, not an error; a fault stays one; one
//!   missing element does not make its whole list so;
//! - times have microseconds, time zones are fixed offsets, durations also know `d` for a day;
//! - regular expressions and names of attributes are literals; the keys of a map are constants;
//! - lists and maps exist only while a condition is compiled: macros go through at most 16
//!   elements, and a filtered list can be counted, gone through and searched, not indexed;
//! - of the extensions only some texts and `math` functions: docs/reference/language.md.

mod analysis;
mod assist;
mod checker;
mod columns;
mod definitions;
pub mod diagnostic;
mod dissect;
mod evaluator;
mod examples;
mod explain;
mod format;
mod functions;
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
mod reach;
mod reads;
mod reference;
pub mod rule_set;
mod schema;
mod scratch;
mod shared;
mod slots;
mod symbols;
pub mod syntax;
mod truth;
mod values;

pub use analysis::{COST_MAX, analyse};
pub use assist::{Completion, CompletionKind, Hover, Surroundings, complete, hover};
pub use checker::{Constant, NoValue, evaluate_constant};
pub use columns::{BLOCK_ROWS, Bitmaps, Columns, Found};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use dissect::{Dissected, WhyNot};
pub use examples::{check_examples, try_example};
pub use format::format;
pub use pack::{Pack, canonical_source};
pub use parser::{Parsed, parse};
pub use rates::{RateError, Rates};
pub use reach::Reach;
pub use reference::language_reference;
pub use rule_set::{Hits, ListProbe, Rule, RuleSet, RuleTitle, compile, compile_beside};
pub use schema::{Field, LIST_KINDS, RISK_RATINGS, Schema, Type, acts as act_words};
pub use scratch::Scratch;
pub use slots::{FieldValue, Slots};
pub use truth::{Fault, Truth};
