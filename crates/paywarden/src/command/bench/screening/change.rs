//! Names with one token written wrong, as people and machines write them: the same every time.

/// A small generator of numbers (G. Steele, D. Lea, C. Flood, SplitMix, 2014).
pub(super) struct Dice(u64);

/// Ways of writing a token wrong.
const WAYS: usize = 6;

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`; nought if there are none.
    pub(super) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((number ^ (number >> 31)) % sides.max(1) as u64) as usize
    }
}

/// The name with one of its longer tokens changed and, one time in two, its tokens in another order.
pub(super) fn changed(name: &str, dice: &mut Dice) -> String {
    let mut tokens: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
    let long: Vec<usize> = (0..tokens.len())
        .filter(|&at| tokens[at].chars().count() >= 4)
        .collect();
    let at = match long.is_empty() {
        true => dice.throw(tokens.len()),
        false => long[dice.throw(long.len())],
    };
    if let Some(token) = tokens.get_mut(at) {
        *token = mistaken(token, dice);
    }
    if dice.throw(2) == 0 {
        let turn = dice.throw(tokens.len());
        tokens.rotate_left(turn);
    }
    tokens.join(" ")
}

fn mistaken(token: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    if letters.len() < 2 {
        return token.to_owned();
    }
    let at = dice.throw(letters.len() - 1) + 1;
    match dice.throw(WAYS) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters.swap(at - 1, at),
        3 => letters[at] = other(letters[at], "AEIOUY", dice),
        4 => letters[at] = other(letters[at], "BCDFGHKLMNPRSTVZ", dice),
        _ => letters.insert(at, other(' ', "AEHINRSTY", dice)),
    }
    letters.into_iter().collect()
}

/// A letter of these that is not the one given.
fn other(letter: char, of: &str, dice: &mut Dice) -> char {
    let choice: Vec<char> = of
        .chars()
        .filter(|other| !other.eq_ignore_ascii_case(&letter))
        .collect();
    choice[dice.throw(choice.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_differs_and_the_same_seed_gives_the_same() {
        let tokens = |name: &str| {
            let mut tokens: Vec<String> = name.split(' ').map(str::to_owned).collect();
            tokens.sort();
            tokens
        };
        for seed in 0..200 {
            let name = changed("SERGEY VIKTOROVICH LAVROV", &mut Dice::new(seed));
            assert_eq!(
                name,
                changed("SERGEY VIKTOROVICH LAVROV", &mut Dice::new(seed))
            );
            let known = tokens("SERGEY VIKTOROVICH LAVROV");
            let kept = tokens(&name)
                .iter()
                .filter(|token| known.contains(token))
                .count();
            assert!(kept >= 2, "{name}");
        }
    }
}
