//! Entities as they are now: a card, an account, a device … by the pseudonym that windows and alerts
//! know it by. No key of one stands in a path, and what is shown of it is masked.

use super::{
    Call, Endpoint, Route,
    ground::{self, PURPOSE},
    json_reply,
    query::Query,
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::{Scope, masking, watch::Subject};
use paywarden_domain::{Decision, Timestamp};
use paywarden_risk::entity::{EntityKind, EntityLinks, EntityListing, EntityNow, EntityWindow};
use serde::Serialize;
use utoipa::ToSchema;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    One,
    Links,
    OfDecision,
}

/// The routes of entities.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/entities/{kind}/{id}", Scope::DecisionsRead, Endpoint::Entity(Act::One)),
    Route::shown("/v1/entities/{kind}/{id}/links", Scope::DecisionsRead, Endpoint::Entity(Act::Links)),
    Route::shown("/v1/decisions/{id}/entities", Scope::DecisionsRead, Endpoint::Entity(Act::OfDecision)),
];

/// The class of the table of masks that a key of each kind is of. What is no person's is shown; of
/// what no row is for, nothing.
const CLASSES: &[(EntityKind, &str)] = &[
    (EntityKind::Account, "bank_account"),
    (EntityKind::Payee, "bank_account"),
    (EntityKind::Customer, "id_number"),
    (EntityKind::Device, "id_number"),
    (EntityKind::Email, "email"),
    (EntityKind::Phone, "phone"),
];
const NOBODYS: [EntityKind; 4] = [
    EntityKind::Bin,
    EntityKind::Merchant,
    EntityKind::Terminal,
    EntityKind::Segment,
];

/// An entity at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityView {
    /// `kind:hash`.
    pub entity: String,
    /// What it is known as, masked; null where nothing of it may be shown.
    pub known_as: Option<String>,
    /// When this was looked at.
    pub as_of: Timestamp,
    /// The currency of the windows over amounts, ISO 4217.
    pub base_currency: &'static str,
    /// When it was first seen, however long ago.
    pub first_seen_at: Timestamp,
    /// How many events of it are kept.
    pub events: u64,
    /// Whether a deny list holds it.
    pub is_denied: bool,
    /// What the windows of the live rules hold of it, without any event under way.
    pub windows: Vec<EntityWindow>,
    /// The lists that hold it; null for whoever may not read lists.
    pub lists: Option<Vec<EntityListing>>,
    /// Its latest decisions, newest first, at most 50.
    pub decisions: Vec<Decision>,
    /// How many others of these may not be shown for the purpose that was stated.
    pub withheld: usize,
}

/// Who takes part in a payment.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionEntities {
    /// `kind:hash` of each.
    pub entities: Vec<String>,
}

/// Answers for entities.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::One => one(call).await,
        Act::Links => links(call).await,
        Act::OfDecision => of_decision(call).await,
    }
}

/// One entity: what the windows hold of it now, its latest decisions, the lists that it is on.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{id}", tag = "entities",
    operation_id = "read_entity", security(("signature" = []), ("session" = [])),
    params(
        ("kind" = String, Path, description = "`card`, `account`, `customer`, `device`, `ip`, \
            `merchant`, `payee` …"),
        ("id" = String, Path, description = "Its hash, 16 hexadecimal digits, as alerts show it"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "The entity", body = EntityView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let entity = named(call)?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let known = engine.entity(tenant, entity).await?;
    let EntityNow {
        as_of,
        base_currency,
        key,
        first_seen,
        events,
        is_denied,
        windows,
        lists,
        decisions,
        persons,
    } = known.ok_or_else(unknown)?;
    let card = decisions.first().and_then(|decision| decision.card.clone());
    let rows = (decisions, persons.as_slice());
    let (decisions, grounds, withheld) = ground::shown(call, &query, "decisions", rows).await?;
    let known_as = match entity.0 {
        EntityKind::Card => card.and_then(|card| {
            let (bin, last_four) = (card.bin?, card.last_four?);
            Some(format!(
                "{}{}{}",
                bin.as_str(),
                masking::HIDDEN,
                last_four.as_str()
            ))
        }),
        kind => key.and_then(|key| shown(kind, &key)),
    };
    let caller = call.who().actor.to_string();
    let may_lists = call.state.approvals.may(tenant, &caller, Scope::ListsRead);
    let count = decisions.len();
    let view = EntityView {
        entity: name(entity),
        known_as,
        as_of,
        base_currency,
        first_seen_at: first_seen,
        events,
        is_denied,
        windows,
        lists: may_lists.then_some(lists),
        decisions,
        withheld,
    };
    let about = Subject::Outside(name(entity));
    Ok(json_reply(StatusCode::OK, &view)?
        .of(count)
        .about(about)
        .on(grounds))
}

/// Whom an entity is linked to by payments, two links away at most, and what money went where. At
/// most 40 entities and 80 links, the latest events of each first.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{id}/links", tag = "entities",
    operation_id = "read_entity_links", security(("signature" = []), ("session" = [])),
    params(
        ("kind" = String, Path, description = "`card`, `account`, `customer`, `device`, `ip`, \
            `merchant`, `payee` …"),
        ("id" = String, Path, description = "Its hash, 16 hexadecimal digits, as alerts show it"),
    ),
    responses(
        (status = 200, description = "The links", body = EntityLinks),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn links(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[])?;
    let entity = named(call)?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let links = engine.entity_links(tenant, entity).await?;
    let links = links.ok_or_else(unknown)?;
    let ground = ground::ground(call, &query, "decisions", None).await?;
    let count = links.entities.len();
    let about = Subject::Outside(name(entity));
    Ok(json_reply(StatusCode::OK, &links)?
        .of(count)
        .about(about)
        .on(ground))
}

/// Who takes part in a decided payment, by pseudonym.
#[utoipa::path(
    get, path = "/v1/decisions/{id}/entities", tag = "entities",
    operation_id = "list_decision_entities", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`dec_…`"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "The entities", body = DecisionEntities),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_decision(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let (decision, ground) = super::decisions::seen(call, &call.parameter, &query).await?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let noticed = engine.noticed_payment(tenant, &decision.payment_id).await?;
    let entities = noticed.entities.into_iter();
    let entities = entities.map(|(kind, hash)| format!("{kind}:{hash:016x}"));
    let list = DecisionEntities {
        entities: entities.collect(),
    };
    let about = super::decisions::subject(&decision);
    Ok(json_reply(StatusCode::OK, &list)?.about(about).on(ground))
}

/// The entity that the path names.
fn named(call: &Call) -> Result<(EntityKind, u64), Problem> {
    let (kind, hash) = call.parameter.split_once('/').ok_or_else(unknown)?;
    let kind = EntityKind::parse(kind).ok_or_else(unknown)?;
    Ok((kind, pseudonym(hash).ok_or_else(unknown)?))
}

/// What 16 small hexadecimal digits stand for.
pub(super) fn pseudonym(text: &str) -> Option<u64> {
    let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_hash = text.len() == 16 && text.bytes().all(small);
    let hash = is_hash.then(|| u64::from_str_radix(text, 16).ok());
    hash.flatten().filter(|hash| *hash != 0)
}

fn name((kind, hash): (EntityKind, u64)) -> String {
    format!("{}:{hash:016x}", kind.name())
}

/// What of a key is shown wherever the entity is; nothing where the table says so.
fn shown(kind: EntityKind, key: &str) -> Option<String> {
    if NOBODYS.contains(&kind) {
        return Some(key.to_owned());
    }
    let (_, class) = CLASSES.iter().find(|(known, _)| *known == kind)?;
    let form = masking::stored(class);
    (form != masking::Form::None).then(|| form.of(key))
}

fn unknown() -> Problem {
    Problem::new(Code::EntityUnknown, "no kept event names this entity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_people_are_masked_and_those_of_nobody_shown() {
        let cases = [
            (
                EntityKind::Account,
                "GB82WEST12345698765432",
                Some("••••5432"),
            ),
            (EntityKind::Device, "device-0123456789", Some("••••6789")),
            (EntityKind::Merchant, "shop-1", Some("shop-1")),
            (EntityKind::Ip, "192.0.2.7", None),
            (EntityKind::Card, "idx", None),
        ];
        for (kind, key, expected) in cases {
            assert_eq!(shown(kind, key).as_deref(), expected, "{kind}");
        }
        assert_eq!(
            shown(EntityKind::Email, "lin@example.com").as_deref(),
            Some("l••••@example.com")
        );
    }
}
