//! One screening: from a name and what is known beside it to who it may be.

use super::{Entry, Index, Room, evidence};
use crate::{
    compare::{Pair, Prepared, Weighted},
    entity::{Birth, Entity, ListedName, key},
    kind::Kind,
    list::List,
    name::{Name, NameRefused},
    score::{Component, WEIGHTS, chance},
};
use paywarden_domain::Country;
use serde::Serialize;
use std::collections::HashMap;

/// Whom to look for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The name, in any script.
    pub name: &'a str,
    /// What bears it.
    pub kind: Kind,
    /// When it was born, if known.
    pub birth: Option<Birth>,
    /// Countries that it is of or in, if known.
    pub countries: &'a [Country],
    /// Numbers of its documents and registrations.
    pub identifiers: &'a [&'a str],
}

/// A listed party that it may be.
#[derive(Debug, Clone, Serialize)]
pub struct Hit<'i> {
    /// The list.
    #[serde(skip)]
    pub list: &'i List,
    /// The party.
    #[serde(skip)]
    pub entity: &'i Entity,
    /// Which of its names met; none if an identifier did.
    pub name: Option<&'i ListedName>,
    /// The chance that it is the same, 0 to 1, as far as labels tell.
    pub score: f32,
    /// What the score is made of: their points add up to its logit.
    pub components: Vec<Component>,
    /// Tokens side by side.
    pub pairs: Vec<Pair>,
}

impl<'a> Query<'a> {
    /// A name alone.
    pub fn name(name: &'a str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            birth: None,
            countries: &[],
            identifiers: &[],
        }
    }
}

impl Index {
    /// Who a party may be, with scores of at least `threshold`, the likeliest first, at most `most`.
    pub fn screen(
        &self,
        query: &Query<'_>,
        threshold: f32,
        most: usize,
        room: &mut Room,
    ) -> Result<Vec<Hit<'_>>, NameRefused> {
        let name = Name::new(query.name, query.kind)?;
        let asked = Prepared::new(&name, query.kind, |token| self.weight(token));
        let mut best: HashMap<(u32, u32), (f32, u32)> = HashMap::new();
        for number in self.gather(&asked, room) {
            let entry = self.names[number as usize];
            let points = self.points(query, &asked, &entry, &mut room.listed);
            if chance(points) < threshold {
                continue;
            }
            let known = best
                .entry((entry.list, entry.entity))
                .or_insert((points, number));
            if points > known.0 {
                *known = (points, number);
            }
        }
        let mut hits: Vec<Hit<'_>> = self.by_identifier(query);
        let met = |list: u32, entity: u32| std::ptr::from_ref(self.entity(list, entity));
        for ((list, entity), (_, number)) in best {
            let hit = self.explained(query, &asked, number);
            match hits
                .iter_mut()
                .find(|known| std::ptr::eq(known.entity, met(list, entity)))
            {
                Some(known) => known.join(hit),
                None => hits.push(hit),
            }
        }
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| a.entity.id.cmp(&b.entity.id))
        });
        hits.truncate(most);
        Ok(hits)
    }

    /// How much a token of a name asked about counts: what the lists do not know is rare.
    pub(super) fn weight(&self, token: &crate::name::Token) -> f32 {
        let known = self.dictionary.exact(&token.text);
        known.map_or_else(|| token.weight(), |known| self.dictionary.weight(known))
    }

    fn listed(&self, entry: &Entry, into: &mut Vec<Weighted>) {
        into.clear();
        into.extend(self.tokens_of(entry).iter().map(|&token| Weighted {
            token: *self.dictionary.token(token),
            weight: self.dictionary.weight(token),
        }));
    }

    pub(super) fn points(
        &self,
        query: &Query<'_>,
        asked: &Prepared,
        entry: &Entry,
        room: &mut Vec<Weighted>,
    ) -> f32 {
        self.listed(entry, room);
        let measured = asked.measure(room, entry.kind);
        let entity = self.entity(entry.list, entry.entity);
        let beside = evidence::beside(query, entity).chain(evidence::weak(entry.weak));
        WEIGHTS.points(&measured.values)
            + evidence::covered(measured.covered).points
            + beside.map(|component| component.points).sum::<f32>()
    }

    fn explained(&self, query: &Query<'_>, asked: &Prepared, number: u32) -> Hit<'_> {
        let entry = self.names[number as usize];
        let mut listed = Vec::new();
        self.listed(&entry, &mut listed);
        let (measured, pairs) = asked.compare(&listed, entry.kind);
        let entity = self.entity(entry.list, entry.entity);
        let mut components = WEIGHTS.components(&measured);
        components.push(evidence::covered(measured.covered));
        components.extend(evidence::weak(entry.weak));
        components.extend(evidence::beside(query, entity));
        Hit {
            list: &self.lists[entry.list as usize],
            entity,
            name: entity.names.get(entry.name as usize),
            score: total(&components),
            components,
            pairs,
        }
    }

    fn by_identifier(&self, query: &Query<'_>) -> Vec<Hit<'_>> {
        let keys = query.identifiers.iter().filter_map(|number| key(number));
        let mut hits: Vec<Hit<'_>> = Vec::new();
        for &(list, place) in keys.filter_map(|key| self.identifiers.get(&key)).flatten() {
            let entity = self.entity(list, place);
            if hits.iter().any(|hit| std::ptr::eq(hit.entity, entity)) {
                continue;
            }
            let components = vec![evidence::identifier()];
            hits.push(Hit {
                list: &self.lists[list as usize],
                entity,
                name: None,
                score: total(&components),
                components,
                pairs: Vec::new(),
            });
        }
        hits
    }
}

impl<'i> Hit<'i> {
    /// The same party met by name as well.
    fn join(&mut self, by_name: Hit<'i>) {
        self.name = by_name.name;
        self.pairs = by_name.pairs;
        self.components.extend(by_name.components);
        self.score = total(&self.components);
    }
}

fn total(components: &[Component]) -> f32 {
    chance(components.iter().map(|component| component.points).sum())
}
