//! Counts of small worlds against rules written out one by one.

use super::*;
use crate::approval::{Policy, step};
use paywarden_domain::{TenantId, time::DAY};
use paywarden_store::{Actor, ApprovalStepKind};
use proptest::prelude::*;

const PEOPLE: [&str; 4] = ["staff:maker", "staff:a", "key:b", "staff:c"];
const RIGHTS: [Scope; 3] = [Scope::ApprovalsVote, Scope::RulesApprove, Scope::RulesWrite];
const NOW: i64 = 1_790_000_000_000_000;

/// A world of four people.
#[derive(Debug, Clone)]
struct Small {
    rights: Vec<Vec<bool>>,
    /// Who voted, on behalf of whom, for the right payload.
    votes: Vec<(usize, Option<usize>, bool)>,
    /// From, to, still in force, for rules.
    lent: Vec<(usize, usize, bool, bool)>,
    /// Who approved what of whom.
    past: Vec<(usize, usize)>,
    mutual: Option<u16>,
    staff_only: bool,
    conflict: bool,
    /// Whether the last of the four made what is asked for.
    author: bool,
}

fn small() -> impl Strategy<Value = Small> {
    let person = 0..PEOPLE.len();
    let rights = prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.7), 3), 4);
    let borrowed = prop::option::of(person.clone());
    let vote = (person.clone(), borrowed, prop::bool::weighted(0.8));
    let lent = (
        person.clone(),
        person.clone(),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.8),
    );
    (
        rights,
        prop::collection::vec(vote, 0..6),
        prop::collection::vec(lent, 0..6),
        prop::collection::vec((person.clone(), person), 0..8),
        prop::option::of(0..3_u16),
        prop::bool::ANY,
        prop::bool::weighted(0.2),
        prop::bool::ANY,
    )
        .prop_map(
            |(rights, votes, lent, past, mutual, staff_only, conflict, author)| Small {
                rights,
                votes,
                lent,
                past,
                mutual,
                staff_only,
                conflict,
                author,
            },
        )
}

impl Small {
    fn may(&self, person: usize, right: usize) -> bool {
        self.rights[person][right]
    }

    /// The rules, one after the other, in words of their own.
    fn expected(&self) -> Vec<bool> {
        let mut spent = Vec::new();
        let mut counted = Vec::new();
        for (voter, lender, right_payload) in &self.votes {
            let right_of = lender.unwrap_or(*voter);
            let mut good = *right_payload && *voter != 0 && right_of != 0;
            good &= self.may(*voter, 0) && self.may(right_of, 0) && self.may(right_of, 1);
            if let Some(lender) = lender {
                let lends = |(from, to, in_force, fits): &(usize, usize, bool, bool)| {
                    from == lender && to == voter && *in_force && *fits
                };
                good &= lender != voter && self.lent.iter().any(lends);
            }
            for person in [*voter, right_of] {
                good &= !(self.staff_only && PEOPLE[person].starts_with("key:"));
                good &= !(self.conflict && self.may(person, 2));
                good &= !(self.author && person == 3);
                if let Some(most) = self.mutual {
                    let times = |by, of| self.past.iter().filter(|pair| **pair == (by, of)).count();
                    let there = times(person, 0) + 1;
                    let back = times(0, person);
                    good &= there.min(back) <= usize::from(most);
                }
                good &= !spent.contains(&person);
            }
            if good {
                spent.extend([*voter, right_of]);
            }
            counted.push(good);
        }
        counted
    }

    fn case(&self) -> Case {
        let request = step::Request {
            object: "publish:v1".to_owned(),
            command: serde_json::json!({ "version": "v1" }),
            authors: match self.author {
                true => vec!["staff:c".to_owned()],
                false => vec![],
            },
            reason: "r".to_owned(),
            ticket: None,
            expires_at: Timestamp::from_micros(NOW + DAY),
        };
        let who = crate::approval::Who {
            tenant: TenantId::parse("acme").unwrap(),
            actor: Actor::Staff("maker".to_owned()),
        };
        let at = (&who, Timestamp::from_micros(NOW));
        let kind = (ApprovalStepKind::Requested, Kind::RuleRelease.name());
        let row = step::row(at, ("apr_1", 1), kind, &request).unwrap();
        let mut case = Case::fold(&[row]).unwrap();
        case.votes = self.votes.iter().map(|vote| act(vote, &case)).collect();
        case
    }

    fn clause(&self) -> Clause {
        let shipped = Policy::shipped().unwrap();
        let clause = shipped.clause(Kind::RuleRelease, "publish:v1").unwrap();
        Clause {
            mutual_max: self.mutual,
            staff_only: self.staff_only,
            conflicts: match self.conflict {
                true => vec![Scope::RulesWrite],
                false => vec![],
            },
            ..clause.unwrap().clone()
        }
    }

    fn delegations(&self) -> Vec<Delegation> {
        let delegation = |(from, to, in_force, fits): &(usize, usize, bool, bool)| Delegation {
            id: "del_1".to_owned(),
            from: PEOPLE[*from].to_owned(),
            since: Timestamp::from_micros(NOW - DAY),
            body: step::Delegated {
                to: PEOPLE[*to].to_owned(),
                until: Timestamp::from_micros(NOW + i64::from(*in_force)),
                commands: match fits {
                    true => vec![],
                    false => vec![Kind::ListChange],
                },
                reason: "r".to_owned(),
            },
        };
        self.lent.iter().map(delegation).collect()
    }

    fn past(&self) -> Vec<PastVote> {
        let vote = |(number, (by, maker)): (usize, &(usize, usize))| PastVote {
            approval: format!("apr_of_before_{number}"),
            by: PEOPLE[*by].to_owned(),
            on_behalf_of: None,
            maker: PEOPLE[*maker].to_owned(),
        };
        self.past.iter().enumerate().map(vote).collect()
    }
}

fn act((by, lender, right): &(usize, Option<usize>, bool), case: &Case) -> Act<Voted> {
    let sha256 = match right {
        true => case.payload_sha256.clone(),
        false => "another".to_owned(),
    };
    Act {
        by: PEOPLE[*by].to_owned(),
        at: Timestamp::from_micros(NOW),
        body: Voted {
            payload_sha256: sha256,
            maker: case.maker().to_owned(),
            on_behalf_of: lender.map(|lender| PEOPLE[lender].to_owned()),
            reason: "r".to_owned(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn counts_are_what_the_rules_say(small in small()) {
        let (case, clause) = (small.case(), small.clause());
        let (delegations, past) = (small.delegations(), small.past());
        let may = |actor: &str, scope: Scope| {
            let person = PEOPLE.iter().position(|known| *known == actor).unwrap();
            let right = RIGHTS.iter().position(|known| *known == scope).unwrap();
            small.may(person, right)
        };
        let ground = Ground {
            clause: Some(&clause),
            may: &may,
            delegations: &delegations,
            past: &past,
            now: Timestamp::from_micros(NOW),
        };
        let tally = tally(&case, ground);
        let counted: Vec<_> = tally.votes.iter().map(Option::is_none).collect();
        prop_assert_eq!(&counted, &small.expected(), "{:?}", tally);
        // Whatever the rules say: nobody counts twice, and never whoever asked.
        let votes = case.votes.iter().zip(&counted).filter(|(_, counts)| **counts);
        let mut seen = BTreeSet::new();
        for (vote, _) in votes {
            for person in persons(vote) {
                prop_assert!(seen.insert(person) && person != case.maker());
            }
        }
    }
}
