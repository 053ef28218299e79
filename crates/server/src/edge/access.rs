//! Station: the leaf of a request. Who asked for what, how it ended, where it came from.
//!
//! What was shown is in the trail before it is sent. A command leaves the leaf of what it changed
//! whatever becomes of this one.

use super::{Code, Problem, peer::Peer, person, reply::Reply, signature, signature::Caller};
use crate::{
    api::{self, Door, Route},
    state::State,
};
use http::{Method, StatusCode, request::Parts};
use paywarden_access::{
    staff::Member,
    watch::{Subject, Visit, access::Kind},
};
use paywarden_domain::TenantId;
use paywarden_store::Actor;

/// What a handler says of what it showed or changed.
#[derive(Debug, Clone)]
pub struct Told {
    /// How many records.
    pub count: u32,
    /// Whom they are about.
    pub subject: Subject,
    /// On what ground personal data is shown.
    pub ground: Option<String>,
    /// Who has come in by it.
    pub entered: Option<Box<Known>>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            count: 1,
            subject: Subject::Nobody,
            ground: None,
            entered: None,
        }
    }
}

/// Somebody whom we know.
#[derive(Debug, Clone)]
pub struct Known {
    tenant: TenantId,
    actor: Actor,
    session: Option<String>,
    roles: String,
}

impl From<&Member> for Known {
    fn from(member: &Member) -> Self {
        let roles: Vec<&str> = member.account.roles().collect();
        Self {
            tenant: member.account.tenant.clone(),
            actor: member.who().actor,
            session: Some(member.session.id.clone()),
            roles: roles.join(","),
        }
    }
}

impl Known {
    fn key(caller: &Caller) -> Self {
        Self::of_key(caller.key.tenant.clone(), Actor::Key(caller.key.id.clone()))
    }

    fn of_key(tenant: TenantId, actor: Actor) -> Self {
        Self {
            tenant,
            actor,
            session: None,
            roles: String::new(),
        }
    }
}

/// One request that was answered or refused.
pub(crate) struct Asked<'a> {
    pub(crate) state: &'a State,
    pub(crate) head: &'a Parts,
    pub(crate) peer: Peer,
    pub(crate) route: Option<&'static Route>,
    pub(crate) parameter: &'a str,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) member: Option<&'a Member>,
}

/// Notes a request and lets its answer through, unless it shows what could not be noted.
pub(crate) async fn note(
    asked: Asked<'_>,
    result: Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    let Some(visit) = asked.visit(&result) else {
        return result;
    };
    let shows = matches!(visit.kind, Kind::Read | Kind::Export);
    match asked.state.watch.recorder().note(visit).await {
        Err(error) if shows && result.is_ok() => Err(api::person::store(&error)),
        Err(error) => {
            tracing::error!(%error, "request not noted");
            result
        }
        Ok(()) => result,
    }
}

impl Asked<'_> {
    /// What is noted; nothing of those whom nobody knows, and of what is none of the watch's.
    fn visit(&self, result: &Result<Reply, Problem>) -> Option<Visit> {
        let route = self.route?;
        let kind = kind(route, self.parameter)?;
        let (told, refusal) = match result {
            Ok(reply) => (reply.told.clone(), None),
            Err(problem) => (Told::default(), Some(refusal(kind, problem)?)),
        };
        let (known, claimed) = self.known(&told, refusal)?;
        let (kind, object) = match claimed {
            Some(key) => (Kind::Signature, key),
            None => (kind, self.parameter.to_owned()),
        };
        let is_person = known.session.is_some();
        // A program that follows the trail would see it grow by following it; what it takes out in
        // bulk has the leaf of its export, what it changes that of the change.
        let is_said = matches!(kind, Kind::Export | Kind::Command);
        if is_said && !is_person && refusal.is_none() {
            return None;
        }
        let door = route.door.taken_by(is_person);
        Some(Visit {
            tenant: known.tenant,
            actor: known.actor,
            kind,
            route: format!("{} {}", route.method, route.path),
            object,
            refusal: refusal.map(Code::name),
            count: told.count,
            subject: told.subject,
            ground: told.ground,
            from: self.peer.address,
            session: known.session,
            roles: known.roles,
            is_sensitive: matches!(door, Door::StaffFresh | Door::OwnFresh),
        })
    }

    /// Who asked; and the key that was named where nobody has proved to have it.
    fn known(&self, told: &Told, refusal: Option<Code>) -> Option<(Known, Option<String>)> {
        if let Some(entered) = &told.entered {
            return Some((Known::clone(entered), None));
        }
        if let Some(caller) = self.caller {
            return Some((Known::key(caller), None));
        }
        if let Some(member) = self.member {
            return Some((member.into(), None));
        }
        if person::is_shown(&self.head.headers) {
            return Some((Known::from(&person::known(self.state, self.head)?), None));
        }
        let key = signature::claimed(&self.head.headers)?;
        let key = self.state.registry.find(&key)?;
        let (tenant, id) = (key.tenant.clone(), key.id.clone());
        match refusal {
            Some(Code::NetworkNotAllowed | Code::ClientCertificateRequired) => {
                Some((Known::of_key(tenant, Actor::Key(id)), None))
            }
            _ => Some((Known::of_key(tenant, Actor::System("edge")), Some(id))),
        }
    }
}

/// Refusals that say something about whoever was refused: not known, not allowed, every factor that
/// was not right, and what was looked for where nothing is.
fn refusal(kind: Kind, problem: &Problem) -> Option<Code> {
    let code = problem.code();
    let is_told = match (code.status(), kind) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => true,
        (StatusCode::NOT_FOUND, Kind::Read | Kind::Export) => true,
        _ if code == Code::RevealThrottled => true,
        (status, Kind::Proof | Kind::SignIn) => status.is_client_error(),
        _ => false,
    };
    is_told.then_some(code)
}

/// Routes that are something else than their method says; nothing where a leaf would say nothing:
/// payments, labels and confirmations have their own, challenges and one's own session are asked for all day,
/// proofs of the trail and help for whoever writes rules show nobody's data.
#[rustfmt::skip]
const KINDS: &[(&Method, &str, Option<Kind>)] = &[
    (&Method::POST, "/v1/decisions", None),
    (&Method::POST, "/v1/labels", None),
    (&Method::GET, "/v1/statistics/decisions", None),
    (&Method::POST, "/v1/payments/{payment_id}/confirmation-requests", None),
    (&Method::POST, "/v1/payments/{payment_id}/confirmation-answers", None),
    (&Method::GET, "/confirm/{token}", None),
    (&Method::POST, "/confirm/{token}", None),
    (&Method::POST, "/v1/safety/password-checks", None),
    (&Method::POST, "/v1/rules/effect", Some(Kind::Read)),
    (&Method::POST, "/v1/rules/check", None),
    (&Method::POST, "/v1/rules/completions", None),
    (&Method::POST, "/v1/rules/hover", None),
    (&Method::GET, "/v1/rules/activity", None),
    (&Method::GET, "/v1/signed-calls", None),
    (&Method::PUT, "/v1/lists/{list}/entries", Some(Kind::Add)),
    (&Method::DELETE, "/v1/lists/{list}/entries", Some(Kind::Remove)),
    (&Method::POST, "/v1/approvals/{id}/votes", Some(Kind::Vote)),
    (&Method::POST, "/v1/approvals/{id}/reveal", Some(Kind::Read)),
    (&Method::POST, "/v1/session/invitation", Some(Kind::SignIn)),
    (&Method::POST, "/v1/session/passkey-challenge", None),
    (&Method::POST, "/v1/session/passkey", Some(Kind::SignIn)),
    (&Method::POST, "/v1/session/password", Some(Kind::SignIn)),
    (&Method::POST, "/v1/session/sign-on-challenge", None),
    (&Method::POST, "/v1/session/sign-on", Some(Kind::SignIn)),
    (&Method::GET, "/v1/session", None),
    (&Method::GET, "/v1/session/sessions", None),
    (&Method::GET, "/v1/session/preferences", None),
    (&Method::POST, "/v1/session/proof-challenge", None),
    (&Method::POST, "/v1/session/proof", Some(Kind::Proof)),
    (&Method::GET, "/v1/trail/checkpoint", None),
    (&Method::GET, "/v1/trail/keys", None),
    (&Method::GET, "/v1/trail/proofs/inclusion", None),
    (&Method::GET, "/v1/trail/proofs/consistency", None),
    (&Method::GET, "/v1/trail/leaves", Some(Kind::Export)),
    (&Method::GET, "/v1/trail/tile/{tile}", Some(Kind::Export)),
    (&Method::POST, "/v1/trail/cosignatures", None),
];

/// What kind of request it is; none of which there is no leaf.
fn kind(route: &Route, parameter: &str) -> Option<Kind> {
    if route.scope.is_none() && route.door == Door::Key {
        return None;
    }
    // Tiles of hashes hold no leaves.
    if route.path.ends_with("{tile}") && !parameter.starts_with("entries/") {
        return None;
    }
    let row = KINDS
        .iter()
        .find(|(method, path, _)| *method == route.method && *path == route.path);
    match (row, route.method) {
        (Some((_, _, kind)), _) => *kind,
        (None, &Method::GET) => Some(Kind::Read),
        (None, _) => Some(Kind::Command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_route_and_every_read_of_data_leaves_a_leaf() {
        for (method, path, _) in KINDS {
            let fits = |route: &&Route| route.method == *method && route.path == *path;
            assert!(api::routes().any(|route| fits(&route)), "{method} {path}");
        }
        let shows_data = |route: &&Route| {
            let areas = [
                "/v1/decisions",
                "/v1/payments",
                "/v1/lists",
                "/v1/staff",
                "/v1/keys",
            ];
            let is_data = areas.iter().any(|area| route.path.starts_with(area));
            *route.method == Method::GET && (is_data || route.path == "/v1/trail/leaves")
        };
        let mut count = 0;
        for route in api::routes().filter(shows_data) {
            assert!(kind(route, "").is_some(), "{}", route.path);
            count += 1;
        }
        assert!(count >= 10, "{count}");
    }
}
