//! Pictures of a back-test: who was stopped and who should have been, and which rules fire together.

use super::{Effect, FRAUDS, PASSED, RULE, Report, STOPPED};
use crate::{format, parts, visit::Visit, word::words};
use maud::{Markup, html};

words! {
    CONFUSION = "Frauds and genuine payments", "欺诈与正常支付";
    GENUINE = "Genuine", "正常";
    NOW = "With this version", "本版本";
    BEFORE = "As it was", "原情况";
    OVERLAP = "Which rules fire together", "规则重叠";
    OVERLAP_WHY = "Each row is a rule: the larger the disc, the more of its payments the rule of the column fires for too.", "每行为一条规则：圆点越大，该规则触发的支付中同时触发列规则的比例越高。";
    OTHER = "Other rule", "其他规则";
    SHARE = "Share of its payments", "占其触发支付的比例";
}

const CELL: u64 = 64;
const WIDE: u64 = 128;
const NAMES: u64 = 84;
/// Rules of the picture at most, those that fire most.
const RULES_MAX: usize = 14;
const DISC: u64 = 22;

/// One row of a confusion matrix: its name, those stopped and those let through.
type Row<'r> = (&'r str, u64, u64);

/// Stopped and let through, by what payments turned out to be: as it was and with this version. The
/// darker a cell, the larger its share of its row.
pub(super) fn confusion(v: &Visit, report: &Report) -> Markup {
    let all = &report.payments;
    let rows = |stopped: &Effect| {
        [
            (
                v.t(FRAUDS),
                stopped.fraud,
                all.fraud.saturating_sub(stopped.fraud),
            ),
            (
                v.t(GENUINE),
                stopped.good(),
                all.good().saturating_sub(stopped.good()),
            ),
        ]
    };
    let (before, now) = (rows(&report.stopped_before), rows(&report.stopped));
    let numbers = [STOPPED, PASSED].map(|word| format!("{}#", v.t(word)));
    let twin = |rows: &[Row<'_>]| -> Vec<Vec<Markup>> {
        let cells = |(name, stopped, passed): &Row<'_>| {
            vec![
                html! { (name) },
                html! { (format::number(*stopped)) },
                html! { (format::number(*passed)) },
            ]
        };
        rows.iter().map(cells).collect()
    };
    let columns = ["", &numbers[0], &numbers[1]];
    let inside = html! {
        figure.chart {
            figcaption { (v.t(CONFUSION)) }
            @for (title, rows) in [(BEFORE, &before), (NOW, &now)] {
                h3 { (v.t(title)) }
                (matrix(v, v.t(title), rows))
            }
            (parts::fold(v.t(parts::SHOW_TABLE), html! {
                @for (title, rows) in [(BEFORE, &before), (NOW, &now)] {
                    h3 { (v.t(title)) }
                    (parts::table(v.t(title), &columns, &twin(rows), v))
                }
            }))
        }
    };
    parts::panel(v.t(CONFUSION), inside)
}

fn matrix(v: &Visit, title: &str, rows: &[Row<'_>]) -> Markup {
    let heads = [STOPPED, PASSED];
    let view = format!("0 0 {} {}", NAMES + 2 * WIDE, 18 + 2 * CELL);
    html! {
        svg.matrix viewBox=(view) role="img" aria-label=(title) {
            @for (place, head) in (0..).zip(heads) {
                text x=(NAMES + place * WIDE + 8) y="12" { (v.t(head)) }
            }
            @for (line, (name, stopped, passed)) in (0..).zip(rows) {
                @let y = 18 + line * CELL;
                text x="0" y=(y + CELL / 2 + 4) { (name) }
                @for (place, count) in (0..).zip([*stopped, *passed]) {
                    @let x = NAMES + place * WIDE;
                    rect class=(format!("cell {}", shade(count, stopped + passed))) x=(x) y=(y) width=(WIDE) height=(CELL) rx="4" {}
                    text.count x=(x + 10) y=(y + 28) { (format::number(count)) }
                    text x=(x + 10) y=(y + 46) { (format::percent(count, stopped + passed)) }
                }
            }
        }
    }
}

/// In which of five shades a share is drawn.
pub(in super::super) fn shade(part: u64, of: u64) -> &'static str {
    const SHADES: [&str; 5] = ["none", "shade-1", "shade-2", "shade-3", "shade-4"];
    let step = match (part, of) {
        (0, _) | (_, 0) => 0,
        (part, of) => 1 + (u128::from(part.min(of)) * 4 / u128::from(of)).min(3) as usize,
    };
    SHADES[step]
}

/// The rules that fire most, and how much of what one fires for another fires for too.
pub(super) fn overlap(v: &Visit, report: &Report) -> Markup {
    let mut rules: Vec<_> = report
        .rules
        .iter()
        .filter(|rule| !rule.overlaps.is_empty())
        .collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.fired.payments));
    rules.truncate(RULES_MAX);
    if rules.len() < 2 {
        return html! {};
    }
    let place = |name: &str| rules.iter().position(|rule| rule.rule == name);
    let count = rules.len() as u64;
    let names = 230;
    let view = format!("0 0 {} {}", names + count * DISC, 22 + count * DISC);
    let discs = rules.iter().enumerate().flat_map(|(row, rule)| {
        let met = rule.overlaps.iter();
        met.map(move |other| (row as u64, &other.rule, other.share))
    });
    let discs = discs.filter_map(|(row, other, share)| Some((row, place(other)? as u64, share)));
    let rows: Vec<Vec<Markup>> = rules
        .iter()
        .flat_map(|rule| {
            rule.overlaps.iter().map(|other| {
                vec![
                    parts::rule(&rule.rule, v),
                    parts::rule(&other.rule, v),
                    html! { (format::share(other.share)) },
                ]
            })
        })
        .collect();
    let share = format!("{}#", v.t(SHARE));
    let columns = [v.t(RULE), v.t(OTHER), &share];
    let inside = html! {
        p.muted { (v.t(OVERLAP_WHY)) }
        figure.chart {
            figcaption { (v.t(OVERLAP)) }
            svg.matrix viewBox=(view) role="img" aria-label=(v.t(OVERLAP)) {
                @for (row, rule) in (0_u64..).zip(&rules) {
                    @let y = 22 + row * DISC;
                    text x="0" y=(y + 15) { (row + 1) ". " (short(&rule.rule, v)) }
                    text x=(names + row * DISC + 6) y="14" { (row + 1) }
                    line.axis x1=(names) y1=(y + DISC) x2=(names + count * DISC) y2=(y + DISC) {}
                }
                @for (row, column, share) in discs {
                    circle class="part info" cx=(names + column * DISC + DISC / 2) cy=(22 + row * DISC + DISC / 2)
                        r=(format!("{:.1}", (share * 81.0).sqrt())) { title { (format::share(share)) } }
                }
            }
            (parts::fold(v.t(parts::SHOW_TABLE), parts::table(v.t(OVERLAP), &columns, &rows, v)))
        }
    };
    parts::panel(v.t(OVERLAP), inside)
}

/// So much of the title of a rule as the picture has room for; the table has all of it.
fn short(rule: &str, v: &Visit) -> String {
    let title = parts::title(rule, None, v).unwrap_or_else(|| rule.to_owned());
    let mut room = 36;
    let mut fits = |letter: &char| {
        // Chinese is written twice as wide.
        room -= if letter.is_ascii() { 1 } else { 2 };
        room >= 0
    };
    let shown: String = title.chars().take_while(|letter| fits(letter)).collect();
    match shown.len() == title.len() {
        true => title,
        false => format!("{shown}…"),
    }
}
