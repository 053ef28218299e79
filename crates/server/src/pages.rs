//! The way of pages: what a browser asks for, and the one way by which a page sees or does anything.
//!
//! *Invariant*: a page shows and does what the routes of the API show and do to the same person, and
//! nothing else: [`Desk::ask`] goes through their doors, scopes, limits and leaves. *Invariant*:
//! nothing is done before [`Desk::form`] has seen that our own page, in the same session, asked.

mod form;
mod names;

pub use form::{Form, FormFile};
pub use paywarden_risk::RuleTitle;

use crate::{
    Limits,
    api::{self, Door, Route, Size, person::PersonCall},
    edge::{
        Code, Problem, ProblemDocument, access, body,
        flow::{self, ReplyBody},
        peer::Peer,
        person,
        reply::Reply,
        visitors::Visit,
    },
    serve::{self, finish_in_task},
    state::State,
};
use bytes::Bytes;
use form::MULTIPART;
use http::{
    HeaderName, HeaderValue, Method, Response,
    header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE},
    request::Parts,
};
use hyper::body::Incoming;
use paywarden_access::staff::Member;
use paywarden_cases::FILE_BYTES_MAX;
use paywarden_domain::Timestamp;
use paywarden_risk::RuleSet;
use serde_json::Value;
use std::{borrow::Cow, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Who answers for pages: whatever path no route of the API has, and that does not begin with
/// [`API`].
pub type Pages = Arc<dyn Fn(Desk) -> Pin<Box<dyn Future<Output = Paged> + Send>> + Send + Sync>;

/// What paths of the API begin with, whether there is such a route or not.
pub const API: &str = "/v1/";
/// The field of a form that carries the session's token.
pub const TOKEN_FIELD: &str = "_token";

/// After how long whoever found no room may ask again, in microseconds.
const PAUSE_US: u64 = 5_000_000;

const FORM: &str = "application/x-www-form-urlencoded";
/// What browsers send as when a page did what its policy forbids.
const REPORTS: [&str; 3] = [FORM, "application/csp-report", "application/reports+json"];
/// What whoever is signed in sends beside that.
const WITH_FILES: [&str; 4] = [FORM, REPORTS[1], REPORTS[2], MULTIPART];
/// Room in a form for what stands around its file.
const AROUND_FILE_BYTES: usize = 64 * 1024;

/// One request for a page, with all that it may see and do.
pub struct Desk {
    state: Arc<State>,
    head: Parts,
    peer: Peer,
    body: Bytes,
    member: Option<Member>,
    request_id: String,
    cookies: Vec<HeaderValue>,
    is_ours: bool,
    /// The version of the rules that the page is about.
    rules: Option<RuleSet>,
    /// The place of a form with a file.
    _place: Option<OwnedSemaphorePermit>,
}

/// The answer to a request for a page. Only a desk gives one.
pub struct Paged {
    reply: Reply,
    /// What follows its head, instead of a body.
    lines: Option<mpsc::Receiver<Bytes>>,
}

/// The way of lines to one reader, who is waited for.
pub struct Lines {
    state: Arc<State>,
    sender: mpsc::Sender<Bytes>,
    _place: Visit,
}

impl Paged {
    fn whole(reply: Reply) -> Self {
        let lines = None;
        Self { reply, lines }
    }
}

impl Lines {
    /// Sends lines once the reader has taken those before. False if nobody reads any more.
    pub async fn send(&self, lines: String) -> bool {
        self.sender.send(Bytes::from(lines)).await.is_ok()
    }

    /// Waits a moment. False if nobody reads any more, or the server stops.
    pub async fn pause(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.state.is_stopping(),
            () = self.sender.closed() => false,
        }
    }
}

/// Whether a request is one for a page.
pub(crate) fn is_page(head: &Parts) -> bool {
    let path = head.uri.path();
    let found = api::find(&head.method, path);
    !path.starts_with(API) && found.is_err_and(|problem| problem.code() == Code::RouteUnknown)
}

/// Answers a request for a page.
pub(crate) async fn answer(
    (state, pages): (&Arc<State>, &Pages),
    peer: Peer,
    head: Parts,
    body: &mut Incoming,
    request_id: String,
) -> Response<ReplyBody> {
    let received_us = state.clock.monotonic_us();
    let id = request_id.clone();
    let reply = match desk(state, peer, head, body, request_id).await {
        Ok(desk) => pages(desk).await,
        Err(problem) => {
            state.metrics.refused(problem.code());
            Paged::whole(problem.into_reply(&id))
        }
    };
    let mut response = reply.reply.into_response(&id, false);
    if let Some(lines) = reply.lines {
        response = response.map(|_| ReplyBody::flow(lines));
    }
    let took_us = state.clock.monotonic_us() - received_us;
    let status = response.status().as_u16();
    state.metrics.replied(status, false, took_us);
    response
}

async fn desk(
    state: &Arc<State>,
    peer: Peer,
    head: Parts,
    body: &mut Incoming,
    request_id: String,
) -> Result<Desk, Problem> {
    serve::check_headers(&head.headers, state)?;
    let member = person::known(state, &head);
    let (mut bytes, mut file_place) = (Bytes::new(), None);
    if head.method == Method::POST {
        let has_file = member.is_some() && declared(&head).starts_with(MULTIPART);
        if has_file {
            file_place = Size::CaseFile.place(state)?;
        }
        let (limits, media_types) = match member {
            Some(_) if has_file => (Cow::Owned(of_files(state)), &WITH_FILES[..]),
            Some(_) => {
                let bytes_max = state.limits.page_form_bytes_max;
                (
                    Cow::Owned(state.limits.with_body(bytes_max)),
                    &WITH_FILES[..],
                )
            }
            None => (Cow::Borrowed(&state.limits), &REPORTS[..]),
        };
        body::check_declared(&head.headers, &limits, media_types)?;
        let _visit = match member {
            Some(_) => None,
            None => Some(serve::visitor(state, peer)?),
        };
        bytes = body::read(body, &limits).await?;
    }
    Ok(Desk {
        state: Arc::clone(state),
        head,
        peer,
        body: bytes,
        member,
        request_id,
        cookies: Vec::new(),
        is_ours: false,
        rules: None,
        _place: file_place,
    })
}

/// What a body is declared as.
fn declared(head: &Parts) -> &str {
    let declared = head.headers.get(CONTENT_TYPE);
    declared
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Room and time for a file in a form.
fn of_files(state: &State) -> Limits {
    let slow = state.limits.of_screening_lists();
    slow.with_body(FILE_BYTES_MAX + AROUND_FILE_BYTES)
}

impl Desk {
    /// The method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The path, as it was sent.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// What stands behind `?`.
    pub fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// The text of a header.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The value of a cookie; not that of the session.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.head.headers.get_all(COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let is_wanted = |known: &str| known == name && name != person::SESSION_COOKIE;
        pairs
            .filter(|(known, _)| is_wanted(known))
            .map(|(_, value)| value)
            .next()
    }

    /// Who is signed in.
    pub fn member(&self) -> Option<&Member> {
        self.member.as_ref()
    }

    /// Whether sensitive commands are taken now.
    pub fn is_fresh(&self) -> bool {
        let member = self.member.as_ref();
        member.is_some_and(|member| self.state.staff.is_fresh(member))
    }

    /// Where browsers and programs find this server.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.state.clock.now()
    }

    /// Names the request in the log.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Where the same page is under the name that forms and passkeys are bound to, if it was asked
    /// for under another one, such as the address of the machine. Nothing where an operator has said
    /// where the pages are: what a proxy makes of names is theirs.
    pub fn elsewhere(&self) -> Option<String> {
        let host = self.head.headers.get(HOST).map(HeaderValue::as_bytes);
        let asked = match self.head.uri.authority() {
            Some(authority) => authority.as_str().as_bytes(),
            None => host?,
        };
        let ours = self.state.origin.strip_prefix("https://")?;
        let is_other = asked != ours.as_bytes() && !self.state.origin_is_set;
        let target = self.head.uri.path_and_query()?;
        is_other.then(|| format!("{}{target}", self.state.origin))
    }

    /// The body as it came, from whomever.
    pub fn report(&self) -> &[u8] {
        &self.body
    }

    /// The fields of the form that was sent, if a page of ours sent it, in this session.
    pub fn form(&mut self) -> Result<Form, Box<ProblemDocument>> {
        let form = Form::read(declared(&self.head), &self.body);
        let checked = person::check_origin(&self.state, &self.head).and_then(|()| {
            let member = self.member.as_ref();
            let token = form.text(TOKEN_FIELD).as_bytes();
            member.map_or(Ok(()), |one| {
                person::check_token(Some(token), &one.session.csrf)
            })
        });
        match checked {
            Ok(()) => {
                self.is_ours = true;
                Ok(form)
            }
            Err(problem) => Err(self.refused(problem)),
        }
    }

    /// Asks a route of the API as whoever is signed in: its answer's body, or its refusal.
    pub async fn ask(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Box<ProblemDocument>> {
        match self.asked(method, target, body).await {
            Ok(reply) => Ok(reply.body),
            Err(problem) => Err(self.refused(problem)),
        }
    }

    /// Asks a route of the API that answers with a file.
    pub async fn fetch(&mut self, target: &str) -> Result<Reply, Box<ProblemDocument>> {
        match self.asked(&Method::GET, target, None).await {
            Ok(reply) => Ok(reply),
            Err(problem) => Err(self.refused(problem)),
        }
    }

    /// The answer, with the cookies of whatever was asked on the way.
    pub fn reply(self, mut reply: Reply) -> Paged {
        let cookies = self.cookies.into_iter();
        reply.headers.extend(cookies.map(|line| (SET_COOKIE, line)));
        Paged::whole(reply)
    }

    /// An answer that goes on: `work` sends lines, as the person who is signed in now. As many
    /// people read such lines at once as [`crate::Limits`] say.
    pub fn flow<W>(self, reply: Reply, work: impl FnOnce(Self, Lines) -> W) -> Paged
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let Some(place) = self.state.readers.enter(self.peer.network()) else {
            let detail = "so many people watch at once that nobody else may";
            let problem = Problem::new(Code::VisitorLimit, detail).retry_after_us(PAUSE_US);
            self.state.metrics.refused(problem.code());
            return Paged::whole(problem.into_reply(&self.request_id));
        };
        let (sender, receiver) = flow::lines();
        let lines = Lines {
            state: Arc::clone(&self.state),
            sender,
            _place: place,
        };
        tokio::spawn(work(self, lines));
        Paged {
            reply,
            lines: Some(receiver),
        }
    }

    /// Looks whether the person is signed in still, which does not count as use of the session.
    pub fn look_again(&mut self) -> bool {
        self.member = person::known_still(&self.state, &self.head);
        self.member.is_some()
    }

    /// A number that grows with every decision of any company: as long as it is the same there is
    /// nothing new.
    pub fn decided(&self) -> i64 {
        self.state.engine.settled()
    }

    fn refused(&self, problem: Problem) -> Box<ProblemDocument> {
        self.state.metrics.refused(problem.code());
        tracing::info!(
            code = problem.code().name(),
            request_id = self.request_id,
            "refused"
        );
        Box::new(problem.into_document(&self.request_id))
    }

    async fn asked(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Reply, Problem> {
        if *method != Method::GET && !self.is_ours {
            return Err(Problem::new(Code::OriginRefused, "no form was seen"));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (route, parameter) = api::find(method, path)?;
        let result = self.enter(route, (&parameter, query), body).await;
        let asked = access::Asked {
            state: &self.state,
            head: &self.head,
            peer: self.peer,
            route: Some(route),
            parameter: &parameter,
            caller: None,
            member: self.member.as_ref(),
        };
        let reply = access::note(asked, result).await?;
        self.keep(&reply);
        Ok(reply)
    }

    async fn enter(
        &self,
        route: &'static Route,
        (parameter, query): (&str, &str),
        body: Option<&Value>,
    ) -> Result<Reply, Problem> {
        let state = &self.state;
        let door = route.door.taken_by(true);
        let member = match (door, route.scope) {
            (Door::Key, None) => return Ok(api::open(state, route)),
            (Door::Key, Some(_)) => {
                let detail = "only programs use this route";
                return Err(Problem::new(Code::SignatureMissing, detail));
            }
            (Door::Visitor, _) => None,
            (door, _) => {
                let member = self.member.as_ref();
                let member = member.ok_or_else(person::session_required)?;
                person::check_door(state, member, door)?;
                Some(member.clone())
            }
        };
        let visit = match member {
            Some(_) => None,
            None => Some(serve::visitor(state, self.peer)?),
        };
        let place = serve::admit(state, route, member.as_ref())?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let call = PersonCall {
            state: Arc::clone(state),
            peer: self.peer,
            member,
            parameter: parameter.to_owned(),
            query: query.to_owned(),
            body: Bytes::from(body),
        };
        finish_in_task(async move {
            let _held = (place, visit);
            api::person::handle(route, &call).await
        })
        .await
    }

    /// Takes over the session that an answer opens, changes or ends.
    fn keep(&mut self, reply: &Reply) {
        let cookies = reply.headers.iter().filter(|(name, _)| *name == SET_COOKIE);
        for (_, line) in cookies {
            let token = person::given(line);
            self.member = token.and_then(|token| self.state.staff.authenticate(token).ok());
            self.cookies.push(line.clone());
        }
    }
}
