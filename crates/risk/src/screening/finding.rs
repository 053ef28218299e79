//! What a decision saw of screening: as rules read it, as the trace keeps it, as explanations tell
//! it.

use super::{Holding, ListKind, ROOM};
use crate::Engine;
use paywarden_domain::{
    Card, Country, Event, TenantId,
    event::{AttributeValue, Party},
};
use paywarden_rules::{Field, FieldValue, Slots};
use paywarden_screening::{Birth, Hit, Kind, Query, Room, index::THRESHOLD};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// The attributes that name the banks of a payment.
const BANKS: [&str; 2] = ["payee_bank", "payer_bank"];
/// Texts hold much that is no name: less likely names in them are left alone.
const TEXT_THRESHOLD: f32 = 0.7;
/// Hits of one party that are looked at.
const HITS_MAX: usize = 8;

/// Who or what of an event was screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    Payer,
    Payee,
    Bank,
    Remittance,
}

/// What screening found of one event. Postcard in the store, behind the trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Findings(Vec<Finding>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Finding {
    subject: Subject,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum State {
    /// On no list.
    Clear,
    /// The likeliest party, and the likeliest on a sanctions list.
    Hit {
        best: Match,
        sanctioned: Option<Match>,
    },
    /// The time was over.
    Late,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Match {
    /// In thousandths.
    score: u16,
    kind: ListKind,
    list: String,
    version: String,
    entry: String,
}

/// What screening had found when a payment was decided.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningFact {
    /// `payer`, `payee`, `bank` or `remittance`.
    #[schema(value_type = String)]
    subject: Subject,
    /// `clear`, `hit` or `late`: the time was over before it was screened.
    state: &'static str,
    /// The chance that it is the party named below, 0 to 1.
    score: Option<f64>,
    /// What being on the list means.
    #[schema(value_type = Option<String>)]
    list_kind: Option<ListKind>,
    /// The list.
    list: Option<String>,
    /// SHA-256 of the source of its version.
    version: Option<String>,
    /// The party's identifier within the list.
    entry: Option<String>,
}

/// The fields of one subject: score, kind of list, score on lists of sanctions.
type Fields = (Subject, [Field; 3]);

const FIELDS: [Fields; 4] = [
    (
        Subject::Payer,
        [
            Field::ScreeningPayerScore,
            Field::ScreeningPayerListKind,
            Field::ScreeningPayerSanctions,
        ],
    ),
    (
        Subject::Payee,
        [
            Field::ScreeningPayeeScore,
            Field::ScreeningPayeeListKind,
            Field::ScreeningPayeeSanctions,
        ],
    ),
    (
        Subject::Bank,
        [
            Field::ScreeningBankScore,
            Field::ScreeningBankListKind,
            Field::ScreeningBankSanctions,
        ],
    ),
    (
        Subject::Remittance,
        [
            Field::ScreeningRemittanceScore,
            Field::ScreeningRemittanceListKind,
            Field::ScreeningRemittanceSanctions,
        ],
    ),
];

/// Whether a field is one of screening.
pub(crate) fn is_of_screening(field: Field) -> bool {
    FIELDS.iter().any(|(_, fields)| fields.contains(&field))
}

impl Engine {
    /// Screens the parties of an event against the lists of its tenant, as long as there is time.
    /// Finds nothing where the tenant has no lists: then the fields are missing.
    pub(crate) fn screen_event(
        &self,
        tenant: &TenantId,
        event: &Event<Card>,
        in_time: impl Fn() -> bool,
    ) -> Findings {
        let holdings = self.screening.holdings.load();
        let Some(holding) = holdings.get(tenant).filter(|all| !all.lists.is_empty()) else {
            return Findings::default();
        };
        let cleared = |party: &Party, hits: &mut Vec<Hit<'_>>| self.narrow(tenant, party, hits);
        let findings = ROOM.with_borrow_mut(|room| {
            Screener {
                holding,
                room,
                in_time,
                cleared,
            }
            .event(event)
        });
        let counts = &self.screening.counts;
        let count = |what: fn(&State) -> bool| {
            findings
                .0
                .iter()
                .filter(|finding| what(&finding.state))
                .count() as u64
        };
        let late = count(|state| matches!(state, State::Late));
        counts
            .screened
            .fetch_add(findings.0.len() as u64 - late, Ordering::Relaxed);
        counts.late.fetch_add(late, Ordering::Relaxed);
        counts.hits.fetch_add(
            count(|state| matches!(state, State::Hit { .. })),
            Ordering::Relaxed,
        );
        findings
    }
}

impl Engine {
    /// Takes out the hits that a party was cleared of. It is known by the caller's identifier of it,
    /// else by its account.
    fn narrow(&self, tenant: &TenantId, party: &Party, hits: &mut Vec<Hit<'_>>) {
        let clearances = &self.screening.clearances;
        let reference = party.id.as_ref().or(party.account.as_ref());
        let Some(reference) = reference.filter(|_| !hits.is_empty()) else {
            return;
        };
        if clearances.are_of(tenant) {
            let party = self.screening_party(tenant, reference.as_str());
            clearances.retain((tenant, &party), self.clock.now(), hits);
        }
    }
}

struct Screener<'a, T, C> {
    holding: &'a Holding,
    room: &'a mut Room,
    in_time: T,
    /// Takes out the hits that a party was cleared of.
    cleared: C,
}

impl<T: Fn() -> bool, C: Fn(&Party, &mut Vec<Hit<'_>>)> Screener<'_, T, C> {
    fn event(&mut self, event: &Event<Card>) -> Findings {
        let mut found = Vec::new();
        let parties = [
            (Subject::Payer, &event.payer),
            (Subject::Payee, &event.payee),
        ];
        for (subject, party) in parties {
            let state = party.as_ref().and_then(|party| self.party(party));
            found.extend(state.map(|state| Finding { subject, state }));
        }
        let banks = BANKS
            .iter()
            .filter_map(|name| match event.attributes.find(name) {
                Some(AttributeValue::Text(bank)) => Some(bank.as_str()),
                _ => None,
            });
        let banks = banks.filter_map(|bank| {
            let query = Query::name(bank, Kind::Organisation);
            self.screened(&query, None)
        });
        let bank = banks.reduce(State::graver);
        found.extend(bank.map(|state| Finding {
            subject: Subject::Bank,
            state,
        }));
        if let Some(text) = &event.remittance {
            let state = self.text(text.as_str());
            found.push(Finding {
                subject: Subject::Remittance,
                state,
            });
        }
        Findings(found)
    }

    /// A party by what is known of it; nothing if it has no name with letters.
    fn party(&mut self, party: &Party) -> Option<State> {
        let countries: &[Country] = party.country.as_slice();
        let birth = party.birth_date.as_ref();
        let query = Query {
            name: party.name.as_ref()?.as_str(),
            kind: match party.is_company {
                Some(true) => Kind::Organisation,
                Some(false) => Kind::Person,
                None => Kind::Unknown,
            },
            birth: birth.and_then(|date| Birth::parse(date.as_str())),
            countries,
            identifiers: &[],
        };
        self.screened(&query, Some(party))
    }

    fn screened(&mut self, query: &Query<'_>, party: Option<&Party>) -> Option<State> {
        if !(self.in_time)() {
            return Some(State::Late);
        }
        let index = &self.holding.index;
        let mut hits = index.screen(query, THRESHOLD, HITS_MAX, self.room).ok()?;
        if let Some(party) = party {
            (self.cleared)(party, &mut hits);
        }
        Some(State::of(&hits))
    }

    fn text(&mut self, text: &str) -> State {
        let (index, room) = (&self.holding.index, &mut *self.room);
        match index.screen_text(text, TEXT_THRESHOLD, HITS_MAX, room, &self.in_time) {
            Ok(hits) => State::of(&hits),
            Err(_) => State::Late,
        }
    }
}

impl State {
    /// The likeliest hit; of equally likely ones that on the gravest kind of list.
    fn of(hits: &[Hit<'_>]) -> Self {
        let best = |hits: &mut dyn Iterator<Item = &Hit<'_>>| {
            let matches = hits.map(Match::of);
            matches.reduce(
                |one, other| match (other.score, one.kind) > (one.score, other.kind) {
                    true => other,
                    false => one,
                },
            )
        };
        let mut sanctioned = hits
            .iter()
            .filter(|hit| hit.list.kind == ListKind::Sanctions);
        match best(&mut hits.iter()) {
            None => Self::Clear,
            Some(likeliest) => Self::Hit {
                best: likeliest,
                sanctioned: best(&mut sanctioned),
            },
        }
    }

    /// Of two states of one subject the one that asks for more.
    fn graver(self, other: Self) -> Self {
        let rank = |state: &Self| match state {
            Self::Clear => 0,
            Self::Hit { best, .. } => 1 + u32::from(best.score),
            Self::Late => u32::MAX,
        };
        match rank(&other) > rank(&self) {
            true => other,
            false => self,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Hit { .. } => "hit",
            Self::Late => "late",
        }
    }
}

impl Match {
    fn of(hit: &Hit<'_>) -> Self {
        Self {
            score: (hit.score * 1_000.0).round() as u16,
            kind: hit.list.kind,
            list: hit.list.name.clone(),
            version: hit.list.source_hash.clone(),
            entry: hit.entity.id.clone(),
        }
    }

    fn score(&self) -> f64 {
        f64::from(self.score) / 1_000.0
    }
}

impl Findings {
    /// Whether nothing was screened.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the time was over for some.
    pub(crate) fn are_late(&self) -> bool {
        self.0.iter().any(|finding| finding.state == State::Late)
    }

    /// Fills the fields that rules read. What was not screened stays missing; what was screened and
    /// is on no list scores 0; what the time was too short for is a fault in every rule that reads
    /// it.
    pub(crate) fn fill<'a>(&'a self, slots: &mut Slots<'a>) {
        for finding in &self.0 {
            let fields = FIELDS
                .iter()
                .find(|(subject, _)| *subject == finding.subject);
            let Some((_, [score, kind, sanctions])) = fields else {
                continue;
            };
            match &finding.state {
                State::Clear => {
                    slots.set(*score, FieldValue::Double(0.0));
                    slots.set(*sanctions, FieldValue::Double(0.0));
                }
                State::Hit { best, sanctioned } => {
                    let on_sanctions = sanctioned.as_ref().map_or(0.0, Match::score);
                    slots.set(*score, FieldValue::Double(best.score()));
                    slots.set(*kind, FieldValue::Text(best.kind.name()));
                    slots.set(*sanctions, FieldValue::Double(on_sanctions));
                }
                // A value of another type than the field's is a fault.
                State::Late => {
                    for field in [*score, *kind, *sanctions] {
                        slots.set(field, FieldValue::Bool(false));
                    }
                }
            }
        }
    }

    /// The same for people: the party on a sanctions list beside the likeliest one.
    pub(crate) fn facts(&self) -> Vec<ScreeningFact> {
        let fact = |finding: &Finding, matched: Option<&Match>| ScreeningFact {
            subject: finding.subject,
            state: finding.state.name(),
            score: matched.map(Match::score),
            list_kind: matched.map(|one| one.kind),
            list: matched.map(|one| one.list.clone()),
            version: matched.map(|one| one.version.clone()),
            entry: matched.map(|one| one.entry.clone()),
        };
        let facts = |finding: &Finding| match &finding.state {
            State::Hit { best, sanctioned } => {
                let beside = sanctioned.as_ref().filter(|other| *other != best);
                let all = [Some(best), beside].into_iter().flatten();
                all.map(|one| fact(finding, Some(one))).collect()
            }
            _ => vec![fact(finding, None)],
        };
        self.0.iter().flat_map(facts).collect()
    }
}

#[cfg(test)]
mod tests;
