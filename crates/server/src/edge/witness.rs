//! Signed calls as they arrive, while somebody waits for them on the page that takes a program in:
//! who called, how it ended, and the signature base that the server built of a call that it refused.
//!
//! Nobody who waits, nothing kept: a request then costs one look at a flag. *Invariant*: a call is
//! told to the company whose key it names alone, and nothing of a body is kept but the identifier
//! and the outcome of its decision.

use super::{Code, Problem, reply::Reply, signature};
use crate::state::State;
use http::{StatusCode, request::Parts};
use paywarden_domain::{DecisionId, Outcome, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use utoipa::ToSchema;

/// Calls of one company that are kept, the last ones.
const CALLS_MAX: usize = 16;
/// Companies that are watched at once; of one more the calls are not kept.
const TENANTS_MAX: usize = 64;
/// How long calls are kept after somebody has looked for the last time.
const WATCH_US: u64 = 15 * 60 * 1_000_000;
/// The most bytes of a base that are kept.
const BASE_BYTES_MAX: usize = 8 * 1024;

/// A signed call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedCall {
    /// When it arrived.
    pub at: Timestamp,
    /// The key that it names.
    pub key: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The code of the refusal: the real one, which the caller may not have been told.
    pub code: Option<&'static str>,
    /// What the signature leaves out.
    pub missing: Vec<String>,
    /// The signature base (RFC 9421, section 2.5) that the server built, if the signature did not
    /// verify.
    pub signature_base: Option<String>,
    /// The decision that it got.
    pub decision: Option<DecisionId>,
    /// Its outcome.
    pub outcome: Option<Outcome>,
}

/// Who waits for calls, and what has come.
#[derive(Default)]
pub(crate) struct Witness {
    is_asked: AtomicBool,
    tenants: Mutex<HashMap<TenantId, Watched>>,
}

struct Watched {
    until_us: u64,
    calls: VecDeque<SignedCall>,
}

/// What is read of a verdict.
#[derive(Deserialize)]
struct Verdict {
    id: DecisionId,
    outcome: Outcome,
}

impl Witness {
    /// The calls of a company since somebody began to look, newest first. Goes on looking.
    pub(crate) fn look(&self, tenant: &TenantId, now_us: u64) -> Vec<SignedCall> {
        let mut tenants = self.lock();
        tenants.retain(|_, watched| watched.until_us > now_us);
        let is_known = tenants.contains_key(tenant);
        if !is_known && tenants.len() >= TENANTS_MAX {
            return Vec::new();
        }
        let watched = tenants.entry(tenant.clone()).or_insert_with(|| Watched {
            until_us: 0,
            calls: VecDeque::new(),
        });
        watched.until_us = now_us + WATCH_US;
        self.is_asked.store(true, Ordering::Relaxed);
        watched.calls.iter().cloned().collect()
    }

    /// Notes a call of a program, if anybody waits for it.
    pub(crate) fn saw(&self, state: &State, head: &Parts, ended: &Result<Reply, Problem>) {
        if !self.is_asked.load(Ordering::Relaxed) {
            return;
        }
        let Some(key) = signature::claimed(&head.headers).and_then(|id| state.registry.find(&id))
        else {
            return;
        };
        let now_us = state.clock.monotonic_us();
        let mut tenants = self.lock();
        tenants.retain(|_, watched| watched.until_us > now_us);
        self.is_asked.store(!tenants.is_empty(), Ordering::Relaxed);
        let Some(watched) = tenants.get_mut(&key.tenant) else {
            return;
        };
        let call = SignedCall {
            at: state.clock.now(),
            key: key.id.clone(),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            status: StatusCode::OK.as_u16(),
            code: None,
            missing: Vec::new(),
            signature_base: None,
            decision: None,
            outcome: None,
        };
        watched.calls.push_front(ended_as(call, ended));
        watched.calls.truncate(CALLS_MAX);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Watched>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended_as(call: SignedCall, ended: &Result<Reply, Problem>) -> SignedCall {
    match ended {
        Ok(reply) => {
            let verdict: Option<Verdict> = serde_json::from_slice(&reply.body).ok();
            SignedCall {
                status: reply.status.as_u16(),
                decision: verdict.as_ref().map(|verdict| verdict.id.clone()),
                outcome: verdict.map(|verdict| verdict.outcome),
                ..call
            }
        }
        Err(problem) => {
            let base = problem.signature_base();
            let fits = |base: &&str| base.len() <= BASE_BYTES_MAX;
            let code: Code = problem.code();
            SignedCall {
                status: code.status().as_u16(),
                code: Some(code.name()),
                missing: problem.what_is_missing().to_vec(),
                signature_base: base.filter(fits).map(str::to_owned),
                ..call
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_is_for_a_while_and_for_so_many() {
        let witness = Witness::default();
        let tenant = |number: usize| TenantId::parse(&format!("company-{number}")).unwrap();
        for number in 0..=TENANTS_MAX {
            assert!(witness.look(&tenant(number), 0).is_empty());
        }
        assert_eq!(witness.lock().len(), TENANTS_MAX);
        witness.look(&tenant(0), 1);
        // All others have stopped looking meanwhile.
        witness.look(&tenant(TENANTS_MAX), WATCH_US);
        assert_eq!(witness.lock().len(), 2);
    }
}
