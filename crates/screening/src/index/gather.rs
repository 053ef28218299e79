//! Candidates: the names whose tokens are near those asked about, rare tokens first.

use super::{Index, Room, dictionary::NEAR_MAX, dictionary::Near, leads};
use crate::{
    compare::{Part, Prepared},
    kind::Kind,
    name::Token,
    word::Word,
};

/// Most names that are read for one screening: what is left then are frequent tokens, which the
/// comparison still counts.
const READ_MAX: usize = 6_000;
/// Candidates that are compared.
pub(super) const CANDIDATES_MAX: usize = 24;
/// Candidates whose tokens meet for less of both names than this cannot score.
const MEETS_MIN: f32 = 0.36;
/// Shortest halves into which a token is cut.
const HALF_LETTERS_MIN: usize = 2;
/// From this length on a token that the lists do not know is tried as two.
const CUT_LETTERS_MIN: usize = 5;

/// A token that leads to names: how near it is, and how many bear it.
struct Lead {
    near: Near,
    points: f32,
    bearers: usize,
}

impl Index {
    /// The most promising names, the best first by what their tokens promise.
    pub(super) fn gather(&self, asked: &Prepared, room: &mut Room) -> Vec<u32> {
        let leads = self.leads_of(asked.parts());
        let total: f32 = asked
            .parts()
            .iter()
            .filter(|part| leads_on(part))
            .map(|part| self.rarity_of(part))
            .sum();
        room.points.resize(self.names.len(), 0.0);
        let mut read = 0;
        for lead in &leads {
            if read + lead.bearers > READ_MAX && read > 0 {
                break;
            }
            read += lead.bearers;
            for &name in self.bearers_of(lead.near.token).iter().take(READ_MAX) {
                let points = &mut room.points[name as usize];
                if *points == 0.0 {
                    room.touched.push(name);
                }
                *points += lead.points;
            }
        }
        self.best(asked.kind(), total, room)
    }

    fn best(&self, kind: Kind, total: f32, room: &mut Room) -> Vec<u32> {
        let mut promising: Vec<(f32, u32)> = Vec::with_capacity(CANDIDATES_MAX);
        for name in room.touched.drain(..) {
            let points = std::mem::take(&mut room.points[name as usize]);
            // A name is at least what of it met: most are refused without being looked at.
            if 2.0 * points < MEETS_MIN * (total + points) {
                continue;
            }
            let entry = &self.names[name as usize];
            // Both names count, so that a short one inside a long one is not preferred.
            let meets = 2.0 * points / (total + entry.rarity.max(0.1));
            if meets >= MEETS_MIN && kind.fits(entry.kind) {
                promising.push((meets, name));
            }
        }
        if promising.len() > CANDIDATES_MAX {
            promising.select_nth_unstable_by(CANDIDATES_MAX, |a, b| b.0.total_cmp(&a.0));
            promising.truncate(CANDIDATES_MAX);
        }
        promising.into_iter().map(|(_, name)| name).collect()
    }

    /// What the lists do not know is as rare as can be.
    fn rarity_of(&self, part: &Part) -> f32 {
        let known = self.dictionary.exact(&part.token.text);
        known.map_or(1.0, |token| self.dictionary.rarity(token))
    }

    /// Tokens of the lists that lead on, those that fewest names bear first.
    fn leads_of(&self, parts: &[Part]) -> Vec<Lead> {
        let mut leads = Vec::new();
        let mut found = Vec::with_capacity(NEAR_MAX);
        for (place, part) in parts.iter().enumerate().filter(|(_, part)| leads_on(part)) {
            self.dictionary.near(part, &mut found);
            leads.extend(found.iter().map(|near| self.lead(*near)));
            if let Some(next) = parts.get(place + 1) {
                let joined = part.token.joined(&next.token);
                leads.extend(self.known(&joined.text));
            }
            if self.dictionary.exact(&part.token.text).is_none() {
                self.cut(&part.token, &mut leads);
            }
        }
        leads.sort_by_key(|lead| lead.bearers);
        leads
    }

    /// A token that is two of the lists' written as one.
    fn cut(&self, token: &Token, leads: &mut Vec<Lead>) {
        let text = token.text.text();
        if text.len() < CUT_LETTERS_MIN {
            return;
        }
        for at in HALF_LETTERS_MIN..=text.len() - HALF_LETTERS_MIN {
            let (one, other) = text.split_at(at);
            let Some(one) = self.known(&Word::new(one)) else {
                continue;
            };
            let Some(other) = self.known(&Word::new(other)) else {
                continue;
            };
            leads.extend([one, other]);
        }
    }

    fn known(&self, text: &Word<31>) -> Option<Lead> {
        let token = self.dictionary.exact(text)?;
        Some(self.lead(Near { token, near: 1.0 }))
    }

    fn lead(&self, near: Near) -> Lead {
        Lead {
            near,
            points: self.dictionary.rarity(near.token) * near.near * near.near,
            bearers: self.bearers_of(near.token).len(),
        }
    }
}

fn leads_on(part: &Part) -> bool {
    leads(part.token.role)
}
