//! Pictures of numbers, as SVG, each with its table.

pub(crate) mod moments;
pub(crate) mod qr;
pub(crate) mod web;

use crate::{
    format,
    parts::{self, SHOW_TABLE},
    terms::{self, Tone},
    visit::Visit,
};
use maud::{Markup, html};
use paywarden_domain::Outcome;

const HEIGHT: u64 = 120;
const STEP: u64 = 24;
const BAR: u64 = 16;
/// How many bars are called by name, about.
const NAMES: usize = 6;

/// One part of every bar.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) tone: Tone,
    /// Draws it hatched, so that tones alike are told apart without colour.
    pub(crate) is_hatched: bool,
}

/// One bar: what stands below it, where it leads, and a value for each series.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) to: String,
    pub(crate) values: Vec<u64>,
}

/// A series for each outcome, mildest first.
pub(crate) fn outcomes(v: &Visit) -> Vec<Series> {
    let series = |outcome| {
        let (word, tone, _) = terms::outcome(outcome);
        Series {
            name: v.t(word).to_owned(),
            tone,
            is_hatched: matches!(outcome, Outcome::ApproveWithWarning | Outcome::Review),
        }
    };
    Outcome::ALL.map(series).into()
}

/// Counts in the order of these series.
pub(crate) fn by_outcome(counts: impl Iterator<Item = (Outcome, u64)> + Clone) -> Vec<u64> {
    let count = |outcome| {
        let of_it = counts.clone().filter(|(known, _)| *known == outcome);
        of_it.map(|(_, count)| count).sum()
    };
    Outcome::ALL.map(count).into()
}

/// Bars of stacked parts beside each other.
pub(crate) fn stacked(title: &str, series: &[Series], bars: &[Bar], v: &Visit) -> Markup {
    let highest = bars.iter().map(|bar| bar.values.iter().sum()).max();
    let highest: u64 = highest.unwrap_or(0).max(1);
    let width = STEP * (bars.len() as u64).max(1);
    let view = format!("0 0 {width} {}", HEIGHT + 18);
    html! {
        figure.chart {
            figcaption { (title) }
            (legend(series))
            svg viewBox=(view) preserveAspectRatio="none" role="img" aria-label=(title) {
                (hatching())
                @for (place, bar) in bars.iter().enumerate() {
                    (one(place as u64, bar, series, highest))
                }
                line.axis x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
            }
            // Each name stands below its own bar; of many only some do.
            div.axis-names.bars aria-hidden="true" {
                @let step = (bars.len() / NAMES).max(1);
                @for (place, bar) in bars.iter().enumerate() {
                    span { @if place.is_multiple_of(step) { span { (bar.name) } } }
                }
            }
            (parts::fold(v.t(SHOW_TABLE), twin(title, series, bars, v)))
        }
    }
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul.legend {
            @for one in series {
                li {
                    svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" {
                        rect class=(class(one)) width="10" height="10" rx="2" {}
                        @if one.is_hatched { rect width="10" height="10" rx="2" fill="url(#hatch)" {} }
                    }
                    (one.name)
                }
            }
        }
    }
}

fn class(series: &Series) -> String {
    let hatched = if series.is_hatched { " hatched" } else { "" };
    format!("part {}{hatched}", series.tone.name())
}

fn hatching() -> Markup {
    html! {
        defs {
            pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                line.hatch x1="0" y1="0" x2="0" y2="4" {}
            }
        }
    }
}

fn one(place: u64, bar: &Bar, series: &[Series], highest: u64) -> Markup {
    let x = place * STEP + (STEP - BAR) / 2;
    let mut top = HEIGHT;
    let parts = bar.values.iter().zip(series).map(|(value, series)| {
        let height = (value * HEIGHT).div_ceil(highest).min(top);
        top -= height;
        (top, height, class(series), series.is_hatched)
    });
    let parts: Vec<_> = parts.filter(|(_, height, ..)| *height > 0).collect();
    let said = bar
        .values
        .iter()
        .zip(series)
        .filter(|(value, _)| **value > 0);
    let said: Vec<_> = said
        .map(|(value, series)| format!("{} {}", series.name, format::number(*value)))
        .collect();
    html! {
        g {
            title { (bar.name) ": " (said.join(", ")) }
            @for (y, height, class, is_hatched) in parts {
                rect class=(class) x=(x) y=(y) width=(BAR) height=(height) {}
                @if is_hatched {
                    rect x=(x) y=(y) width=(BAR) height=(height) fill="url(#hatch)" {}
                }
            }
        }
    }
}

fn twin(title: &str, series: &[Series], bars: &[Bar], v: &Visit) -> Markup {
    let names: Vec<String> = series.iter().map(|one| format!("{}#", one.name)).collect();
    let mut columns = vec!["UTC"];
    columns.extend(names.iter().map(String::as_str));
    let rows: Vec<Vec<Markup>> = bars
        .iter()
        .map(|bar| {
            let mut row = vec![html! { a href=(bar.to) { (bar.name) } }];
            let values = bar.values.iter();
            row.extend(values.map(|value| html! { (format::number(*value)) }));
            row
        })
        .collect();
    parts::table(title, &columns, &rows, v)
}

/// One step of a waterfall.
pub(crate) struct Drop {
    pub(crate) name: Markup,
    pub(crate) points: u16,
}

/// How points add up to a score: each bar begins where the one before ended. It is a table whose
/// last column is the picture.
pub(crate) fn waterfall(title: &str, drops: &[Drop], score: u16, names: [&str; 3]) -> Markup {
    let raw: u32 = drops.iter().map(|drop| u32::from(drop.points)).sum();
    let full = raw.max(u32::from(score)).max(1);
    let scaled = |points: u32| points * 200 / full;
    let mut before = 0;
    let steps: Vec<_> = drops
        .iter()
        .map(|drop| {
            let from = before;
            before += u32::from(drop.points);
            (drop, scaled(from), scaled(before) - scaled(from))
        })
        .collect();
    let [name, points, total] = names;
    html! {
        div.rows tabindex="0" role="region" aria-label=(title) {
            table.waterfall {
                thead { tr {
                    th scope="col" { (name) }
                    th.number scope="col" { (points) }
                    td aria-hidden="true" {}
                } }
                tbody {
                    @for (drop, x, width) in steps {
                        tr {
                            td { (drop.name) }
                            td.number { "+" (drop.points) }
                            td.picture aria-hidden="true" { (step(x, width, Tone::Info)) }
                        }
                    }
                    tr.total {
                        td { (total) }
                        td.number { (score) }
                        td.picture aria-hidden="true" { (step(0, scaled(u32::from(score)), Tone::Wait)) }
                    }
                }
            }
        }
    }
}

/// What one number added to a score, or took from it.
pub(crate) struct Push<'p> {
    pub(crate) name: &'p str,
    pub(crate) value: String,
    pub(crate) added: f64,
}

/// What pushed a score up and down, each from the middle: a table whose last column is the picture.
pub(crate) fn pushes(title: &str, pushes: &[Push<'_>], names: [&str; 3]) -> Markup {
    let strongest = pushes
        .iter()
        .map(|push| push.added.abs())
        .fold(1e-9, f64::max);
    let bar = |added: f64| {
        let length = (added.abs() / strongest * 100.0).round() as u32;
        match added < 0.0 {
            true => step(100 - length, length, Tone::Good),
            false => step(100, length, Tone::Bad),
        }
    };
    let [name, value, added] = names;
    html! {
        div.rows tabindex="0" role="region" aria-label=(title) {
            table.waterfall {
                thead { tr {
                    th scope="col" { (name) }
                    th.number scope="col" { (value) }
                    th.number scope="col" { (added) }
                    td aria-hidden="true" {}
                } }
                tbody {
                    @for push in pushes {
                        tr {
                            td { code { (push.name) } }
                            td.number { (push.value) }
                            td.number { (format!("{:+.3}", push.added)) }
                            td.picture aria-hidden="true" { (bar(push.added)) }
                        }
                    }
                }
            }
        }
    }
}

fn step(x: u32, width: u32, tone: Tone) -> Markup {
    html! {
        svg viewBox="0 0 200 12" width="200" height="12" preserveAspectRatio="none" {
            rect class=(format!("part {}", tone.name())) x=(x) y="1" width=(width.max(1)) height="10" rx="2" {}
        }
    }
}

/// Where a share lies, from 0 to 1: the band of its interval and a line for what was seen. The
/// numbers stand beside it.
pub(crate) fn interval(seen: f64, (low, high): (f64, f64)) -> Markup {
    let at = |share: f64| (share.clamp(0.0, 1.0) * 100.0).round() as u32;
    let (from, to) = (at(low), at(high));
    html! {
        svg.interval viewBox="0 0 100 12" width="100" height="12" preserveAspectRatio="none" aria-hidden="true" {
            rect.track x="0" y="4" width="100" height="4" rx="2" {}
            rect class="part info" x=(from) y="2" width=(to.saturating_sub(from).max(1)) height="8" rx="2" {}
            line.mark x1=(at(seen)) y1="0" x2=(at(seen)) y2="12" {}
        }
    }
}
