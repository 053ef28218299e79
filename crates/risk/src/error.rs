//! Why a call was not answered with what it asked for.

use crate::rating::{RiskRating, WrongRatingPolicy};
use paywarden_access::approval;
use paywarden_domain::{DecisionId, TenantId};
use paywarden_rules::Diagnostic;

/// Errors of the decision engine, named by what the caller can do about them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Send events as they happen, or import history with `paywarden replay`.
    #[error("the event lies further back than this server accepts")]
    EventTooOld,
    /// Set the caller's clock.
    #[error("the event lies in the future")]
    EventInFuture,
    /// Use a fresh idempotency key for another body.
    #[error("the idempotency key was used for another body")]
    IdempotencyKeyReused,
    /// Read the decision that stands.
    #[error("the payment was decided before, under another idempotency key")]
    PaymentAlreadyDecided {
        /// The decision that stands.
        decision: DecisionId,
    },
    /// Send the payment first.
    #[error("no decision is known for this payment")]
    PaymentUnknown,
    /// Mend the list name, value or reason.
    #[error("list entry refused: {0}")]
    ListEntryMalformed(&'static str),
    /// The list holds no such entry.
    #[error("the list holds no such entry")]
    ListEntryUnknown,
    /// Ask for a shorter or a later stretch of time.
    #[error("more payments lie in or behind this stretch than one report reads")]
    ReportTooLong,
    /// Ask for another span of time.
    #[error("no decided event lies in this span of time")]
    HistoryEmpty,
    /// Nothing to be done from outside: the limit protects the memory of the server.
    #[error("the journal holds more than is looked at at once: {0}")]
    HistoryTooLong(&'static str),
    /// Wait until one of the tenant's back-tests has ended.
    #[error("so many back-tests of the tenant run or wait that no other is taken")]
    BacktestLimit,
    /// Ask again for a back-test; the oldest results leave when others come.
    #[error("no such back-test is remembered")]
    BacktestUnknown,
    /// Correct the condition.
    #[error("the condition does not compile")]
    ConditionRefused(Vec<Diagnostic>),
    /// Correct the packs.
    #[error("the rules do not compile, or their examples do not hold")]
    RulesRefused(Vec<Diagnostic>),
    /// Mend the list of packs.
    #[error("{0}")]
    RuleSetMalformed(&'static str),
    /// Name a pack that the version to start from has.
    #[error("the version to start from has no pack `{0}`")]
    PackUnknown(String),
    /// Name a version of the caller's own, or the library's.
    #[error("no rule set has this version")]
    RuleSetUnknown,
    /// Name a rule of the version that decided.
    #[error("the version that decided has no such rule")]
    RuleUnknown,
    /// Nothing can be done: what the rules saw was not kept.
    #[error("what the rules saw was not kept with this decision")]
    TraceUnknown,
    /// Look at the state of the version: it may have moved meanwhile.
    #[error("`{action}` is not possible for a version that is {state}")]
    RuleSetMove {
        /// What was asked for.
        action: &'static str,
        /// Where the version stands.
        state: &'static str,
    },
    /// Archive what is no longer needed.
    #[error("no room for more {0}")]
    RuleSetLimit(&'static str),
    /// Wait for the step that is being prepared.
    #[error("another step of the tenant's rule sets is being prepared")]
    RuleSetBusy,
    /// There is nothing to go back to.
    #[error("the library decides, there is no version to roll back")]
    RuleSetNotLive,
    /// See the error of approvals.
    #[error(transparent)]
    Approval(approval::Error),
    /// Fetch the list again, or name its format.
    #[error("the list is refused: {0}")]
    ScreeningListRefused(String),
    /// Fetch the list again, or have a `screening_change` accept it.
    #[error(
        "the list shrank from {was} to {is} parties; version {version} waits for a screening_change"
    )]
    ScreeningListShrunken {
        /// Parties of the version at work.
        was: usize,
        /// Parties of the new one.
        is: usize,
        /// The new one.
        version: String,
    },
    /// Name a list that has versions.
    #[error("no screening list has this name")]
    ScreeningListUnknown,
    /// Import the version again: a restart or a later version has pushed it out.
    #[error("no such version of the list waits to be accepted")]
    ScreeningVersionUnknown,
    /// Name an entry that the list has.
    #[error("the list has no such entry")]
    ScreeningEntryUnknown,
    /// Put the party under watch first.
    #[error("no such party is under watch")]
    ScreeningPartyUnknown,
    /// Import a list first.
    #[error("there is no screening list, so nobody can be told apart")]
    ScreeningNoLists,
    /// Give a name with letters.
    #[error("{0}")]
    ScreeningNameRefused(String),
    /// Retry after a pause.
    #[error("so many imports or batches are under way that no other is taken")]
    ScreeningBusy,
    /// Nothing to be done from outside: the limit protects the memory of the server.
    #[error("{0}")]
    ScreeningLimit(&'static str),
    /// Ask again for a batch; results are forgotten when others come and at a restart.
    #[error("no such batch is remembered")]
    ScreeningBatchUnknown,
    /// Train again, or export the model with the features of its recipe.
    #[error("the model is refused: {0}")]
    ModelRefused(String),
    /// Name a model that was registered.
    #[error("no such model is registered")]
    ModelUnknown,
    /// Ask it beside for longer, or train a better one.
    #[error("the model has not shown what that needs: {0}")]
    ModelUnproven(String),
    /// Mend the policy or the purpose.
    #[error("{0}")]
    ModelPolicyMalformed(&'static str),
    /// Look where the model is: it may have moved meanwhile.
    #[error("that is not possible for this model: {0}")]
    ModelMove(&'static str),
    /// Nothing to be done from outside, or withdraw a challenger.
    #[error("no room for more {0}")]
    ModelLimit(&'static str),
    /// Retry after a pause.
    #[error("another step of the tenant's models is being prepared")]
    ModelBusy,
    /// Say what is known of the customer first.
    #[error("no such customer is rated")]
    CustomerNotRated,
    /// Mend what is said.
    #[error("{0}")]
    RatingMalformed(&'static str),
    /// Clear the customer, or correct what was said of them.
    #[error("what is known demands at least {}", .0.name())]
    RatingFloor(RiskRating),
    /// Nothing to be done from outside: the limit protects the memory of the server.
    #[error("{0}")]
    RatingLimit(&'static str),
    /// Read fewer or shorter windows.
    #[error("the windows of the rules cannot be kept: {0}")]
    WindowsRefused(String),
    /// Retry after a pause.
    #[error("more decisions are waiting than the journal takes")]
    Overloaded,
    /// Retry after a pause; nothing was decided or written that was not answered.
    #[error("the journal cannot make the decision durable: {0}")]
    StoreUnavailable(String),
    /// Somebody else changed the same thing at the same moment: read it again.
    #[error("somebody else changed it at the same moment")]
    Conflict,
    /// What is stored does not read back: an operator must look at it.
    #[error("a stored record does not read back: {0}")]
    RecordDamaged(String),
}

impl Error {
    /// Stable code for replies and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EventTooOld => "event_too_old",
            Self::EventInFuture => "event_in_future",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::PaymentAlreadyDecided { .. } => "payment_already_decided",
            Self::PaymentUnknown => "payment_unknown",
            Self::ListEntryMalformed(_) => "list_entry_malformed",
            Self::ListEntryUnknown => "list_entry_unknown",
            Self::ReportTooLong => "report_too_long",
            Self::HistoryEmpty => "history_empty",
            Self::HistoryTooLong(_) => "history_too_long",
            Self::BacktestLimit => "backtest_limit",
            Self::BacktestUnknown => "backtest_unknown",
            Self::ConditionRefused(_) => "condition_refused",
            Self::RulesRefused(_) => "rules_refused",
            Self::RuleSetMalformed(_) => "rule_set_malformed",
            Self::PackUnknown(_) => "pack_unknown",
            Self::RuleSetUnknown => "rule_set_unknown",
            Self::RuleUnknown => "rule_unknown",
            Self::TraceUnknown => "trace_unknown",
            Self::RuleSetMove { .. } => "rule_set_move",
            Self::RuleSetLimit(_) => "rule_set_limit",
            Self::RuleSetBusy => "rule_set_busy",
            Self::RuleSetNotLive => "rule_set_not_live",
            Self::Approval(error) => error.code(),
            Self::ScreeningListRefused(_) => "screening_list_refused",
            Self::ScreeningListShrunken { .. } => "screening_list_shrunken",
            Self::ScreeningListUnknown => "screening_list_unknown",
            Self::ScreeningVersionUnknown => "screening_version_unknown",
            Self::ScreeningEntryUnknown => "screening_entry_unknown",
            Self::ScreeningPartyUnknown => "screening_party_unknown",
            Self::ScreeningNoLists => "screening_no_lists",
            Self::ScreeningNameRefused(_) => "screening_name_refused",
            Self::ScreeningBusy => "screening_busy",
            Self::ScreeningLimit(_) => "screening_limit",
            Self::ScreeningBatchUnknown => "screening_batch_unknown",
            Self::ModelRefused(_) => "model_refused",
            Self::ModelUnknown => "model_unknown",
            Self::ModelUnproven(_) => "model_unproven",
            Self::ModelPolicyMalformed(_) => "model_policy_malformed",
            Self::ModelMove(_) => "model_move",
            Self::ModelLimit(_) => "model_limit",
            Self::ModelBusy => "model_busy",
            Self::CustomerNotRated => "customer_not_rated",
            Self::RatingMalformed(_) => "rating_malformed",
            Self::RatingFloor(_) => "rating_floor",
            Self::RatingLimit(_) => "rating_limit",
            Self::WindowsRefused(_) => "windows_refused",
            Self::Overloaded => "overloaded",
            Self::StoreUnavailable(_) => "store_unavailable",
            Self::Conflict => "conflict",
            Self::RecordDamaged(_) => "record_damaged",
        }
    }
}

impl From<paywarden_store::Error> for Error {
    fn from(error: paywarden_store::Error) -> Self {
        match error {
            paywarden_store::Error::Overloaded => Self::Overloaded,
            paywarden_store::Error::Conflict { .. } => Self::Conflict,
            paywarden_store::Error::Corrupt { reason } => Self::RecordDamaged(reason),
            other => Self::StoreUnavailable(other.to_string()),
        }
    }
}

impl From<approval::Error> for Error {
    fn from(error: approval::Error) -> Self {
        match error {
            approval::Error::Store(error) => error.into(),
            approval::Error::Damaged(reason) => Self::RecordDamaged(reason),
            other => Self::Approval(other),
        }
    }
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Mend the rule packs.
    #[error("the rule packs do not compile:\n{0}")]
    Rules(String),
    /// Take the program that the tenant's version was published with, publish one that compiles,
    /// and change the program then.
    #[error("the live rules of {tenant} do not compile with this program:\n{reason}")]
    TenantRules {
        /// Whose rules.
        tenant: TenantId,
        /// What is wrong with them.
        reason: String,
    },
    /// Bring the key file and the store back that the model was registered with.
    #[error("a live model of {tenant} does not read:\n{reason}")]
    TenantModel {
        /// Whose model.
        tenant: TenantId,
        /// What is wrong with it.
        reason: String,
    },
    /// The windows that the rules need exceed what may be kept.
    #[error("the windows of the rules cannot be kept: {0}")]
    Windows(#[from] paywarden_features::Error),
    /// Mend the policy of ratings.
    #[error(transparent)]
    Ratings(#[from] WrongRatingPolicy),
    /// Mend the key file.
    #[error("the key file does not serve: {0}")]
    Keys(#[from] paywarden_crypto::Error),
    /// Mend the store.
    #[error(transparent)]
    Store(#[from] Error),
}
