//! Models as people see them.

use super::{keep::Head, policy::ModelPolicy, release::ControlGroup, stand::Stand};
use paywarden_domain::{Engine, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A registered model and where it is at work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelLine {
    /// Its name: `mdl_` and the first 32 digits of the SHA-256 of its package.
    pub model: String,
    /// The SHA-256 of its package.
    pub sha256: String,
    /// The size of its package.
    pub bytes: u64,
    /// Over tenant and digest, by the Ed25519 key of the installation for models; hexadecimal.
    pub signature: String,
    /// Whose past it reads: who pays.
    pub payer: String,
    /// Whose past it reads: who is paid.
    pub place: String,
    /// The label delay that its windows keep off, in seconds.
    pub label_delay_s: i64,
    /// Its trees.
    pub trees: u64,
    /// The numbers that it reads.
    pub features: u64,
    /// Payments that it was calibrated on.
    pub reference_payments: u64,
    /// Frauds among them.
    pub reference_frauds: u64,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// By whom, as in the trail.
    pub registered_by: String,
    /// Where it is at work, or was before the model that is.
    pub places: Vec<ModelPlace>,
}

/// A place of a model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelPlace {
    /// Whose.
    pub engine: Engine,
    /// What it is there for.
    pub role: ModelRole,
    /// What its chances come to; null of a challenger.
    pub policy: Option<ModelPolicy>,
    /// From which rank on the budget alerts; null if the policy is no budget.
    pub threshold: Option<f64>,
    /// Its control group; null if it draws none.
    pub control: Option<ControlGroup>,
    /// Since when.
    pub since: Timestamp,
    /// By whom, as in the trail.
    pub by: String,
}

/// What a model is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// It decides.
    Live,
    /// It decided before, and does so again when those after it are rolled back.
    Earlier,
    /// It is asked beside; what it says is kept and changes nothing.
    Shadow,
}

/// A page of models.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelList {
    /// The models, in no order that means anything.
    pub models: Vec<ModelLine>,
    /// Continue behind this one.
    #[serde(skip)]
    pub next: Option<String>,
}

/// What became of a package.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RegisteredModel {
    /// The model.
    #[serde(flatten)]
    pub line: ModelLine,
    /// Whether it was not there before.
    #[serde(skip)]
    pub is_new: bool,
}

/// How far a model is on its way to work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ModelProgress {
    /// Nothing is being prepared.
    Idle,
    /// Its windows are being filled from the journal.
    Preparing {
        /// Decisions read so far.
        done: u64,
        /// Decisions to read, about.
        total: u64,
    },
    /// It is where it was to go.
    Done,
    /// It came to nothing; ask again.
    Failed {
        /// The code of the refusal.
        code: &'static str,
        /// The refusal.
        detail: String,
    },
}

impl ModelLine {
    pub(super) fn new(head: Head, stand: &Stand) -> Self {
        let decides = |engine| stand.live(engine);
        let lives = stand.lives.iter().filter(|live| live.model == head.model);
        let lives = lives.map(|live| ModelPlace {
            engine: live.engine,
            role: match decides(live.engine).is_some_and(|last| std::ptr::eq(last, live)) {
                true => ModelRole::Live,
                false => ModelRole::Earlier,
            },
            policy: Some(live.policy.clone()),
            threshold: live.threshold,
            control: live.control,
            since: live.since,
            by: live.by.clone(),
        });
        let shadows = stand.shadows.iter().filter(|one| one.model == head.model);
        let shadows = shadows.map(|shadow| ModelPlace {
            engine: shadow.engine,
            role: ModelRole::Shadow,
            policy: None,
            threshold: None,
            control: None,
            since: shadow.since,
            by: shadow.by.clone(),
        });
        Self {
            places: lives.chain(shadows).collect(),
            model: head.model,
            sha256: head.sha256,
            bytes: head.bytes,
            signature: head.signature,
            payer: head.payer,
            place: head.place,
            label_delay_s: head.label_delay_s,
            trees: head.trees,
            features: head.features,
            reference_payments: head.reference_payments,
            reference_frauds: head.reference_frauds,
            registered_at: head.registered_at,
            registered_by: head.registered_by,
        }
    }
}
