//! Walks over neighbouring keys.

use super::{Finding, Pattern, text::Text};

/// Rows of a US keyboard, without and with shift, and how far each is indented, in quarter keys.
const ROWS: &[(&str, &str, i32)] = &[
    ("1234567890-=", "!@#$%^&*()_+", 0),
    ("qwertyuiop[]", "qwertyuiop{}", 2),
    ("asdfghjkl;'", "asdfghjkl:\"", 3),
    ("zxcvbnm,./", "zxcvbnm<>?", 5),
];
/// The number pad: column and row of each digit.
const PAD: &[(char, i32, i32)] = &[
    ('7', 0, 0),
    ('8', 1, 0),
    ('9', 2, 0),
    ('4', 0, 1),
    ('5', 1, 1),
    ('6', 2, 1),
    ('1', 0, 2),
    ('2', 1, 2),
    ('3', 2, 2),
    ('0', 1, 3),
];
/// Shorter walks occur by chance.
const WALK_MIN: usize = 4;
/// On the number pad three in a line are no chance, less in a line are.
const LINE_MIN: usize = 3;

type Step = (i32, i32);

/// A layout: from one key to a neighbour, and how many keys and neighbours of a key there are.
struct Layout {
    step: fn(char, char) -> Option<Step>,
    keys: f64,
    turns: f64,
    length_min: usize,
    /// Whether only straight walks are found.
    straight: bool,
}

const LAYOUTS: &[Layout] = &[
    Layout {
        step: on_rows,
        keys: 47.0,
        turns: 5.0,
        length_min: WALK_MIN,
        straight: false,
    },
    Layout {
        step: on_pad,
        keys: 10.0,
        turns: 5.0,
        length_min: LINE_MIN,
        straight: true,
    },
];

pub(super) fn find(text: &Text, findings: &mut Vec<Finding>) {
    for layout in LAYOUTS {
        walks(&text.plain, layout, findings);
    }
}

fn walks(chars: &[char], layout: &Layout, findings: &mut Vec<Finding>) {
    let step = |place: usize| (layout.step)(*chars.get(place)?, *chars.get(place + 1)?);
    let mut start = 0;
    while start + 1 < chars.len() {
        let (mut end, mut turns, mut direction) = (start + 1, 0, step(start));
        while let Some(next) = step(end - 1) {
            let turned = Some(next) != direction;
            if turned && layout.straight {
                break;
            }
            turns += i32::from(turned);
            direction = Some(next);
            end += 1;
        }
        if end - start >= layout.length_min {
            let length = (end - start) as f64;
            findings.push(Finding {
                pattern: Pattern::KeyboardWalk,
                start,
                end,
                guesses_log10: (layout.keys * length).log10()
                    + f64::from(turns) * layout.turns.log10(),
            });
        }
        start = if end - start >= 2 { end - 1 } else { end };
    }
}

fn on_rows(from: char, to: char) -> Option<Step> {
    let ((x, y), (to_x, to_y)) = (on_row(from)?, on_row(to)?);
    let (right, down) = (to_x - x, to_y - y);
    let beside = down == 0 && right.abs() == 4;
    let above_or_below = down.abs() == 1 && right.abs() < 4;
    (beside || above_or_below).then_some((right, down))
}

fn on_row(key: char) -> Option<(i32, i32)> {
    ROWS.iter()
        .zip(0..)
        .find_map(|((plain, shifted, indent), row)| {
            let place = plain.find(key).or_else(|| shifted.find(key))?;
            Some((place as i32 * 4 + indent, row))
        })
}

fn on_pad(from: char, to: char) -> Option<Step> {
    let place = |key: char| PAD.iter().find(|(digit, ..)| *digit == key);
    let ((_, x, y), (_, to_x, to_y)) = (place(from)?, place(to)?);
    let (right, down) = (to_x - x, to_y - y);
    (right.abs().max(down.abs()) == 1).then_some((right, down))
}
