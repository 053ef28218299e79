//! When a value ends: the rows of the privacy policy that say how long, and what keeps it longer. A
//! function of what is known: it reads no clock and asks no store.

use crate::{
    policy::{Data, Jurisdiction, Policy},
    subject::{Agreed, Consent, Standing},
};
use paywarden_domain::{Timestamp, time::DAY};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

const FLOORS: &str = include_str!("floors.toml");
/// The collection of evidence against laundering.
const EVIDENCE: &str = "evidence";
/// The longest that a row keeps: a hundred years.
const DAYS_MAX: u32 = 36_600;

/// A row of the policy: values of a kind end so many days after something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keep {
    pub(crate) id: String,
    pub(crate) of: String,
    /// Where people live of whom it speaks; everywhere if empty.
    #[serde(default)]
    jurisdictions: Vec<Jurisdiction>,
    #[serde(default)]
    after: After,
    days: u32,
}

/// What the days of a row are counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum After {
    /// When the value was written.
    #[default]
    Written,
    /// When the business relationship ended. While it lasts nothing is due.
    Relation,
    /// When the last consent ended of those that its purposes need. While one counts, and where
    /// nobody was ever asked, nothing is due.
    Consent,
}

/// What becomes of a value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionFate)]
pub enum Fate {
    /// It ends.
    Ends,
    /// It is due, and a hold keeps it.
    LegalHold,
    /// It is due, and the law against laundering keeps it: see `floors.toml`.
    AmlEvidence,
    /// It is due, and the person has had handling restricted, which also keeps it from being erased
    /// (GDPR, article 18(1)(b) and (c)).
    Restricted,
    /// Its time has not come.
    NotDue,
    /// No row speaks of it.
    NotScheduled,
}

impl Fate {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ends => "ends",
            Self::LegalHold => "legal_hold",
            Self::AmlEvidence => "aml_evidence",
            Self::Restricted => "restricted",
            Self::NotDue => "not_due",
            Self::NotScheduled => "not_scheduled",
        }
    }
}

/// A person before a schedule.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'s> {
    pub(crate) policy: &'s Policy,
    pub(crate) person: &'s Standing,
    /// The moment by which something is due.
    pub(crate) as_of: Timestamp,
    /// The moment at which holds count.
    pub(crate) now: Timestamp,
}

impl<'s> Scene<'s> {
    /// Whose law holds for the person.
    pub(crate) fn jurisdiction(self) -> Jurisdiction {
        self.person.jurisdiction.unwrap_or(self.policy.jurisdiction)
    }

    /// What becomes of a value of the vault, and by which row, if one is due.
    pub(crate) fn fate(
        self,
        (retention, class): (&str, &str),
        made_at: Timestamp,
    ) -> (Fate, Option<&'s Keep>) {
        let data = Data {
            set: "vault",
            collection: retention,
            field: class,
        };
        let mut rows = self.policy.keeps().filter(|row| self.speaks(row, data));
        let Some(first) = rows.next() else {
            return (Fate::NotScheduled, None);
        };
        let is_due = |row: &&Keep| {
            let since = self.counted_from(row.after, data, made_at);
            since.is_some_and(|since| is_over(since, row.days, self.as_of))
        };
        let due = std::iter::once(first).chain(rows).find(is_due);
        let fate = match due {
            None => Fate::NotDue,
            Some(_) if self.person.hold(self.now).is_some() => Fate::LegalHold,
            Some(_) if self.person.restricted_at.is_some() => Fate::Restricted,
            Some(_) if retention == EVIDENCE && !self.law_lets_go(made_at) => Fate::AmlEvidence,
            Some(_) => Fate::Ends,
        };
        (fate, due)
    }

    fn speaks(self, row: &Keep, data: Data<'_>) -> bool {
        let here = row.jurisdictions.is_empty() || row.jurisdictions.contains(&self.jurisdiction());
        here && data.is_within(&row.of)
    }

    fn counted_from(self, after: After, data: Data<'_>, made_at: Timestamp) -> Option<Timestamp> {
        match after {
            After::Written => Some(made_at),
            After::Relation => Some(self.person.relation_ended_at?.max(made_at)),
            After::Consent => Some(self.consent_ended(data)?.max(made_at)),
        }
    }

    /// When the last consent ended that a purpose of this data needs; nothing while one counts, and
    /// where nobody was asked.
    fn consent_ended(self, data: Data<'_>) -> Option<Timestamp> {
        let is_needed = |consent: &&Consent| {
            let purpose = self.policy.purpose(&consent.purpose);
            let basis = purpose.and_then(|purpose| purpose.basis(self.jurisdiction()));
            let needs = basis.is_some_and(|basis| basis.consent);
            needs && self.policy.is_attached(data, &consent.purpose)
        };
        let asked = self.person.consents.iter().filter(is_needed);
        let ends = asked.map(
            |consent| match self.person.agreed(&consent.purpose, self.now) {
                Agreed::Given(_) => None,
                _ => consent.withdrawn_at.or(consent.expires_at),
            },
        );
        // One that counts makes nothing of all.
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    fn law_lets_go(self, made_at: Timestamp) -> bool {
        let since = self
            .person
            .relation_ended_at
            .unwrap_or(made_at)
            .max(made_at);
        let floor = floor(self.jurisdiction());
        floor.is_some_and(|floor| is_over(since, floor.days, self.as_of))
    }
}

/// The first rule that a row breaks.
pub(crate) fn broken(row: &Keep) -> Option<&'static str> {
    let rules = [
        (
            crate::words::is_word(&row.id),
            "a row has an id: lower case words joined by underscores",
        ),
        (
            row.of == "vault" || row.of.starts_with("vault."),
            "a row is about vault, vault.collection or vault.collection.field",
        ),
        ((1..=DAYS_MAX).contains(&row.days), "days are 1 to 36,600"),
    ];
    crate::words::first_broken(&rules)
}

fn is_over(since: Timestamp, days: u32, as_of: Timestamp) -> bool {
    let end = since.micros().saturating_add(i64::from(days) * DAY);
    end <= as_of.micros()
}

#[derive(Deserialize)]
struct Floor {
    jurisdiction: Jurisdiction,
    days: u32,
}

/// How long the law of a jurisdiction keeps evidence.
fn floor(jurisdiction: Jurisdiction) -> Option<&'static Floor> {
    #[derive(Deserialize)]
    struct Table {
        floor: Vec<Floor>,
    }
    // A test reads the table, so that a program that was built has one.
    static TABLE: LazyLock<Vec<Floor>> = LazyLock::new(|| {
        toml::from_str(FLOORS).map_or_else(|_| Vec::new(), |table: Table| table.floor)
    });
    TABLE
        .iter()
        .find(|floor| floor.jurisdiction == jurisdiction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::SHIPPED, subject::Hold};

    const START: i64 = 1_790_000_000_000_000;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_micros(START + day * DAY)
    }

    fn consent(purpose: &str) -> Consent {
        Consent {
            record: "con_1".to_owned(),
            receipt: "rcp_1".to_owned(),
            purpose: purpose.to_owned(),
            notice: "standard".to_owned(),
            notice_version: 0,
            notice_sha256: String::new(),
            clause: "offers".to_owned(),
            given_at: at(0),
            expires_at: None,
            withdrawn_at: None,
            language: "en".to_owned(),
            method: "web_form".to_owned(),
        }
    }

    /// What becomes on a day of a value that was written on day 0.
    fn fate(policy: &Policy, person: &Standing, kind: (&str, &str), day: i64) -> Fate {
        let scene = Scene {
            policy,
            person,
            as_of: at(day),
            now: at(day),
        };
        scene.fate(kind, at(0)).0
    }

    fn policy(rows: &str) -> Policy {
        let without = SHIPPED.split("[[keep]]").next().unwrap();
        Policy::parse(&format!("{without}\n{rows}")).unwrap()
    }

    const TEN_DAYS: &str = "[[keep]]\nid = \"short\"\nof = \"vault\"\ndays = 10\n";
    const CARD: (&str, &str) = ("contract", "card_number");

    #[test]
    fn a_value_ends_on_the_day_and_not_before() {
        let (policy, person) = (policy(TEN_DAYS), Standing::default());
        assert_eq!(fate(&policy, &person, CARD, 9), Fate::NotDue);
        assert_eq!(fate(&policy, &person, CARD, 10), Fate::Ends);
    }

    #[test]
    fn a_policy_without_rows_ends_nothing() {
        let (policy, person) = (policy(""), Standing::default());
        assert_eq!(fate(&policy, &person, CARD, 40_000), Fate::NotScheduled);
    }

    #[test]
    fn holds_restrictions_and_the_law_keep_what_is_due() {
        let policy = policy(TEN_DAYS);
        let held = Standing {
            holds: vec![Hold {
                reference: "case_1".to_owned(),
                placed_at: at(0),
                until: Some(at(20)),
            }],
            restricted_at: Some(at(1)),
            ..Standing::default()
        };
        assert_eq!(fate(&policy, &held, CARD, 9), Fate::NotDue);
        assert_eq!(fate(&policy, &held, CARD, 19), Fate::LegalHold);
        assert_eq!(fate(&policy, &held, CARD, 20), Fate::Restricted);
        let evidence = ("evidence", "card_number");
        for (jurisdiction, years_over) in [
            (Jurisdiction::Generic, 1_827),
            (Jurisdiction::Gdpr, 1_827),
            (Jurisdiction::Uk, 1_827),
            (Jurisdiction::Ccpa, 1_827),
            (Jurisdiction::Pipl, 3_653),
        ] {
            let mut person = Standing {
                jurisdiction: Some(jurisdiction),
                ..Standing::default()
            };
            let before = fate(&policy, &person, evidence, years_over - 1);
            assert_eq!(before, Fate::AmlEvidence, "{jurisdiction:?}");
            assert_eq!(fate(&policy, &person, evidence, years_over), Fate::Ends);
            // The law counts from the end of the relationship where that is known.
            person.relation_ended_at = Some(at(100));
            let since = fate(&policy, &person, evidence, years_over + 99);
            assert_eq!(since, Fate::AmlEvidence);
        }
    }

    #[test]
    fn what_is_counted_from_the_relation_or_a_consent_waits_for_its_end() {
        let relation = policy(
            "[[keep]]\nid = \"a\"\nof = \"vault.contract\"\nafter = \"relation\"\ndays = 5\n",
        );
        let mut person = Standing::default();
        assert_eq!(fate(&relation, &person, CARD, 30_000), Fate::NotDue);
        person.relation_ended_at = Some(at(50));
        assert_eq!(fate(&relation, &person, CARD, 54), Fate::NotDue);
        assert_eq!(fate(&relation, &person, CARD, 55), Fate::Ends);

        let consent_row = policy(
            "[[keep]]\nid = \"b\"\nof = \"vault.marketing\"\nafter = \"consent\"\ndays = 5\n",
        );
        let offers = ("marketing", "email");
        let mut person = Standing::default();
        assert_eq!(fate(&consent_row, &person, offers, 30_000), Fate::NotDue);
        let mut withdrawn = consent("marketing");
        withdrawn.withdrawn_at = Some(at(10));
        person.consents = vec![withdrawn, consent("analytics")];
        assert_eq!(fate(&consent_row, &person, offers, 30_000), Fate::NotDue);
        person.consents[1].expires_at = Some(at(20));
        assert_eq!(fate(&consent_row, &person, offers, 24), Fate::NotDue);
        assert_eq!(fate(&consent_row, &person, offers, 25), Fate::Ends);
        // A consent that these data do not need says nothing.
        person.consents = vec![consent("settlement")];
        assert_eq!(fate(&consent_row, &person, offers, 30_000), Fate::NotDue);
    }

    #[test]
    fn rows_may_speak_of_some_places_and_fields_alone_and_the_first_that_is_due_counts() {
        let policy = policy(
            "[[keep]]\nid = \"a\"\nof = \"vault.*.email\"\njurisdictions = [\"gdpr\"]\ndays = 9\n\
             [[keep]]\nid = \"b\"\nof = \"vault.contract\"\ndays = 5\n",
        );
        let mut person = Standing::default();
        assert_eq!(
            fate(&policy, &person, ("marketing", "email"), 9),
            Fate::NotScheduled
        );
        person.jurisdiction = Some(Jurisdiction::Gdpr);
        assert_eq!(
            fate(&policy, &person, ("marketing", "email"), 9),
            Fate::Ends
        );
        let scene = Scene {
            policy: &policy,
            person: &person,
            as_of: at(6),
            now: at(6),
        };
        let (fate, row) = scene.fate(("contract", "email"), at(0));
        assert_eq!((fate, row.unwrap().id.as_str()), (Fate::Ends, "b"));
    }

    #[test]
    fn rows_that_say_nothing_are_refused() {
        for row in [
            "id = \"A\"\nof = \"vault\"\ndays = 1",
            "id = \"a\"\nof = \"decisions\"\ndays = 1",
            "id = \"a\"\nof = \"vault..x\"\ndays = 1",
            "id = \"a\"\nof = \"vault\"\ndays = 0",
            "id = \"a\"\nof = \"vault\"\ndays = 36601",
            "id = \"a\"\nof = \"vault\"\ndays = 1\nafter = \"ever\"",
            "id = \"a\"\nof = \"vault\"\ndays = 1\nuntil = 1",
            "id = \"a\"\nof = \"vault\"\ndays = 1\n[[keep]]\nid = \"a\"\nof = \"vault\"\ndays = 2",
        ] {
            let text = format!(
                "{}\n[[keep]]\n{row}\n",
                SHIPPED.split("[[keep]]").next().unwrap()
            );
            assert!(Policy::parse(&text).is_err(), "{row}");
        }
    }

    #[test]
    fn every_jurisdiction_has_a_floor() {
        let days = Jurisdiction::ALL.map(|one| floor(one).unwrap().days);
        assert_eq!(days, [1_827, 1_827, 1_827, 3_653, 1_827]);
    }
}
