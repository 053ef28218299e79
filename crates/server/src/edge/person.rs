//! Station: which person is this? A session cookie that only our own pages send, and for commands
//! a token beside it that only they can read.
//!
//! Against requests that other pages make a browser send: the cookie is `SameSite=Strict`, the
//! `Origin` of every command must be ours, `Sec-Fetch-Site` must not say otherwise, and commands
//! of a session carry its token.

use super::{Code, Problem};
use crate::{api::Door, state::State};
use http::{
    HeaderMap, HeaderName, Method,
    header::{AUTHORIZATION, COOKIE, HeaderValue, ORIGIN, SET_COOKIE},
    request::Parts,
};
use paywarden_access::staff::{Member, Opened, session::LIFE_US};
use paywarden_crypto::digest::sha256;

/// The cookie of a session. Its prefix makes browsers refuse it from any other host or path and
/// over plain HTTP (draft-ietf-httpbis-rfc6265bis).
pub const SESSION_COOKIE: &str = "__Host-paywarden";
/// The header that carries a session's token.
pub const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another page has sent.
pub(crate) fn check_origin(state: &State, head: &Parts) -> Result<(), Problem> {
    let is_safe = head.method == Method::GET;
    let site = head.headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    let site_fits = match site {
        None | Some(b"same-origin") => true,
        Some(b"none") => is_safe,
        Some(_) => false,
    };
    let mut origins = head.headers.get_all(ORIGIN).iter();
    let origin_fits = match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.as_bytes() == state.origin.as_bytes(),
        (None, _) => is_safe,
        (Some(_), Some(_)) => false,
    };
    match site_fits && origin_fits {
        true => Ok(()),
        false => Err(Problem::new(
            Code::OriginRefused,
            "commands of people come from the pages of this server",
        )),
    }
}

/// Refuses a form that another page has sent, where the browser says so.
pub(crate) fn check_site(head: &Parts) -> Result<(), Problem> {
    match head.headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Problem::new(
            Code::OriginRefused,
            "answers come from the page of this server",
        )),
    }
}

/// Whether a request comes with the cookie of a person, and signs nothing.
pub(crate) fn is_shown(headers: &HeaderMap) -> bool {
    let signs = headers.contains_key(SIGNATURE_INPUT) || headers.contains_key(AUTHORIZATION);
    !signs && cookie(headers).is_some()
}

/// The person whose session the cookie names, if the door is open to them.
pub(crate) fn recognise(state: &State, head: &Parts, door: Door) -> Result<Member, Problem> {
    let token = cookie(&head.headers).ok_or_else(session_required)?;
    let member = state.staff.authenticate(token);
    let member = member.map_err(|_| session_required())?;
    if head.method != Method::GET {
        let given = head.headers.get(CSRF_TOKEN).map(HeaderValue::as_bytes);
        check_token(given, &member.session.csrf)?;
    }
    check_door(state, &member, door)?;
    Ok(member)
}

/// Refuses whom a door is not open to at present.
pub(crate) fn check_door(state: &State, member: &Member, door: Door) -> Result<(), Problem> {
    let factor = member.session.factor;
    let is_full = factor.is_full();
    let is_fresh = is_full && state.staff.is_fresh(member);
    match door {
        Door::Staff | Door::StaffFresh if !is_full => Err(setting_up()),
        Door::Proving if !factor.may_prove() => Err(setting_up()),
        Door::OwnFresh if !factor.may_set_up() => Err(Problem::new(
            Code::FactorsIncomplete,
            "prove a factor of the account first",
        )),
        Door::StaffFresh if !is_fresh => Err(stale()),
        Door::OwnFresh if is_full && !is_fresh => Err(stale()),
        _ => Ok(()),
    }
}

/// The person whose session the cookie names, whatever they may do.
pub(crate) fn known(state: &State, head: &Parts) -> Option<Member> {
    state.staff.authenticate(cookie(&head.headers)?).ok()
}

/// The same, without its counting as use of the session.
pub(crate) fn known_still(state: &State, head: &Parts) -> Option<Member> {
    state.staff.recognise(cookie(&head.headers)?).ok()
}

/// The header that gives a browser the cookie of a session.
pub(crate) fn set_cookie(opened: &Opened) -> Result<(HeaderName, HeaderValue), Problem> {
    let (token, seconds) = (opened.token.as_str(), LIFE_US / 1_000_000);
    let text = format!(
        "{SESSION_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}"
    );
    let value = HeaderValue::from_str(&text);
    let mut value =
        value.map_err(|_| Problem::new(Code::Internal, "the cookie is not a header"))?;
    value.set_sensitive(true);
    Ok((SET_COOKIE, value))
}

/// The header that takes it away again.
pub(crate) fn clear_cookie() -> (HeaderName, HeaderValue) {
    let value = "__Host-paywarden=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
    (SET_COOKIE, HeaderValue::from_static(value))
}

/// The token that a line of [`set_cookie`] or [`clear_cookie`] gives.
pub(crate) fn given(line: &HeaderValue) -> Option<&str> {
    let (name, rest) = line.to_str().ok()?.split_once('=')?;
    let (token, _) = rest.split_once(';')?;
    (name == SESSION_COOKIE && !token.is_empty()).then_some(token)
}

/// The value of the session cookie, unless there are two of them.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == SESSION_COOKIE);
    let (_, value) = ours.next()?;
    ours.next().is_none().then_some(value)
}

/// Refuses a command that does not carry the token of its session.
pub(crate) fn check_token(given: Option<&[u8]>, expected: &str) -> Result<(), Problem> {
    // Hashes are compared, so that the time does not tell how much was right.
    let fits = given.is_some_and(|given| sha256(given) == sha256(expected.as_bytes()));
    match fits {
        true => Ok(()),
        false => Err(Problem::new(
            Code::CsrfTokenInvalid,
            "send the session's `csrf_token` as `x-csrf-token`",
        )),
    }
}

pub(crate) fn session_required() -> Problem {
    Problem::new(Code::SessionRequired, "sign in first")
}

fn setting_up() -> Problem {
    Problem::new(
        Code::FactorsIncomplete,
        "this session is for setting up factors, or for proving one, only",
    )
}

fn stale() -> Problem {
    Problem::new(
        Code::FreshFactorRequired,
        "prove a factor again: it counts for five minutes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        cookie(&headers).map(str::to_owned)
    }

    #[test]
    fn one_cookie_of_ours_among_others_counts_and_two_do_not() {
        let ours = Some("abc".to_owned());
        assert_eq!(found(&["__Host-paywarden=abc"]), ours);
        assert_eq!(found(&["a=b; __Host-paywarden=abc; c=d"]), ours);
        assert_eq!(found(&["a=b", "__Host-paywarden=abc"]), ours);
        assert_eq!(found(&["paywarden=abc", "__host-paywarden=abc"]), None);
        assert_eq!(found(&["__Host-paywarden=abc; __Host-paywarden=x"]), None);
        assert_eq!(found(&[]), None);
    }
}
