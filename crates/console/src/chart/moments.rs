//! When payments were, as a picture: one lane for each outcome that there was. The table beside it is
//! that of the decisions themselves.

use crate::{format, terms, visit::Visit};
use maud::{Markup, html};
use paywarden_domain::{Outcome, Timestamp};

const WIDTH: i64 = 960;
const LEFT: i64 = 150;
const RIGHT: i64 = 16;
const LANE: i64 = 22;

/// One payment.
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) said: String,
    /// Whether it is the one that is looked at.
    pub(crate) is_here: bool,
}

/// The picture; nothing where there is none.
pub(crate) fn moments(title: &str, all: &[Moment], v: &Visit) -> Markup {
    let lanes = Outcome::ALL.into_iter().rev();
    let lanes = lanes.filter(|outcome| all.iter().any(|one| one.outcome == *outcome));
    let lanes: Vec<Outcome> = lanes.collect();
    let ends = all.iter().map(|one| one.at);
    let Some((first, last)) = ends.clone().min().zip(ends.max()) else {
        return Markup::default();
    };
    let height = LANE * lanes.len() as i64 + 6;
    let view = format!("0 0 {WIDTH} {height}");
    let x = |at: Timestamp| {
        let span = (last.micros() - first.micros()).max(1);
        let room = i128::from(WIDTH - LEFT - RIGHT);
        let way = i128::from(at.micros() - first.micros()) * room / i128::from(span);
        LEFT + i64::try_from(way).unwrap_or(0)
    };
    html! {
        figure.chart.moments {
            figcaption { (title) }
            div.canvas tabindex="0" role="region" aria-label=(title) {
                svg viewBox=(view) width=(WIDTH) height=(height) role="img" aria-label=(title) {
                    @for (place, outcome) in lanes.iter().enumerate() {
                        @let y = LANE * place as i64 + LANE / 2;
                        @let (word, tone, _) = terms::outcome(*outcome);
                        text x="0" y=(y + 4) { (v.t(word)) }
                        line.lane x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                        @for one in all.iter().filter(|one| one.outcome == *outcome) {
                            circle class=(format!("part {}{}", tone.name(), if one.is_here { " here" } else { "" })) cx=(x(one.at)) cy=(y) r=(if one.is_here { 7 } else { 5 }) {
                                title { (one.said) }
                            }
                        }
                    }
                }
            }
            div.axis-names { span { (format::time(first)) } span { (format::time(last)) } }
        }
    }
}
