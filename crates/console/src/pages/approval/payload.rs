//! What an approval is asked for, field by field in words; beside each what stands there now.

use super::super::{exports, rule_set::lines};
use crate::{
    format,
    names::named,
    page::Fault,
    parts, terms,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

words! {
    PAYLOAD = "What will be done", "将执行的内容";
    RAW = "As it is voted on", "表决的原始内容";
    OPERATION = "What to do", "操作类型";
    FIELD = "Field", "字段";
    NOW = "Now", "当前值";
    THEN = "Will be", "变更后";
    NEVER = "Never", "永不";
    NONE = "None", "无";
    SHARE = "{} % of payments", "{} % 的交易";
}

/// What stands now where a command changes something.
pub(super) struct Before {
    /// Under the names of the command's own fields.
    was: Value,
    /// What it has beside that the command does not name.
    beside: &'static [&'static str],
    /// Whether that ends rather than stays.
    ends: bool,
}

impl Before {
    fn of(was: Value) -> Self {
        Self {
            was,
            beside: &[],
            ends: false,
        }
    }
}

/// What stands now; nothing of what whoever looks may not see, or what has no before.
pub(super) async fn before(
    v: &mut Visit,
    command: &str,
    payload: &Value,
) -> Result<Option<Before>, Fault> {
    match command {
        "key_change" => key(v, payload).await,
        "model_release" => model(v, payload).await,
        _ => Ok(object(v, command, payload).await?.map(Before::of)),
    }
}

/// What a key is of which a change is asked for.
async fn key(v: &mut Visit, payload: &Value) -> Result<Option<Before>, Fault> {
    let (operation, fields) = unwrapped(payload);
    let beside: &[&str] = match operation {
        Some("bind") => &["description"],
        _ => &[
            "description",
            "algorithm",
            "scopes",
            "networks",
            "last_used_on",
        ],
    };
    let Some(id) = fields.get("key_id") else {
        return Ok(None);
    };
    let keys = v.get_if::<Keys>(Scope::KeysRead, "/v1/keys").await?;
    let mut keys = keys.into_iter().flat_map(|Keys { keys }| keys);
    let found = keys.find(|key| key.get("id") == Some(id));
    Ok(found.map(|mut key| {
        key.insert("key_id".to_owned(), id.clone());
        Before {
            was: key.into(),
            beside,
            ends: operation == Some("revoke"),
        }
    }))
}

/// The model that decides in the place of which another is asked for.
async fn model(v: &mut Visit, payload: &Value) -> Result<Option<Before>, Fault> {
    let engine = payload.get("engine").cloned().unwrap_or_default();
    let mut cursor = None::<String>;
    loop {
        let asked = address("/v1/models", &[("cursor", cursor.as_deref())]);
        let page = v.get_if::<Models>(Scope::RulesRead, &asked).await?;
        let Some(Models {
            models,
            next_cursor,
        }) = page
        else {
            return Ok(None);
        };
        let live = models.into_iter().find_map(|line| {
            let decides = |place: &Place| place.role == "live" && place.engine == engine;
            let place = line.places.into_iter().find(decides)?;
            Some(json!({
                "engine": engine, "model": line.model, "policy": place.policy, "control": place.control,
            }))
        });
        cursor = next_cursor;
        if live.is_some() || cursor.is_none() {
            let none = json!({ "engine": engine, "model": null, "policy": null });
            return Ok(Some(Before {
                was: live.unwrap_or(none),
                beside: &["control"],
                ends: true,
            }));
        }
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Model {
    model: String,
    places: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    engine: Value,
    role: String,
    policy: Value,
    control: Value,
}

/// What stands at a route of its own.
async fn object(v: &mut Visit, command: &str, payload: &Value) -> Result<Option<Value>, Fault> {
    let text = |name: &str| {
        payload
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let changed = payload.get("update").and_then(|one| one.get("id"));
    let (scope, route) = match (command, changed.and_then(Value::as_str)) {
        ("role_grant", _) => (
            Scope::StaffRead,
            format!("/v1/staff/{}", encoded(text("account"))),
        ),
        ("rating_override", _) => {
            let hash = text("customer").trim_start_matches("customer:");
            (
                Scope::RatingsRead,
                format!("/v1/customer-ratings/{}", encoded(hash)),
            )
        }
        ("webhook_change", Some(id)) => {
            (Scope::WebhooksRead, format!("/v1/webhooks/{}", encoded(id)))
        }
        ("policy_change", _) => (Scope::ApprovalsRead, "/v1/approval-policy".to_owned()),
        ("privacy_policy_change", _) => (Scope::NoticesRead, "/v1/privacy-policy".to_owned()),
        _ => return Ok(None),
    };
    let found = v.get_if::<Value>(scope, &route).await;
    let gone = |fault: &Fault| fault.0.status == 404;
    let found = match found {
        // What the command was asked for may be gone meanwhile.
        Err(fault) if gone(&fault) => None,
        found => found?,
    };
    Ok(found.map(
        |found| match found.get("grants").and_then(Value::as_array) {
            Some(grants) => {
                let roles: Vec<_> = grants
                    .iter()
                    .filter_map(|grant| grant.get("role"))
                    .collect();
                json!({ "roles": roles })
            }
            None => found,
        },
    ))
}

/// A value of a list, and until when it counts.
#[derive(Deserialize)]
struct Listed {
    value: String,
    expires_at: Option<Timestamp>,
}

/// What is asked for as a table, and as it is voted on.
pub(super) fn table(v: &Visit, payload: &Value, before: Option<&Before>) -> Markup {
    let (operation, fields) = unwrapped(payload);
    let stands = |name: &str| before.and_then(|before| before.was.get(name));
    let shown = |name: &&String| !matches!(name.as_str(), "values" | "text");
    let mut rows: Vec<Vec<Markup>> = Vec::new();
    if let Some(operation) = operation {
        rows.push(row(
            v,
            "operation",
            &Value::from(operation),
            None,
            before.is_some(),
        ));
    }
    for name in fields.keys().filter(shown) {
        rows.push(row(v, name, &fields[name], stands(name), before.is_some()));
    }
    if let Some(Before { beside, ends, .. }) = before {
        for name in beside.iter().filter(|name| !fields.contains_key(**name)) {
            if let Some(was) = stands(name).filter(|was| !was.is_null()) {
                let after = if *ends { &Value::Null } else { was };
                rows.push(row(v, name, after, Some(was), true));
            }
        }
    }
    let mut columns = vec![v.t(FIELD)];
    if before.is_some() {
        columns.push(v.t(NOW));
    }
    columns.push(v.t(THEN));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (after, was) = (fields.get("text"), stands("text"));
    html! {
        (parts::table(v.t(PAYLOAD), &columns, &rows, v))
        @if let Some(values) = fields.get("values") { (listed(v, values)) }
        @if after.is_some() {
            (lines::draw(v.t(PAYLOAD), &lines::difference(&text(was), &text(after))))
        }
        (parts::fold(v.t(RAW), parts::json(payload, v.t(RAW))))
    }
}

/// Which of several things is asked for, where a command is one of them, and its fields.
fn unwrapped(payload: &Value) -> (Option<&str>, Map<String, Value>) {
    let Some(fields) = payload.as_object() else {
        return (payload.as_str(), Map::new());
    };
    let alone = fields.iter().next().filter(|_| fields.len() == 1);
    match alone {
        Some((operation, Value::Object(inside))) => (Some(operation), inside.clone()),
        Some((operation, Value::String(id)))
            if matches!(operation.as_str(), "enable" | "disable") =>
        {
            let inside = std::iter::once(("id".to_owned(), Value::from(id.as_str())));
            (Some(operation), inside.collect())
        }
        _ => (None, fields.clone()),
    }
}

fn row(v: &Visit, name: &str, after: &Value, was: Option<&Value>, has_before: bool) -> Vec<Markup> {
    let mut cells = vec![html! { (named("field", name, "", v.language())) }];
    let is_changed = was.is_some_and(|was| !is_same(was, after));
    if has_before {
        cells.push(match was {
            Some(was) if is_changed && !was.is_null() => {
                html! { span.gone { (shown(v, name, was)) } }
            }
            Some(was) => shown(v, name, was),
            None => html! { span.muted { "–" } },
        });
    }
    cells.push(match is_changed {
        true => html! { b.come { (shown(v, name, after)) } },
        false => shown(v, name, after),
    });
    cells
}

/// Whether two values say the same; the order of several does not matter.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().all(|value| other.contains(value))
        }
        (one, other) => one == other,
    }
}

fn shown(v: &Visit, name: &str, value: &Value) -> Markup {
    let language = v.language();
    match value {
        Value::Null => html! { span.muted { (v.t(NONE)) } },
        Value::Array(all) if all.is_empty() => html! { span.muted { (v.t(NONE)) } },
        Value::Array(all) => html! {
            @for (place, one) in all.iter().enumerate() {
                @if place > 0 { ", " }
                (shown(v, name, one))
            }
        },
        Value::Object(all) => html! {
            @for (place, (name, one)) in all.iter().enumerate() {
                @if place > 0 { "; " }
                (named("field", name, "", language)) " " (shown(v, name, one))
            }
        },
        Value::Number(basis_points) if name == "share_bp" => {
            let share = basis_points.as_f64().unwrap_or_default() / 100.0;
            html! { (SHARE.with(language, &[&share.to_string()])) }
        }
        Value::String(text) => said(v, name, text),
        other => html! { (other) },
    }
}

fn said(v: &Visit, name: &str, text: &str) -> Markup {
    let to = |path: &str| parts::link(&format!("{path}/{}", encoded(text)), text);
    let language = v.language();
    match name {
        "account" => parts::actor(&format!("staff:{text}"), v),
        "list" if v.may(Scope::ListsRead) => to("/lists"),
        "version" if v.may(Scope::RulesRead) => to("/rules"),
        "model" if v.may(Scope::RulesRead) => to("/models"),
        "case" if v.may(Scope::CasesRead) => to("/cases"),
        "subject" if v.may(Scope::SubjectsRead) => to("/subjects"),
        "id" if text.starts_with("whe_") && v.may(Scope::WebhooksRead) => to("/webhooks"),
        "operation" => html! { (named("operation", text, "", language)) },
        "classes" => html! { (named("class", text, "", language)) },
        "purpose" => html! { (named("purpose", text, "", language)) },
        "disposition" => html! { (named("disposition", text, "", language)) },
        "collection" => html! { (exports::collection(text, v)) },
        "reason" => html! { (named("reason", text, "", language)) },
        "roles" | "rating" | "engine" | "outcomes" => html! { (terms::term(text, language)) },
        "description" | "url" => html! { (text) },
        "expires_at" | "last_used_on" => match serde_json::from_value::<Timestamp>(text.into()) {
            Ok(time) => format::time(time),
            Err(_) => html! { (text) },
        },
        _ => parts::id(text),
    }
}

fn listed(v: &Visit, values: &Value) -> Markup {
    let values: Vec<Listed> = serde_json::from_value(values.clone()).unwrap_or_default();
    let row = |one: &Listed| {
        let until = match one.expires_at {
            Some(time) => format::time(time),
            None => html! { span.muted { (v.t(NEVER)) } },
        };
        vec![parts::id(&one.value), until]
    };
    let rows: Vec<_> = values.iter().map(row).collect();
    let word = |name: &str| named("field", name, "", v.language());
    parts::table(
        &word("values"),
        &[&word("value"), &word("expires_at")],
        &rows,
        v,
    )
}
