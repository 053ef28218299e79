//! Secrets by how they begin: private keys, access keys, tokens, and passwords by their name.

use super::{Confidence, Evidence, Form, Hit, Kind};
use aho_corasick::{AhoCorasick, MatchKind};
use std::{ops::Range, sync::LazyLock};

/// What follows the head of a secret.
enum Tail {
    /// This within 40 bytes, and a body up to `-----END` (RFC 7468).
    Near(&'static [u8]),
    /// At least so many letters, digits, `_` and `-`.
    Word(usize),
    /// Three parts in base64url, with dots between them: a signed token (RFC 7519).
    Signed,
    /// `:` or `=`, and at least so many characters of at least so many kinds: a name and its value.
    Value(usize),
}

struct Head {
    text: &'static str,
    what: &'static str,
    tail: Tail,
    weight: i32,
}

const fn head(text: &'static str, what: &'static str, tail: Tail, weight: i32) -> Head {
    Head {
        text,
        what,
        tail,
        weight,
    }
}

/// What the value of a name weighs: test values and references look the same.
const NAMED: i32 = 50;

const HEADS: &[Head] = &[
    head(
        "-----BEGIN ",
        "private_key",
        Tail::Near(b"PRIVATE KEY"),
        200,
    ),
    head("AGE-SECRET-KEY-1", "age_key", Tail::Word(40), 90),
    head("AKIA", "aws_access_key", Tail::Word(16), 80),
    head("ASIA", "aws_access_key", Tail::Word(16), 80),
    head("AIza", "google_api_key", Tail::Word(35), 80),
    head("ghp_", "github_token", Tail::Word(36), 90),
    head("gho_", "github_token", Tail::Word(36), 90),
    head("ghs_", "github_token", Tail::Word(36), 90),
    head("github_pat_", "github_token", Tail::Word(36), 90),
    head("glpat-", "gitlab_token", Tail::Word(20), 90),
    head("npm_", "npm_token", Tail::Word(36), 85),
    head("xoxb-", "slack_token", Tail::Word(20), 90),
    head("xoxp-", "slack_token", Tail::Word(20), 90),
    head("sk_live_", "stripe_key", Tail::Word(20), 90),
    head("rk_live_", "stripe_key", Tail::Word(20), 90),
    head("hvs.", "vault_token", Tail::Word(24), 85),
    head("eyJ", "signed_token", Tail::Signed, 75),
    head("password", "password", Tail::Value(8), NAMED),
    head("PASSWORD", "password", Tail::Value(8), NAMED),
    head("Password", "password", Tail::Value(8), NAMED),
    head("passwd", "password", Tail::Value(8), NAMED),
    head("secret", "secret", Tail::Value(16), NAMED),
    head("SECRET", "secret", Tail::Value(16), NAMED),
    head("Secret", "secret", Tail::Value(16), NAMED),
    head("api_key", "api_key", Tail::Value(16), NAMED),
    head("API_KEY", "api_key", Tail::Value(16), NAMED),
    head("apiKey", "api_key", Tail::Value(16), NAMED),
    head("Bearer ", "bearer_token", Tail::Word(24), 70),
];

/// The longest token that is measured.
const LENGTH_MAX: usize = 512;
/// The longest body of a private key that is measured.
const BODY_MAX: usize = 8 * 1_024;

/// With this kind of match the finder looks for the first bytes of all heads several bytes at a
/// time (Teddy).
static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst);
    builder.build(HEADS.iter().map(|head| head.text)).ok()
});

/// Looks at what begins in `range` of `text`.
pub(super) fn look(text: &[u8], range: Range<usize>, found: &mut Vec<Hit>) {
    let Some(finder) = FINDER.as_ref() else {
        return;
    };
    let length_max = HEADS.iter().map(|head| head.text.len()).max().unwrap_or(0);
    let end = text.len().min(range.end + length_max - 1);
    let Some(part) = text.get(range.start..end) else {
        return;
    };
    for place in finder.find_iter(part) {
        let start = range.start + place.start();
        let Some(head) = HEADS.get(place.pattern().as_usize()) else {
            continue;
        };
        if start < range.end
            && let Some(at) = at(text, start, head)
        {
            found.push(Hit {
                kind: Kind::Secret,
                what: head.what,
                evidence: Evidence::new(head.weight),
                at,
                form: Form::Head(head.text),
            });
        }
    }
}

/// Whether a secret is so sure that a log must not have it.
pub(super) fn is_hidden(confidence: Confidence) -> bool {
    confidence >= Confidence::Likely
}

/// Where the secret stands of which this is the head.
fn at(text: &[u8], start: usize, head: &Head) -> Option<Range<usize>> {
    let behind = start + head.text.len();
    let rest = text.get(behind..text.len().min(behind + LENGTH_MAX))?;
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let word = |from: usize| rest.iter().skip(from).take_while(is_word).count();
    // In the middle of a word these letters are chance.
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    let is_chance = before.is_some_and(|byte| is_word(&byte));
    match head.tail {
        Tail::Word(_) | Tail::Signed if is_chance => None,
        Tail::Near(what) => {
            let near = rest.get(..rest.len().min(40))?;
            let found = near.windows(what.len()).any(|part| part == what);
            let body = text.get(behind..text.len().min(behind + BODY_MAX))?;
            let end = memchr::memmem::find(body, b"-----END").unwrap_or(body.len());
            found.then(|| start..behind + end)
        }
        Tail::Word(least) => {
            let length = word(0);
            (length >= least).then(|| start..behind + length)
        }
        Tail::Signed => {
            let first = word(0);
            let second = word(first + 1);
            let third = word(first + second + 2);
            let is_dot = |place: usize| rest.get(place) == Some(&b'.');
            let holds = is_dot(first) && is_dot(first + 1 + second);
            (holds && first >= 10 && second >= 10 && third >= 20)
                .then(|| start..behind + first + second + third + 2)
        }
        Tail::Value(least) => {
            let (from, length) = value(rest)?;
            let value = rest.get(from..from + length)?;
            (length >= least && kinds(value) >= 3).then(|| behind + from..behind + from + length)
        }
    }
}

/// The value behind a name, and its length.
fn value(rest: &[u8]) -> Option<(usize, usize)> {
    let name = rest
        .iter()
        .take(16)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let from = name.count();
    let filler = rest
        .iter()
        .skip(from)
        .take(6)
        .take_while(|byte| b" \"'=:".contains(byte));
    let filler: Vec<u8> = filler.copied().collect();
    if !filler.iter().any(|byte| matches!(byte, b'=' | b':')) {
        return None;
    }
    let from = from + filler.len();
    let value = rest.iter().skip(from);
    let length =
        value.take_while(|byte| byte.is_ascii_graphic() && !b"\"',;<>(){}[]&$".contains(byte));
    Some((from, length.count()))
}

/// How many of these there are: small letters, capitals, digits, others.
fn kinds(value: &[u8]) -> usize {
    let tests: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        u8::is_ascii_punctuation,
    ];
    tests.iter().filter(|test| value.iter().any(*test)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        look(text.as_bytes(), 0..text.len(), &mut found);
        let found = found.into_iter();
        found
            .map(|hit| (hit.what, text[hit.at].to_owned()))
            .collect()
    }

    #[test]
    fn secrets_are_found_and_words_are_not() {
        assert!(FINDER.is_some());
        let word = |length: usize| "aB3".chars().cycle().take(length).collect::<String>();
        let signed = format!("eyJ{}.{}.{}", word(12), word(20), word(43));
        for (text, what) in [
            (
                "-----BEGIN EC PRIVATE KEY-----\nMHcC".to_owned(),
                Some("private_key"),
            ),
            ("-----BEGIN CERTIFICATE-----".to_owned(), None),
            (format!("id AKIA{} x", word(16)), Some("aws_access_key")),
            (format!("xAKIA{}", word(16)), None),
            (format!("\"ghp_{}\"", word(36)), Some("github_token")),
            ("ghp_short".to_owned(), None),
            (
                format!("Authorization: Bearer {}", word(40)),
                Some("bearer_token"),
            ),
            (format!("cookie={signed}; a"), Some("signed_token")),
            ("db_password = \"Tr0ub4dor&3\"".to_owned(), Some("password")),
            ("let password = read();".to_owned(), None),
            ("the password is wrong".to_owned(), None),
        ] {
            let found = found(&text);
            let names: Vec<_> = found.iter().map(|(what, _)| *what).collect();
            assert_eq!(names, what.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_whole() {
        let token = format!("glpat-{}", "x9Y".repeat(8));
        assert_eq!(found(&format!("a {token}, b")), [("gitlab_token", token)]);
    }
}
