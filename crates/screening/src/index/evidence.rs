//! What is known beside the name: birth date, country, identifiers. What is missing says nothing.

use super::Query;
use crate::{
    entity::{Birth, Entity},
    score::{About, Component, Other},
};

/// Points of names of which nothing met; they grow with the square of what did not, so that one name
/// of three more costs little and one of two much.
const UNCOVERED_POINTS: f32 = -14.0;
const WEAK_NAME_POINTS: f32 = -0.4;
const BIRTH_SAME_POINTS: f32 = 1.2;
const BIRTH_YEAR_POINTS: f32 = 0.6;
const BIRTH_OTHER_POINTS: f32 = -2.5;
/// Years by which lists and documents often differ.
const BIRTH_YEARS_NEAR: u16 = 1;
const COUNTRY_SAME_POINTS: f32 = 0.4;
const COUNTRY_OTHER_POINTS: f32 = -0.6;
/// Points of an equal identifier: more than all else together.
pub(super) const IDENTIFIER_POINTS: f32 = 8.0;

/// How much of both names met, by rarity.
pub(super) fn covered(covered: f32) -> Component {
    let uncovered = 1.0 - covered;
    component(
        Other::Uncovered,
        uncovered,
        UNCOVERED_POINTS * uncovered * uncovered,
    )
}

/// The list calls the name weak.
pub(super) fn weak(weak: bool) -> Option<Component> {
    weak.then(|| component(Other::WeakName, 1.0, WEAK_NAME_POINTS))
}

/// Birth dates and countries, where both sides know them.
pub(super) fn beside(query: &Query<'_>, entity: &Entity) -> impl Iterator<Item = Component> {
    birth(query.birth, &entity.births)
        .into_iter()
        .chain(country(query, entity))
}

/// An identifier that is the same.
pub(super) fn identifier() -> Component {
    component(Other::Identifier, 1.0, IDENTIFIER_POINTS)
}

fn birth(asked: Option<Birth>, listed: &[Birth]) -> Option<Component> {
    let asked = asked?;
    let points = |listed: &Birth| match asked.year.abs_diff(listed.year) {
        0 if full(&asked) && full(listed) && asked == *listed => BIRTH_SAME_POINTS,
        0 => BIRTH_YEAR_POINTS,
        years if years <= BIRTH_YEARS_NEAR => 0.0,
        _ => BIRTH_OTHER_POINTS,
    };
    let best = listed.iter().map(points).reduce(f32::max)?;
    Some(component(
        Other::Birth,
        f32::from(u8::from(best > 0.0)),
        best,
    ))
}

fn full(birth: &Birth) -> bool {
    birth.month.is_some() && birth.day.is_some()
}

fn country(query: &Query<'_>, entity: &Entity) -> Option<Component> {
    if query.countries.is_empty() || entity.countries.is_empty() {
        return None;
    }
    let shared = query.countries.iter().any(|country| entity.is_of(*country));
    Some(match shared {
        true => component(Other::Country, 1.0, COUNTRY_SAME_POINTS),
        false => component(Other::Country, 0.0, COUNTRY_OTHER_POINTS),
    })
}

fn component(about: Other, value: f32, points: f32) -> Component {
    Component {
        about: About::Other(about),
        value,
        points,
    }
}
