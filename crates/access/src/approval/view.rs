//! Approvals as people see them.

use super::{
    Error, Finding, Kind, Policy, State, Void,
    case::{Act, Case},
    desk::InForce,
    page::Scene,
    step::{GlassBroken, Reviewed, Used, Voted, Withdrawn},
    tally::{self, Ground, Tally},
};
use crate::masking::HIDDEN;
use paywarden_domain::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One approval.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovalView {
    /// `apr_…`
    pub id: String,
    /// What kind of command is asked for.
    pub command: Kind,
    /// What it is about.
    pub object: String,
    /// The command as it will be carried out; `••••` in the place of each value that you may not
    /// see.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// Whether values of customers are hidden from you.
    pub is_masked: bool,
    /// SHA-256 of the kind, a line feed and the payload as JSON with sorted keys and no white
    /// space; what votes name. `••••` if values of somebody else are hidden from you: nobody votes on
    /// what is hidden from them, and a hash can be tried out.
    pub payload_sha256: String,
    /// Where it stands.
    pub state: State,
    /// Who asked.
    pub maker: String,
    /// Who made what it is about; they cannot approve it either.
    pub authors: Vec<String>,
    /// Why.
    pub reason: String,
    /// Where it is written up.
    pub ticket: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Until when it can be carried out.
    pub expires_at: Timestamp,
    /// The count at this moment; null once it has ended.
    pub count: Option<CountView>,
    /// Why a vote of yours for it would not count at this moment; null if it would, and once no more
    /// votes are taken.
    pub your_vote_void: Option<Void>,
    /// The votes for it, oldest first.
    pub votes: Vec<VoteView>,
    /// Who refused it.
    pub denied: Option<ClosingView>,
    /// Who took it back.
    pub withdrawn: Option<ClosingView>,
    /// Who carried it out.
    pub used: Option<UsedView>,
    /// Who allowed it without votes.
    pub emergency: Option<EmergencyView>,
}

/// A count of votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountView {
    /// The clause of the policy that holds; null if none does any more.
    pub clause: Option<String>,
    /// Votes that are needed.
    pub needed: u8,
    /// Votes that count.
    pub counted: u8,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VoteView {
    /// Who voted.
    pub by: String,
    /// Whose lent right was used.
    pub on_behalf_of: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Why it does not count at this moment; null if it does, and once the approval has ended.
    pub void: Option<Void>,
}

/// The end of an approval that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClosingView {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// The use of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsedView {
    /// Who carried it out.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whose votes counted then; nobody's in an emergency.
    pub approvers: Vec<String>,
    /// The number of the policy that was in force.
    pub policy: i64,
}

/// An emergency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmergencyView {
    /// Who broke the glass.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Until when it has to be reviewed.
    pub review_due: Timestamp,
    /// Whether that moment has passed without a review.
    pub overdue: bool,
    /// The review; null while there is none.
    pub review: Option<ReviewView>,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReviewView {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub finding: Finding,
    /// In words.
    pub note: String,
}

/// The policy that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyView {
    /// Its number: 0 for the one that the program ships; what a change names as `replaces`.
    pub number: i64,
    /// As it was written, in TOML.
    pub text: String,
    /// As it was read.
    pub policy: Policy,
}

impl PolicyView {
    pub(crate) fn of(in_force: InForce) -> Self {
        Self {
            number: in_force.number,
            text: in_force.text,
            policy: in_force.policy,
        }
    }
}

impl ApprovalView {
    /// An approval as one reader, `key:…` or `staff:…`, may see it.
    pub(crate) fn of(case: Case, scene: &Scene<'_>, reader: &str) -> Result<Self, Error> {
        let ground = scene.ground(&case)?;
        let end = case.end(scene.now);
        let tally = match end {
            None => Some(tally::tally(&case, ground)),
            Some(_) => None,
        };
        let enough = |tally: &Tally| case.glass.is_some() || tally.is_enough();
        let open = match tally.as_ref().is_some_and(enough) {
            true => State::Approved,
            false => State::Open,
        };
        let takes_votes = end.is_none() && case.glass.is_none();
        let your_vote_void = takes_votes
            .then(|| own_void(&case, ground, reader))
            .flatten();
        let clause = ground.clause.map(|clause| clause.id.clone());
        let voids = tally.iter().flat_map(|tally| tally.votes.iter().copied());
        let voids = voids.chain(std::iter::repeat(None));
        let votes = case.votes.iter().zip(voids);
        let (payload, is_masked) = case.payload.shown_to(|scope| scene.may(reader, scope));
        Ok(Self {
            state: end.unwrap_or(open),
            your_vote_void,
            count: tally.as_ref().map(|tally| CountView {
                clause,
                needed: tally.needed,
                counted: tally.counted(),
            }),
            votes: votes.map(|(vote, void)| VoteView::of(vote, void)).collect(),
            denied: case.denied.as_ref().map(ClosingView::denied),
            withdrawn: case.withdrawn.as_ref().map(ClosingView::withdrawn),
            used: case.used.as_ref().map(UsedView::of),
            emergency: case
                .glass
                .as_ref()
                .map(|glass| EmergencyView::of(glass, case.review.as_ref(), scene.now)),
            command: case.payload.kind,
            id: case.id,
            object: case.request.body.object,
            payload,
            // Whoever knew the hash could try out what the values may be, but for whoever sent them.
            payload_sha256: match is_masked && case.request.by != reader {
                true => HIDDEN.to_owned(),
                false => case.payload_sha256,
            },
            is_masked,
            maker: case.request.by,
            authors: case.request.body.authors,
            reason: case.request.body.reason,
            ticket: case.request.body.ticket,
            requested_at: case.request.at,
            expires_at: case.request.body.expires_at,
        })
    }
}

impl VoteView {
    fn of(vote: &Act<Voted>, void: Option<Void>) -> Self {
        Self {
            by: vote.by.clone(),
            on_behalf_of: vote.body.on_behalf_of.clone(),
            at: vote.at,
            reason: vote.body.reason.clone(),
            void,
        }
    }
}

impl ClosingView {
    fn denied(act: &Act<Voted>) -> Self {
        Self {
            by: act.by.clone(),
            at: act.at,
            reason: act.body.reason.clone(),
        }
    }

    fn withdrawn(act: &Act<Withdrawn>) -> Self {
        Self {
            by: act.by.clone(),
            at: act.at,
            reason: act.body.reason.clone(),
        }
    }
}

impl UsedView {
    fn of(act: &Act<Used>) -> Self {
        Self {
            by: act.by.clone(),
            at: act.at,
            approvers: act.body.approvers.clone(),
            policy: act.body.policy,
        }
    }
}

impl EmergencyView {
    fn of(glass: &Act<GlassBroken>, review: Option<&Act<Reviewed>>, now: Timestamp) -> Self {
        Self {
            by: glass.by.clone(),
            at: glass.at,
            reason: glass.body.reason.clone(),
            review_due: glass.body.review_due,
            overdue: review.is_none() && glass.body.review_due <= now,
            review: review.map(|review| ReviewView {
                by: review.by.clone(),
                at: review.at,
                finding: review.body.finding,
                note: review.body.note.clone(),
            }),
        }
    }
}

/// Why a vote of a reader for it would not count.
fn own_void(case: &Case, ground: Ground<'_>, reader: &str) -> Option<Void> {
    let body = Voted {
        payload_sha256: case.payload_sha256.clone(),
        maker: case.maker().to_owned(),
        on_behalf_of: None,
        reason: String::new(),
    };
    let vote = Act {
        by: reader.to_owned(),
        at: ground.now,
        body,
    };
    tally::void(case, vote, ground, true)
}
