//! Typologies of laundering: which rules speak of each, and from which score it alerts or stops.

use crate::evidence;
use paywarden_domain::Outcome;
use serde::Deserialize;

const SHIPPED: &str = include_str!("typologies.toml");
/// How many typologies there may be.
pub const TYPOLOGIES_MAX: usize = 12;
const SCORE_MAX: u16 = 1000;

/// From which scores payments are reviewed and held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Somebody looks at the payment; 1 to 1000.
    pub alert: u16,
    /// The payment waits until somebody has; not below `alert`, at most 1000.
    pub interdiction: u16,
}

/// One typology.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typology {
    /// Its name, `snake_case`.
    pub name: String,
    /// The codes of the reasons of its rules; each code belongs to one typology at most.
    pub reasons: Vec<String>,
    /// From which score of its rules somebody looks.
    pub alert: u16,
    /// From which score of its rules the payment waits.
    pub interdiction: u16,
}

/// The thresholds of the laundering engine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typologies {
    all: Thresholds,
    #[serde(rename = "typology", default)]
    each: Vec<Typology>,
}

/// A file of typologies that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("typologies: {0}")]
pub struct WrongTypologies(String);

impl Thresholds {
    /// What so much evidence asks for.
    fn action(self, evidence: u32) -> Outcome {
        let reached = |score| evidence >= evidence::least(score);
        match evidence {
            0 => Outcome::Approve,
            _ if reached(self.interdiction) => Outcome::Hold,
            _ if reached(self.alert) => Outcome::Review,
            _ => Outcome::Approve,
        }
    }

    fn are_sound(self) -> bool {
        (1..=self.interdiction).contains(&self.alert) && self.interdiction <= SCORE_MAX
    }
}

impl Typology {
    fn thresholds(&self) -> Thresholds {
        Thresholds {
            alert: self.alert,
            interdiction: self.interdiction,
        }
    }
}

impl Default for Typologies {
    /// The shipped ones.
    fn default() -> Self {
        let all = Thresholds {
            alert: 400,
            interdiction: 800,
        };
        Self::parse(SHIPPED).unwrap_or(Self {
            all,
            each: Vec::new(),
        })
    }
}

impl Typologies {
    /// Reads a file of typologies.
    ///
    /// # Errors
    ///
    /// More than [`TYPOLOGIES_MAX`], a name or code used twice, a threshold outside its limits.
    pub fn parse(text: &str) -> Result<Self, WrongTypologies> {
        let read: Self =
            toml::from_str(text).map_err(|error| WrongTypologies(error.to_string()))?;
        let wrong = |what: String| Err(WrongTypologies(what));
        if read.each.len() > TYPOLOGIES_MAX {
            return wrong(format!("more than {TYPOLOGIES_MAX}"));
        }
        let named = read.each.iter().map(|one| (&*one.name, one.thresholds()));
        let unsound = |(_, thresholds): &(&str, Thresholds)| !thresholds.are_sound();
        if let Some((name, _)) = named.chain([("all", read.all)]).find(unsound) {
            return wrong(format!(
                "{name}: alert lies from 1 to interdiction, interdiction up to {SCORE_MAX}"
            ));
        }
        let names = read.each.iter().map(|one| &one.name);
        let codes = read.each.iter().flat_map(|one| &one.reasons);
        match twice(names).or_else(|| twice(codes)) {
            Some(word) => wrong(format!("{word} stands twice")),
            None => Ok(read),
        }
    }

    /// The place of the typology that a reason speaks of.
    pub(crate) fn place(&self, reason: &str) -> Option<usize> {
        let speaks = |one: &Typology| one.reasons.iter().any(|code| code == reason);
        self.each.iter().position(speaks)
    }

    /// What the evidence of all rules asks for, and that of each typology.
    pub(crate) fn action(&self, all: u32, each: &[u32]) -> Outcome {
        let each = self.each.iter().zip(each);
        each.map(|(typology, evidence)| typology.thresholds().action(*evidence))
            .fold(self.all.action(all), Ord::max)
    }
}

fn twice<'w>(words: impl Iterator<Item = &'w String>) -> Option<&'w String> {
    let mut seen = std::collections::BTreeSet::new();
    words.into_iter().find(|word| !seen.insert(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::Engine;

    #[test]
    fn the_shipped_file_is_sound_and_known_by_reason() {
        let shipped = Typologies::parse(SHIPPED).unwrap();
        assert_eq!(shipped, Typologies::default());
        assert_eq!(shipped.place("structuring"), Some(0));
        assert_eq!(shipped.place("sanctioned_party"), None);
    }

    #[test]
    fn a_typology_acts_by_its_own_thresholds() {
        let text = "[all]\nalert = 400\ninterdiction = 800\n\
                    [[typology]]\nname = \"a\"\nreasons = [\"a\"]\nalert = 200\ninterdiction = 900\n";
        let typologies = Typologies::parse(text).unwrap();
        let of = |score| evidence::of(Engine::Laundering, score);
        let action = |all, own| typologies.action(of(all), &[of(own)]);
        assert_eq!(action(150, 150), Outcome::Approve);
        assert_eq!(action(250, 200), Outcome::Review);
        assert_eq!(action(400, 0), Outcome::Review);
        assert_eq!(action(800, 100), Outcome::Hold);
        assert_eq!(action(799, 799), Outcome::Review);
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        let all = "[all]\nalert = 400\ninterdiction = 800\n";
        let one = |name: &str, code: &str, alert: u16| {
            format!(
                "[[typology]]\nname = \"{name}\"\nreasons = [\"{code}\"]\nalert = {alert}\ninterdiction = 900\n"
            )
        };
        let many: String = (0..=TYPOLOGIES_MAX)
            .map(|place| one(&format!("t{place}"), &format!("c{place}"), 1))
            .collect();
        for (text, word) in [
            (format!("{all}{}", one("a", "x", 0)), "a: alert"),
            (format!("{all}{}", one("a", "x", 901)), "a: alert"),
            (
                format!("{all}{}{}", one("a", "x", 1), one("b", "x", 1)),
                "x stands twice",
            ),
            (
                format!("{all}{}{}", one("a", "x", 1), one("a", "y", 1)),
                "a stands twice",
            ),
            (format!("{all}{many}"), "more than 12"),
            (
                "[all]\nalert = 1\ninterdiction = 1001\n".to_owned(),
                "all: alert",
            ),
            (one("a", "x", 1), "all"),
        ] {
            let wrong = Typologies::parse(&text).unwrap_err().to_string();
            assert!(wrong.contains(word), "{wrong}");
        }
    }
}
