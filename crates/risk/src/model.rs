//! Models in the decision: scores of payments beside the rules, and their life.
//!
//! ```text
//! keep       packages as the store has them, signed by the installation
//! pace       the threshold of a budget, from the scores of the last week
//! stand      which models are at work for a tenant: the last version of one record
//! policy     from a chance to an action: fixed chances, a budget of alerts, money
//! bench      the models of a tenant over the windows of the plan: opinions on payments
//! compare    a challenger beside the live model, on payments whose labels are in
//! drift      how far payments have moved from those of training
//! release    the command that lets a model decide; it takes effect by approval alone
//! steps      what a caller can ask of models
//! view       models as people see them
//! reading    what a model read of a decided payment, and exact reasons
//! ```
//!
//! *Invariant*: a model scores what it was trained on. Its package says which recipe it reads; the
//! windows of the recipe are registered and filled before the model counts, by the code that does so
//! for rules, and a row has the bits that training would give it.

mod bench;
mod compare;
mod drift;
mod keep;
mod pace;
mod policy;
mod reading;
mod release;
mod stand;
mod steps;
mod view;

pub(crate) use bench::{Bench, Bound, Opinion, Reading, fill, floors};
pub use compare::{ComparedFigure, Estimate, ModelComparison};
pub use drift::{FeatureDrift, ModelDrift};
pub(crate) use keep::Signer;
pub use policy::{AlertBudget, ChanceStep, ModelPolicy, MoneyBudget, Rank};
pub use reading::{FeatureRead, ModelReading};
pub use release::{ControlGroup, ModelRelease};
pub(crate) use stand::{Stand, load};
pub use steps::{ModelDesk, ModelMoved};
pub use view::{ModelLine, ModelList, ModelPlace, ModelProgress, ModelRole, RegisteredModel};
