//! One approval: the fold of its steps, and of nothing else.

use super::{
    Error, Kind,
    sensitive::Payload,
    step::{self, GlassBroken, Request, Reviewed, Used, Voted, Withdrawn},
};
use paywarden_domain::Timestamp;
use paywarden_store::{ApprovalStepKind as Step, ApprovalStepRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most steps that one approval takes, but for its use and its review.
pub(crate) const STEPS_MAX: i64 = 64;

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for votes.
    Open,
    /// It may be carried out: enough votes count at this moment, or the glass is broken.
    Approved,
    /// It was carried out.
    Used,
    /// Somebody who may vote refused it.
    Denied,
    /// Whoever asked took it back.
    Withdrawn,
    /// Nobody carried it out in time.
    Expired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Approved,
        Self::Used,
        Self::Denied,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// The word used in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Who did something, when, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act<B> {
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) body: B,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) request: Act<Request>,
    pub(crate) payload: Payload,
    /// Of the payload as it is stored.
    pub(crate) payload_sha256: String,
    pub(crate) votes: Vec<Act<Voted>>,
    pub(crate) denied: Option<Act<Voted>>,
    pub(crate) withdrawn: Option<Act<Withdrawn>>,
    pub(crate) glass: Option<Act<GlassBroken>>,
    pub(crate) used: Option<Act<Used>>,
    pub(crate) review: Option<Act<Reviewed>>,
    last_step: i64,
}

impl Case {
    /// Folds the steps of one approval, oldest first; unknown if there are none.
    pub(crate) fn fold(rows: &[ApprovalStepRow]) -> Result<Self, Error> {
        let (first, rest) = rows.split_first().ok_or(Error::Unknown)?;
        let mut case = Self::begin(first)?;
        rest.iter().try_for_each(|row| case.apply(row))?;
        Ok(case)
    }

    fn begin(row: &ApprovalStepRow) -> Result<Self, Error> {
        // Delegations, policies and what was spent stand in the ledger too; they are no approvals.
        if row.kind != Step::Requested {
            return Err(Error::Unknown);
        }
        let request: Act<Request> = act(row)?;
        let kind = Kind::parse(&row.command);
        let payload = Payload {
            kind: kind.ok_or_else(|| step::damaged(row, "unknown command"))?,
            value: request.body.command.clone(),
        };
        if row.step_no != 1 {
            return Err(step::damaged(row, "out of order"));
        }
        Ok(Self {
            id: row.approval.clone(),
            payload_sha256: payload.sha256(),
            request,
            payload,
            votes: Vec::new(),
            denied: None,
            withdrawn: None,
            glass: None,
            used: None,
            review: None,
            last_step: 1,
        })
    }

    fn apply(&mut self, row: &ApprovalStepRow) -> Result<(), Error> {
        let known = row.approval == self.id && row.command == self.payload.kind.name();
        if row.step_no != self.next_step() || !known {
            return Err(step::damaged(row, "out of order"));
        }
        match row.kind {
            Step::Approved => self.votes.push(act(row)?),
            Step::Denied => self.denied = Some(act(row)?),
            Step::Withdrawn => self.withdrawn = Some(act(row)?),
            Step::GlassBroken => self.glass = Some(act(row)?),
            Step::Used => self.used = Some(act(row)?),
            Step::Reviewed => self.review = Some(act(row)?),
            _ => return Err(step::damaged(row, "not a step of an approval")),
        }
        self.last_step = row.step_no;
        Ok(())
    }

    /// The number of the next step.
    pub(crate) fn next_step(&self) -> i64 {
        self.last_step + 1
    }

    pub(crate) fn kind(&self) -> Kind {
        self.payload.kind
    }

    pub(crate) fn object(&self) -> &str {
        &self.request.body.object
    }

    /// Whoever asked.
    pub(crate) fn maker(&self) -> &str {
        &self.request.by
    }

    /// Whether somebody asked for it, or made what it is about.
    pub(crate) fn is_made_by(&self, person: &str) -> bool {
        let authors = &self.request.body.authors;
        self.maker() == person || authors.iter().any(|author| author == person)
    }

    /// How it ended, if it has. What was used stays used, whatever came after.
    pub(crate) fn end(&self, now: Timestamp) -> Option<State> {
        #[rustfmt::skip]
        let ends = [
            (self.used.is_some(), State::Used),
            (self.denied.is_some(), State::Denied),
            (self.withdrawn.is_some(), State::Withdrawn),
            (self.request.body.expires_at <= now, State::Expired),
        ];
        ends.into_iter()
            .find_map(|(ended, state)| ended.then_some(state))
    }

    /// Refuses one that has ended.
    pub(crate) fn must_be_open(&self, now: Timestamp) -> Result<(), Error> {
        match self.end(now) {
            None => Ok(()),
            Some(State::Used) => Err(Error::Used),
            Some(State::Expired) => Err(Error::Expired),
            Some(state) => Err(Error::Closed(state)),
        }
    }
}

fn act<B: serde::de::DeserializeOwned>(row: &ApprovalStepRow) -> Result<Act<B>, Error> {
    Ok(Act {
        by: row.actor.clone(),
        at: row.taken_at,
        body: step::body(row)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::Who;
    use paywarden_domain::TenantId;
    use paywarden_store::Actor;
    use proptest::prelude::*;

    fn row(number: i64, kind: Step, body: &impl Serialize) -> ApprovalStepRow {
        let who = Who {
            tenant: TenantId::parse("acme").unwrap(),
            actor: Actor::Key("maker".to_owned()),
        };
        let at = (&who, Timestamp::from_micros(1));
        step::row(at, ("apr_1", number), (kind, "rule_release"), body).unwrap()
    }

    fn request() -> ApprovalStepRow {
        let body = Request {
            object: "publish:v1".to_owned(),
            command: serde_json::json!({ "version": "v1" }),
            authors: vec![],
            reason: "r".to_owned(),
            ticket: None,
            expires_at: Timestamp::from_micros(9),
        };
        row(1, Step::Requested, &body)
    }

    fn withdrawn(number: i64) -> ApprovalStepRow {
        let reason = "r".to_owned();
        row(number, Step::Withdrawn, &Withdrawn { reason })
    }

    #[test]
    fn steps_that_are_missing_moved_or_of_something_else_are_told() {
        let whole = Case::fold(&[request(), withdrawn(2)]).unwrap();
        assert_eq!(whole.end(Timestamp::from_micros(2)), Some(State::Withdrawn));
        let mut foreign = withdrawn(2);
        foreign.approval = "apr_2".to_owned();
        let mut other = withdrawn(2);
        other.command = "list_change".to_owned();
        let mut late = request();
        late.step_no = 2;
        for damaged in [
            vec![request(), withdrawn(3)],
            vec![request(), withdrawn(2), withdrawn(2)],
            vec![request(), foreign],
            vec![request(), other],
            vec![request(), row(2, Step::Spent, &step::Spent { total: 1 })],
            vec![late],
        ] {
            let told = Case::fold(&damaged);
            assert!(matches!(told, Err(Error::Damaged(_))), "{told:?}");
        }
        assert_eq!(Case::fold(&[]), Err(Error::Unknown));
        assert_eq!(Case::fold(&[withdrawn(1)]), Err(Error::Unknown));
    }

    proptest! {
        #[test]
        fn garbage_is_told_and_never_panics(
            bodies in prop::collection::vec((0..11_usize, any::<Vec<u8>>()), 1..4),
        ) {
            let mut rows = vec![request()];
            for (number, (kind, body)) in (2..).zip(bodies) {
                let mut next = withdrawn(number);
                next.kind = Step::ALL[kind];
                next.body = body;
                rows.push(next);
            }
            prop_assert!(matches!(Case::fold(&rows), Err(Error::Damaged(_))));
        }
    }
}
