//! The commands that approvals can be asked for here, and who carries each out: one line each.

use crate::{
    api::{
        approvals::Acting,
        keys::{self, KeyMade},
        lists,
        webhooks::{self, WebhookMade},
    },
    edge::{Code, Problem},
    reports::ReportFiling,
};
use paywarden_access::{
    KeyChange,
    approval::{ApprovalView, Approved, Ask, Collection, Export, Kind, PolicyChange},
    staff::RoleGrant,
};
use paywarden_cases::{CaseClosing, Worker};
use paywarden_domain::{Pan, Timestamp, event::Text};
use paywarden_notify::WebhookChange;
use paywarden_privacy::{
    By,
    policy::{Data, PrivacyPolicyChange},
    reveal::Reveal,
    rotation::{EpochEnd, EpochError},
};
use paywarden_risk::{
    ListChange, ListOperation, ListValue,
    model::{ModelMoved, ModelProgress, ModelRelease},
    rating::RatingOverride,
    release::{Moved, Progress, RuleRelease},
    screening::{ScreeningChange, ScreeningClearance},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A command, named by its member.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandInput {
    /// Let a version of your rules decide payments.
    RuleRelease(RuleRelease),
    /// Let a model decide your payments beside the rules.
    ModelRelease(ModelRelease),
    /// Put values on a list, or take values off it.
    ListChange(ListChangeInput),
    /// Make, register, replace, bind or end a key of your company.
    KeyChange(KeyChange),
    /// Give an account of staff these roles and no others.
    RoleGrant(RoleGrant),
    /// Take rows out in bulk: who carries it out may read so many beyond what everybody may. The
    /// purpose of decisions and lists is one of the privacy policy.
    Export(Export),
    /// Bring another policy of approvals into force.
    PolicyChange(PolicyChange),
    /// Bring another privacy policy into force.
    PrivacyPolicyChange(PrivacyPolicyChange),
    /// Be shown values of a person.
    Reveal(Reveal),
    /// Put a screening list to work that shrank, or end a list.
    ScreeningChange(ScreeningChange),
    /// Have a party left alone that is not the one on a screening list.
    ScreeningClearance(ClearanceInput),
    /// Destroy the secrets of epochs that wrap no key any more.
    EpochEnd(EpochEnd),
    /// Close a case, and its open alerts with it.
    CaseClosing(CaseClosing),
    /// Make a webhook, or change where it is, of what it is told, its secret or its state.
    WebhookChange(WebhookChange),
    /// Let a report be filed with its financial intelligence unit, as it is.
    ReportFiling(ReportFiling),
    /// Rate a customer otherwise than the policy says, for a time.
    RatingOverride(RatingOverride),
}

/// A party that is not the one on a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearanceInput {
    /// Your own identifier of the party, as events carry it as `payer.id` or `payee.id`; its
    /// pseudonym is what is asked for.
    pub reference: String,
    /// The list.
    pub list: String,
    /// The identifier within the list.
    pub entry: String,
    /// Until when, at most 366 days ahead.
    pub expires_at: Timestamp,
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// A change of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListChangeInput {
    /// The list.
    pub list: String,
    /// On or off.
    pub operation: ListOperation,
    /// The values, 1 to 200, each once.
    pub values: Vec<ListValueInput>,
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// A value of a change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListValueInput {
    /// Key of an entity, or any text that a rule compares.
    #[serde(default)]
    pub value: Option<Text>,
    /// A clear card number instead: its index is asked for.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9 -]{12,40}$")]
    pub card_number: Option<Pan>,
    /// When it stops counting; never if not given.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Asks for a command that is possible now.
#[allow(clippy::too_many_lines, reason = "one arm for each kind of command")]
pub(super) async fn request(
    call: &Acting<'_>,
    command: CommandInput,
    ask: Ask,
) -> Result<ApprovalView, Problem> {
    let (approvals, who) = (&call.state.approvals, &call.who);
    let view = match command {
        CommandInput::RuleRelease(release) => {
            let author = call.state.engine.check_release(&who.tenant, &release)?;
            let authors = vec![author];
            approvals
                .request(who, &release, Ask { authors, ..ask })
                .await
        }
        CommandInput::ModelRelease(release) => {
            let author = call.state.engine.check_model_release(&who.tenant, &release);
            let authors = vec![author.await?];
            approvals
                .request(who, &release, Ask { authors, ..ask })
                .await
        }
        CommandInput::ListChange(input) => {
            let change = list_change(call, input)?;
            change.validate()?;
            approvals.request(who, &change, ask).await
        }
        CommandInput::KeyChange(change) => {
            call.state.registry.check_change(&who.tenant, &change)?;
            approvals.request(who, &change, ask).await
        }
        CommandInput::RoleGrant(grant) => {
            call.state.staff.check_grant(who, &grant)?;
            let authors = vec![grant.beneficiary()];
            approvals.request(who, &grant, Ask { authors, ..ask }).await
        }
        CommandInput::Export(export) => approvals.request(who, &export, ask).await,
        CommandInput::PolicyChange(change) => approvals.request(who, &change, ask).await,
        CommandInput::PrivacyPolicyChange(change) => approvals.request(who, &change, ask).await,
        CommandInput::Reveal(reveal) => approvals.request(who, &reveal, ask).await,
        CommandInput::ScreeningChange(change) => {
            call.state
                .engine
                .check_screening_change(&who.tenant, &change)?;
            approvals.request(who, &change, ask).await
        }
        CommandInput::ScreeningClearance(input) => {
            let clearance = clearance(call, input)?;
            approvals.request(who, &clearance, ask).await
        }
        CommandInput::EpochEnd(end) => {
            call.state.vault.may_end_epochs(end.before).await?;
            approvals.request(who, &end, ask).await
        }
        CommandInput::CaseClosing(closing) => {
            let ask = ask_to_close(call, &closing, ask).await?;
            approvals.request(who, &closing, ask).await
        }
        CommandInput::WebhookChange(change) => {
            let endpoints = &call.state.notify.endpoints;
            endpoints.check_change(&who.tenant, &change)?;
            approvals.request(who, &change, ask).await
        }
        CommandInput::ReportFiling(filing) => {
            let ask = ask_to_file(call, &filing, ask).await?;
            approvals.request(who, &filing, ask).await
        }
        CommandInput::RatingOverride(asked) => {
            let checked = call.state.engine.check_override(&who.tenant, &asked);
            checked.await?;
            approvals.request(who, &asked, ask).await
        }
    };
    Ok(view?)
}

/// How far a command is that takes its time.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Preparation {
    /// Of rules.
    Rules(Progress),
    /// Of a model.
    Model(ModelProgress),
}

impl Preparation {
    fn of_rules(moved: Moved) -> Option<Self> {
        match moved {
            Moved::Done(_) => None,
            Moved::Preparing(progress) => Some(Self::Rules(progress)),
        }
    }

    fn of_model(moved: ModelMoved) -> Option<Self> {
        match moved {
            ModelMoved::Done(_) => None,
            ModelMoved::Preparing(progress) => Some(Self::Model(progress)),
        }
    }
}

/// Whoever acts, with the queues of alerts and cases that they see.
fn worker(call: &Acting<'_>) -> Worker {
    let roles = call.roles.iter().map(String::as_str);
    call.state.cases.worker(call.who.clone(), roles)
}

/// Whoever works on the case counts no more as approver than whoever asks.
async fn ask_to_close(call: &Acting<'_>, closing: &CaseClosing, ask: Ask) -> Result<Ask, Problem> {
    let cases = &call.state.cases;
    let assignee = cases.check_closing(&worker(call), closing).await?;
    let authors = assignee.into_iter().collect();
    Ok(Ask { authors, ..ask })
}

/// Who wrote a report does not approve it.
async fn ask_to_file(call: &Acting<'_>, filing: &ReportFiling, ask: Ask) -> Result<Ask, Problem> {
    let reports = &call.state.reports;
    let authors = reports.check_filing(&call.who.tenant, filing).await?;
    Ok(Ask { authors, ..ask })
}

/// The clearance of a party, which is named by its pseudonym.
fn clearance(call: &Acting<'_>, input: ClearanceInput) -> Result<ScreeningClearance, Problem> {
    let (engine, tenant) = (&call.state.engine, &call.who.tenant);
    let clearance = ScreeningClearance {
        party: engine.screening_party(tenant, &input.reference),
        list: input.list,
        entry: input.entry,
        expires_at: input.expires_at,
        reason: input.reason,
    };
    engine.check_clearance(tenant, &clearance)?;
    Ok(clearance)
}

/// What carrying out a command came to, beside its approval.
#[derive(Default)]
pub(super) struct Outcome {
    /// How far it is, if it takes its time.
    pub(super) progress: Option<Preparation>,
    /// The key that it was about.
    pub(super) key: Option<KeyMade>,
    /// The webhook that it was about.
    pub(super) webhook: Option<WebhookMade>,
}

/// Carries out the command of the approval that the path names.
#[allow(clippy::too_many_lines, reason = "one arm for each kind of command")]
pub(super) async fn execute(
    call: &Acting<'_>,
    kind: Kind,
    purpose: &str,
) -> Result<Outcome, Problem> {
    let (approvals, who, id) = (&call.state.approvals, &call.who, call.parameter);
    let (engine, vault) = (&call.state.engine, &call.state.vault);
    let mut outcome = Outcome::default();
    match kind {
        Kind::RuleRelease => {
            let approved = approvals.claim(who, id).await?;
            let moved = engine.release_rule_set(approved, purpose);
            outcome.progress = Preparation::of_rules(moved.await?);
        }
        Kind::ModelRelease => {
            let approved = approvals.claim(who, id).await?;
            let moved = engine.release_model(approved, purpose);
            outcome.progress = Preparation::of_model(moved.await?);
        }
        Kind::KeyChange => {
            let approved = approvals.claim(who, id).await?;
            outcome.key = Some(keys::carry_out(call.state, approved, purpose).await?);
        }
        Kind::ListChange => drop(engine.change_list(approvals.claim(who, id).await?).await?),
        Kind::RoleGrant => {
            let approved = approvals.claim(who, id).await?;
            call.state.staff.grant_roles(approved, purpose).await?;
        }
        Kind::Export => {
            let approved: Approved<Export> = approvals.claim(who, id).await?;
            may_take_out(call, approved.command().collection, purpose).await?;
            approvals.open_export(approved, purpose).await?;
        }
        Kind::PolicyChange => {
            let approved = approvals.claim(who, id).await?;
            approvals.change_policy(approved, purpose).await?;
        }
        Kind::PrivacyPolicyChange => {
            let approved = approvals.claim(who, id).await?;
            vault.change_privacy_policy(approved, purpose).await?;
        }
        Kind::Reveal => {
            let approved = approvals.claim(who, id).await?;
            vault.open_reveal(approved, purpose).await?;
        }
        Kind::ScreeningChange | Kind::ScreeningClearance => screened(call, kind).await?,
        Kind::EpochEnd => {
            let approved = approvals.claim(who, id).await?;
            vault.end_epochs(approved, purpose).await?;
        }
        Kind::CaseClosing => {
            let approved = approvals.claim(who, id).await?;
            call.state.cases.close_case(&worker(call), approved).await?;
        }
        Kind::WebhookChange => {
            let approved = approvals.claim(who, id).await?;
            let changed = webhooks::carry_out(call.state, approved, purpose).await?;
            outcome.webhook = Some(changed);
        }
        Kind::ReportFiling => {
            let approved = approvals.claim(who, id).await?;
            call.state.reports.approve(approved).await?;
        }
        Kind::RatingOverride => {
            let approved = approvals.claim(who, id).await?;
            engine.override_rating(approved).await?;
        }
    }
    Ok(outcome)
}

/// Carries out what changes whom screening finds.
async fn screened(call: &Acting<'_>, kind: Kind) -> Result<(), Problem> {
    let (approvals, who, id) = (&call.state.approvals, &call.who, call.parameter);
    let engine = &call.state.engine;
    if kind == Kind::ScreeningChange {
        let approved = approvals.claim(who, id).await?;
        engine.change_screening(approved).await?;
    } else {
        let approved = approvals.claim(who, id).await?;
        engine.clear_party(approved).await?;
    }
    Ok(())
}

/// What is taken out in bulk serves a purpose of the privacy policy, but for what is about nobody's
/// payments: leaves of the trail, what staff and programs do, rules.
async fn may_take_out(
    call: &Acting<'_>,
    collection: Collection,
    purpose: &str,
) -> Result<(), Problem> {
    let set = match collection {
        Collection::Trail
        | Collection::SecurityAlerts
        | Collection::Approvals
        | Collection::Rules => return Ok(()),
        // What alerts and cases are made of, and looked at by.
        Collection::Decisions | Collection::Alerts | Collection::Cases => "decisions",
        Collection::Lists => "lists",
        Collection::Ratings => "ratings",
        Collection::ScreeningAlerts => "screening",
    };
    let data = Data {
        set,
        collection: "export",
        field: "row",
    };
    let by = By::new(call.who.tenant.clone(), call.who.actor.clone(), purpose);
    call.state.vault.may(&by, data, None).await?;
    Ok(())
}

fn list_change(call: &Acting<'_>, input: ListChangeInput) -> Result<ListChange, Problem> {
    let operation = input.operation;
    let value = |(place, input): (usize, ListValueInput)| {
        let value = lists::listed(
            (call.state, &call.who.tenant),
            operation,
            (input.value, input.card_number),
        );
        let at = |problem: Problem| problem.at(format!("/command/list_change/values/{place}"));
        Ok(ListValue {
            value: value.map_err(at)?,
            expires_at: input.expires_at,
        })
    };
    let values: Result<_, Problem> = input.values.into_iter().enumerate().map(value).collect();
    Ok(ListChange {
        list: input.list,
        operation,
        values: values?,
        reason: input.reason,
    })
}

impl From<EpochError> for Problem {
    fn from(error: EpochError) -> Self {
        match error {
            EpochError::InUse(_) => Self::new(Code::EpochInUse, error.to_string()),
            EpochError::Unknown => Self::new(Code::EpochUnknown, error.to_string()),
            EpochError::Vault(error) => error.into(),
            EpochError::Approval(error) => error.into(),
        }
    }
}

impl From<paywarden_access::approval::Error> for Problem {
    fn from(error: paywarden_access::approval::Error) -> Self {
        let code = Code::parse(error.code()).unwrap_or(Code::Internal);
        match error {
            // The store's errors are told in one way, whoever meets them.
            paywarden_access::approval::Error::Store(error) => {
                paywarden_risk::Error::from(error).into()
            }
            other => Self::new(code, other.to_string()),
        }
    }
}
