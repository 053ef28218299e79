//! A sheet as one page: nothing is loaded from anywhere, and each picture has its table beside it.

use super::{Cell, Chapter, Picture, Sheet};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// Room for the marks of the axes.
const LEFT: f64 = 56.0;
const BELOW: f64 = 36.0;
/// Room for the names of bars.
const NAMES: f64 = 300.0;
const BAR: f64 = 18.0;
/// Marks of an axis.
const MARKS: usize = 5;
/// Lines are told apart by dashes as well as by colours.
const DASHES: [&str; 4] = ["none", "6 3", "2 3", "8 3 2 3"];

const STYLE: &str = "
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .75rem .15rem 0; text-align: right }
th:first-child, td:first-child { text-align: left }
svg { max-width: 100%; height: auto; fill: none; stroke: currentColor }
svg text { fill: currentColor; stroke: none; font-size: 12px }
svg rect { fill: currentColor; stroke: none }
.line0 { stroke: #1b6ac9 } .line1 { stroke: #c2410c } .line2 { stroke: #15803d } .line3 { stroke: #9333ea }
";

/// The page.
pub fn of(sheet: &Sheet) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (sheet.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (sheet.title) }
                dl {
                    @for (name, value) in &sheet.facts {
                        dt { (name) }
                        dd { (value) }
                    }
                }
                @for chapter in &sheet.chapters {
                    (section(chapter))
                }
            }
        }
    };
    page.into_string()
}

fn section(chapter: &Chapter) -> Markup {
    html! {
        section id=(chapter.name) {
            h2 { (chapter.title) }
            p { (chapter.note) }
            @if chapter.rows.is_empty() {
                p { "Nothing to tell: no payment of this kind." }
            } @else {
                @match chapter.picture {
                    Picture::Lines => (lines(chapter)),
                    Picture::Bars => (bars(chapter)),
                }
                details {
                    summary { "The numbers" }
                    (table(chapter))
                }
            }
        }
    }
}

fn table(chapter: &Chapter) -> Markup {
    html! {
        table {
            thead { tr { @for name in &chapter.columns { th scope="col" { (name) } } } }
            tbody {
                @for row in &chapter.rows {
                    tr { @for cell in row { td { (cell.shown()) } } }
                }
            }
        }
    }
}

/// The columns that are shares, over the first one.
fn lines(chapter: &Chapter) -> Markup {
    let drawn = || 1..chapter.columns.len().min(1 + DASHES.len());
    let most = |columns: &mut dyn Iterator<Item = usize>| {
        let numbers = columns.flat_map(|place| column(chapter, place));
        numbers
            .filter(|number| *number <= 1.0)
            .fold(f64::MIN_POSITIVE, f64::max)
    };
    let (wide, high) = (most(&mut std::iter::once(0)), most(&mut drawn()));
    let x = |value: f64| LEFT + value / wide * (WIDTH - LEFT - 8.0);
    let y = |value: f64| HEIGHT - BELOW - value / high * (HEIGHT - BELOW - 8.0);
    let is_share = |place: &usize| column(chapter, *place).iter().all(|number| *number <= 1.0);
    let path = |place: usize| {
        let points = column(chapter, 0).into_iter().zip(column(chapter, place));
        points
            .map(|(along, up)| format!("{:.1},{:.1}", x(along), y(up)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let marks = |most: f64| (0..=MARKS).map(move |mark| mark as f64 / MARKS as f64 * most);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(chapter.title) {
            path d=(format!("M{LEFT},8 V{} H{}", HEIGHT - BELOW, WIDTH - 8.0)) {}
            @for mark in marks(wide) {
                text x=(x(mark)) y=(HEIGHT - BELOW + 14.0) text-anchor="middle" { (short(mark)) }
            }
            @for mark in marks(high) {
                text x=(LEFT - 6.0) y=(y(mark) + 4.0) text-anchor="end" { (short(mark)) }
            }
            text x=(WIDTH / 2.0) y=(HEIGHT - 4.0) text-anchor="middle" { (chapter.columns[0]) }
            @for place in drawn().filter(is_share) {
                polyline class=(format!("line{}", place - 1)) points=(path(place))
                    stroke-width="2" stroke-dasharray=(DASHES[place - 1]) {}
            }
        }
        p {
            @for place in drawn().filter(is_share) {
                svg viewBox="0 0 40 12" width="40" height="12" aria-hidden="true" {
                    path class=(format!("line{}", place - 1)) d="M0,6 H36"
                        stroke-width="2" stroke-dasharray=(DASHES[place - 1]) {}
                }
                (chapter.columns[place]) " "
            }
        }
    }
}

fn bars(chapter: &Chapter) -> Markup {
    let values = column(chapter, 1);
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let height = BAR * chapter.rows.len() as f64;
    let long = |value: f64| value.max(0.0) / most * (WIDTH - NAMES - 60.0);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(chapter.title) {
            @for (place, (row, value)) in chapter.rows.iter().zip(&values).enumerate() {
                @let top = place as f64 * BAR;
                text x=(NAMES - 6.0) y=(top + 13.0) text-anchor="end" { (row[0].shown()) }
                rect x=(NAMES) y=(top + 3.0) width=(format!("{:.1}", long(*value))) height=(BAR - 6.0) {}
                text x=(NAMES + 6.0 + long(*value)) y=(top + 13.0) { (short(*value)) }
            }
        }
    }
}

/// The numbers of a column; 0 where there is none.
fn column(chapter: &Chapter, place: usize) -> Vec<f64> {
    let number = |row: &Vec<Cell>| match row.get(place) {
        Some(Cell::Number(number)) if number.is_finite() => *number,
        _ => 0.0,
    };
    chapter.rows.iter().map(number).collect()
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) if !number.is_finite() => "–".to_owned(),
            Self::Number(number) if number.fract() == 0.0 && number.abs() >= 2.0 => {
                number.to_string()
            }
            Self::Number(number) => format!("{number:.4}"),
        }
    }
}

fn short(number: f64) -> String {
    format!("{number:.3}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_no_markup_and_what_is_missing_is_no_number() {
        let sheet = Sheet {
            title: "A <title>",
            facts: vec![("data", "<script>".to_owned())],
            chapters: vec![Chapter {
                name: "scenarios",
                title: "By kind",
                note: "",
                columns: vec!["kind", "recall"],
                rows: vec![
                    vec!["<b>".into(), f64::NAN.into()],
                    vec!["usual".into(), 0.5.into()],
                ],
                picture: Picture::Bars,
            }],
        };
        let page = of(&sheet);
        assert!(!page.contains("<script>") && !page.contains("<b>") && page.contains("&lt;b&gt;"));
        assert!(!page.contains("NaN") && !page.contains("http:") && !page.contains("src="));
        let json = serde_json::to_value(&sheet).unwrap();
        assert!(json["chapters"][0]["rows"][0][1].is_null());
    }
}
