//! Models: which are registered, and where each is at work.

use crate::{
    format,
    icon::Icon,
    names::named,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts, terms,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub(crate) const PAGE: Page = Page {
    path: "/models",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::MODELS,
        key: 'm',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Models", "模型";
    MODEL = "Model", "模型名";
    WORK = "Where it is at work", "工作位置";
    NOWHERE = "nowhere", "未使用";
    TREES = "Trees", "决策树数";
    FEATURES = "Numbers read", "特征数";
    REFERENCE = "Calibrated on", "校准样本";
    REFERENCE_FRAUDS = "Frauds among them", "其中欺诈";
    REGISTERED = "Registered", "登记时间";
    BY = "By", "操作人";
}

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
    next_cursor: Option<String>,
}

/// A model and where it is at work.
#[derive(Deserialize)]
pub(super) struct Model {
    pub(super) model: String,
    pub(super) sha256: String,
    pub(super) payer: String,
    pub(super) place: String,
    pub(super) label_delay_s: i64,
    pub(super) trees: u64,
    pub(super) features: u64,
    pub(super) reference_payments: u64,
    pub(super) reference_frauds: u64,
    pub(super) registered_at: Timestamp,
    pub(super) registered_by: String,
    pub(super) places: Vec<Place>,
}

/// A place of a model.
#[derive(Deserialize)]
pub(super) struct Place {
    pub(super) engine: String,
    pub(super) role: String,
    pub(super) policy: Option<Value>,
    pub(super) threshold: Option<f64>,
    pub(super) since: Timestamp,
    pub(super) by: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let cursor = v.query("cursor");
    let asked = [("cursor", cursor.as_deref()), ("limit", Some("50"))];
    let page: Models = v.get(&address("/v1/models", &asked)).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/models", &[("cursor", Some(place))]));
    let first = cursor.map(|_| "/models");
    let rows: Vec<_> = page.models.iter().map(|model| cells(v, model)).collect();
    let numbers = [TREES, FEATURES, REFERENCE, REFERENCE_FRAUDS];
    let [trees, features, reference, frauds] = numbers.map(|word| format!("{}#", v.t(word)));
    let columns = [
        v.t(MODEL),
        v.t(WORK),
        &trees,
        &features,
        &reference,
        &frauds,
        v.t(REGISTERED),
        v.t(BY),
    ];
    let main = html! {
        (parts::table(v.t(TITLE), &columns, &rows, v))
        (parts::pager(first, next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, model: &Model) -> Vec<Markup> {
    let to = format!("/models/{}", encoded(&model.model));
    let counts = [
        model.trees,
        model.features,
        model.reference_payments,
        model.reference_frauds,
    ];
    let mut cells = vec![
        parts::link(&to, &model.model),
        html! {
            @if model.places.is_empty() { span.muted { (v.t(NOWHERE)) } }
            @for place in &model.places { (role(v, place)) " " }
        },
    ];
    cells.extend(counts.map(|count| html! { (format::number(count)) }));
    cells.push(format::time(model.registered_at));
    cells.push(parts::actor(&model.registered_by, v));
    cells
}

/// An engine, and what a model is there for.
pub(super) fn role(v: &Visit, place: &Place) -> Markup {
    let role = named("model", &place.role, "", v.language());
    let said = format!("{} · {role}", terms::term(&place.engine, v.language()));
    parts::badge(terms::tone(&place.role), None, &said)
}
