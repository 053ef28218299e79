//! One request from its headers to its reply: the stations in their order.

use crate::{
    Limits,
    api::{self, Call, Door, Keyed, Route, confirmations::page, person::PersonCall},
    edge::{
        Code, Problem, access, body,
        flow::ReplyBody,
        idempotency::{Begin, Remembered, Reservation},
        nonce::Insert,
        peer::Peer,
        person,
        reply::{JSON, Reply},
        signature::{self, Caller},
        visitors::{Visit as Visitor, Visitors},
    },
    metrics::{Laps, Station},
    pages,
    state::{Place, State},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version, request};
use hyper::body::{Body, Incoming};
use paywarden_access::{Scope, staff::Member};
use paywarden_risk::Idempotency;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const PAUSE_US: u64 = 1_000_000;

/// Answers one request. It never fails: whatever goes wrong is a problem document.
pub(crate) async fn answer(
    state: Arc<State>,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let received_us = state.clock.monotonic_us();
    let request_id = request_id(&state);
    let (head, mut body) = request.into_parts();
    if let Some(pages) = state.pages.as_ref().filter(|_| pages::is_page(&head)) {
        return pages::answer((&state, pages), peer, head, &mut body, request_id).await;
    }
    let mut visit = Visit {
        state: &state,
        head: &head,
        peer,
        received_us,
        caller: None,
        member: None,
        route: None,
        parameter: String::new(),
    };
    let passed = visit.pass(&mut body).await;
    state.witness.saw(&state, &head, &passed);
    let (reply, closes) = match access::note(visit.asked(), passed).await {
        Ok(reply) => (reply, false),
        Err(problem) => {
            let closes = problem.closes();
            if !closes && !body.is_end_stream() {
                body::discard(&mut body, &state.limits).await;
            }
            state.metrics.refused(problem.code());
            let key_id = visit.caller.as_ref().map(|caller| caller.key.id.as_str());
            tracing::info!(code = problem.code().name(), request_id, key_id, "refused");
            (
                problem.into_reply(&request_id),
                closes && head.version < Version::HTTP_2,
            )
        }
    };
    visit.finish(reply, &request_id, closes)
}

/// One request on its way.
struct Visit<'a> {
    state: &'a Arc<State>,
    head: &'a request::Parts,
    peer: Peer,
    received_us: u64,
    caller: Option<Caller>,
    member: Option<Member>,
    route: Option<&'static Route>,
    parameter: String,
}

impl Visit<'_> {
    async fn pass(&mut self, body: &mut Incoming) -> Result<Reply, Problem> {
        let state = Arc::clone(self.state);
        let mut laps = Laps::start(&state.metrics, &state.clock);
        check_headers(&self.head.headers, &state)?;
        let (route, parameter) = api::find(&self.head.method, self.head.uri.path())?;
        self.route = Some(route);
        self.parameter.clone_from(&parameter);
        let door = route.door.taken_by(person::is_shown(&self.head.headers));
        let scope = match (door, route.scope) {
            (Door::Key, Some(scope)) => scope,
            (Door::Key, None) => return Ok(api::open(&state, route)),
            (Door::Link, _) => return self.pass_link(route, &parameter, body).await,
            _ => return self.pass_person((route, door), parameter, body).await,
        };
        let (caller, place) = self.admit(route, scope)?;
        let list = route.size.place(&state)?;
        laps.done(Station::Signature);

        let bytes = read(route, body, &state.limits).await?;
        if caller.signature.is_some() {
            body::check_digest(&self.head.headers, &bytes)?;
        }
        laps.done(Station::Body);

        remember_nonce(&state, &caller)?;
        let mut call = Call::new(
            &state,
            &caller,
            self.head,
            parameter,
            bytes,
            self.received_us,
        );
        let mut reservation = None;
        if let Some(key) = idempotency_key(&self.head.headers, route.keyed)? {
            match reserve(&state, call.keyed_by(key))? {
                Reserved::Fresh(fresh) => reservation = Some(fresh),
                Reserved::Answered(reply) => return Ok(reply),
            }
        }
        laps.done(Station::Replay);
        work(route, call, reservation, (place, list)).await
    }

    /// The way of people: who they are, what they send, what they are answered.
    async fn pass_person(
        &mut self,
        (route, door): (&'static Route, Door),
        parameter: String,
        body: &mut Incoming,
    ) -> Result<Reply, Problem> {
        let state = Arc::clone(self.state);
        person::check_origin(&state, self.head)?;
        if route.has_body {
            let limits = route.size.limits(&state.limits);
            body::check_declared(&self.head.headers, &limits, route.size.media_types())?;
        }
        let (member, visit) = match door {
            Door::Visitor => (None, Some(visitor(&state, self.peer)?)),
            door => (Some(person::recognise(&state, self.head, door)?), None),
        };
        self.member.clone_from(&member);
        let place = admit(&state, route, member.as_ref())?;
        let large = route.size.place(&state)?;
        let bytes = read(route, body, &state.limits).await?;
        let call = PersonCall {
            state,
            peer: self.peer,
            member,
            parameter,
            query: self.head.uri.query().unwrap_or_default().to_owned(),
            body: bytes,
        };
        finish_in_task(async move {
            let _held = (place, visit, large);
            api::person::handle(route, &call).await
        })
        .await
    }

    /// The way of whoever holds a link: nobody is known, and every answer is a page.
    async fn pass_link(
        &mut self,
        route: &'static Route,
        token: &str,
        body: &mut Incoming,
    ) -> Result<Reply, Problem> {
        match self.open_link(route, token, body).await {
            Ok(reply) => Ok(reply),
            Err(problem) => {
                self.state.metrics.refused(problem.code());
                Ok(page::refused(self.head, problem, &request_id(self.state)))
            }
        }
    }

    async fn open_link(
        &mut self,
        route: &'static Route,
        token: &str,
        body: &mut Incoming,
    ) -> Result<Reply, Problem> {
        let state = Arc::clone(self.state);
        let network = self.peer.network().to_string();
        let now_us = state.clock.monotonic_us();
        if let Err(wait_us) = state.links.admit(&network, now_us) {
            let detail = "too many links are opened from this network";
            return Err(Problem::new(Code::LinkLimit, detail).retry_after_us(wait_us));
        }
        let _visit = among(&state.link_visitors, self.peer)?;
        let _place = state.place().ok_or_else(overloaded)?;
        if route.has_body {
            let limits = route.size.limits(&state.limits);
            body::check_declared(&self.head.headers, &limits, route.size.media_types())?;
            person::check_site(self.head)?;
        }
        let bytes = read(route, body, &state.limits).await?;
        let form = route.has_body.then_some(bytes);
        let visit = page::Visit {
            state: &state,
            head: self.head,
            token,
            form,
        };
        page::handle(&visit).await
    }

    /// What is known of it for its leaf.
    fn asked(&self) -> access::Asked<'_> {
        access::Asked {
            state: self.state,
            head: self.head,
            peer: self.peer,
            route: self.route,
            parameter: &self.parameter,
            caller: self.caller.as_ref(),
            member: self.member.as_ref(),
        }
    }

    /// Everything that the headers alone decide: who calls, what they may do, whether there is
    /// room.
    fn admit(&mut self, route: &Route, scope: Scope) -> Result<(Caller, Place), Problem> {
        let state = self.state;
        if route.has_body {
            let limits = route.size.limits(&state.limits);
            body::check_declared(&self.head.headers, &limits, route.size.media_types())?;
        }
        let caller = self
            .caller
            .insert(signature::recognise(state, self.head, &self.peer)?)
            .clone();
        if !caller.key.scopes.contains(scope) {
            let detail = "this key may not use this route";
            let missing = vec![scope.name().to_owned()];
            return Err(Problem::new(Code::ScopeInsufficient, detail).missing(missing));
        }
        check_rate(state, &caller.key.id)?;
        let place = state.place().ok_or_else(overloaded)?;
        Ok((caller, place))
    }

    fn finish(self, reply: Reply, request_id: &str, closes: bool) -> Response<ReplyBody> {
        let mut laps = Laps::start(&self.state.metrics, &self.state.clock);
        let body = reply.body.clone();
        let mut response = reply.into_response(request_id, closes);
        if let Some(caller) = &self.caller {
            let now_s = self.state.clock.now().seconds();
            let signer = &self.state.reply_key;
            if let Err(error) = signer.sign(caller, self.head, now_s, &body, &mut response) {
                tracing::error!(%error, request_id, "reply not signed");
            }
        }
        laps.done(Station::Reply);
        let is_decision = self.route.is_some_and(Route::is_decision);
        let took_us = self.state.clock.monotonic_us() - self.received_us;
        self.state
            .metrics
            .replied(response.status().as_u16(), is_decision, took_us);
        response
    }
}

/// One of the few places for people who have not signed in.
pub(crate) fn visitor(state: &State, peer: Peer) -> Result<Visitor, Problem> {
    among(&state.visitors, peer)
}

fn among(visitors: &Arc<Visitors>, peer: Peer) -> Result<Visitor, Problem> {
    visitors.enter(peer.network()).ok_or_else(|| {
        let detail = "too many people are here at once";
        Problem::new(Code::VisitorLimit, detail).retry_after_us(PAUSE_US)
    })
}

/// A place for the request of a person, if their roles allow it.
pub(crate) fn admit(
    state: &Arc<State>,
    route: &Route,
    member: Option<&Member>,
) -> Result<Place, Problem> {
    let lacks = |scope: &Scope| !member.is_some_and(|one| one.scopes.contains(*scope));
    if let Some(scope) = route.scope.filter(lacks) {
        let missing = vec![scope.name().to_owned()];
        let problem = Problem::new(Code::ScopeInsufficient, "your roles do not allow this");
        return Err(problem.missing(missing));
    }
    state.place().ok_or_else(overloaded)
}

/// Has a request answered by a task of its own: what was begun is finished even if the client
/// leaves.
pub(crate) async fn finish_in_task(
    work: impl Future<Output = Result<Reply, Problem>> + Send + 'static,
) -> Result<Reply, Problem> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the request failed")))
}

/// Answers a request of a program, and remembers the answer.
async fn work(
    route: &'static Route,
    call: Call,
    reservation: Option<Reservation>,
    places: (Place, Option<OwnedSemaphorePermit>),
) -> Result<Reply, Problem> {
    finish_in_task(async move {
        let _places = places;
        let result = api::handle(route, &call).await;
        if let (Some(reservation), Ok(reply)) = (reservation, &result) {
            let Reply { status, body, .. } = reply.clone();
            reservation.answered(Remembered { status, body });
        }
        result
    })
    .await
}

enum Reserved {
    Fresh(Reservation),
    Answered(Reply),
}

fn reserve(
    state: &State,
    (key_id, idempotency): (&str, &Idempotency),
) -> Result<Reserved, Problem> {
    match state
        .idempotency
        .begin(key_id, &idempotency.key, idempotency.fingerprint)
    {
        Begin::Started(reservation) => Ok(Reserved::Fresh(reservation)),
        Begin::Repeated(Remembered { status, body }) => Ok(Reserved::Answered(
            Reply::new(status, JSON, body).replayed(),
        )),
        Begin::InProgress => {
            let detail = "the first request with this key is not answered yet";
            Err(Problem::new(Code::IdempotencyInProgress, detail).retry_after_us(PAUSE_US))
        }
        Begin::Reused => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "the key was used for another method, path or body",
        )),
    }
}

pub(crate) fn check_headers(headers: &HeaderMap, state: &State) -> Result<(), Problem> {
    let bytes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let bytes: usize = bytes;
    if headers.len() > state.limits.headers_max || bytes > state.limits.header_bytes_max {
        let (lines, bytes) = (state.limits.headers_max, state.limits.header_bytes_max);
        let detail = format!("at most {lines} header lines of {bytes} bytes in total");
        return Err(Problem::new(Code::HeadersTooLarge, detail));
    }
    Ok(())
}

fn check_rate(state: &State, key_id: &str) -> Result<(), Problem> {
    let Err(wait_us) = state.rates.admit(key_id, state.clock.monotonic_us()) else {
        return Ok(());
    };
    let seconds = wait_us.div_ceil(1_000_000);
    let (rate, burst) = (
        state.limits.requests_per_second_per_key,
        state.limits.burst_per_key,
    );
    let detail = format!("a key may send {rate} requests per second and {burst} at once");
    let mut problem = Problem::new(Code::RateLimited, detail).retry_after_us(wait_us);
    for (name, text) in [
        (RATE_LIMIT, format!("\"key\";r=0;t={seconds}")),
        (RATE_LIMIT_POLICY, format!("\"key\";q={rate};w=1")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            problem = problem.header(name, value);
        }
    }
    Err(problem)
}

fn overloaded() -> Problem {
    let detail = "all places for requests are taken";
    Problem::new(Code::Overloaded, detail).retry_after_us(PAUSE_US)
}

/// The body of a request; empty on routes that take none, which refuse what is sent all the same.
async fn read(route: &Route, body: &mut Incoming, limits: &Limits) -> Result<Bytes, Problem> {
    match route.has_body {
        true => body::read(body, &route.size.limits(limits)).await,
        false => body::read_none(body, limits).await,
    }
}

fn remember_nonce(state: &State, caller: &Caller) -> Result<(), Problem> {
    let Some(signed) = &caller.signature else {
        return Ok(());
    };
    let now_us = state.clock.monotonic_us();
    match state.nonces.insert(&caller.key.id, &signed.nonce, now_us) {
        Insert::Fresh => Ok(()),
        Insert::Seen => {
            let detail = "sign again with a new nonce and the same idempotency key";
            Err(Problem::new(Code::SignatureReplayed, detail).server_time(state.clock.now()))
        }
        Insert::Full => {
            let detail = "no further nonce can be remembered at present";
            Err(Problem::new(Code::ReplayStoreFull, detail).retry_after_us(PAUSE_US))
        }
    }
}

/// The idempotency key: a quoted string (draft-ietf-httpapi-idempotency-key-header) or, as many
/// clients send it, the bare text.
fn idempotency_key(headers: &HeaderMap, keyed: Keyed) -> Result<Option<String>, Problem> {
    let malformed = || {
        let detail = "one quoted string or bare token of 1 to 255 visible ASCII characters";
        Problem::new(Code::IdempotencyKeyMalformed, detail)
    };
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let line = match (lines.next(), keyed) {
        (_, Keyed::Never) => return Ok(None),
        (None, Keyed::Optional) => return Ok(None),
        (None, Keyed::Required) => {
            let detail = "send an `idempotency-key` of your own for each payment";
            return Err(Problem::new(Code::IdempotencyKeyMissing, detail));
        }
        (Some(line), _) => line.to_str().map_err(|_| malformed())?.trim(),
    };
    let key = match line
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => unescape(quoted),
        None => Some(line.to_owned()).filter(|bare| !bare.contains('"')),
    };
    let key = key
        .filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()))
        .filter(|key| key.bytes().all(|byte| (0x21..=0x7e).contains(&byte)))
        .filter(|_| lines.next().is_none())
        .ok_or_else(malformed)?;
    api::must_not_be_card("idempotency-key", &key)?;
    Ok(Some(key))
}

/// The text of a structured-field string (RFC 9651, section 3.3.3) without its quotes.
fn unescape(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => characters
                .next()
                .filter(|next| matches!(next, '"' | '\\'))?,
            '"' => return None,
            plain => plain,
        });
    }
    Some(text)
}

fn request_id(state: &State) -> String {
    format!(
        "req_{:024x}",
        u128::from_be_bytes(state.clock.random()) >> 32
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(lines: &[&str], keyed: Keyed) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IDEMPOTENCY_KEY, line.parse().unwrap());
        }
        idempotency_key(&headers, keyed).map_err(|problem| problem.code())
    }

    #[test]
    fn quoted_and_bare_keys_are_the_same_key() {
        for line in ["\"pay-1\"", "pay-1", "  pay-1 "] {
            assert_eq!(
                key(&[line], Keyed::Required),
                Ok(Some("pay-1".to_owned())),
                "{line}"
            );
        }
        assert_eq!(
            key(&[r#""a\"b\\""#], Keyed::Optional),
            Ok(Some(r#"a"b\"#.to_owned()))
        );
        assert_eq!(key(&[], Keyed::Optional), Ok(None));
        assert_eq!(key(&[], Keyed::Required), Err(Code::IdempotencyKeyMissing));
    }

    #[test]
    fn malformed_keys_are_refused() {
        let long = "x".repeat(256);
        for lines in [
            &["\"\""][..],
            &["a b"],
            &["\"a"],
            &[r#""a\n""#],
            &[long.as_str()],
            &["a", "b"],
        ] {
            let refused = Err(Code::IdempotencyKeyMalformed);
            assert_eq!(key(lines, Keyed::Optional), refused, "{lines:?}");
        }
        assert_eq!(
            key(&["x".repeat(255).as_str()], Keyed::Required).map(|key| key.is_some()),
            Ok(true)
        );
    }
}
