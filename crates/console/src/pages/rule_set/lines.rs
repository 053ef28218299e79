//! Differences of texts, line by line: the shortest way from one to the other (Myers, "An O(ND)
//! difference algorithm and its variations", 1986), shown with some lines around.

use maud::{Markup, html};
use std::collections::BTreeMap;

/// Lines shown around a change.
const AROUND: usize = 3;
/// The longest way that is looked for; texts that differ more are shown as one gone and one come.
const STEPS_MAX: usize = 1_000;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pages) enum Line {
    Same(String),
    Gone(String),
    Come(String),
}

/// The files that differ, by name, with their differences.
pub(super) fn changed(
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
) -> Vec<(String, Vec<Line>)> {
    let mut names: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let text = |files: &BTreeMap<&str, &str>, name: &str| {
        files.get(name).copied().unwrap_or_default().to_owned()
    };
    let pairs = names
        .into_iter()
        .map(|name| (name, text(before, name), text(after, name)));
    let differing = pairs.filter(|(_, before, after)| before != after);
    differing
        .map(|(name, before, after)| (name.to_owned(), difference(&before, &after)))
        .collect()
}

/// The lines of both texts in one order.
pub(in crate::pages) fn difference(before: &str, after: &str) -> Vec<Line> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let alike = |(left, right): &(&&str, &&str)| left == right;
    let head = before.iter().zip(&after).take_while(alike).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take(rest)
        .take_while(alike)
        .count();
    let (old, new) = (
        &before[head..before.len() - tail],
        &after[head..after.len() - tail],
    );
    let same = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| Line::Same((*line).to_owned()))
            .collect::<Vec<_>>()
    };
    let mut lines = same(&before[..head]);
    lines.extend(shortest(old, new).unwrap_or_else(|| {
        let gone = old.iter().map(|line| Line::Gone((*line).to_owned()));
        gone.chain(new.iter().map(|line| Line::Come((*line).to_owned())))
            .collect()
    }));
    lines.extend(same(&before[before.len() - tail..]));
    lines
}

/// The shortest way; none if it is longer than the limit.
fn shortest(old: &[&str], new: &[&str]) -> Option<Vec<Line>> {
    let (rows, columns) = (old.len(), new.len());
    let most = (rows + columns).min(STEPS_MAX);
    // How far down each diagonal so many steps lead; `place` 0 is diagonal -most.
    let mut furthest = vec![0_usize; 2 * most + 2];
    let mut ways = Vec::new();
    let place = |diagonal: isize| (diagonal + most as isize) as usize;
    for steps in 0..=most as isize {
        ways.push(furthest.clone());
        for diagonal in (-steps..=steps).step_by(2) {
            let down = diagonal == -steps
                || (diagonal != steps
                    && furthest[place(diagonal - 1)] < furthest[place(diagonal + 1)]);
            let mut row = match (down, steps) {
                (_, 0) => 0,
                (true, _) => furthest[place(diagonal + 1)],
                (false, _) => furthest[place(diagonal - 1)] + 1,
            };
            let mut column = row.checked_add_signed(-diagonal)?;
            while row < rows && column < columns && old[row] == new[column] {
                (row, column) = (row + 1, column + 1);
            }
            furthest[place(diagonal)] = row;
            if row >= rows && column >= columns {
                return Some(walked(old, new, &ways, place));
            }
        }
    }
    None
}

/// The way back, turned round.
fn walked(
    old: &[&str],
    new: &[&str],
    ways: &[Vec<usize>],
    place: impl Fn(isize) -> usize,
) -> Vec<Line> {
    let (mut row, mut column) = (old.len(), new.len());
    let mut lines = Vec::new();
    for (steps, furthest) in ways.iter().enumerate().rev() {
        let (steps, diagonal) = (steps as isize, row as isize - column as isize);
        let down = diagonal == -steps
            || (diagonal != steps && furthest[place(diagonal - 1)] < furthest[place(diagonal + 1)]);
        let from = if down { diagonal + 1 } else { diagonal - 1 };
        let from_row = if steps == 0 { 0 } else { furthest[place(from)] };
        let from_column = if steps == 0 {
            0
        } else {
            (from_row as isize - from) as usize
        };
        while row > from_row && column > from_column {
            (row, column) = (row - 1, column - 1);
            lines.push(Line::Same(old[row].to_owned()));
        }
        if steps > 0 {
            if down {
                column -= 1;
                lines.push(Line::Come(new[column].to_owned()));
            } else {
                row -= 1;
                lines.push(Line::Gone(old[row].to_owned()));
            }
        }
    }
    lines.reverse();
    lines
}

/// The changed lines with those around them.
pub(in crate::pages) fn draw(name: &str, lines: &[Line]) -> Markup {
    let is_changed = |line: &Line| !matches!(line, Line::Same(_));
    let near = |place: usize| {
        let from = place.saturating_sub(AROUND);
        lines
            .iter()
            .skip(from)
            .take(place - from + AROUND + 1)
            .any(is_changed)
    };
    let mut was_shown = true;
    let shown = lines.iter().enumerate().map(|(place, line)| {
        let is_shown = near(place);
        let is_gap = !is_shown && was_shown;
        was_shown = is_shown;
        match (is_shown, line) {
            (true, Line::Same(text)) => html! { span { "  " (text) } },
            (true, Line::Gone(text)) => html! { span.gone { "− " (text) } },
            (true, Line::Come(text)) => html! { span.come { "+ " (text) } },
            (false, _) if is_gap => html! { span.skip-lines { "⋯" } },
            (false, _) => html! {},
        }
    });
    html! { pre.lines tabindex="0" role="region" aria-label=(name) { @for line in shown { (line) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both sides of a difference hold.
    fn sides(lines: &[Line]) -> (Vec<&str>, Vec<&str>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for line in lines {
            match line {
                Line::Same(text) => {
                    before.push(text.as_str());
                    after.push(text.as_str());
                }
                Line::Gone(text) => before.push(text),
                Line::Come(text) => after.push(text),
            }
        }
        (before, after)
    }

    /// The length of the longest common part, by the table of all pairs.
    fn common(left: &[&str], right: &[&str]) -> usize {
        let mut row = vec![0; right.len() + 1];
        for one in left {
            let mut diagonal = 0;
            for (place, other) in right.iter().enumerate() {
                let above = row[place + 1];
                row[place + 1] = if one == other {
                    diagonal + 1
                } else {
                    above.max(row[place])
                };
                diagonal = above;
            }
        }
        row[right.len()]
    }

    #[test]
    fn the_way_is_right_and_none_is_shorter() {
        // A small generator (Lehmer, 1951): texts of few distinct lines, so that many ways tie.
        let mut state = 48_271_u64;
        let mut next = |below: u64| {
            state = state * 48_271 % 2_147_483_647;
            state % below
        };
        for _ in 0..400 {
            let mut text = || {
                let count = next(14);
                let lines = (0..count).map(|_| ["a", "b", "c"][next(3) as usize]);
                lines.collect::<Vec<_>>().join("\n")
            };
            let (before, after) = (text(), text());
            let lines = difference(&before, &after);
            let (left, right) = sides(&lines);
            assert_eq!(left, before.lines().collect::<Vec<_>>());
            assert_eq!(right, after.lines().collect::<Vec<_>>());
            let same = lines
                .iter()
                .filter(|line| matches!(line, Line::Same(_)))
                .count();
            assert_eq!(same, common(&left, &right), "{before:?} {after:?}");
        }
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_shown_as_one_gone_and_one_come() {
        let text = |word: &str| (0..900).map(|n| format!("{word}{n}\n")).collect::<String>();
        let lines = difference(&text("a"), &text("b"));
        assert_eq!(lines.len(), 1_800);
        assert!(matches!(lines[0], Line::Gone(_)) && matches!(lines[1_799], Line::Come(_)));
    }
}
