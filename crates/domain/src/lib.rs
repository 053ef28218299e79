//! The words of Paywarden: what a payment event, a verdict, a label and an amount of money are.
//!
//! Everything else in the workspace speaks in these types. They hold no I/O and no clock. Each
//! newtype is valid once it exists: parsing is the only way in, and a refusal is an [`Invalid`]
//! with a stable `code`.

pub mod country;
pub mod currency;
pub mod decision;
pub mod event;
pub mod identifier;
pub mod invalid;
pub mod label;
pub mod money;
pub mod network;
pub mod operand;
pub mod outcome;
pub mod pan;
mod schema;
pub mod time;
pub mod written;

pub use country::Country;
pub use currency::Currency;
pub use decision::{
    Challenge, Control, Decision, EngineResult, FiredRule, ModelReason, ModelScore, Reason,
    RuleFault, Warning,
};
pub use event::{Card, CardInput, Event, EventKind};
pub use identifier::{DecisionId, PaymentId, TenantId};
pub use invalid::Invalid;
pub use label::{Label, LabelSource, LabelVerdict};
pub use money::Money;
pub use network::Network;
pub use operand::{Explained, OperandValue, Operands, RuleValue, RuleValues};
pub use outcome::{Engine, Outcome};
pub use pan::Pan;
pub use time::Timestamp;
