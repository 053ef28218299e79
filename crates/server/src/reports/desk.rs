//! Reports in the store: each step a version of a sealed record and a leaf.

mod kept;

use super::{
    Acknowledgement, Error, Filing, ReportFiling, ReportState, ReportView,
    record::{Content, Head, Placed},
};
use kept::REPORT;
use paywarden_access::approval::{Approved, Who};
use paywarden_crypto::{
    Keyring,
    keyring::{PreparedIndex, PreparedSeal},
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_filings::{
    Day, Fault, Profile, Profiles, Report, check, export,
    report::{Earlier, Relation},
};
use paywarden_risk::Engine;
use paywarden_store::{Clock, Database, Entry, Journal, Purpose, RecordRow, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Reports read at a time at the start.
const PAGE: u32 = 500;
/// The most authors that a report names; of more the first are named.
const AUTHORS_MAX: usize = 50;
/// The most pages of reports that are looked through for those about a case.
const ABOUT_PAGES_MAX: usize = 10;
/// Behind every identifier.
pub const NEWEST: &str = "rep_~";
const PURPOSE: &str = "report to a financial intelligence unit";

/// What is written down.
pub struct Draft {
    /// The report.
    pub(super) report: Report,
    /// Days on which nobody works, for deadlines in business days.
    pub(super) holidays: BTreeSet<Day>,
    /// The customers whom it names, by the pseudonym that cases know them by.
    pub(super) customers: BTreeSet<String>,
}

impl Draft {
    /// A report, with the customers whom it names.
    pub fn new(
        engine: &Engine,
        tenant: &TenantId,
        report: Report,
        holidays: BTreeSet<Day>,
    ) -> Self {
        let parties = report.parties.iter().map(|party| &party.client_number);
        let accounts = report.accounts.iter().map(|account| &account.client_number);
        let hash = |number: &String| engine.customer_hash(tenant, number);
        let hashes = parties.chain(accounts).flatten().map(hash);
        Self {
            customers: hashes.map(|hash| format!("customer:{hash:016x}")).collect(),
            report,
            holidays,
        }
    }
}

/// How many reports are not filed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// Not filed.
    pub open: u64,
    /// Of them those whose deadline has passed.
    pub overdue: u64,
}

/// The reports of all companies.
pub struct Reports {
    database: Database,
    journal: Journal,
    clock: Clock,
    seal: PreparedSeal,
    references: PreparedIndex,
    /// Deadlines of those that are not filed, by identifier.
    open: Mutex<BTreeMap<String, Option<Timestamp>>>,
}

impl Reports {
    /// Reads which reports are open.
    pub async fn open(
        (database, journal): (Database, Journal),
        keyring: &Keyring,
        clock: Clock,
    ) -> Result<Self, Error> {
        let sealed = |error: paywarden_crypto::Error| Error::Internal(error.to_string());
        let reports = Self {
            database,
            journal,
            clock,
            seal: keyring.seal_for("report").map_err(sealed)?,
            references: keyring.index_for("report reference").map_err(sealed)?,
            open: Mutex::default(),
        };
        let mut pages = reports.database.newest_records(REPORT, PAGE);
        while let Some(rows) = pages.next().await? {
            for row in &rows {
                reports.remember(&reports.placed(row)?);
            }
        }
        Ok(reports)
    }

    /// How many are not filed now.
    pub fn open_now(&self) -> Open {
        let now = self.clock.now();
        let open = self.opened();
        let overdue = open.values().flatten().filter(|due| **due <= now).count();
        Open {
            open: open.len() as u64,
            overdue: overdue as u64,
        }
    }

    /// Begins a report.
    pub async fn draft(&self, who: &Who, draft: Draft) -> Result<ReportView, Error> {
        self.begin(who, draft, None).await
    }

    /// Writes a draft anew: `version` is the one that was read. An approval of what it was before
    /// lets nothing happen any more.
    pub async fn redraft(
        &self,
        who: &Who,
        (id, version): (&str, i64),
        draft: Draft,
    ) -> Result<ReportView, Error> {
        let mut placed = self
            .step(who, id, &[ReportState::Draft, ReportState::Approved])
            .await?;
        if placed.version != version + 1 {
            return Err(Error::State(placed.head.state));
        }
        let renamed = placed.head.reference != draft.report.reference;
        let mut rows = self.write(who, &mut placed, draft)?;
        placed.head.state = ReportState::Draft;
        placed.head.approved_by = None;
        author(&mut placed.head, who);
        if renamed {
            rows.push(self.reference(who, &placed).await?);
        }
        self.append(who, "report.redraft", placed, rows).await
    }

    /// Reports of a company, newest first, from the last before `before` down, at most `limit` (up
    /// to 100); where the next page begins.
    pub async fn page(
        &self,
        tenant: &TenantId,
        before: &str,
        limit: u32,
    ) -> Result<(Vec<ReportView>, Option<String>), Error> {
        let rows = self
            .database
            .records_of(tenant, REPORT, before, limit)
            .await?;
        let is_full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| is_full).map(|row| row.id.clone());
        let now = self.clock.now();
        let views = rows.iter().map(|row| Ok(self.placed(row)?.view(now)));
        Ok((views.collect::<Result<_, Error>>()?, next))
    }

    /// Reports of these cases, and those that name one of these customers, newest first; and whether
    /// every report was looked through.
    pub async fn about(
        &self,
        tenant: &TenantId,
        cases: &BTreeSet<String>,
        customers: &BTreeSet<String>,
    ) -> Result<(Vec<ReportView>, bool), Error> {
        let is_about = |head: &Head| {
            let case = head.case.as_ref();
            case.is_some_and(|case| cases.contains(case)) || !head.customers.is_disjoint(customers)
        };
        let (mut found, mut before) = (Vec::new(), NEWEST.to_owned());
        for _ in 0..ABOUT_PAGES_MAX {
            let rows = self.database.records_of(tenant, REPORT, &before, PAGE);
            let rows = rows.await?;
            for row in &rows {
                let placed = self.placed(row)?;
                if is_about(&placed.head) {
                    found.push(placed.view(self.clock.now()));
                }
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE as usize => before.clone_from(&last.id),
                _ => return Ok((found, true)),
            }
        }
        Ok((found, false))
    }

    /// One report, with what it says.
    pub async fn find(&self, tenant: &TenantId, id: &str) -> Result<(ReportView, Report), Error> {
        let placed = self.newest(tenant, id).await?;
        let report = self.content(tenant, &placed).await?;
        Ok((placed.view(self.clock.now()), report))
    }

    /// The faults of a report as it would be filed today.
    pub async fn faults(&self, tenant: &TenantId, id: &str) -> Result<Vec<Fault>, Error> {
        let (_, report) = self.find(tenant, id).await?;
        let profile = profile(&report.profile)?;
        Ok(check(&report, profile, self.today(profile)))
    }

    /// Whether a draft may be asked to be filed: who wrote it, for they do not approve it.
    pub async fn check_filing(
        &self,
        tenant: &TenantId,
        filing: &ReportFiling,
    ) -> Result<Vec<String>, Error> {
        let placed = self.newest(tenant, &filing.report).await?;
        must_be(&placed, &[ReportState::Draft])?;
        if placed.head.content.sha256 != filing.content_sha256 {
            return Err(Error::State(placed.head.state));
        }
        let faults = self.faults(tenant, &filing.report).await?;
        match faults.is_empty() {
            true => Ok(placed.head.authors),
            false => Err(Error::Faulty(faults)),
        }
    }

    /// Lets a draft be filed as it was approved.
    pub async fn approve(&self, approved: Approved<ReportFiling>) -> Result<(), Error> {
        let who = approved.who().clone();
        let filing = approved.command().clone();
        self.check_filing(&who.tenant, &filing).await?;
        let mut placed = self
            .step(&who, &filing.report, &[ReportState::Draft])
            .await?;
        placed.head.state = ReportState::Approved;
        placed.head.approved_by = Some(who.actor.to_string());
        let row = self.row(&who.tenant, &placed)?;
        let entry = entry(&who, "report.approve", &placed.id, vec![Row::Record(row)]);
        approved.carry_out(|_| entry).await?;
        self.remember(&placed);
        Ok(())
    }

    /// The file for the unit of an approved or filed report. That it was taken out is in the trail
    /// before it is.
    pub async fn export(&self, who: &Who, id: &str) -> Result<String, Error> {
        let placed = self.newest(&who.tenant, id).await?;
        if placed.head.state == ReportState::Draft {
            return Err(Error::State(placed.head.state));
        }
        let mut report = self.content(&who.tenant, &placed).await?;
        report.approved_by.clone_from(&placed.head.approved_by);
        let profile = profile(&report.profile)?;
        // What was filed is written again as it was on its day.
        let filed = placed.head.filing.as_ref();
        let day = filed.map(|filing| Day::of(filing.at, profile.utc_offset_hours));
        let file = export(&report, profile, day.unwrap_or_else(|| self.today(profile)));
        let file = file.map_err(|refused| match refused {
            paywarden_filings::Refused::Faulty(faults) => Error::Faulty(faults),
            other => Error::NoFile(other),
        })?;
        let entry = entry(who, "report.export", &placed.id, Vec::new());
        self.journal.append(entry).await?;
        Ok(file)
    }

    /// Writes down that an approved report was handed in.
    pub async fn file(
        &self,
        who: &Who,
        id: &str,
        (reference, at): (Option<String>, Timestamp),
    ) -> Result<ReportView, Error> {
        let mut placed = self.step(who, id, &[ReportState::Approved]).await?;
        placed.head.state = ReportState::Filed;
        placed.head.filing = Some(Filing {
            reference,
            at: at.min(self.clock.now()),
            by: who.actor.to_string(),
        });
        self.append(who, "report.file", placed, Vec::new()).await
    }

    /// Writes down what the unit said of a report that it was handed.
    pub async fn acknowledge(
        &self,
        who: &Who,
        id: &str,
        said: Acknowledgement,
    ) -> Result<ReportView, Error> {
        let mut placed = self.step(who, id, &[ReportState::Filed]).await?;
        placed.head.state = match said.accepted {
            true => ReportState::Acknowledged,
            false => ReportState::Rejected,
        };
        placed.head.acknowledgement = Some(Acknowledgement {
            at: self.clock.now(),
            ..said
        });
        self.append(who, "report.acknowledge", placed, Vec::new())
            .await
    }

    /// Begins a report that corrects a filed one, or goes on from it: with its content, the
    /// reference of the unit in it, and a reference of its own.
    pub async fn amend(
        &self,
        who: &Who,
        id: &str,
        (relation, reference, holidays): (Relation, String, BTreeSet<Day>),
    ) -> Result<ReportView, Error> {
        let placed = self.newest(&who.tenant, id).await?;
        let handed = [
            ReportState::Filed,
            ReportState::Acknowledged,
            ReportState::Rejected,
        ];
        must_be(&placed, &handed)?;
        let said = placed
            .head
            .acknowledgement
            .as_ref()
            .map(|one| one.reference.clone());
        let given = placed
            .head
            .filing
            .as_ref()
            .and_then(|one| one.reference.clone());
        let Some(theirs) = said.or(given) else {
            return Err(Error::State(placed.head.state));
        };
        let mut report = self.content(&who.tenant, &placed).await?;
        report.reference = reference;
        report.earlier = Some(Earlier {
            relation,
            reference: theirs,
        });
        let draft = Draft {
            report,
            holidays,
            customers: placed.head.customers,
        };
        self.begin(who, draft, Some(placed.id)).await
    }

    async fn begin(
        &self,
        who: &Who,
        draft: Draft,
        amends: Option<String>,
    ) -> Result<ReportView, Error> {
        let now = self.clock.now();
        let random = u64::from_be_bytes(self.clock.random()) >> 16;
        let mut placed = Placed {
            id: format!("rep_{:014x}{random:012x}", now.micros()),
            version: 1,
            head: Head {
                state: ReportState::Draft,
                profile: String::new(),
                duty: draft.report.duty,
                reference: String::new(),
                case: None,
                customers: BTreeSet::new(),
                due: None,
                drafted_at: now,
                authors: Vec::new(),
                content: Content {
                    version: 1,
                    parts: 0,
                    sha256: String::new(),
                },
                approved_by: None,
                filing: None,
                acknowledgement: None,
                amends,
            },
        };
        author(&mut placed.head, who);
        let mut rows = self.write(who, &mut placed, draft)?;
        rows.push(self.reference(who, &placed).await?);
        self.append(who, "report.draft", placed, rows).await
    }

    /// The next version of a report in one of these states.
    async fn step(&self, who: &Who, id: &str, from: &[ReportState]) -> Result<Placed, Error> {
        let mut placed = self.newest(&who.tenant, id).await?;
        must_be(&placed, from)?;
        placed.version += 1;
        Ok(placed)
    }

    /// Makes a version durable, with its leaf, then counts it.
    async fn append(
        &self,
        who: &Who,
        action: &'static str,
        placed: Placed,
        others: Vec<RecordRow>,
    ) -> Result<ReportView, Error> {
        let mut rows = vec![Row::Record(self.row(&who.tenant, &placed)?)];
        for row in others {
            rows.push(Row::Record(self.sealed(row)?));
        }
        let appended = self.journal.append(entry(who, action, &placed.id, rows));
        match appended.await {
            Err(paywarden_store::Error::Conflict { .. }) => Err(Error::State(placed.head.state)),
            Err(error) => Err(error.into()),
            Ok(_) => {
                self.remember(&placed);
                Ok(placed.view(self.clock.now()))
            }
        }
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn remember(&self, placed: &Placed) {
        let mut open = self.opened();
        match placed.head.is_open() {
            true => {
                let due = placed.head.due.as_ref().map(|due| due.at);
                open.insert(placed.id.clone(), due);
            }
            false => {
                open.remove(&placed.id);
            }
        }
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<String, Option<Timestamp>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn today(&self, profile: &Profile) -> Day {
        Day::of(self.clock.now(), profile.utc_offset_hours)
    }
}

fn profile(name: &str) -> Result<&'static Profile, Error> {
    let profiles = Profiles::shipped().map_err(|error| Error::Internal(error.to_string()))?;
    profiles.find(name).ok_or(Error::ProfileUnknown)
}

fn must_be(placed: &Placed, states: &[ReportState]) -> Result<(), Error> {
    match states.contains(&placed.head.state) {
        true => Ok(()),
        false => Err(Error::State(placed.head.state)),
    }
}

fn author(head: &mut Head, who: &Who) {
    let actor = who.actor.to_string();
    if !head.authors.contains(&actor) && head.authors.len() < AUTHORS_MAX {
        head.authors.push(actor);
    }
}

fn entry(who: &Who, action: &'static str, id: &str, rows: Vec<Row>) -> Entry {
    Entry {
        tenant: who.tenant.clone(),
        actor: who.actor.clone(),
        purpose: Purpose::from(PURPOSE),
        action,
        object: id.to_owned(),
        rows,
    }
}
