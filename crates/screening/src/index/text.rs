//! Names inside a text that travels with a payment: runs of its words are held against the lists.

use super::{Hit, Index, Query, Room};
use crate::{
    kind::Kind,
    name::{Name, Role},
};
use std::ops::Range;

/// Words of a text that are looked at; later ones are not.
const WORDS_MAX: usize = 64;
/// Most words of one run.
const RUN_WORDS_MAX: usize = 4;
/// Runs of one text that are screened; later ones are not.
const RUNS_MAX: usize = 24;

/// The time was over before all of a text was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time was over before the text was screened")]
pub struct Late;

impl Index {
    /// Who may be named in a text, with scores of at least `threshold`, the likeliest first, at
    /// most `most`. A run of up to four words is screened where at least two of its tokens, and
    /// half of them, are words of the lists as they stand. `in_time` is asked before each run.
    pub fn screen_text(
        &self,
        text: &str,
        threshold: f32,
        most: usize,
        room: &mut Room,
        mut in_time: impl FnMut() -> bool,
    ) -> Result<Vec<Hit<'_>>, Late> {
        let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
        let mut best: Vec<Hit<'_>> = Vec::new();
        for run in runs(words.len())
            .filter(|run| self.leads_in(&words[run.clone()]))
            .take(RUNS_MAX)
        {
            if !in_time() {
                return Err(Late);
            }
            let name = words[run].join(" ");
            let query = Query::name(&name, Kind::Unknown);
            let hits = self.screen(&query, threshold, most, room);
            for hit in hits.unwrap_or_default() {
                keep(&mut best, hit);
            }
        }
        best.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| a.entity.id.cmp(&b.entity.id))
        });
        best.truncate(most);
        Ok(best)
    }

    /// Whether enough of some words are words of the lists.
    fn leads_in(&self, words: &[&str]) -> bool {
        let Ok(name) = Name::new(&words.join(" "), Kind::Unknown) else {
            return false;
        };
        let proper = name
            .tokens()
            .iter()
            .filter(|token| token.role == Role::Name);
        let (mut known, mut all) = (0, 0);
        for token in proper {
            all += 1;
            known += usize::from(self.dictionary.exact(&token.text).is_some());
        }
        known >= 2 && 2 * known >= all
    }
}

/// Every run of words, the long ones first: what they find need not be found again.
fn runs(words: usize) -> impl Iterator<Item = Range<usize>> {
    let longest = words.min(RUN_WORDS_MAX);
    let lengths = (1..=longest).rev();
    lengths.flat_map(move |length| (0..=words - length).map(move |from| from..from + length))
}

fn keep<'i>(best: &mut Vec<Hit<'i>>, hit: Hit<'i>) {
    match best
        .iter_mut()
        .find(|known| std::ptr::eq(known.entity, hit.entity))
    {
        Some(known) if known.score < hit.score => *known = hit,
        Some(_) => {}
        None => best.push(hit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entity::Entity, kind::ListKind, list::List};
    use std::sync::Arc;

    fn index(names: &[&str]) -> Index {
        let entity = |(number, name): (usize, &&str)| {
            let mut entity = Entity {
                id: number.to_string(),
                kind: Kind::Person,
                ..Entity::default()
            };
            entity.name(name, false);
            entity
        };
        let list = List {
            name: "own".into(),
            kind: ListKind::Sanctions,
            source_hash: String::new(),
            published: None,
            entities: names.iter().enumerate().map(entity).collect(),
        };
        Index::build(vec![Arc::new(list)])
    }

    #[test]
    fn a_name_is_found_within_a_text_and_what_is_none_is_not() {
        let index = index(&["Sergei Lavrov", "毛泽东", "Muammar Gaddafi", "Order Number"]);
        let mut room = Room::default();
        let mut found = |text: &str| {
            let hits = index.screen_text(text, 0.7, 5, &mut room, || true).unwrap();
            hits.iter()
                .map(|hit| hit.entity.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("invoice 77 for Lavrov Sergei, thanks"), ["0"]);
        assert_eq!(found("支付给 毛泽东 的款项"), ["1"]);
        assert_eq!(found("rent of september"), Vec::<String>::new());
        assert_eq!(found("gaddafi street 12"), Vec::<String>::new());
        assert_eq!(found(""), Vec::<String>::new());
    }

    #[test]
    fn no_run_is_begun_when_the_time_is_over() {
        let index = index(&["Sergei Lavrov"]);
        let mut room = Room::default();
        let late = index.screen_text("for Sergei Lavrov", 0.7, 5, &mut room, || false);
        assert_eq!(late.err(), Some(Late));
        let none = index.screen_text("for the rent", 0.7, 5, &mut room, || false);
        assert_eq!(none.map(|hits| hits.len()), Ok(0));
    }

    #[test]
    fn runs_are_all_there_is_and_bounded() {
        assert_eq!(runs(0).count(), 0);
        assert_eq!(
            runs(3).collect::<Vec<_>>(),
            [0..3, 0..2, 1..3, 0..1, 1..2, 2..3]
        );
        assert_eq!(runs(WORDS_MAX).count(), 61 + 62 + 63 + 64);
    }
}
