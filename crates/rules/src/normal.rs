//! The normal form: every condition of a rule set as literals joined by `&&` and `||`, negation
//! pushed down to the literals, equal slots, literals and sets shared by all rules.
//!
//! De Morgan's laws hold in Kleene's logic, and a literal about a missing value is unknown in both
//! polarities, so nothing changes its meaning on the way.

use crate::{
    literal::{Check, Literal, Node, Slot},
    program::{Condition, Real, Test, Text, Whole},
    slots::Slots,
    symbols::{QuickMap, Symbols, ordered, shape_hash},
    syntax::Comparison,
    truth::Answer,
};

/// The conditions of a rule set in normal form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Normal {
    pub slots: Vec<Slot>,
    /// The slots that are windows, and which.
    pub windows: Vec<(u32, u32)>,
    /// The other slots that stand in the payment as they are.
    pub fields: Vec<u32>,
    /// How many literals ask about each slot, one for each time it is written.
    pub readers: Vec<u32>,
    pub literals: Vec<Literal>,
    /// How many times each literal is written.
    pub uses: Vec<u32>,
    /// Sorted, without repetition.
    pub sets: Vec<Box<[i64]>>,
    /// The texts that each slot is compared with; few, so that they fit into masks.
    pub symbols: Vec<Symbols>,
    /// One for each condition, in order.
    pub nodes: Vec<Node>,
}

/// Builds a [`Normal`] condition by condition.
#[derive(Default)]
pub(crate) struct Builder {
    normal: Normal,
    slots: QuickMap<u64, Vec<u32>>,
    literals: QuickMap<Literal, u32>,
    sets: QuickMap<Box<[i64]>, u32>,
}

impl Normal {
    /// The normal form of conditions.
    pub(crate) fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut builder = Builder::default();
        for condition in conditions {
            let node = builder.node(condition, true);
            builder.normal.nodes.push(node);
        }
        builder.normal
    }

    /// What a slot holds for one payment.
    #[inline]
    pub(crate) fn read(&self, slot: usize, slots: &Slots<'_>) -> Answer<i64> {
        self.slots[slot].read(slots, &self.symbols[slot])
    }

    /// What a literal asks, and of which slot.
    #[inline]
    pub(crate) fn literal(&self, literal: u32) -> Literal {
        self.literals[literal as usize]
    }
}

impl Builder {
    fn node(&mut self, condition: &Condition, positive: bool) -> Node {
        match condition {
            Condition::Constant(value) => constant(*value == positive),
            Condition::Not(operand) => self.node(operand, !positive),
            Condition::All(operands) => self.join(operands, positive, positive),
            Condition::Any(operands) => self.join(operands, !positive, positive),
            Condition::Test(Test::Bool(
                comparison @ (Comparison::Equal | Comparison::NotEqual),
                sides,
            )) => match sides.as_ref() {
                [side, Condition::Constant(value)] | [Condition::Constant(value), side] => {
                    let same = *comparison == Comparison::Equal;
                    self.node(side, positive == (same == *value))
                }
                _ => self.truth(condition, positive),
            },
            Condition::Test(test) => match self.test(test) {
                Some((slot, check)) => {
                    let check = if positive { check } else { self.negated(check) };
                    self.literal(slot, check)
                }
                None => self.compared_texts(test, positive),
            },
            _ => self.truth(condition, positive),
        }
    }

    /// Operands joined by `&&` or `||`; nested joins of the same kind become one.
    fn join(&mut self, operands: &[Condition], all: bool, positive: bool) -> Node {
        let mut parts = Vec::with_capacity(operands.len());
        for operand in operands {
            match (self.node(operand, positive), all) {
                (Node::All(inner), true) | (Node::Any(inner), false) => parts.extend(inner),
                // A part that decides alone leaves nothing of the others.
                (Node::All(inner) | Node::Any(inner), _) if inner.is_empty() => {
                    return constant(!all);
                }
                (part, _) if parts.contains(&part) => {}
                (part, _) => parts.push(part),
            }
        }
        match (parts.len(), all) {
            (1, _) => parts.remove(0),
            (_, true) => Node::All(parts.into()),
            (_, false) => Node::Any(parts.into()),
        }
    }

    /// A condition that is no comparison with a constant: a slot that is true or false.
    fn truth(&mut self, condition: &Condition, positive: bool) -> Node {
        let slot = self.slot(Slot::Truth(condition.clone()));
        self.literal(slot, Check::Is(i64::from(positive)))
    }

    /// Whether two texts are the same or differ is one question, whichever of them stands first.
    fn compared_texts(&mut self, test: &Test, positive: bool) -> Node {
        let (test, positive) = match test {
            Test::Text(comparison @ (Comparison::Equal | Comparison::NotEqual), left, right) => {
                let (Text::Field(first), Text::Field(second)) = (left, right) else {
                    return self.truth(&Condition::Test(test.clone()), positive);
                };
                let [first, second] = [*first.min(second), *first.max(second)].map(Text::Field);
                let same = *comparison == Comparison::Equal;
                (
                    Test::Text(Comparison::Equal, first, second),
                    positive == same,
                )
            }
            test => (test.clone(), positive),
        };
        self.truth(&Condition::Test(test), positive)
    }

    fn test(&mut self, test: &Test) -> Option<(u32, Check)> {
        match test {
            Test::Whole(comparison, Whole::Constant(bound), whole) => {
                let check = self.compared(flipped(*comparison), *bound);
                Some((self.whole(whole)?, check))
            }
            Test::Whole(comparison, whole, Whole::Constant(bound)) => {
                let check = self.compared(*comparison, *bound);
                Some((self.whole(whole)?, check))
            }
            Test::Real(comparison, Real::Constant(bound), real) if !bound.is_nan() => {
                let check = self.compared(flipped(*comparison), ordered(*bound));
                Some((self.real(real)?, check))
            }
            Test::Real(comparison, real, Real::Constant(bound)) if !bound.is_nan() => {
                let check = self.compared(*comparison, ordered(*bound));
                Some((self.real(real)?, check))
            }
            Test::Text(comparison, text, Text::Constant(word))
            | Test::Text(comparison, Text::Constant(word), text) => {
                let check = match comparison {
                    Comparison::Equal => Check::Is,
                    Comparison::NotEqual => Check::IsNot,
                    _ => return None,
                };
                let slot = self.text(text)?;
                Some((slot, check(self.symbol(slot, word))))
            }
            Test::WholeIn(whole, constants) => {
                let slot = self.whole(whole)?;
                Some((slot, self.among(constants.to_vec())))
            }
            Test::RealIn(real, constants) if !constants.iter().any(|c| c.is_nan()) => {
                let slot = self.real(real)?;
                Some((
                    slot,
                    self.among(constants.iter().map(|c| ordered(*c)).collect()),
                ))
            }
            Test::TextIn(text, words) => {
                let slot = self.text(text)?;
                let symbols = words.iter().map(|word| self.symbol(slot, word)).collect();
                Some((slot, self.among(symbols)))
            }
            _ => None,
        }
    }

    fn whole(&mut self, whole: &Whole) -> Option<u32> {
        let given = !matches!(whole, Whole::Constant(_));
        given.then(|| self.slot(Slot::Whole(whole.clone())))
    }

    fn real(&mut self, real: &Real) -> Option<u32> {
        let given = !matches!(real, Real::Constant(_));
        given.then(|| self.slot(Slot::Real(real.clone())))
    }

    /// Only texts as they stand have symbols.
    fn text(&mut self, text: &Text) -> Option<u32> {
        let given = matches!(text, Text::Field(_) | Text::Attribute(_));
        given.then(|| self.slot(Slot::Text(text.clone())))
    }

    fn symbol(&mut self, slot: u32, word: &str) -> i64 {
        self.normal.symbols[slot as usize].name(word)
    }

    fn compared(&mut self, comparison: Comparison, bound: i64) -> Check {
        match comparison {
            Comparison::Equal => Check::Is(bound),
            Comparison::NotEqual => Check::IsNot(bound),
            Comparison::GreaterOrEqual => Check::AtLeast(bound),
            Comparison::LessOrEqual => Check::AtMost(bound),
            Comparison::Greater => match bound.checked_add(1) {
                Some(bound) => Check::AtLeast(bound),
                None => self.among(Vec::new()),
            },
            Comparison::Less => match bound.checked_sub(1) {
                Some(bound) => Check::AtMost(bound),
                None => self.among(Vec::new()),
            },
        }
    }

    fn negated(&mut self, check: Check) -> Check {
        match check {
            Check::AtLeast(bound) => self.compared(Comparison::Less, bound),
            Check::AtMost(bound) => self.compared(Comparison::Greater, bound),
            Check::Is(value) => Check::IsNot(value),
            Check::IsNot(value) => Check::Is(value),
            Check::Among(set) => Check::NotAmong(set),
            Check::NotAmong(set) => Check::Among(set),
        }
    }

    fn among(&mut self, mut values: Vec<i64>) -> Check {
        values.sort_unstable();
        values.dedup();
        match values.as_slice() {
            [value] => Check::Is(*value),
            _ => {
                let sets = &mut self.normal.sets;
                let set = self.sets.entry(values.into()).or_insert_with_key(|values| {
                    sets.push(values.clone());
                    sets.len() as u32 - 1
                });
                Check::Among(*set)
            }
        }
    }

    fn slot(&mut self, slot: Slot) -> u32 {
        let normal = &mut self.normal;
        let places = self.slots.entry(slot_hash(&slot)).or_default();
        let known = places
            .iter()
            .copied()
            .find(|place| normal.slots[*place as usize] == slot);
        known.unwrap_or_else(|| {
            let place = normal.slots.len() as u32;
            match slot {
                Slot::Whole(Whole::Window(window)) => normal.windows.push((place, window as u32)),
                _ if slot.is_given() => normal.fields.push(place),
                _ => {}
            }
            normal.slots.push(slot);
            normal.readers.push(0);
            normal.symbols.push(Symbols::default());
            places.push(place);
            place
        })
    }

    fn literal(&mut self, slot: u32, check: Check) -> Node {
        let literals = &mut self.normal.literals;
        let literal = Literal { slot, check };
        self.normal.readers[slot as usize] += 1;
        let uses = &mut self.normal.uses;
        let place = *self.literals.entry(literal).or_insert_with(|| {
            literals.push(literal);
            uses.push(0);
            literals.len() as u32 - 1
        });
        uses[place as usize] += 1;
        Node::Literal(place)
    }
}

/// A hash of a slot: quick for those that stand in the payment, which are most.
fn slot_hash(slot: &Slot) -> u64 {
    let given = |kind: u64, place: usize| kind << 32 | place as u64;
    match slot {
        Slot::Whole(Whole::Window(window)) => given(1, *window),
        Slot::Whole(Whole::Int(f) | Whole::Money(f) | Whole::Duration(f)) => given(2, *f as usize),
        Slot::Real(Real::Field(field)) => given(3, *field as usize),
        Slot::Text(Text::Field(field)) => given(4, *field as usize),
        Slot::Truth(Condition::Field(field)) => given(5, *field as usize),
        other => shape_hash(other),
    }
}

fn constant(value: bool) -> Node {
    match value {
        true => Node::All(Box::default()),
        false => Node::Any(Box::default()),
    }
}

/// The comparison with its sides exchanged.
fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}
