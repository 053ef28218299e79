//! One leaf of the trail, what it changed, and the proof that it is in the signed tree.

use super::{decision::Proof, trail};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub(crate) const PAGE: Page = Page {
    path: "/trail/{leaf}",
    door: Door::Staff,
    needs: &[Scope::TrailRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Leaf {}", "叶节点 {}";
    WHAT = "What was done", "操作内容";
    AT = "At", "时间";
    BY = "By", "操作人";
    ACTION = "Action", "动作";
    OBJECT = "To what", "操作对象";
    PURPOSE = "Purpose", "目的";
    APPROVAL = "Approval", "审批单";
    DECISION = "Decision", "决策记录";
    PROOF = "Proof", "证明";
    TREE = "Leaves in the signed tree", "已签名树的叶节点数";
    CHANGES = "Records that it changed", "变更的记录";
    KIND = "Kind", "类型";
    KEY = "Key", "密钥";
    BEFORE = "Digest before", "变更前摘要";
    AFTER = "Digest after", "变更后摘要";
    TEXT = "As one text, for `paywarden verify --proof`", "证明文本（用于 paywarden verify --proof）";
}

#[derive(Deserialize)]
struct Answer {
    leaf: Leaf,
    text: String,
}

#[derive(Deserialize)]
struct Leaf {
    index: u64,
    time: Timestamp,
    actor: String,
    purpose: String,
    reason: Option<String>,
    action: String,
    object: String,
    approval: Option<String>,
    decision: Option<String>,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    kind: String,
    key: String,
    before: Option<String>,
    after: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = format!("/v1/trail/proofs/inclusion?leaf={}", encoded(&v.parameter));
    let raw: Value = v.get(&route).await?;
    let proof: Proof = v.read_value(raw.clone())?;
    let Answer { leaf, text } = v.read_value(raw)?;
    let v = &*v;
    let rows: Vec<_> = leaf.changes.iter().map(cells).collect();
    let columns = [v.t(KIND), v.t(KEY), v.t(BEFORE), v.t(AFTER)];
    let main = html! {
        div.columns {
            (parts::panel(v.t(WHAT), facts(v, &leaf)))
            (parts::panel(v.t(PROOF), html! {
                (parts::facts([parts::row(TREE, html! { (format::number(proof.size)) }, v)]))
                (parts::proof(&proof.data(), v))
                (parts::fold(v.t(TEXT), html! { pre.raw tabindex="0" role="region" aria-label=(v.t(PROOF)) { (text) } }))
            }))
        }
        (parts::panel(v.t(CHANGES), parts::table(v.t(CHANGES), &columns, &rows, v)))
    };
    let title = TITLE.with(v.language(), &[&format::number(leaf.index)]);
    let body = Body::new(title, main).below("/trail", v.t(trail::TITLE));
    Ok(body.with(&["proof.js"]).into())
}

fn facts(v: &Visit, leaf: &Leaf) -> Markup {
    let mut rows = vec![
        parts::row(ACTION, parts::id(&leaf.action), v),
        parts::row(OBJECT, parts::object(&leaf.object, v), v),
        parts::row(BY, parts::actor(&leaf.actor, v), v),
        parts::row(AT, parts::since(leaf.time, v), v),
        parts::row(PURPOSE, html! { (leaf.purpose) }, v),
    ];
    if let Some(reason) = &leaf.reason {
        rows.push(parts::row(parts::REASON, html! { (reason) }, v));
    }
    if let Some(id) = &leaf.approval {
        rows.push(parts::row(
            APPROVAL,
            parts::link(&format!("/approvals/{id}"), id),
            v,
        ));
    }
    if let Some(id) = &leaf.decision {
        rows.push(parts::row(
            DECISION,
            parts::link(&format!("/decisions/{id}"), id),
            v,
        ));
    }
    parts::facts(rows)
}

fn cells(change: &Change) -> Vec<Markup> {
    vec![
        parts::id(&change.kind),
        parts::id(&change.key),
        parts::id(change.before.as_deref().unwrap_or("–")),
        parts::id(&change.after),
    ]
}
