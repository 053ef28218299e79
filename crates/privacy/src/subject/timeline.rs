//! What happened to the data of a person, newest first, each with the place of its leaf and the
//! proof that it is in the tree.

use super::SUBJECT;
use crate::{Error, Vault, notice::hexadecimal};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{
    ACTS_MAX, ActRow, MaskedRow, REASON, RowRef, VaultFind,
    trail::{Leaf, RowKey},
};
use std::collections::{BTreeSet, HashMap};

/// The most moments of one page.
pub const MOMENTS_MAX: usize = 100;
/// Acts that one page looks through, in thousands: a page of a quiet person may be empty and have
/// a next one.
const PAGES_MAX: usize = 20;
/// Values that are listed.
const VALUES_MAX: u32 = 1_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What, as the trail calls it.
    pub action: String,
    /// By whom, as the trail names them.
    pub by: String,
    /// For what, on which ground.
    pub purpose: String,
    /// To whom it went, where, and why, as they said.
    pub said: Option<String>,
    /// The values of the person that it was about.
    pub tokens: Vec<String>,
    /// The approval that allowed it.
    pub approval: Option<String>,
    /// Number of its leaf in the tree of the company.
    pub leaf: u64,
    /// Hashes that lead from the leaf to the root (RFC 6962, 2.1.1), in hexadecimal digits.
    pub proof: Vec<String>,
}

/// A page of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The pseudonym of the person.
    pub subject: String,
    /// What is kept now, newest first, at most 1,000 values.
    pub values: Vec<MaskedRow>,
    /// What happened, newest first.
    pub moments: Vec<Moment>,
    /// How many leaves the tree has that the proofs lead to.
    pub tree_size: u64,
    /// Its root.
    pub root: String,
    /// Where the next page begins; none at the end.
    pub next: Option<i64>,
}

impl Vault {
    /// A page of what happened to the data of a person: kept, read, found, agreed to, erased. It
    /// looks through at most 20,000 acts.
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        subject: &str,
        before: Option<i64>,
    ) -> Result<Timeline, Error> {
        let subject = self.pseudonym(tenant, subject);
        let database = self.reader.database();
        let values = self
            .reader
            .find(tenant, VaultFind::Subject(&subject), VALUES_MAX)
            .await?;
        let tree_size = database.trail_size(tenant).await?;
        let mut page = Timeline {
            subject,
            values,
            moments: Vec::new(),
            tree_size,
            root: String::new(),
            next: before,
        };
        if tree_size == 0 {
            return Ok(Timeline { next: None, ..page });
        }
        page.root = hexadecimal(&database.trail_root(tenant, tree_size).await?);
        let mut place = before.unwrap_or(i64::MAX);
        for _ in 0..PAGES_MAX {
            let acts = database.acts_of(tenant, place, ACTS_MAX).await?;
            let is_last = acts.len() < ACTS_MAX as usize;
            let of = self.theirs(tenant, &page.subject, &acts).await?;
            for act in &acts {
                place = act.seq;
                if let Some(moment) = self.moment(act, (&page.subject, &of), tree_size).await? {
                    page.moments.push(moment);
                }
                if page.moments.len() == MOMENTS_MAX {
                    page.next = Some(place);
                    return Ok(page);
                }
            }
            page.next = (!is_last).then_some(place);
            if is_last {
                break;
            }
        }
        Ok(page)
    }

    /// Of each act, the tokens of this person that it was about.
    async fn theirs(
        &self,
        tenant: &TenantId,
        subject: &str,
        acts: &[ActRow],
    ) -> Result<HashMap<i64, Vec<String>>, Error> {
        let mut named: HashMap<i64, BTreeSet<String>> = HashMap::new();
        for act in acts {
            let Some(leaf) = act.read().filter(|leaf| leaf.action.starts_with("vault.")) else {
                continue;
            };
            let tokens = self.tokens_of(&leaf).await?;
            if !tokens.is_empty() {
                named.insert(act.seq, tokens);
            }
        }
        let all: BTreeSet<&String> = named.values().flatten().collect();
        let all: Vec<String> = all.into_iter().cloned().collect();
        let mut own = BTreeSet::new();
        for part in all.chunks(ACTS_MAX as usize) {
            let rows = self.reader.sealed(part).await?.into_iter();
            let theirs =
                rows.filter(|row| row.subject == subject && *row.tenant == *tenant.as_str());
            own.extend(theirs.map(|row| row.token));
        }
        let of = named.into_iter().filter_map(|(seq, tokens)| {
            let tokens: Vec<_> = tokens
                .into_iter()
                .filter(|token| own.contains(token))
                .collect();
            (!tokens.is_empty()).then_some((seq, tokens))
        });
        Ok(of.collect())
    }

    /// The tokens that a leaf names: as its object, in what it changed, in the list of what was read
    /// together.
    async fn tokens_of(&self, leaf: &Leaf<'_>) -> Result<BTreeSet<String>, Error> {
        let mut tokens = BTreeSet::new();
        if is_token(leaf.object) {
            tokens.insert(leaf.object.to_owned());
        }
        for change in &leaf.changes {
            match &change.row {
                RowRef::VaultRecord(token) | RowRef::VaultErasure(token) => {
                    tokens.insert(token.clone());
                }
                RowRef::Record(record) => {
                    let Some(id) = id_of(record, "vault_read") else {
                        continue;
                    };
                    let list = self.reader.database().record("vault_read", id).await?;
                    let body = list.map(|list| list.body).unwrap_or_default();
                    let text = String::from_utf8_lossy(&body).into_owned();
                    tokens.extend(
                        text.lines()
                            .filter(|line| is_token(line))
                            .map(str::to_owned),
                    );
                }
                _ => {}
            }
        }
        Ok(tokens)
    }

    /// What an act is to a person, if it is anything.
    async fn moment(
        &self,
        act: &ActRow,
        (subject, of): (&str, &HashMap<i64, Vec<String>>),
        tree_size: u64,
    ) -> Result<Option<Moment>, Error> {
        let Some(leaf) = act.read() else {
            return Err(Error::Damaged);
        };
        let tokens = of.get(&act.seq).cloned().unwrap_or_default();
        let names = |change: &paywarden_store::trail::Change| match change.row.key() {
            RowKey::Text(key) => id_of(&key, SUBJECT) == Some(subject),
            RowKey::Number(_) => false,
        };
        let is_about = leaf.object.contains(subject) || leaf.changes.iter().any(names);
        if tokens.is_empty() && !is_about || leaf.index >= tree_size {
            return Ok(None);
        }
        let database = self.reader.database();
        let proof = database
            .trail_inclusion(&act.tenant, leaf.index, tree_size)
            .await?;
        Ok(Some(Moment {
            at: leaf.time,
            action: leaf.action.to_owned(),
            by: leaf.actor.to_owned(),
            purpose: leaf.purpose.to_owned(),
            said: self.said(&leaf).await?,
            tokens,
            approval: leaf.approval.map(str::to_owned),
            leaf: leaf.index,
            proof: proof.iter().map(|hash| hexadecimal(hash)).collect(),
        }))
    }

    /// What was said beside a leaf.
    async fn said(&self, leaf: &Leaf<'_>) -> Result<Option<String>, Error> {
        let reason = leaf.changes.iter().find_map(|change| match &change.row {
            RowRef::Record(record) => id_of(record, REASON),
            _ => None,
        });
        let Some(id) = reason else {
            return Ok(None);
        };
        let row = self.reader.database().record(REASON, id).await?;
        Ok(row.map(|row| String::from_utf8_lossy(&row.body).into_owned()))
    }
}

/// The identifier in `kind/id/version`, if it is of this kind.
fn id_of<'r>(record: &'r str, kind: &str) -> Option<&'r str> {
    let rest = record.strip_prefix(kind)?.strip_prefix('/')?;
    rest.split_once('/').map(|(id, _)| id)
}

/// Whether a text may be a token: opaque, or shaped as a card number.
fn is_token(text: &str) -> bool {
    text.starts_with("tok_") || (16..=19).contains(&text.len()) && text.starts_with('0')
}
