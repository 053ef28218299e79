//! How somebody works: the views that they keep and the letters that they use. One sealed record of
//! each person, with versions; nobody else reads it.

use super::{Error, Member, Staff};
use crate::Author;
use paywarden_store::{Entry, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const KIND: &str = "staff_preferences";
/// The most views that one person keeps.
pub const VIEWS_MAX: usize = 60;
/// The most letters that one person has changed.
pub const KEYS_MAX: usize = 40;
const NAME_CHARACTERS_MAX: usize = 60;
const QUERY_BYTES_MAX: usize = 1_024;

/// How somebody works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// How often it has changed: give the version that was read with a change.
    #[serde(default)]
    pub version: i64,
    /// The views, in their order, at most 60.
    #[serde(default)]
    pub views: Vec<SavedView>,
    /// Letters that do what others do usually: the usual one, and the one instead; empty for none.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

/// A page with what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedView {
    /// What it is called, 1 to 60 characters.
    pub name: String,
    /// The path of the page.
    pub page: String,
    /// What stands behind `?`, at most 1,024 bytes.
    pub query: String,
}

impl Preferences {
    fn check(&self) -> Result<(), Error> {
        let is_name = |view: &SavedView| {
            let count = view.name.chars().count();
            (1..=NAME_CHARACTERS_MAX).contains(&count) && !view.name.chars().any(char::is_control)
        };
        let is_own = |view: &SavedView| {
            view.page.starts_with('/') && !view.page.starts_with("//") && view.page.len() <= 128
        };
        let is_plain = |text: &str| text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        let fits = |view: &SavedView| {
            view.query.len() <= QUERY_BYTES_MAX && is_plain(&view.query) && is_plain(&view.page)
        };
        let is_key = |text: &String| text.chars().count() == 1 && is_plain(text);
        let changed: Vec<&String> = self.keys.values().filter(|key| !key.is_empty()).collect();
        let is_told_apart =
            (1..changed.len()).all(|place| !changed[..place].contains(&changed[place]));
        #[rustfmt::skip]
        let rules = [
            (self.views.len() <= VIEWS_MAX, "at most 60 views are kept"),
            (self.views.iter().all(is_name), "a view has a name of 1 to 60 characters"),
            (self.views.iter().all(is_own), "a view is a page of ours"),
            (self.views.iter().all(fits), "what is asked of a view has at most 1,024 plain bytes"),
            (self.keys.len() <= KEYS_MAX, "at most 40 letters are changed"),
            (self.keys.keys().all(is_key) && changed.iter().all(|key| is_key(key)), "a key is one letter"),
            (is_told_apart, "a letter does one thing"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::PreferencesRefused(wrong)),
            None => Ok(()),
        }
    }
}

impl Staff {
    /// How a member works; as everybody does until they say otherwise.
    pub async fn preferences(&self, member: &Member) -> Result<Preferences, Error> {
        let account = &member.account;
        let row = self.database.record(KIND, &account.id).await?;
        let row = row.filter(|row| row.tenant == account.tenant);
        let Some(row) = row else {
            return Ok(Preferences::default());
        };
        let kept: Preferences = self.unseal_body(&row)?;
        Ok(Preferences {
            version: row.version,
            ..kept
        })
    }

    /// Keeps how a member works, as the next version of what they read.
    pub async fn keep_preferences(
        &self,
        member: &Member,
        preferences: Preferences,
    ) -> Result<Preferences, Error> {
        preferences.check()?;
        let known = self.preferences(member).await?;
        if known.version != preferences.version {
            return Err(Error::PreferencesChanged);
        }
        let account = &member.account;
        let next = Preferences {
            version: known.version + 1,
            ..preferences
        };
        let row = RecordRow {
            tenant: account.tenant.clone(),
            kind: KIND.to_owned(),
            id: account.id.clone(),
            version: next.version,
            written_at: self.clock.now(),
            body: Vec::new(),
        };
        let Author { actor, purpose } = member.author("own preferences");
        let entry = Entry {
            tenant: account.tenant.clone(),
            actor,
            purpose,
            action: "staff.preferences",
            object: account.id.clone(),
            rows: vec![Row::Record(self.seal_body(row, &next)?)],
        };
        self.journal.append(entry).await?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_a_page_of_ours_and_a_letter_does_one_thing() {
        let view = |name: &str, page: &str, query: &str| SavedView {
            name: name.to_owned(),
            page: page.to_owned(),
            query: query.to_owned(),
        };
        let with = |view: SavedView| Preferences {
            views: vec![view],
            ..Preferences::default()
        };
        assert!(
            with(view("拒付", "/decisions", "outcome=decline"))
                .check()
                .is_ok()
        );
        for wrong in [
            view("", "/decisions", ""),
            view("a\nb", "/decisions", ""),
            view("x", "https://evil.example", ""),
            view("x", "//evil.example", ""),
            view("x", "/a b", ""),
            view("x", "/a", &"q".repeat(1_025)),
        ] {
            assert!(with(wrong.clone()).check().is_err(), "{wrong:?}");
        }
        let keys = |pairs: &[(&str, &str)]| Preferences {
            keys: pairs
                .iter()
                .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
                .collect(),
            ..Preferences::default()
        };
        assert!(keys(&[("n", "m"), ("x", ""), ("e", "")]).check().is_ok());
        assert!(keys(&[("n", "m"), ("x", "m")]).check().is_err());
        assert!(keys(&[("n", "mm")]).check().is_err());
    }
}
