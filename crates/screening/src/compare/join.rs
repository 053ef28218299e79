//! Neighbouring tokens of one side that are one token of the other: `Mohammad Hasni`, `Ze Dong`.

use super::{Part, Weighted};
use crate::name::{Role, Token};
use std::borrow::Cow;

/// Most neighbours that are one token.
const RUN_MAX: usize = 4;

/// The asked tokens, joined where a listed token is several of them.
pub(super) fn asked<'a>(parts: &'a [Part], listed: &[Weighted]) -> Cow<'a, [Part]> {
    let targets = || listed.iter().map(|part| &part.token);
    joined(parts, targets, |part| (part.token, part.weight), Part::new)
}

/// The listed tokens, joined where an asked token is several of them.
pub(super) fn listed<'a>(listed: &'a [Weighted], parts: &[Part]) -> Cow<'a, [Weighted]> {
    let targets = || parts.iter().map(|part| &part.token);
    let make = |token, weight| Weighted { token, weight };
    joined(listed, targets, |part| (part.token, part.weight), make)
}

fn joined<'a, 't, T: Copy, I: Iterator<Item = &'t Token>>(
    parts: &'a [T],
    targets: impl Fn() -> I,
    read: impl Fn(&T) -> (Token, f32),
    make: impl Fn(Token, f32) -> T,
) -> Cow<'a, [T]> {
    let mut out = Cow::Borrowed(parts);
    let mut at = 0;
    while at + 1 < out.len() {
        let run = targets().find_map(|target| run(&out[at..], target, &read));
        if let Some((length, token, weight)) = run {
            out.to_mut().splice(at..at + length, [make(token, weight)]);
        }
        at += 1;
    }
    out
}

/// How many of the first parts together are the target, and what they come to.
fn run<T>(
    parts: &[T],
    target: &Token,
    read: &impl Fn(&T) -> (Token, f32),
) -> Option<(usize, Token, f32)> {
    let wanted = target.text.text();
    let (mut token, mut weight) = read(&parts[0]);
    let first = token.text.text();
    let plain = |token: &Token| !matches!(token.role, Role::Form(_));
    // The same first letter, and longer than the first part by at least one: cheap to refuse.
    if !plain(target) || !plain(&token) || wanted.len() <= first.len() || wanted[0] != first[0] {
        return None;
    }
    let mut letters = first.len();
    for length in 2..=parts.len().min(RUN_MAX) {
        let (next, its_weight) = read(&parts[length - 1]);
        letters += next.text.len();
        if letters > wanted.len() + 1 || !plain(&next) {
            return None;
        }
        token = token.joined(&next);
        weight += its_weight;
        if letters + 1 >= wanted.len() && alike(&token, target) {
            return Some((length, token, weight.min(1.0)));
        }
    }
    None
}

/// Equal, or of one sound and nearly one length.
fn alike(one: &Token, other: &Token) -> bool {
    one.text == other.text || (one.text.len() >= 5 && one.sound == other.sound)
}
