//! What the routes of alerts and cases share: who asks, which are meant, what is written down.

use super::bodies::{EntityActionDone, EntityActionInput, EntityActionKind, PaymentActionInput};
use crate::{
    api::{
        Call,
        json::parse,
        json_reply,
        query::{Query, invalid},
    },
    edge::{Code, Problem, reply::Reply},
};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_cases::{
    Alert, AlertAct, Assignee, BULK_MAX, Close, Entity, Link, PAGE_MAX, Place, Priority, WorkQuery,
    Worker,
};
use paywarden_domain::PaymentId;
use paywarden_privacy::scan;
use paywarden_risk::{ListChange, ListOperation, ListValue};

/// How many items a page has if nothing else is asked for.
pub(in crate::api) const PAGE: u32 = 20;
/// The kinds of entity whose list the shipped rules read, by action.
const ACTED_ON: [(EntityActionKind, &[&str]); 2] = [
    (
        EntityActionKind::Block,
        &[
            "card", "account", "customer", "device", "ip", "merchant", "terminal", "payee",
            "email", "phone",
        ],
    ),
    (
        EntityActionKind::Challenge,
        &["card", "account", "customer", "device"],
    ),
];

/// Whoever calls, with the queues that their roles open.
pub(in crate::api) fn worker(call: &Call) -> Worker {
    let roles = call.roles.iter().map(String::as_str);
    call.state.cases.worker(call.who(), roles)
}

/// `me` is whoever calls.
pub(in crate::api) fn named(call: &Call, name: &str) -> String {
    match name {
        "me" => call.who().actor.to_string(),
        name => name.to_owned(),
    }
}

/// Which items are asked for.
pub(in crate::api) fn asked<S>(
    call: &Call,
    query: &Query<'_>,
    state: S,
) -> Result<WorkQuery<S>, Problem> {
    let place = query.cursor()?.map(|text| {
        let expected = "take the cursor of the last reply as it is";
        Place::parse(&text).ok_or_else(|| invalid("cursor", expected))
    });
    let assignee = query.find("assignee").map(|name| match name {
        "nobody" => Assignee::Nobody,
        name => Assignee::Somebody(named(call, name)),
    });
    Ok(WorkQuery {
        queue: query.find("queue").map(str::to_owned),
        assignee,
        priority: query.read("priority", "a priority of alerts", Priority::parse)?,
        after: place.transpose()?,
        limit: query.limit(PAGE, PAGE_MAX)?,
        ..WorkQuery::of(state)
    })
}

/// What alerts are to be linked to, if that is asked.
pub(super) async fn link(call: &Call, query: &Query<'_>) -> Result<Option<Link>, Problem> {
    let read = |text: &str| Entity::parse(text).ok();
    let entity = query.read("entity", "a kind, a colon, 16 hexadecimal digits", read)?;
    if let Some(entity) = entity {
        return Ok(Some(Link::Entity(entity)));
    }
    if let Some(group) = query.find("group") {
        return Ok(Some(Link::Group(group.to_owned())));
    }
    let read = |text: &str| PaymentId::parse(text).ok();
    let Some(payment) = query.read("payment_id", "an identifier of a payment", read)? else {
        return Ok(None);
    };
    let noticed = call
        .state
        .engine
        .noticed_payment(&call.caller.tenant, &payment);
    Ok(Some(Link::Decision(noticed.await?.event_no)))
}

/// The alerts that are linked to something, and where to go on.
pub(super) async fn linked(
    call: &Call,
    query: &Query<'_>,
    link: Link,
) -> Result<(Vec<Alert>, Option<String>), Problem> {
    let (worker, desk) = (worker(call), &call.state.cases);
    let before = query.cursor()?;
    Ok(desk
        .alerts_linked(&worker, &link, before.as_deref())
        .await?)
}

/// Behind which note.
pub(in crate::api) fn after(call: &Call) -> Result<u32, Problem> {
    let query = Query::parse(&call.query, &["after"])?;
    let number = query.read("after", "the number of a note", |text| text.parse().ok())?;
    Ok(number.unwrap_or(0))
}

pub(super) fn checked_many(alerts: &[String]) -> Result<(), Problem> {
    match (1..=BULK_MAX).contains(&alerts.len()) {
        true => Ok(()),
        false => Err(Problem::new(Code::FieldInvalid, "1 to 100").at("/alerts".to_owned())),
    }
}

/// Refuses to give an alert to somebody who may not work on it.
pub(super) fn may_be_given(call: &Call, act: &AlertAct) -> Result<(), Problem> {
    match act {
        AlertAct::Assign { to } => may_work(call, to),
        _ => Ok(()),
    }
}

/// Refuses somebody of the company who may not work on alerts and cases, or who is not there.
pub(in crate::api) fn may_work(call: &Call, name: &str) -> Result<(), Problem> {
    let may = call
        .state
        .approvals
        .may(&call.caller.tenant, name, Scope::CasesWork);
    match may {
        true => Ok(()),
        false => {
            let detail = "nobody by this name may work on alerts and cases";
            Err(Problem::new(Code::FieldInvalid, detail).at("/act/assign/to".to_owned()))
        }
    }
}

/// Somebody's words without numbers of cards and persons, as the log masks them.
pub(in crate::api) fn masked_text(text: &str) -> String {
    String::from_utf8_lossy(&scan::masked(text.as_bytes())).into_owned()
}

pub(super) fn masked(act: AlertAct) -> AlertAct {
    match act {
        AlertAct::Escalate { reason } => AlertAct::Escalate {
            reason: masked_text(&reason),
        },
        AlertAct::Snooze {
            rule,
            until,
            reason,
        } => AlertAct::Snooze {
            rule,
            until,
            reason: masked_text(&reason),
        },
        act => act,
    }
}

pub(super) fn masked_closing(closing: Close) -> Close {
    Close {
        note: closing.note.as_deref().map(masked_text),
        ..closing
    }
}

/// Asks something of a payment of the alert or case that the path names.
pub(in crate::api) async fn ask_of_payment(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: PaymentActionInput = parse(&call.body)?;
    let asked = (input.action, &input.payment_id, input.reason.as_str());
    let desk = &call.state.cases;
    let action = desk.ask_of_payment(&worker, &call.parameter, asked);
    json_reply(StatusCode::CREATED, &action.await?)
}

/// Puts somebody who takes part onto a list, by the way that every change of a list goes.
pub(in crate::api) async fn act_on_entity(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: EntityActionInput = parse(&call.body)?;
    let at_entity = |why| Problem::new(Code::FieldInvalid, why).at("/entity".to_owned());
    let entity = Entity::parse(&input.entity).map_err(|error| at_entity(error.to_string()))?;
    let of_action = ACTED_ON.iter().find(|(action, _)| *action == input.action);
    let kinds = of_action.map_or(&[][..], |(_, kinds)| kinds);
    if !kinds.contains(&entity.kind()) {
        return Err(at_entity(format!("one of {}", kinds.join(", "))));
    }
    let payments = call
        .state
        .cases
        .payments_of(&worker, &call.parameter)
        .await?;
    let mut key = None;
    for payment in payments {
        let (tenant, named) = (&call.caller.tenant, (entity.kind(), entity.hash()));
        let found = call
            .state
            .engine
            .entity_key(tenant, &payment.decision, named);
        key = found.await?;
        if key.is_some() {
            break;
        }
    }
    let key = key.ok_or_else(|| at_entity("nobody of it takes part".to_owned()))?;
    let change = ListChange {
        list: input.action.list(entity.kind()),
        operation: ListOperation::Add,
        values: vec![ListValue {
            value: key,
            expires_at: Some(input.expires_at),
        }],
        reason: input.reason,
    };
    change.validate()?;
    let (approvals, who) = (&call.state.approvals, call.who());
    let approved = approvals
        .admit(&who, change, input.approval.as_deref())
        .await?;
    let change = call.state.engine.change_list(approved).await?;
    let done = EntityActionDone {
        list: change.list,
        entity: entity.to_string(),
        expires_at: input.expires_at,
    };
    json_reply(StatusCode::CREATED, &done)
}
