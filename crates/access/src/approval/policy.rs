//! The policy: who must approve what. A file of clauses whose changes need approval themselves.

use super::{Error, Kind, Sensitive};
use crate::Scope;
use paywarden_domain::time::HOUR;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::LazyLock};
use utoipa::ToSchema;

/// The policy that the binary ships.
pub(crate) const SHIPPED: &str = include_str!("default.toml");
/// The longest policy, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
const CLAUSES_MAX: usize = 256;
const PATTERNS_MAX: usize = 64;
const APPROVERS_MAX: u8 = 5;
const ID_BYTES_MAX: usize = 24;
/// Thirty days: no vote that counts is older than what the mutual limit looks back on.
const HOURS_MAX: u16 = 720;
const FREE_MAX: u16 = 1_000;

/// Who must approve what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Hours until the review of an emergency is overdue, 1 to 720.
    pub review_hours: u16,
    /// The clauses; the first that fits holds.
    #[serde(rename = "clause", default)]
    pub clauses: Vec<Clause>,
}

/// One clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its name, `snake_case`, at most 24 bytes.
    pub id: String,
    /// For which kind of command.
    pub command: Kind,
    /// For which objects: texts, each with at most one `*`, at its end.
    pub objects: Vec<String>,
    /// How many approvers, 0 to 5.
    pub approvers: u8,
    /// What an approver must be allowed to do, beside voting.
    #[schema(value_type = String)]
    pub approver: Scope,
    /// Whoever may do one of these does not count as approver.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub conflicts: Vec<Scope>,
    /// Whether only members of staff count, no keys of programs.
    #[serde(default)]
    pub staff_only: bool,
    /// How long an approval lasts, 1 to 720 hours.
    pub expires_hours: u16,
    /// How many times in 30 days two may approve each other: the smaller of what each approved of
    /// the other's. No limit if not given.
    #[serde(default)]
    pub mutual_max: Option<u16>,
    /// So many changes a day (UTC) of this clause need no approval, at most 1000.
    #[serde(default)]
    pub free_per_day: u16,
    /// Who may act without votes in an emergency; nobody if not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub break_glass: Option<Scope>,
}

/// Another policy is to come into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The number of the policy that it takes the place of: 0 for the shipped one.
    pub replaces: i64,
    /// The whole policy, in TOML.
    pub text: String,
}

impl Policy {
    /// The policy that the binary ships.
    pub fn shipped() -> Result<&'static Self, Error> {
        static POLICY: LazyLock<Result<Policy, Error>> = LazyLock::new(|| Policy::parse(SHIPPED));
        POLICY.as_ref().map_err(Clone::clone)
    }

    /// Reads a policy and refuses one that would let its own changes pass unapproved.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > TEXT_BYTES_MAX {
            return refused("it has more than 64 KiB");
        }
        let policy: Self = toml::from_str(text)
            .map_err(|error| Error::PolicyRefused(error.message().to_owned()))?;
        if !(1..=HOURS_MAX).contains(&policy.review_hours) {
            return refused("review_hours is 1 to 720");
        }
        if policy.clauses.len() > CLAUSES_MAX {
            return refused("it has more than 256 clauses");
        }
        let mut ids = BTreeSet::new();
        for clause in &policy.clauses {
            clause.check()?;
            if !ids.insert(&clause.id) {
                return refused(&format!("two clauses are named {}", clause.id));
            }
        }
        Ok(policy)
    }

    /// The clause for a command; none if it needs no approval.
    pub fn clause(&self, kind: Kind, object: &str) -> Result<Option<&Clause>, Error> {
        let own = |policy: &'_ Self| policy.clauses.iter().any(|clause| clause.command == kind);
        let policy = match own(self) {
            true => self,
            false => Self::shipped()?,
        };
        let fits = |clause: &&Clause| clause.command == kind && clause.fits(object);
        Ok(policy.clauses.iter().find(fits))
    }
}

impl Clause {
    /// How long an approval lasts, in microseconds.
    pub(crate) fn lasts(&self) -> i64 {
        i64::from(self.expires_hours) * HOUR
    }

    fn fits(&self, object: &str) -> bool {
        self.objects
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => object.starts_with(beginning),
                None => object == pattern,
            })
    }

    fn check(&self) -> Result<(), Error> {
        let Self { id, objects, .. } = self;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let no_pattern = |text: &String| match text.strip_suffix('*') {
            Some(beginning) => beginning.contains('*'),
            None => text.contains('*') || text.is_empty(),
        };
        let is_named = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain);
        let guards = self.command != Kind::PolicyChange || self.guards_policy();
        let hours = 1..=HOURS_MAX;
        #[rustfmt::skip]
        let rules = [
            (is_named, "an id is lower case words joined by underscores, at most 24 bytes"),
            ((1..=PATTERNS_MAX).contains(&objects.len()), "it has 1 to 64 objects"),
            (!objects.iter().any(no_pattern), "an object has one * at most, at its end"),
            (self.approvers <= APPROVERS_MAX, "approvers is 0 to 5"),
            (hours.contains(&self.expires_hours), "expires_hours is 1 to 720"),
            (self.free_per_day <= FREE_MAX, "free_per_day is at most 1000"),
            (guards, "policy_change takes the object *, 1 approver or more, no break_glass, nothing free"),
        ];
        let Some((_, wrong)) = rules.into_iter().find(|(holds, _)| !holds) else {
            return Ok(());
        };
        refused(&format!("clause {id}: {wrong}"))
    }

    /// Whether nobody alone can change the policy by it.
    fn guards_policy(&self) -> bool {
        let everything = self.objects.iter().any(|pattern| pattern == "*");
        let alone = self.approvers == 0 || self.free_per_day > 0 || self.break_glass.is_some();
        everything && !alone
    }
}

impl Sensitive for PolicyChange {
    const KIND: Kind = Kind::PolicyChange;

    fn object(&self) -> String {
        "policy".to_owned()
    }

    fn check(&self) -> Result<(), String> {
        Policy::parse(&self.text)
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

fn refused<T>(why: &str) -> Result<T, Error> {
    Err(Error::PolicyRefused(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(from: &str, to: &str) -> Result<Policy, Error> {
        assert!(SHIPPED.contains(from), "{from}");
        Policy::parse(&SHIPPED.replacen(from, to, 1))
    }

    fn clause(kind: Kind, object: &str) -> Option<String> {
        let policy = Policy::shipped().unwrap();
        let clause = policy.clause(kind, object).unwrap();
        clause.map(|clause| clause.id.clone())
    }

    #[test]
    fn the_first_clause_that_fits_holds() {
        assert_eq!(
            clause(Kind::PolicyChange, "policy").as_deref(),
            Some("policy")
        );
        assert_eq!(
            clause(Kind::RuleRelease, "publish:v1").as_deref(),
            Some("rules")
        );
        let exempt = clause(Kind::ListChange, "add:trusted_cards");
        assert_eq!(exempt.as_deref(), Some("exemptions"));
        let release = clause(Kind::ListChange, "remove:denied_cards");
        assert_eq!(release.as_deref(), Some("releases"));
        for free in ["add:denied_cards", "remove:trusted_cards", "add:trusted"] {
            assert_eq!(clause(Kind::ListChange, free), None, "{free}");
        }
    }

    #[test]
    fn a_kind_without_clauses_is_held_to_the_shipped_ones() {
        let policy = Policy::parse("review_hours = 1").unwrap();
        for (kind, object) in [
            (Kind::RuleRelease, "publish:v1"),
            (Kind::ListChange, "add:trusted_cards"),
            (Kind::RoleGrant, "analyst"),
            (Kind::KeyChange, "create"),
            (Kind::Export, "trail"),
            (Kind::PolicyChange, "policy"),
        ] {
            let shipped = Policy::shipped().unwrap().clause(kind, object).unwrap();
            assert_eq!(policy.clause(kind, object).unwrap(), shipped);
            assert!(shipped.is_some(), "{kind:?}");
        }
    }

    #[test]
    fn a_policy_cannot_let_its_own_changes_pass() {
        let own = "approvers = 1\napprover = \"approvals:policy\"";
        for weaker in [
            with(own, "approvers = 0\napprover = \"approvals:policy\""),
            with(own, &format!("break_glass = \"approvals:vote\"\n{own}")),
            with(own, &format!("free_per_day = 1\n{own}")),
            with("objects = [\"*\"]", "objects = [\"pol*\"]"),
        ] {
            let error = weaker.unwrap_err();
            assert!(error.to_string().contains("policy_change"), "{error}");
        }
    }

    #[test]
    fn limits_are_kept() {
        for (from, to) in [
            ("review_hours = 72", "review_hours = 0"),
            ("approvers = 1", "approvers = 6"),
            ("expires_hours = 168", "expires_hours = 721"),
            ("free_per_day = 20", "free_per_day = 1001"),
            ("id = \"rules\"", "id = \"policy\""),
            ("id = \"rules\"", "id = \"The rules\""),
            ("objects = [\"*\"]", "objects = []"),
            ("\"add:trusted_*\"", "\"add:*_trusted\""),
            ("approver = \"rules:approve\"", "approver = \"rules:own\""),
            ("mutual_max = 2\n", "mutual_max = 2\nsecret = 1\n"),
            ("command = \"rule_release\"", "command = \"anything\""),
        ] {
            let refused = with(from, to);
            assert!(matches!(refused, Err(Error::PolicyRefused(_))), "{to}");
        }
    }
}
