//! How well names are told apart: labelled pairs, each judged by weights that never saw its names;
//! and names of a list with a token written wrong, beside names of people who are on none.

use super::change::{Dice, changed};
use paywarden_screening::{
    Index, Kind, List, Name, Query, Room,
    compare::{Prepared, plain},
    fit::{Judged, fit},
    score::chance,
};
use std::collections::HashMap;

/// A labelled pair.
pub(super) struct Labelled {
    pub(super) source: String,
    pub(super) kind: Kind,
    pub(super) names: [String; 2],
    pub(super) same: bool,
}

/// How predictions meet labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quality {
    pub(super) f1: f64,
    pub(super) mcc: f64,
    pub(super) auc: f64,
}

/// What was found on a list.
pub(super) struct Found {
    pub(super) asked: usize,
    pub(super) found: usize,
}

impl Found {
    pub(super) fn share(&self) -> f64 {
        self.found as f64 / self.asked.max(1) as f64
    }
}

/// Leaves out group after group, fits weights to the others and judges it by them.
pub(super) fn left_out(pairs: &[Labelled], groups: &[usize]) -> Option<Quality> {
    let judged: Vec<Judged> = pairs.iter().map(judged).collect::<Option<_>>()?;
    let count = groups.iter().max()? + 1;
    let mut scored = vec![(0.0, false); pairs.len()];
    for group in 0..count {
        let others: Vec<Judged> = judged
            .iter()
            .zip(groups)
            .filter(|(_, its)| **its != group)
            .map(|(pair, _)| *pair)
            .collect();
        let weights = fit(&others);
        for (at, pair) in judged
            .iter()
            .enumerate()
            .filter(|(at, _)| groups[*at] == group)
        {
            scored[at] = (chance(weights.points(&pair.values)), pair.same);
        }
    }
    Some(quality(&scored))
}

/// Groups of pairs that share a name, directly or through others.
pub(super) fn by_names(pairs: &[Labelled]) -> Vec<usize> {
    let mut group: Vec<usize> = (0..pairs.len()).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        for name in &pair.names {
            let first = *seen.entry(name).or_insert(at);
            let (one, other) = (group[first], group[at]);
            group
                .iter_mut()
                .filter(|its| **its == other)
                .for_each(|its| *its = one);
        }
    }
    numbered(&group)
}

/// Groups of pairs that come from one source.
pub(super) fn by_source(pairs: &[Labelled]) -> Vec<usize> {
    numbered(
        &pairs
            .iter()
            .map(|pair| pair.source.as_str())
            .collect::<Vec<_>>(),
    )
}

fn numbered<T: std::hash::Hash + Eq + Copy>(groups: &[T]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let number = |group: &T| {
        let next = numbers.len();
        *numbers.entry(*group).or_insert(next)
    };
    groups.iter().map(number).collect()
}

/// A pair as it is judged; none if one side is no name.
pub(super) fn judged(pair: &Labelled) -> Option<Judged> {
    let [one, other] = [&pair.names[0], &pair.names[1]].map(|name| Name::new(name, pair.kind).ok());
    let (one, other) = (one?, other?);
    let asked = Prepared::new(&one, pair.kind, |token| token.weight());
    Some(Judged {
        values: asked.measure(&plain(&other), pair.kind).values,
        same: pair.same,
    })
}

/// Scores from one half on are taken for "the same".
fn quality(scored: &[(f32, bool)]) -> Quality {
    let count = |said: bool, same: bool| {
        let counted = scored
            .iter()
            .filter(|(score, its)| (*score >= 0.5) == said && *its == same);
        counted.count() as f64
    };
    let (hit, false_alarm) = (count(true, true), count(true, false));
    let (missed, left) = (count(false, true), count(false, false));
    let root =
        ((hit + false_alarm) * (hit + missed) * (left + false_alarm) * (left + missed)).sqrt();
    Quality {
        f1: 2.0 * hit / (2.0 * hit + false_alarm + missed),
        mcc: (hit * left - false_alarm * missed) / root,
        auc: auc(scored),
    }
}

/// The chance that a pair of one entity scores above one of two; a tie counts half.
fn auc(scored: &[(f32, bool)]) -> f64 {
    let same = || scored.iter().filter(|(_, same)| *same);
    let other = || scored.iter().filter(|(_, same)| !*same);
    let wins: f64 = same()
        .flat_map(|(score, _)| {
            other().map(move |(its, _)| match score.total_cmp(its) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
        })
        .sum();
    wins / (same().count() * other().count()) as f64
}

/// Main names of persons of a list, written wrong: how often the person is among the hits.
pub(super) fn recall(index: &Index, list: &List, wrong: bool, threshold: f32) -> Found {
    let mut dice = Dice::new(7);
    let mut room = Room::default();
    let mut found = Found { asked: 0, found: 0 };
    let persons = list
        .entities
        .iter()
        .filter(|entity| entity.kind == Kind::Person);
    for entity in persons {
        let Some(name) = entity.names.first() else {
            continue;
        };
        let asked = match wrong {
            true => changed(&name.text, &mut dice),
            false => turned(&name.text, &mut dice),
        };
        let hits = index.screen(&Query::name(&asked, Kind::Person), threshold, 20, &mut room);
        let hits = hits.unwrap_or_default();
        found.asked += 1;
        found.found += usize::from(hits.iter().any(|hit| hit.entity.id == entity.id));
    }
    found
}

fn turned(name: &str, dice: &mut Dice) -> String {
    let mut tokens: Vec<&str> = name.split_whitespace().collect();
    let turn = dice.throw(tokens.len());
    tokens.rotate_left(turn);
    tokens.join(" ")
}

/// How many of these names raise an alert.
pub(super) fn alerts(index: &Index, names: &[String], threshold: f32) -> Found {
    let mut room = Room::default();
    let raises = |name: &&String| {
        let hits = index.screen(&Query::name(name, Kind::Person), threshold, 1, &mut room);
        hits.is_ok_and(|hits| !hits.is_empty())
    };
    Found {
        asked: names.len(),
        found: names.iter().filter(raises).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_is_counted_as_the_books_do() {
        let scored = [
            (0.9, true),
            (0.8, true),
            (0.4, true),
            (0.7, false),
            (0.2, false),
            (0.1, false),
        ];
        let found = quality(&scored);
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-9);
        assert!((found.mcc - 1.0 / 3.0).abs() < 1e-9);
        assert!((found.auc - 8.0 / 9.0).abs() < 1e-9);
    }

    #[test]
    fn pairs_that_share_a_name_are_one_group() {
        let pair = |one: &str, other: &str| Labelled {
            source: String::new(),
            kind: Kind::Person,
            names: [one.to_owned(), other.to_owned()],
            same: true,
        };
        let pairs = [
            pair("a", "b"),
            pair("c", "d"),
            pair("b", "e"),
            pair("e", "d"),
            pair("x", "y"),
        ];
        assert_eq!(by_names(&pairs), [0, 0, 0, 0, 1]);
    }
}
