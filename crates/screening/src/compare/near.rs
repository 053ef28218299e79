//! How near two tokens are.

use super::Part;
use crate::name::{Family, Role, Token};

/// Sounds needed before equal sound says anything.
const SOUNDS_MIN: usize = 2;

/// How near two tokens are, and by what.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Nearness {
    /// 0 nothing alike, 1 the same.
    pub(crate) near: f32,
    /// Letters or sounds that differ.
    pub(crate) edits: u8,
    /// One is the first letter of the other.
    pub(crate) initial: bool,
    /// They sound alike.
    pub(crate) sound: bool,
}

const SAME: Nearness = Nearness {
    near: 1.0,
    edits: 0,
    initial: false,
    sound: true,
};

/// Compares two tokens.
pub(crate) fn nearness(asked: &Part, listed: &Token) -> Nearness {
    let (one, other) = (&asked.token, listed);
    if one.text == other.text {
        return SAME;
    }
    let (length, its_length) = (one.text.len(), other.text.len());
    let longest = length.max(its_length);
    match (one.role, other.role) {
        (Role::Form(family), Role::Form(its)) => return forms(family, its),
        (Role::Form(_), _) | (_, Role::Form(_)) => return apart(longest),
        (Role::Number, _) | (_, Role::Number) => return apart(longest),
        // `al` is not a name with a letter missing.
        (one, other) if passing(one) != passing(other) => return apart(longest),
        _ => {}
    }
    if length == 1 || its_length == 1 {
        return initial(one, other, longest);
    }
    if one.unvowelled || other.unvowelled {
        return sounds(asked, other);
    }
    if length.abs_diff(its_length) * 2 > longest {
        return apart(longest);
    }
    let edits = asked.letters.distance(other.text.text());
    let letters = 1.0 - edits as f32 / longest as f32;
    let sound = one.sound == other.sound && one.sound.len() >= SOUNDS_MIN;
    Nearness {
        near: if sound {
            letters + (1.0 - letters) * 0.5
        } else {
            letters
        },
        edits: edits as u8,
        initial: false,
        sound,
    }
}

/// What passes as part of a name and is often left out.
fn passing(role: Role) -> bool {
    matches!(role, Role::Particle | Role::Title)
}

fn apart(longest: usize) -> Nearness {
    Nearness {
        edits: longest as u8,
        ..Nearness::default()
    }
}

/// One family under two names is nearly one form; company and incorporated fit most.
fn forms(one: Family, other: Family) -> Nearness {
    let near = match one == other {
        true => 0.9,
        false if one == Family::Any || other == Family::Any => 0.8,
        false => 0.0,
    };
    Nearness {
        near,
        edits: u8::from(near < 0.5),
        ..Nearness::default()
    }
}

fn initial(one: &Token, other: &Token, longest: usize) -> Nearness {
    if one.text.text().first() != other.text.text().first() {
        return apart(longest);
    }
    Nearness {
        near: 0.8,
        edits: 0,
        initial: true,
        sound: false,
    }
}

/// What is written without short vowels is compared by consonants.
fn sounds(asked: &Part, other: &Token) -> Nearness {
    let longest = asked.token.sound.len().max(other.sound.len());
    let edits = asked.sounds.distance(other.sound.text());
    let near = (1.0 - edits as f32 / longest.max(1) as f32) * 0.95;
    Nearness {
        near: if longest >= SOUNDS_MIN {
            near
        } else {
            near * 0.5
        },
        edits: edits as u8,
        initial: false,
        sound: edits == 0,
    }
}
