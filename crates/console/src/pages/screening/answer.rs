//! Who a name may be: each party with both names side by side and what its score is made of.

use super::{
    ADDS, ASKED_NAME, BY_IDENTIFIER, CHANCE, CLEAR, CLEAR_IT, COUNTRIES, ENTRY, EXPECTED,
    LISTED_NAME, MET, NEAR, NOBODY, PART, PARTS, PROGRAMS, SCREENED, SEEN, SIDE, THRESHOLD, UNTIL,
    kind,
};
use crate::{
    format,
    names::named,
    pages::work,
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, encoded},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;

/// What comes of a question.
#[derive(Deserialize)]
pub(super) struct Answer {
    id: String,
    screened_at: Timestamp,
    threshold: f64,
    expected_alert_rate: Option<f64>,
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    list: String,
    list_kind: String,
    entry: String,
    name: Option<String>,
    matched: Option<String>,
    score: f64,
    programs: Vec<String>,
    countries: Vec<String>,
    components: Vec<Component>,
    tokens: Vec<Tokens>,
}

#[derive(Deserialize)]
struct Component {
    about: String,
    value: f64,
    points: f64,
}

#[derive(Deserialize)]
struct Tokens {
    asked: Option<String>,
    listed: Option<String>,
    near: f64,
}

/// The answer to a question that a form asked.
pub(super) fn found(v: &Visit, form: &Form, answer: &Answer) -> Markup {
    let expected = answer.expected_alert_rate;
    html! {
        (parts::facts([
            parts::row(SCREENED, html! { (format::time(answer.screened_at)) " " (parts::id(&answer.id)) }, v),
            parts::row(THRESHOLD, html! { (format!("{:.2}", answer.threshold)) }, v),
            parts::row(EXPECTED, html! { @if let Some(share) = expected { (format::share(share)) } @else { "–" } }, v),
        ]))
        @if answer.hits.is_empty() { (parts::note(Tone::Good, v.t(NOBODY))) }
        @for (place, hit) in answer.hits.iter().enumerate() { (hit_of(v, form, (place, hit))) }
    }
}

fn hit_of(v: &Visit, form: &Form, (place, hit): (usize, &Hit)) -> Markup {
    let name = hit.name.as_deref().unwrap_or(&hit.entry);
    let listed = hit.matched.as_deref();
    let more = [hit.programs.join(", "), hit.countries.join(", ")];
    let said = |text: &str| html! { (if text.is_empty() { "–" } else { text }) };
    let [programs, countries] = &more;
    html! {
        h3 { (name) " " (kind(v, &hit.list_kind)) }
        (parts::facts([
            parts::row(CHANCE, html! { b { (format::share(hit.score)) } }, v),
            parts::row(MET, html! { (listed.unwrap_or(v.t(BY_IDENTIFIER))) }, v),
            parts::row(ENTRY, html! { (parts::link(&format!("/screening/{}", encoded(&hit.list)), &hit.list)) " " (parts::id(&hit.entry)) }, v),
            parts::row(PROGRAMS, said(programs), v),
            parts::row(COUNTRIES, said(countries), v),
        ]))
        (tokens(v, &hit.tokens))
        (components(v, &hit.components))
        @if let Some(reference) = form.given("reference").filter(|_| v.may(Scope::ScreeningWrite) && v.may(Scope::ApprovalsRequest)) {
            (clearance(v, reference, (place, hit)))
        }
    }
}

fn tokens(v: &Visit, tokens: &[Tokens]) -> Markup {
    let row = |pair: &Tokens| {
        let tone = match pair.near {
            near if near >= 0.995 => Tone::Bad,
            near if near > 0.0 => Tone::Care,
            _ => Tone::Plain,
        };
        vec![
            html! { (pair.asked.as_deref().unwrap_or("–")) },
            html! { (pair.listed.as_deref().unwrap_or("–")) },
            parts::badge(tone, None, &format!("{:.2}", pair.near)),
        ]
    };
    let rows: Vec<_> = tokens.iter().map(row).collect();
    let near = format!("{}#", v.t(NEAR));
    parts::table(
        v.t(SIDE),
        &[v.t(ASKED_NAME), v.t(LISTED_NAME), &near],
        &rows,
        v,
    )
}

/// What adds up to the score, with a bar to the left for what takes away and to the right for what
/// adds.
fn components(v: &Visit, components: &[Component]) -> Markup {
    let most = components.iter().map(|one| one.points.abs());
    let most = most.fold(1.0, f64::max);
    let row = |one: &Component| {
        let width = (one.points.abs() / most * 60.0).round() as u32;
        let (x, tone) = match one.points < 0.0 {
            true => (60 - width.min(60), Tone::Good),
            false => (60, Tone::Bad),
        };
        vec![
            html! { (named("component", &one.about, "", v.language())) },
            html! { (format!("{:.2}", one.value)) },
            html! { (signed(one.points)) },
            html! {
                svg viewBox="0 0 120 10" width="120" height="10" aria-hidden="true" {
                    rect class=(format!("part {}", tone.name())) x=(x) y="1" width=(width.max(1)) height="8" rx="2" {}
                    line.axis x1="60" y1="0" x2="60" y2="10" {}
                }
            },
        ]
    };
    let rows: Vec<_> = components.iter().map(row).collect();
    let (seen, adds) = (format!("{}#", v.t(SEEN)), format!("{}#", v.t(ADDS)));
    parts::fold(
        v.t(PARTS),
        parts::table(v.t(PARTS), &[v.t(PART), &seen, &adds, "−   +"], &rows, v),
    )
}

fn signed(points: f64) -> String {
    match points < 0.0 {
        true => format!("−{:.2}", points.abs()),
        false => format!("+{points:.2}"),
    }
}

fn clearance(v: &Visit, reference: &str, (place, hit): (usize, &Hit)) -> Markup {
    let until = work::ahead(v, 365);
    let name = format!("until_{place}");
    let until = Field {
        value: &until,
        ..Field::new(&name, v.t(UNTIL))
    };
    parts::fold(
        v.t(CLEAR_IT),
        parts::form(
            v,
            "/screening",
            html! {
                (parts::hidden("do", "clear")) (parts::hidden("place", &place.to_string()))
                (parts::hidden("reference", reference)) (parts::hidden("list", &hit.list)) (parts::hidden("entry", &hit.entry))
                (until) (parts::reason(&format!("reason_{place}"), v))
                (parts::submit(v.t(CLEAR), Tone::Plain))
            },
        ),
    )
}
