//! What raises an alert, where it waits and how urgent it is: a file of tables.

use crate::{Disposition, Error, Priority, entity::KINDS};
use paywarden_domain::{Engine, EngineResult, FiredRule, Outcome};
use paywarden_store::Salience;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The policy that the binary ships.
const SHIPPED: &str = include_str!("policy.toml");
const TEXT_BYTES_MAX: usize = 256 * 1024;
const QUEUES_MAX: usize = 16;
const ROWS_MAX: usize = 256;
const CHECKS_MAX: usize = 32;
/// Ninety days.
const MINUTES_MAX: u32 = 129_600;

/// What raises alerts, what they may turn out to be, and what cases are about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Where alerts wait, 1 to 16.
    #[serde(rename = "queue")]
    pub queues: Vec<Queue>,
    /// What raises them; of each engine the first that fits.
    #[serde(rename = "trigger")]
    pub triggers: Vec<Trigger>,
    /// What makes a group.
    pub groups: Groups,
    /// Why alerts and cases are closed as what they were.
    #[serde(rename = "reason")]
    pub reasons: Vec<Reason>,
    /// What cases are about.
    #[serde(rename = "typology")]
    pub typologies: Vec<Typology>,
}

/// Where alerts wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkQueue)]
pub struct Queue {
    /// Name, `snake_case`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The roles that see it; `program` stands for signed requests.
    pub roles: Vec<String>,
    /// Where its alerts are passed up to; nowhere if not given.
    #[serde(default)]
    pub escalates_to: Option<String>,
    /// Queues that are no more, whose open alerts and cases wait here from now on.
    #[serde(default)]
    pub takes_over: Vec<String>,
}

/// When the time until something is due runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueClock {
    /// In the hours of the office.
    Office,
    /// Always.
    Always,
}

/// What raises an alert.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Name, `snake_case`.
    pub id: String,
    /// Whose judgement.
    pub engine: Engine,
    /// That engine's action is one of these; any if empty.
    #[serde(default)]
    pub actions: Vec<Outcome>,
    /// Its score is at least this.
    #[serde(default)]
    pub score_min: u16,
    /// A rule of one of these packs fired; any if empty.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// One of these rules fired; any if empty.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The payer reports the payment, whatever was judged. Says nothing of the four above.
    #[serde(default)]
    pub reported: bool,
    /// Where the alert waits.
    pub queue: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Minutes until somebody should have closed it, at most ninety days.
    pub due_minutes: u32,
    /// When they run.
    pub clock: DueClock,
    /// Whom it is about: the first that the payment names.
    pub subject: Vec<String>,
    /// For so many minutes after its last payment a hit on the same customer joins it, at most
    /// ninety days.
    pub window_minutes: u32,
}

/// What makes alerts a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// Kinds of entity.
    pub by: Vec<String>,
}

/// Why something was closed as what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClosingReason)]
pub struct Reason {
    /// Code, `snake_case`.
    pub code: String,
    /// For people.
    pub title: String,
    /// What it may be a reason for.
    pub dispositions: Vec<Disposition>,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Typology {
    /// Name, `snake_case`.
    pub id: String,
    /// For people.
    pub title: String,
    /// Whose matter it is.
    pub engine: Engine,
    /// What is looked at before it is closed.
    pub checklist: Vec<String>,
}

impl Policy {
    /// The policy that the binary ships.
    pub fn shipped() -> Result<Self, Error> {
        Self::parse(SHIPPED)
    }

    /// Reads a policy and refuses one by which alerts would wait where nobody looks.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > TEXT_BYTES_MAX {
            return refused("it has more than 256 KiB");
        }
        let policy: Self =
            toml::from_str(text).map_err(|error| Error::Policy(error.to_string()))?;
        policy.check()?;
        Ok(policy)
    }

    /// What a decision has to be like for any trigger to fit it: the database is asked for no
    /// other.
    pub fn salience(&self) -> Salience {
        let judging = self.triggers.iter().filter(|one| !one.reported);
        let by_action = judging.clone().flat_map(|trigger| &trigger.actions);
        let by_score = judging.filter(|one| one.actions.is_empty());
        Salience {
            outcome_min: by_action.copied().min(),
            score_min: by_score.map(|trigger| trigger.score_min).min(),
        }
    }

    /// The trigger that an engine's judgement meets; `fired` are the rules that count.
    pub(crate) fn trigger(
        &self,
        engine: Engine,
        judged: &EngineResult,
        fired: &[&FiredRule],
    ) -> Option<&Trigger> {
        let judging = self.triggers.iter().filter(|one| !one.reported);
        let mut own = judging.filter(|trigger| trigger.engine == engine);
        own.find(|trigger| trigger.fits(judged, fired))
    }

    /// The trigger of payments that payers report.
    pub(crate) fn reported(&self) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.reported)
    }

    pub(crate) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// The queue that took over one that is no more.
    pub(crate) fn taken_over_by(&self, gone: &str) -> Option<&str> {
        let took = |queue: &&Queue| queue.takes_over.iter().any(|name| name == gone);
        self.queues.iter().find(took).map(|queue| &*queue.name)
    }

    /// The queues that somebody with these roles sees.
    pub(crate) fn queues_of<'r>(
        &self,
        roles: impl Iterator<Item = &'r str> + Clone,
    ) -> Vec<String> {
        let sees = |queue: &&Queue| {
            let mut roles = roles.clone();
            roles.any(|role| queue.roles.iter().any(|known| known == role))
        };
        let seen = self.queues.iter().filter(sees);
        seen.map(|queue| queue.name.clone()).collect()
    }

    pub(crate) fn typology(&self, id: &str) -> Option<&Typology> {
        self.typologies.iter().find(|typology| typology.id == id)
    }

    /// Refuses a reason that is none for this disposition.
    pub(crate) fn check_reason(&self, disposition: Disposition, code: &str) -> Result<(), Error> {
        let fits = |reason: &&Reason| reason.dispositions.contains(&disposition);
        let possible: Vec<&Reason> = self.reasons.iter().filter(fits).collect();
        match possible.iter().any(|reason| reason.code == code) {
            true => Ok(()),
            false => {
                let codes: Vec<&str> = possible.iter().map(|reason| &*reason.code).collect();
                let why = format!("for {} one of {}", disposition.name(), codes.join(", "));
                Err(Error::field("reason", why))
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        let Self {
            queues,
            triggers,
            reasons,
            typologies,
            ..
        } = self;
        let names = queues.iter().map(|queue| &queue.name);
        let names = names.chain(triggers.iter().map(|trigger| &trigger.id));
        let names = names.chain(reasons.iter().map(|reason| &reason.code));
        let names = names.chain(typologies.iter().map(|typology| &typology.id));
        let mut words = names.chain(typologies.iter().flat_map(|typology| &typology.checklist));
        let unique = |names: Vec<&String>| {
            let count = names.len();
            names.into_iter().collect::<BTreeSet<_>>().len() == count
        };
        let kinds_known = |kinds: &[String]| kinds.iter().all(|kind| KINDS.contains(&&**kind));
        let up = |queue: &Queue| {
            let above = queue.escalates_to.as_deref();
            above.is_none_or(|above| above != queue.name && self.queue(above).is_some())
        };
        let explained = |one: Disposition| {
            let mut reasons = reasons.iter();
            reasons.any(|reason| reason.dispositions.contains(&one))
        };
        let sized = |rows: usize| rows <= ROWS_MAX;
        #[rustfmt::skip]
        let rules = [
            ((1..=QUEUES_MAX).contains(&queues.len()), "it has 1 to 16 queues"),
            (sized(triggers.len()) && sized(reasons.len()) && sized(typologies.len()), "a table has at most 256 rows"),
            (words.all(|word| is_word(word)), "names are lower case words joined by underscores, at most 48 bytes"),
            (unique(queues.iter().map(|queue| &queue.name).collect()), "two queues have one name"),
            (unique(triggers.iter().map(|trigger| &trigger.id).collect()), "two triggers have one id"),
            (unique(typologies.iter().map(|typology| &typology.id).collect()), "two typologies have one id"),
            (queues.iter().all(up), "a queue escalates to another one of the file"),
            (queues.iter().all(|queue| !queue.roles.is_empty()), "a queue has a role that sees it"),
            (triggers.iter().all(|trigger| self.queue(&trigger.queue).is_some()), "a trigger names a queue of the file"),
            (triggers.iter().all(|trigger| trigger.judges() != trigger.reported), "a trigger has actions or score_min, or is reported and has neither, nor scenarios or rules"),
            (triggers.iter().all(|trigger| trigger.due_minutes <= MINUTES_MAX && trigger.window_minutes <= MINUTES_MAX), "a time is at most ninety days"),
            (triggers.iter().all(|trigger| kinds_known(&trigger.subject)), "a subject is a kind of entity"),
            (kinds_known(&self.groups.by), "groups are made by kinds of entity"),
            (Disposition::ALL.into_iter().all(explained), "every disposition has a reason"),
            (typologies.iter().all(|typology| typology.checklist.len() <= CHECKS_MAX), "a checklist has at most 32 entries"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => refused(wrong),
            None => Ok(()),
        }
    }
}

impl Trigger {
    /// Whether it says what a judgement has to be like.
    fn judges(&self) -> bool {
        let by_verdict = !self.actions.is_empty() || self.score_min > 0;
        by_verdict || self.reported && !(self.scenarios.is_empty() && self.rules.is_empty())
    }

    fn fits(&self, judged: &EngineResult, fired: &[&FiredRule]) -> bool {
        let by_rule = |rule: &FiredRule| {
            let pack = rule.rule.split('.').next().unwrap_or_default();
            let of_pack = self.scenarios.is_empty() || self.scenarios.iter().any(|one| one == pack);
            let named = self.rules.is_empty() || self.rules.contains(&rule.rule);
            of_pack && named
        };
        let anything = self.scenarios.is_empty() && self.rules.is_empty();
        (self.actions.is_empty() || self.actions.contains(&judged.action))
            && judged.score >= self.score_min
            && (anything || fired.iter().any(|rule| by_rule(rule)))
    }
}

fn is_word(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=48).contains(&word.len()) && word.bytes().all(plain)
}

fn refused<T>(why: &str) -> Result<T, Error> {
    Err(Error::Policy(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_reads_and_keeps_the_engines_apart() {
        let policy = Policy::shipped().unwrap();
        let of = |role: &str| policy.queues_of([role].into_iter());
        assert_eq!(of("analyst"), ["fraud"]);
        assert_eq!(of("aml_officer"), ["laundering", "laundering_reporting"]);
        assert_eq!(of("program").len(), policy.queues.len());
        assert!(of("system_administrator").is_empty());
        let salience = policy.salience();
        assert_eq!(salience.outcome_min, Some(Outcome::Review));
        assert_eq!(salience.score_min, None);
    }

    #[test]
    fn policies_that_would_lose_alerts_are_refused() {
        let with = |from: &str, to: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            Policy::parse(&SHIPPED.replacen(from, to, 1))
        };
        for (from, to) in [
            ("queue = \"fraud\"\n", "queue = \"nowhere\"\n"),
            (
                "escalates_to = \"fraud_senior\"",
                "escalates_to = \"fraud\"",
            ),
            ("name = \"fraud_senior\"", "name = \"fraud\""),
            ("roles = [\"senior_analyst\", \"program\"]", "roles = []"),
            ("actions = [\"review\"]", "actions = []"),
            ("reported = true", "reported = true\nscore_min = 1"),
            ("reported = true", "reported = true\nrules = [\"a.b\"]"),
            ("reported = true\n", ""),
            ("due_minutes = 60", "due_minutes = 129601"),
            ("subject = [\"customer\"", "subject = [\"nobody\""),
            ("code = \"customer_denies\"", "code = \"Customer denies\""),
        ] {
            assert!(with(from, to).is_err(), "{from} -> {to}");
        }
    }
}
