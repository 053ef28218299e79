//! Large values: money of a customer on a day that is reported for its amount alone, found in the
//! journal and drafted, each once.
//!
//! What makes a draft once is its reference, which says customer, day, rule and direction: a run
//! that is repeated, or broken off and begun anew, finds the same references taken.

use super::{Draft, Error, ReportView, Reports};
use paywarden_access::approval::Who;
use paywarden_domain::{
    Card, Country, Event, PaymentId, TenantId, Timestamp, event::Party as EventParty,
};
use paywarden_filings::{
    Day, Due, Duty, LargeValue, Movement, Profile, Report,
    large::assess,
    report::{
        Company, PARTIES_MAX, Party, Person, ReportingEntity, STRUCTURE, Side, TRANSACTIONS_MAX,
        Transaction, Who as Whom,
    },
};
use paywarden_risk::{Engine, movement::channel};
use paywarden_store::Actor;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use utoipa::ToSchema;

/// As whom days are looked at that nobody asked for, in the trail.
const SYSTEM: &str = "large_values";
/// How often it is looked whether a day is over.
const LOOK: Duration = Duration::from_secs(3_600);
/// Days that are caught up with at a time.
const DAYS_MAX: i64 = 31;
/// How the subject of a draft is named in it.
const SUBJECT: &str = "subject";

/// Who reports for a company.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// Who it is.
    pub entity: ReportingEntity,
    /// Days on which nobody works.
    #[serde(default)]
    pub holidays: BTreeSet<Day>,
}

/// Who reports, by company.
pub type Reporters = HashMap<TenantId, Reporter>;

/// What a look at a day came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct LargeValueRun {
    /// The day, at the place of the profile.
    pub day: Day,
    /// The profile.
    pub profile: String,
    /// Movements of that day.
    pub movements: usize,
    /// What has to be reported.
    pub found: Vec<LargeValueFound>,
    /// Payments of which a rate is missing: nobody knows whether they are large.
    pub unknown: Vec<String>,
}

/// What has to be reported of one customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct LargeValueFound {
    /// The reference of its report.
    pub reference: String,
    /// `customer:hash`.
    pub customer: String,
    /// The rule of the profile.
    pub rule: String,
    /// Whether they got the money.
    pub is_incoming: bool,
    /// How many payments.
    pub payments: usize,
    /// Until when.
    pub due: Option<Due>,
    /// `found` by a dry run, `drafted` now, or `known` from before.
    pub state: &'static str,
    /// The draft that was made.
    pub report: Option<String>,
}

impl LargeValueFound {
    fn of(large: &LargeValue) -> Self {
        Self {
            reference: reference(large),
            customer: large.party.clone(),
            rule: large.rule.clone(),
            is_incoming: large.is_incoming,
            payments: large.movements.len(),
            due: None,
            state: "found",
            report: None,
        }
    }

    /// Writes down what became of its draft.
    fn tell(&mut self, drafted: Result<ReportView, Error>) -> Result<(), Error> {
        match drafted {
            Ok(view) => {
                (self.state, self.due) = ("drafted", view.due);
                self.report = Some(view.id);
            }
            // Somebody else may be drafting the same at this moment.
            Err(Error::ReferenceTaken | Error::State(_)) => self.state = "known",
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

type ById<'m> = BTreeMap<&'m str, &'m Movement>;

/// Looks at days.
#[derive(Clone)]
pub struct LargeValues {
    engine: Arc<Engine>,
    reports: Arc<Reports>,
    reporters: Arc<Reporters>,
}

impl LargeValues {
    /// Over the same store as both.
    pub fn new(engine: Arc<Engine>, reports: Arc<Reports>, reporters: Arc<Reporters>) -> Self {
        Self {
            engine,
            reports,
            reporters,
        }
    }

    /// Looks at a day of a company; unless it is a dry run, drafts what has no report yet. Errors:
    /// [`Error::ProfileUnknown`] for a company without a country, [`Error::NoReporter`].
    pub async fn run(&self, who: &Who, day: Day, is_dry: bool) -> Result<LargeValueRun, Error> {
        let tenant = &who.tenant;
        let countries = self.engine.jurisdictions();
        let profile = countries
            .profiles
            .get(tenant)
            .ok_or(Error::ProfileUnknown)?;
        let reporter = match is_dry {
            true => None,
            false => Some(self.reporter(tenant, profile, day)?),
        };
        let movements = self.engine.movements(tenant, profile, day).await?;
        let assessment = assess(profile, &movements, &countries.rates);
        let by_id: ById<'_> = movements.iter().map(|one| (one.id.as_str(), one)).collect();
        let mut found = Vec::with_capacity(assessment.large.len());
        for large in &assessment.large {
            let mut one = LargeValueFound::of(large);
            if let Some(reporter) = reporter {
                let report = self
                    .report(tenant, (profile, reporter), (large, &by_id))
                    .await?;
                let draft = Draft::new(&self.engine, tenant, report, reporter.holidays.clone());
                one.tell(self.reports.draft(who, draft).await)?;
            }
            found.push(one);
        }
        Ok(LargeValueRun {
            day,
            profile: profile.name.clone(),
            movements: movements.len(),
            found,
            unknown: assessment.unknown,
        })
    }

    /// Who reports a day of a company that may be drafted.
    fn reporter(&self, tenant: &TenantId, profile: &Profile, day: Day) -> Result<&Reporter, Error> {
        let reporter = self.reporters.get(tenant).ok_or(Error::NoReporter)?;
        // A draft is made once: what came later would be missing from it.
        let last = self.last_over(profile);
        match day > last {
            true => Err(Error::DayOpen(last)),
            false => Ok(reporter),
        }
    }

    /// Looks at every day that is over, and whose payments are all told of, until it is stopped. How
    /// far that is stands in the store.
    pub async fn keep(self) {
        loop {
            for tenant in self.reporters.keys() {
                if let Err(error) = self.catch_up(tenant).await {
                    tracing::error!(%tenant, %error, "large values not looked for");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks at the days of a company that are over, at most 31 at a time; how many.
    pub async fn catch_up(&self, tenant: &TenantId) -> Result<usize, Error> {
        let profile = self.engine.jurisdictions().profiles.get(tenant);
        let Some(profile) = profile.filter(|profile| !profile.large_values.is_empty()) else {
            return Ok(0);
        };
        let who = Who {
            tenant: tenant.clone(),
            actor: Actor::System(SYSTEM),
        };
        let last = self.last_over(profile);
        let (first, version) = match self.reports.looked_at(tenant).await? {
            Some((day, version)) => (day.after(1), version),
            // Whoever begins today has nothing behind them.
            None => (last, 0),
        };
        let mut looked = 0;
        for step in 0..DAYS_MAX {
            let day = first.after(step);
            if day > last {
                break;
            }
            let run = self.run(&who, day, false).await?;
            let (large, unknown) = (run.found.len(), run.unknown.len());
            tracing::info!(%tenant, %day, large, unknown, "large values looked for");
            self.reports.look_at(&who, day, version + step + 1).await?;
            looked += 1;
        }
        Ok(looked)
    }

    /// The last day whose payments are all told of.
    fn last_over(&self, profile: &Profile) -> Day {
        let now = self.reports.now().micros();
        let told = Timestamp::from_micros(now.saturating_sub(self.engine.told_late_max()));
        Day::of(told, profile.utc_offset_hours).after(-1)
    }

    /// The draft of a large value: whose it is, with whom, and what moved.
    async fn report(
        &self,
        tenant: &TenantId,
        (profile, reporter): (&Profile, &Reporter),
        (large, movements): (&LargeValue, &ById<'_>),
    ) -> Result<Report, Error> {
        let home = reporter.entity.address.country;
        let mut draft = Parts::default();
        for id in large.movements.iter().take(TRANSACTIONS_MAX) {
            let payment =
                PaymentId::parse(id).map_err(|error| Error::Internal(error.to_string()))?;
            let event = self.engine.event_of(tenant, &payment).await?;
            draft.add(&event, large.is_incoming, home);
        }
        let all = large
            .movements
            .iter()
            .filter_map(|id| movements.get(id.as_str()));
        let last = all.map(|one| one.at).max();
        Ok(Report {
            structure: STRUCTURE,
            profile: profile.name.clone(),
            duty: Duty::LargeValue,
            reference: reference(large),
            earlier: None,
            case: None,
            detected_at: last.unwrap_or_else(|| self.reports.now()),
            reporting_entity: reporter.entity.clone(),
            parties: draft.parties,
            accounts: Vec::new(),
            transactions: draft.transactions,
            indicators: feature(profile, large),
            narrative: String::new(),
            reason: Some(reason(profile, large)),
            action: None,
            attachments: Vec::new(),
            prepared_by: None,
            approved_by: None,
        })
    }
}

/// Parties and transactions of a draft, while they are put together.
#[derive(Default)]
struct Parts {
    parties: Vec<Party>,
    transactions: Vec<Transaction>,
}

impl Parts {
    fn add(&mut self, event: &Event<Card>, is_incoming: bool, home: Country) {
        let (Some(payer), Some(amount)) = (&event.payer, event.amount) else {
            return;
        };
        if self.parties.is_empty() {
            self.parties.push(party(SUBJECT.to_owned(), payer, true));
        }
        let own = Side {
            account: None,
            party: Some(SUBJECT.to_owned()),
            country: payer.country.unwrap_or(home),
        };
        // Of a top-up nobody says where the money comes from.
        let payee = event.payee.as_ref().filter(|_| !is_incoming);
        let other = Side {
            account: None,
            party: payee.and_then(|payee| self.other(payee)),
            country: payee.and_then(|payee| payee.country).unwrap_or(home),
        };
        let (from, to) = match is_incoming {
            true => (other, own),
            false => (own, other),
        };
        self.transactions.push(Transaction {
            number: event.id.as_str().to_owned(),
            at: event.occurred_at,
            amount,
            local: None,
            rate: None,
            channel: channel(event),
            description: event
                .remittance
                .as_ref()
                .map(|text| text.as_str().to_owned()),
            location: None,
            from,
            to,
            is_suspicious: true,
        });
    }

    /// Who is paid, once however often they are; nobody once there are as many as a report takes.
    fn other(&mut self, payee: &EventParty) -> Option<String> {
        let new = party(String::new(), payee, false);
        let same =
            |known: &&Party| (&known.who, &known.client_number) == (&new.who, &new.client_number);
        if let Some(known) = self.parties.iter().skip(1).find(same) {
            return Some(known.id.clone());
        }
        if self.parties.len() >= PARTIES_MAX {
            return None;
        }
        let id = format!("payee_{}", self.parties.len());
        self.parties.push(Party {
            id: id.clone(),
            ..new
        });
        Some(id)
    }
}

/// A party as far as payments tell of it; whoever files the report completes it.
fn party(id: String, known: &EventParty, is_subject: bool) -> Party {
    let text = |text: &Option<paywarden_domain::event::Text>| {
        text.as_ref().map(|text| text.as_str().to_owned())
    };
    let who = match known.is_company {
        Some(true) => Whom::Company(Company {
            name: text(&known.name),
            trade_name: None,
            legal_form: None,
            registration_number: None,
            country: known.country,
            incorporated_on: None,
            business: None,
            directors: Vec::new(),
        }),
        _ => Whom::Person(Person {
            first_name: None,
            middle_name: None,
            last_name: text(&known.name),
            aliases: Vec::new(),
            gender: None,
            birth_date: known
                .birth_date
                .as_ref()
                .and_then(|date| Day::parse(date).ok()),
            birth_place: None,
            nationality: None,
            residence: known.country,
            occupation: None,
        }),
    };
    Party {
        id,
        is_subject,
        is_client: is_subject,
        who,
        addresses: Vec::new(),
        phones: Vec::new(),
        email: text(&known.email),
        identifications: Vec::new(),
        client_number: text(&known.id),
        remark: None,
    }
}

/// The same of the same customer, day, rule and direction.
fn reference(large: &LargeValue) -> String {
    let customer = large.party.rsplit(':').next().unwrap_or_default();
    let way = if large.is_incoming { "in" } else { "out" };
    format!("LV-{}-{}-{way}-{customer}", large.day, large.rule)
}

/// The rule, where the unit has a code for it.
fn feature(profile: &Profile, large: &LargeValue) -> Vec<String> {
    let code = profile.code("large_value", &large.rule);
    code.map(|_| large.rule.clone()).into_iter().collect()
}

fn reason(profile: &Profile, large: &LargeValue) -> String {
    let rule = profile
        .large_values
        .iter()
        .find(|rule| rule.id == large.rule);
    let source = rule.map_or("", |rule| rule.source.as_str());
    let (all, alone) = (large.movements.len(), large.alone.len());
    let mut reason = format!(
        "{all} payments on {}, {alone} of them large alone: {source}",
        large.day
    );
    if all > TRANSACTIONS_MAX {
        reason += &format!("; the first {TRANSACTIONS_MAX} are listed");
    }
    reason
}
