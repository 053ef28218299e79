//! A leaf as the API shows it.

use super::{damaged, notary, stored};
use crate::{api::Call, edge::Problem};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_domain::Timestamp;
use paywarden_store::{
    REASON,
    trail::{Leaf, RowKey, hexadecimal},
};
use serde::Serialize;
use utoipa::ToSchema;

/// One leaf.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeafView {
    /// Its number, from 0.
    pub index: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Who acted: `key:…`, `staff:…` or `system:…`.
    pub actor: String,
    /// Why, as a word.
    pub purpose: String,
    /// What whoever acted gave as the reason, if it is kept beside the leaf.
    pub reason: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// The approval that allowed it.
    pub approval: Option<String>,
    /// The decision that it is about.
    pub decision: Option<String>,
    /// The records that changed.
    pub changes: Vec<ChangeView>,
    /// The bytes that are hashed, base64.
    pub bytes: String,
}

impl LeafView {
    /// The bytes of a leaf as the API shows them; none if they are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let leaf = Leaf::decode(bytes)?;
        let changes = leaf.changes.iter().map(|change| ChangeView {
            kind: change.row.kind(),
            key: match change.row.key() {
                RowKey::Number(number) => number.to_string(),
                RowKey::Text(text) => text.into_owned(),
            },
            before: change.before.as_ref().map(|hash| hexadecimal(hash)),
            after: hexadecimal(&change.after),
        });
        Some(Self {
            index: leaf.index,
            time: leaf.time,
            actor: leaf.actor.to_owned(),
            purpose: leaf.purpose.to_owned(),
            reason: None,
            action: leaf.action.to_owned(),
            object: leaf.object.to_owned(),
            approval: leaf.approval.map(str::to_owned),
            decision: leaf.decision.map(str::to_owned),
            changes: changes.collect(),
            bytes: STANDARD.encode(bytes),
        })
    }
}

/// One record that a leaf changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// What kind of record.
    pub kind: &'static str,
    /// Its key.
    pub key: String,
    /// Keyed digest of what was there before, hexadecimal.
    pub before: Option<String>,
    /// Keyed digest of what is there now, hexadecimal.
    pub after: String,
}

/// A leaf, with the reason that is kept beside it.
pub(super) async fn view(call: &Call, bytes: &[u8]) -> Result<LeafView, Problem> {
    let mut leaf = LeafView::decode(bytes).ok_or_else(damaged)?;
    let reason = |change: &ChangeView| {
        let rest = change.key.strip_prefix(REASON)?.strip_prefix('/')?;
        Some(rest.split_once('/')?.0.to_owned())
    };
    if let Some(id) = leaf.changes.iter().find_map(reason) {
        let record = notary(call).database().record(REASON, &id).await;
        let body = record.map_err(stored)?.map(|record| record.body);
        leaf.reason = body.and_then(|body| String::from_utf8(body).ok());
    }
    Ok(leaf)
}
