//! How many ordinary people each threshold would raise an alert for.
//!
//! A thousand names are put together from given and family names that are frequent in many parts
//! of the world. They are more frequent than the customers of a company are on the whole, so what
//! is told errs on the side of more alerts.

use super::{Index, Query, Room};
use crate::kind::Kind;
use serde::Serialize;

/// Thresholds that are rated, in hundredths.
pub const RATED: [u8; 8] = [50, 55, 60, 65, 70, 80, 90, 95];
/// Names that are screened for it.
const NAMES: usize = 1_000;

/// What a threshold comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AlertRate {
    /// Scores from here on are alerts.
    pub threshold: f32,
    /// Share of ordinary people for whom there would be one, 0 to 1.
    pub share: f32,
}

impl Index {
    /// The share of ordinary people that each threshold of [`RATED`] raises an alert for.
    pub fn alert_rates(&self) -> Vec<AlertRate> {
        let mut room = Room::default();
        let lowest = f32::from(RATED[0]) / 100.0;
        let best: Vec<f32> = names()
            .map(|name| {
                let hits = self.screen(&Query::name(&name, Kind::Person), lowest, 1, &mut room);
                hits.ok()
                    .and_then(|hits| Some(hits.first()?.score))
                    .unwrap_or(0.0)
            })
            .collect();
        let rate = |hundredths: u8| {
            let threshold = f32::from(hundredths) / 100.0;
            let alerts = best.iter().filter(|score| **score >= threshold).count();
            AlertRate {
                threshold,
                share: alerts as f32 / best.len() as f32,
            }
        };
        RATED.map(rate).to_vec()
    }
}

/// Given and family names joined so that each family meets many given names of its own region and
/// some of others.
fn names() -> impl Iterator<Item = String> {
    let mut sides = include_str!("ordinary.txt").lines();
    let given: Vec<&str> = sides.next().unwrap_or_default().split(' ').collect();
    let family: Vec<&str> = sides.next().unwrap_or_default().split(' ').collect();
    (0..NAMES).map(move |number| {
        let (turn, place) = (number / family.len(), number % family.len());
        let first = given[(place + 7 * turn) % given.len()];
        format!("{first} {}", family[place])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entity::Entity, kind::ListKind, list::List};
    use std::{collections::HashSet, sync::Arc};

    #[test]
    fn names_are_a_thousand_and_mostly_different() {
        let all: HashSet<String> = names().collect();
        assert!(all.len() > 950, "{}", all.len());
    }

    #[test]
    fn rates_fall_with_the_threshold_and_rise_with_what_is_listed() {
        let list = |names: Vec<String>| {
            let entity = |(number, name): (usize, String)| {
                let mut entity = Entity {
                    id: number.to_string(),
                    kind: Kind::Person,
                    ..Entity::default()
                };
                entity.name(&name, false);
                entity
            };
            let list = List {
                name: "own".into(),
                kind: ListKind::Own,
                source_hash: String::new(),
                published: None,
                entities: names.into_iter().enumerate().map(entity).collect(),
            };
            Index::build(vec![Arc::new(list)]).alert_rates()
        };
        let none = list(vec!["Xq Zvyk".into()]);
        assert!(none.iter().all(|rate| rate.share == 0.0));
        let half: Vec<String> = names().take(NAMES / 2).collect();
        let rates = list(half);
        assert!(rates[0].share >= 0.5, "{rates:?}");
        assert!(rates.windows(2).all(|pair| pair[0].share >= pair[1].share));
    }
}
