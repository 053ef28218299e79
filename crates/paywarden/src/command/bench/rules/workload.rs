//! Rules and payments like those of production, the same on every machine: conjunctions over fields
//! and windows of the past, of which a tenth is missing. A payment is hit by some three rules of the
//! usual shape, by some eighty of the worst one.
//!
//! Every rule is written in three dialects that mean the same: ours, CEL and zen.

use super::{
    super::dice::Dice,
    facts::{Fact, Kind, facts},
};
use paywarden_domain::Engine;
use paywarden_features::Value;
use paywarden_rules::{
    FieldValue, Pack, Schema, Slots,
    pack::{OnFault, ReasonSource, RuleSource, Stage},
};
use std::fmt::Write as _;

/// How many rules one pack may hold.
const PACK_RULES: usize = 2_000;
/// One in so many values is missing.
const MISSING_ONE_IN: u64 = 10;

/// Which rules are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A kind of event and five to eight terms, thresholds from a grid: rules share literals, some
    /// three hit.
    Shared,
    /// A kind of event and two to five terms, every threshold unique, some eighty hit.
    Unique,
}

/// Rules, and payments to decide by them.
pub struct Workload {
    facts: Vec<Fact>,
    rules: Vec<Vec<Term>>,
}

/// One payment: a value for each fact, or none.
pub struct Payment(pub Vec<Option<Scalar>>);

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// A count, minor units or microseconds.
    Whole(i64),
    /// A distance.
    Real(f64),
    /// A text.
    Word(&'static str),
    /// A flag.
    Flag(bool),
}

/// A way to write rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The language of packs.
    Ours,
    /// Common Expression Language: all amounts and spans are whole numbers.
    #[cfg_attr(
        not(feature = "peers"),
        allow(dead_code, reason = "written for the anchors")
    )]
    Cel,
    /// The expression language of zen, in which nothing is unknown: what may be missing is
    /// guarded where it would change the answer.
    #[cfg_attr(
        not(feature = "peers"),
        allow(dead_code, reason = "written for the anchors")
    )]
    Zen,
}

#[derive(Debug, Clone)]
enum Term {
    Bound {
        fact: usize,
        at_least: bool,
        bound: Scalar,
    },
    OneOf {
        fact: usize,
        words: Vec<&'static str>,
    },
    IsNot {
        fact: usize,
        word: &'static str,
    },
    Flag {
        fact: usize,
        set: bool,
    },
    /// An amount above a multiple of another.
    Above {
        fact: usize,
        base: usize,
        factor: i64,
    },
    Differ {
        left: usize,
        right: usize,
    },
    EndsWith {
        fact: usize,
        end: &'static str,
    },
    Any(Vec<Term>),
}

impl Workload {
    /// So many rules of a shape.
    pub fn new(shape: Shape, rules: usize, seed: u64) -> Self {
        let facts = facts();
        let mut dice = Dice(seed);
        let mut maker = Maker {
            facts: &facts,
            dice: &mut dice,
            shape,
        };
        let rules = (0..rules).map(|_| maker.rule()).collect();
        Self { facts, rules }
    }

    /// So many different payments.
    pub fn payments(&self, count: usize, seed: u64) -> Vec<Payment> {
        let mut dice = Dice(seed);
        let mut payment = || {
            let value = |fact: &Fact| {
                let missing = !fact.always && dice.below(MISSING_ONE_IN) == 0;
                let share = dice.share();
                (!missing).then(|| fact.quantile(share))
            };
            Payment(self.facts.iter().map(value).collect())
        };
        (0..count).map(|_| payment()).collect()
    }

    /// The facts, in the order of [`Payment`].
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The rules in a dialect.
    pub fn written(&self, dialect: Dialect) -> Vec<String> {
        let write = |terms: &Vec<Term>| {
            let parts: Vec<String> = terms
                .iter()
                .map(|term| term.written(&self.facts, dialect, false))
                .collect();
            parts.join(dialect.and())
        };
        self.rules.iter().map(write).collect()
    }

    /// Which facts are windows.
    pub fn window_facts(&self) -> Vec<usize> {
        let is_window = |fact: &usize| self.facts[*fact].field.is_none();
        (0..self.facts.len()).filter(is_window).collect()
    }

    /// Rules that read each window once, in the order of [`Workload::window_facts`].
    pub fn readers(&self) -> Vec<Pack> {
        let windows = self.window_facts().into_iter();
        let rules: Vec<String> = windows
            .map(|fact| format!("has({})", self.facts[fact].ours))
            .collect();
        vec![pack(0, &rules)]
    }

    /// The rules in packs, live.
    pub fn packs(&self) -> Vec<Pack> {
        let written = self.written(Dialect::Ours);
        let packs = written.chunks(PACK_RULES).enumerate();
        packs.map(|(number, rules)| pack(number, rules)).collect()
    }
}

impl Payment {
    /// Fills slots; `windows` has room for each window of the rule set, by the fact it shows.
    pub fn slots<'a>(&self, facts: &[Fact], windows: &'a [Value]) -> Slots<'a> {
        let mut slots = Slots::new();
        for (fact, value) in facts.iter().zip(&self.0) {
            if let (Some(field), Some(value)) = (fact.field, value) {
                slots.set(field, fact.field_value(*value));
            }
        }
        slots.windows = windows;
        slots
    }

    /// The values of windows, each given by the fact that it is.
    pub fn windows(&self, facts: &[Fact], shown: &[usize]) -> Vec<Value> {
        let value = |fact: &usize| match (self.0[*fact], facts[*fact].kind) {
            (Some(Scalar::Whole(count)), Kind::Count) => Value::Count(count),
            (Some(Scalar::Whole(minor)), _) => Value::Money(minor),
            _ => Value::Missing,
        };
        shown.iter().map(value).collect()
    }
}

impl Fact {
    fn field_value(&self, value: Scalar) -> FieldValue<'static> {
        match (value, self.kind) {
            (Scalar::Whole(minor), Kind::Money) => FieldValue::Money(minor),
            (Scalar::Whole(micros), Kind::Span) => FieldValue::Duration(micros),
            (Scalar::Whole(number), _) => FieldValue::Int(number),
            (Scalar::Real(number), _) => FieldValue::Double(number),
            (Scalar::Word(word), _) => FieldValue::Text(word),
            (Scalar::Flag(flag), _) => FieldValue::Bool(flag),
        }
    }
}

impl Dialect {
    fn and(self) -> &'static str {
        match self {
            Self::Zen => " and ",
            Self::Ours | Self::Cel => " && ",
        }
    }

    fn or(self) -> &'static str {
        match self {
            Self::Zen => " or ",
            Self::Ours | Self::Cel => " || ",
        }
    }
}

impl Term {
    /// The term in a dialect. `guarded`: a missing value must be false rather than an error.
    fn written(&self, facts: &[Fact], dialect: Dialect, guarded: bool) -> String {
        let (text, read, must_guard) = self.plain(facts, dialect);
        if dialect != Dialect::Zen || !(guarded || must_guard) {
            return text;
        }
        let mut whole = String::new();
        for fact in read {
            // Writing to a string cannot fail.
            let _ = write!(whole, "{} != null and ", facts[fact].theirs);
        }
        format!("({whole}{text})")
    }

    /// The term without guards, what it reads, and whether a missing value would make it true.
    fn plain(&self, facts: &[Fact], dialect: Dialect) -> (String, Vec<usize>, bool) {
        let name = |fact: usize| match dialect {
            Dialect::Ours => facts[fact].ours.as_str(),
            Dialect::Cel | Dialect::Zen => facts[fact].theirs.as_str(),
        };
        let quoted = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            words.join(", ")
        };
        match self {
            Self::Bound {
                fact,
                at_least,
                bound,
            } => {
                let operator = if *at_least { ">=" } else { "<=" };
                let bound = facts[*fact].literal(*bound, dialect);
                (
                    format!("{} {operator} {bound}", name(*fact)),
                    vec![*fact],
                    false,
                )
            }
            Self::OneOf { fact, words } => match words.as_slice() {
                [word] => (format!("{} == \"{word}\"", name(*fact)), vec![*fact], false),
                words => (
                    format!("{} in [{}]", name(*fact), quoted(words)),
                    vec![*fact],
                    false,
                ),
            },
            Self::IsNot { fact, word } => {
                (format!("{} != \"{word}\"", name(*fact)), vec![*fact], true)
            }
            Self::Flag { fact, set } => (format!("{} == {set}", name(*fact)), vec![*fact], true),
            Self::Above { fact, base, factor } => (
                format!("{} > {} * {factor}", name(*fact), name(*base)),
                vec![*fact, *base],
                false,
            ),
            Self::Differ { left, right } => (
                format!("{} != {}", name(*left), name(*right)),
                vec![*left, *right],
                true,
            ),
            Self::EndsWith { fact, end } => {
                let text = match dialect {
                    Dialect::Zen => format!("endsWith({}, \"{end}\")", name(*fact)),
                    Dialect::Ours | Dialect::Cel => format!("{}.endsWith(\"{end}\")", name(*fact)),
                };
                (text, vec![*fact], false)
            }
            Self::Any(terms) => {
                let parts: Vec<String> = terms
                    .iter()
                    .map(|term| term.written(facts, dialect, true))
                    .collect();
                (format!("({})", parts.join(dialect.or())), Vec::new(), false)
            }
        }
    }
}

impl Fact {
    fn literal(&self, value: Scalar, dialect: Dialect) -> String {
        match (value, self.kind, dialect) {
            (Scalar::Whole(minor), Kind::Money, Dialect::Ours) => {
                format!("money(\"{}.{:02}\", \"USD\")", minor / 100, minor % 100)
            }
            (Scalar::Whole(micros), Kind::Span, Dialect::Ours) => {
                format!("duration(\"{micros}us\")")
            }
            (Scalar::Whole(number), ..) => number.to_string(),
            (Scalar::Real(number), ..) => format!("{number:?}"),
            (Scalar::Word(word), ..) => format!("\"{word}\""),
            (Scalar::Flag(flag), ..) => flag.to_string(),
        }
    }
}

/// Shares of payments that a threshold from the grid lets through.
const GRID: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

struct Maker<'a> {
    facts: &'a [Fact],
    dice: &'a mut Dice,
    shape: Shape,
}

impl Maker<'_> {
    fn rule(&mut self) -> Vec<Term> {
        let terms = match self.shape {
            Shape::Shared => 5 + self.dice.below(4),
            Shape::Unique => 2 + self.dice.below(4),
        };
        let kind = self.of(|fact| fact.ours == "event.type");
        let mut rule = vec![Term::OneOf {
            fact: kind,
            words: self.words(kind, 1),
        }];
        rule.extend((0..terms).map(|_| self.term()));
        rule
    }

    fn term(&mut self) -> Term {
        match self.dice.below(100) {
            0..62 => self.bound(),
            62..74 => self.one_of(),
            74..80 => {
                let fact = self.of(Fact::is_text);
                let word = self.words(fact, 1)[0];
                Term::IsNot { fact, word }
            }
            80..88 => {
                let fact = self.of(|fact| fact.kind == Kind::Flag);
                let set = self.dice.below(2) == 0;
                Term::Flag { fact, set }
            }
            88..92 => Term::Above {
                fact: self.of(|fact| fact.ours == "payment.amount_base"),
                base: self.of(|fact| fact.ours.starts_with("card.max(")),
                factor: 1 + self.dice.below(3) as i64,
            },
            92..95 => {
                let country = |fact: &Fact| fact.ours.ends_with("country");
                let (left, right) = (self.of(country), self.of(country));
                match left == right {
                    true => self.bound(),
                    false => Term::Differ { left, right },
                }
            }
            95..97 => Term::EndsWith {
                fact: self.of(|fact| fact.ours == "payer.email_domain"),
                end: [".com", ".ru", ".top", ".de"][self.dice.below(4) as usize],
            },
            _ => Term::Any(vec![self.bound(), self.one_of()]),
        }
    }

    fn bound(&mut self) -> Term {
        let unique = self.shape == Shape::Unique;
        let fact = self.of(|fact| match fact.kind {
            Kind::Count => !unique,
            Kind::Money | Kind::Span | Kind::Distance => true,
            Kind::Word | Kind::Flag => false,
        });
        let share = match self.shape {
            Shape::Shared => GRID[self.dice.below(GRID.len() as u64) as usize],
            Shape::Unique => 0.02 + 0.5 * self.dice.share(),
        };
        let at_least = self.dice.below(4) > 0;
        let share = if at_least { 1.0 - share } else { share };
        let bound = self.facts[fact].quantile(share);
        Term::Bound {
            fact,
            at_least,
            bound,
        }
    }

    fn one_of(&mut self) -> Term {
        let fact = self.of(Fact::is_text);
        let count = 1 + self.dice.below(4) as usize;
        let words = self.words(fact, count);
        Term::OneOf { fact, words }
    }

    fn words(&mut self, fact: usize, count: usize) -> Vec<&'static str> {
        let known = self.facts[fact].words;
        let mut words: Vec<_> = (0..count)
            .map(|_| known[self.dice.below(known.len() as u64) as usize])
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    fn of(&mut self, fits: impl Fn(&Fact) -> bool) -> usize {
        let fitting: Vec<usize> = (0..self.facts.len())
            .filter(|fact| fits(&self.facts[*fact]))
            .collect();
        fitting[self.dice.below(fitting.len() as u64) as usize]
    }
}

fn pack(number: usize, conditions: &[String]) -> Pack {
    let rule = |(place, when): (usize, &String)| RuleSource {
        line: place + 1,
        id: format!("rule_{place}"),
        title: "Generated".to_owned(),
        title_zh: None,
        engine: Engine::Fraud,
        when: when.clone(),
        score: 10,
        action: None,
        hold_minutes: None,
        reason: ReasonSource {
            code: "generated".to_owned(),
            text: "Generated".to_owned(),
        },
        warning: None,
        stage: Stage::Live,
        on_fault: OnFault::Open,
        source: "generated".to_owned(),
        false_positives: None,
        examples: Vec::new(),
        parts: Vec::new(),
    };
    Pack {
        file: format!("generated_{number}.yaml"),
        id: format!("generated_{number}"),
        title: "Generated".to_owned(),
        description: String::new(),
        schema: &Schema::PAYMENTS,
        uses: Vec::new(),
        definitions: Vec::new(),
        rules: conditions.iter().enumerate().map(rule).collect(),
    }
}
