//! Acts: leaves of the trail as rules about them read them.

use super::{
    access::{self, Access},
    calendar::{Calendar, Local},
};
use paywarden_crypto::keyring::PreparedIndex;
use paywarden_domain::{EventKind, Outcome};
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_rules::{Field, FieldValue, Schema, Slots};
use paywarden_store::{ActRow, trail::Leaf};

/// What leaves are that say what changed: the beginning of the action, what kind of act that is,
/// what it is done to, what its object is. The first that fits counts. Nothing stands for leaves
/// that the request has left as well, and for those of every day.
#[rustfmt::skip]
const LEAVES: &[(&str, Option<&str>, &str, &str)] = &[
    ("staff.sign_in", None, "session", "account"),
    ("staff.prove", None, "session", "account"),
    ("staff.accept", None, "session", "account"),
    ("staff.refuse_sign_in", Some("sign_in"), "session", "account"),
    ("staff.lock", Some("sign_in"), "session", "account"),
    ("staff.invite", Some("grant"), "staff", "account"),
    ("staff.set_roles", Some("grant"), "staff", "account"),
    ("staff.enable", Some("grant"), "staff", "account"),
    ("staff.unlock", Some("grant"), "staff", "account"),
    ("staff.", Some("change"), "staff", "account"),
    ("key.note_use", None, "keys", "key"),
    ("key.", Some("grant"), "keys", "key"),
    ("approval.break_glass", Some("emergency"), "approvals", "approval"),
    ("approval.policy", Some("grant"), "approvals", "approval"),
    ("approval.", Some("change"), "approvals", "approval"),
    ("label.", None, "labels", "payment"),
    ("export.", Some("export"), "other", "other"),
    ("list.", Some("change"), "lists", "list"),
    ("rule_set.", Some("change"), "rules", "rule_set"),
    ("alert.", Some("change"), "alerts", "alert"),
    ("screening.refresh_failed", Some("integrity"), "lists", "list"),
    ("screening.create", None, "lists", "list"),
    ("screening.batch", None, "lists", "list"),
    ("screening.parts", None, "lists", "list"),
    ("screening.watch", None, "lists", "list"),
    ("screening.unwatch", None, "lists", "list"),
    ("screening.alert", None, "lists", "list"),
    ("screening.", Some("change"), "lists", "list"),
    ("rating.override", Some("change"), "other", "other"),
    ("rating.", None, "other", "other"),
    ("trail.", Some("integrity"), "trail", "trail"),
    ("", Some("change"), "other", "other"),
];

/// What requests are done to and what their object is, by the first segment behind the version.
#[rustfmt::skip]
const ROUTES: &[(&str, &str, &str)] = &[
    ("decisions", "decisions", "decision"),
    ("payments", "labels", "payment"),
    ("labels", "labels", "payment"),
    ("lists", "lists", "list"),
    ("screening-lists", "lists", "list"),
    ("screenings", "lists", "list"),
    ("screening-batches", "lists", "list"),
    ("screening-parties", "lists", "list"),
    ("screening-clearances", "lists", "list"),
    ("screening-alerts", "lists", "list"),
    ("rule-set", "rules", "rule_set"),
    ("rule-sets", "rules", "rule_set"),
    ("rules", "rules", "rule_set"),
    ("approvals", "approvals", "approval"),
    ("approval-delegations", "approvals", "approval"),
    ("approval-policy", "approvals", "approval"),
    ("staff", "staff", "account"),
    ("roles", "staff", "account"),
    ("keys", "keys", "key"),
    ("session", "session", "session"),
    ("trail", "trail", "trail"),
    ("security-alerts", "alerts", "alert"),
];

/// Actions whose leaves say that something was refused.
const REFUSALS: &[&str] = &["staff.refuse_sign_in", "staff.lock"];

/// A leaf that cannot be read.
pub(super) struct Unreadable;

/// One act.
pub(super) struct Act<'a> {
    pub row: &'a ActRow,
    pub leaf: Leaf<'a>,
    access: Option<Access>,
    /// The kind of act, by its number among windows and in words.
    kind: EventKind,
    word: &'static str,
    action: String,
    area: &'static str,
    object_kind: &'static str,
    local: Local,
    hour: String,
    pair: Option<String>,
}

impl<'a> Act<'a> {
    /// Reads a leaf; none if it is none that rules are asked about.
    pub fn read(row: &'a ActRow, calendar: &Calendar) -> Result<Option<Self>, Unreadable> {
        let leaf = row.read().ok_or(Unreadable)?;
        let access: Option<Access> = match access::Kind::word(leaf.action) {
            Some(_) => Some(leaf.purpose.parse().map_err(|()| Unreadable)?),
            None => None,
        };
        let of_access = |access: &Access| {
            let (area, object) = of_route(&access.route);
            Some((access::Kind::word(leaf.action)?, area, object))
        };
        let known = access
            .as_ref()
            .map_or_else(|| of_leaf(leaf.action), of_access);
        let Some((word, area, object_kind)) = known else {
            return Ok(None);
        };
        let action = access.as_ref().map_or(leaf.action, |access| &access.route);
        let local = calendar.at(row.written_at);
        let other = access.as_ref().and_then(|access| access.subject.as_deref());
        let pair = other
            .filter(|other| is_actor(other))
            .map(|other| match leaf.actor < other {
                true => format!("{} {other}", leaf.actor),
                false => format!("{other} {}", leaf.actor),
            });
        Ok(Some(Self {
            row,
            kind: Schema::ACTS.kind(word).ok_or(Unreadable)?,
            word,
            action: action.to_owned(),
            area,
            object_kind,
            local,
            hour: format!("{:02}", local.hour),
            pair,
            access,
            leaf,
        }))
    }

    /// Whether it went through.
    pub fn outcome(&self) -> Outcome {
        let refused = match &self.access {
            Some(access) => access.refusal.is_some(),
            None => REFUSALS.contains(&self.leaf.action),
        };
        match refused {
            true => Outcome::Decline,
            false => Outcome::Approve,
        }
    }

    /// Who is to be looked at: the actor, or whom it was about if Paywarden itself acted.
    pub fn suspect(&self) -> String {
        match (self.leaf.actor.split_once(':'), self.object_kind) {
            (Some(("system", _)), "account") => format!("staff:{}", self.leaf.object),
            (Some(("system", _)), "key") => format!("key:{}", self.leaf.object),
            _ => self.leaf.actor.to_owned(),
        }
    }

    /// The other people that it is about.
    pub fn others(&self) -> Option<&str> {
        let access = self.access.as_ref();
        let subject = access.and_then(|access| access.subject.as_deref());
        subject.filter(|subject| is_actor(subject))
    }

    /// What windows keep of it.
    pub fn event(&self, index: &PreparedIndex) -> FeatureEvent {
        let at = self.row.written_at.micros();
        let mut event = FeatureEvent::new(self.kind, at);
        event.amount = Some(self.count());
        for kind in EntityKind::ALL {
            let key = Schema::ACTS
                .entity_name(kind)
                .and_then(|name| Some((name, self.key(name)?)));
            if let Some((name, key)) = key {
                let hash = index.of(self.leaf.tenant, format!("{name} {key}").as_bytes());
                let (first, _) = hash.split_first_chunk().unwrap_or((&[0; 8], &[]));
                event.entities[kind as usize] = u64::from_be_bytes(*first).max(1);
            }
        }
        event
    }

    /// What rules read of it beside windows.
    pub fn fill<'s>(&'s self, slots: &mut Slots<'s>) {
        use FieldValue::{Bool, Int, Text, Timestamp};
        let access = self.access.as_ref();
        let refusal = access.and_then(|access| access.refusal.as_deref());
        let role = access.map(|access| access.roles.as_str());
        let role = role.filter(|roles| !roles.is_empty());
        let outcome = Schema::ACTS.outcome_name(self.outcome());
        let actor_kind = match self.leaf.actor.split_once(':') {
            Some(("staff", _)) => "person",
            Some(("key", _)) => "key",
            _ => "system",
        };
        let values = [
            (Field::ActType, Some(Text(self.word))),
            (Field::ActAction, Some(Text(&self.action))),
            (Field::ActArea, Some(Text(self.area))),
            (Field::ActOutcome, outcome.map(Text)),
            (Field::ActRefusal, refusal.map(Text)),
            (Field::ActCount, Some(Int(self.count()))),
            (Field::ActObjectKind, Some(Text(self.object_kind))),
            (
                Field::ActOccurredAt,
                Some(Timestamp(self.row.written_at.micros())),
            ),
            (Field::ActHourLocal, Some(Int(self.local.hour))),
            (Field::ActWeekday, Some(Int(self.local.weekday))),
            (Field::ActOfficeHours, Some(Bool(self.local.is_open))),
            (
                Field::ActNetworkKnown,
                access.map(|access| Bool(access.is_inside)),
            ),
            (
                Field::ActSensitive,
                access.map(|access| Bool(access.is_sensitive)),
            ),
            (Field::ActApproved, Some(Bool(self.leaf.approval.is_some()))),
            (Field::ActorKind, Some(Text(actor_kind))),
            (Field::ActorRole, role.map(Text)),
        ];
        for (field, value) in values {
            slots.set(field, value.unwrap_or_default());
        }
        for name in Schema::ACTS.entity_names() {
            if let Some(field) = Schema::ACTS.field(name) {
                slots.set(field, self.key(name).map(Text).unwrap_or_default());
            }
        }
    }

    fn count(&self) -> i64 {
        self.access
            .as_ref()
            .map_or(1, |access| i64::from(access.count))
    }

    /// The key of an entity. Paywarden itself is nobody.
    fn key(&self, entity: &str) -> Option<&str> {
        let access = self.access.as_ref();
        let key = match entity {
            "actor" => Some(self.leaf.actor).filter(|actor| is_actor(actor)),
            "object" => Some(self.leaf.object),
            "subject" => access.and_then(|access| access.subject.as_deref()),
            "network" => access.and_then(|access| access.network.as_deref()),
            "session" => access.and_then(|access| access.session.as_deref()),
            "action" => Some(self.action.as_str()),
            "area" => Some(self.area),
            "hour" => Some(self.hour.as_str()),
            "pair" => self.pair.as_deref(),
            _ => None,
        };
        key.filter(|key| !key.is_empty())
    }
}

fn is_actor(text: &str) -> bool {
    text.starts_with("staff:") || text.starts_with("key:")
}

fn of_leaf(action: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let found = LEAVES.iter().find(|(start, ..)| action.starts_with(start));
    let (_, kind, area, object) = found?;
    Some(((*kind)?, *area, *object))
}

fn of_route(route: &str) -> (&'static str, &'static str) {
    let first = route.split('/').nth(2).unwrap_or_default();
    let found = ROUTES.iter().find(|(segment, ..)| *segment == first);
    found.map_or(("other", "other"), |(_, area, object)| (*area, *object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_rules::act_words;

    #[test]
    fn every_word_of_the_tables_is_one_that_rules_know() {
        for (_, kind, area, object) in LEAVES {
            assert!(kind.is_none_or(|kind| act_words::TYPES.contains(&kind)));
            assert!(act_words::AREAS.contains(area) && act_words::OBJECTS.contains(object));
        }
        for (_, area, object) in ROUTES {
            assert!(act_words::AREAS.contains(area) && act_words::OBJECTS.contains(object));
        }
    }

    #[test]
    fn leaves_are_told_apart_by_the_longest_row_that_fits() {
        assert_eq!(
            of_leaf("staff.set_roles"),
            Some(("grant", "staff", "account"))
        );
        assert_eq!(
            of_leaf("staff.add_passkey"),
            Some(("change", "staff", "account"))
        );
        assert_eq!(of_leaf("key.rotate"), Some(("grant", "keys", "key")));
        assert_eq!(of_leaf("key.note_use"), None);
        assert_eq!(of_leaf("unheard_of"), Some(("change", "other", "other")));
        assert_eq!(
            of_route("GET /v1/decisions/{id}"),
            ("decisions", "decision")
        );
        assert_eq!(of_route("GET /v1/unheard"), ("other", "other"));
    }
}
