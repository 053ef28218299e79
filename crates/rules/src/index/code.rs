//! The residual code: conditions as flat instructions that jump as soon as they are decided.

use crate::{
    literal::{Check, Node},
    normal::Normal,
    scratch::{Image, State},
};
use std::mem::size_of_val;

/// The code of all rules, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Code(Vec<Instruction>);

/// How running a rule ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is definitely true.
    Fires,
    /// It is false or unknown.
    Silent,
    /// It touched a fault, or is too long for jumps: its tree has to say what it is.
    Tree,
}

/// 16 bytes: a question, and how far to jump if the answer is `jump_if`; else to the next one.
#[derive(Debug, Clone, Copy)]
struct Instruction {
    constant: i64,
    slot: u32,
    jump: u16,
    op: Op,
    jump_if: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Op {
    AtLeast,
    AtMost,
    Is,
    IsNot,
    /// Whether the value is one of a [`Mask`].
    Within,
    Without,
    Among,
    NotAmong,
    /// Asks nothing and jumps.
    Jump,
    /// Ends with [`Ending::Tree`].
    Tree,
}

/// How a rule begins: questions that need no branch, and where the code for the rest is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    first: First,
    reaches: Reaches,
    pub at: u32,
}

/// A question that needs no branch: whether a value lies in an interval or among the values of a
/// mask, or outside of it.
#[derive(Debug, Clone, Copy)]
struct First {
    /// The lower end of the interval, or the mask.
    low: i64,
    /// How far the interval reaches beyond `low`.
    span: u64,
    slot: u32,
    inside: bool,
    by_mask: bool,
}

/// Two more questions, asked together with the first: whether two of [`Image::bounds`] reach so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reaches {
    bounds: [u32; 2],
    least: [i64; 2],
}

/// Values from 0 to 63, one bit each: the texts that a slot is compared with are seldom more.
#[derive(Debug, Clone, Copy)]
struct Mask(u64);

/// Where the code of a rule begins that has none: its first questions are all.
const WHOLE: u32 = u32::MAX;
/// Jumps that end the run.
const FIRES: u16 = u16::MAX;
const SILENT: u16 = u16::MAX - 1;
/// The most instructions of one rule; a longer one is evaluated by its tree.
const RULE_LENGTH_MAX: usize = SILENT as usize;

/// Where an instruction jumps to while its rule is being laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    End(u16),
    Label(usize),
}

/// The code of one rule while it grows.
#[derive(Default)]
struct Layout {
    code: Vec<(Instruction, Target)>,
    labels: Vec<usize>,
}

impl Code {
    /// Adds a condition: its first questions, and where the code for the rest begins.
    pub(super) fn append(&mut self, node: &Node, normal: &Normal) -> Start {
        let at = self.0.len() as u32;
        let mut layout = Layout::default();
        let parts = node.conjuncts();
        let first = parts.first().and_then(|part| First::of(part, normal));
        let mut reaches = Reaches::NONE;
        let mut asked = 0;
        for part in parts.iter().skip(usize::from(first.is_some())) {
            match Reaches::of(part, normal).filter(|_| asked < reaches.bounds.len()) {
                Some((bound, least)) => {
                    (reaches.bounds[asked], reaches.least[asked]) = (bound, least);
                    asked += 1;
                }
                None => layout.emit(part, false, Target::End(SILENT), normal),
            }
        }
        let first = first.unwrap_or(First::NONE);
        if layout.code.is_empty() {
            let at = WHOLE;
            return Start { first, reaches, at };
        }
        layout.push(Op::Jump, 0, 0, true, Target::End(FIRES));
        if layout.code.len() > RULE_LENGTH_MAX {
            layout.code.clear();
            layout.push(Op::Tree, 0, 0, true, Target::End(SILENT));
        }
        let Layout { code, labels } = layout;
        let resolved = code
            .into_iter()
            .enumerate()
            .map(|(at, (mut code, target))| {
                code.jump = match target {
                    Target::End(end) => end,
                    Target::Label(label) => (labels[label] - at) as u16,
                };
                code
            });
        self.0.extend(resolved);
        Start { first, reaches, at }
    }

    /// Runs one rule.
    #[inline]
    pub(super) fn run(&self, start: u32, image: &mut Image<'_>) -> Ending {
        if start == WHOLE {
            return Ending::Fires;
        }
        let mut at = start as usize;
        // A rule ends by a jump; the end of all code is only a bound for the optimiser.
        while let Some(code) = self.0.get(at) {
            image.steps += 1;
            let answer = match code.op {
                Op::Jump => true,
                Op::Tree => return Ending::Tree,
                _ => match image.read(code.slot) {
                    State::Present(value) => code.holds(value, image.sets()),
                    State::Missing => false,
                    State::Fault => return Ending::Tree,
                },
            };
            at += match (answer == code.jump_if, code.jump) {
                (false, _) => 1,
                (true, FIRES) => return Ending::Fires,
                (true, SILENT) => return Ending::Silent,
                (true, jump) => usize::from(jump),
            };
        }
        Ending::Silent
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

impl First {
    /// No question: the code has to tell.
    const NONE: Self = Self {
        low: i64::MIN,
        span: u64::MAX,
        slot: u32::MAX,
        inside: true,
        by_mask: false,
    };

    fn of(node: &Node, normal: &Normal) -> Option<Self> {
        let Node::Literal(literal) = node else {
            return None;
        };
        let literal = normal.literal(*literal);
        let interval = |low: i64, high: i64, inside| Self {
            low,
            span: high.abs_diff(low),
            slot: literal.slot,
            inside,
            by_mask: false,
        };
        let mask = |set, inside| {
            Mask::of(set, normal).map(|Mask(mask)| Self {
                low: mask as i64,
                by_mask: true,
                ..interval(0, 0, inside)
            })
        };
        match literal.check {
            Check::AtLeast(bound) => Some(interval(bound, i64::MAX, true)),
            Check::AtMost(bound) => Some(interval(i64::MIN, bound, true)),
            Check::Is(value) => Some(interval(value, value, true)),
            Check::IsNot(value) => Some(interval(value, value, false)),
            Check::Among(set) => mask(set, true),
            Check::NotAmong(set) => mask(set, false),
        }
    }

    /// How the rule ends if this decides it; `Fires` if there is more to ask.
    #[inline(always)]
    fn ask(&self, image: &mut Image<'_>) -> Ending {
        if self.slot == u32::MAX {
            return Ending::Fires;
        }
        match image.read(self.slot) {
            State::Present(value) => {
                let in_interval = value.wrapping_sub(self.low) as u64 <= self.span;
                let in_mask = Mask(self.low as u64).has(value);
                let inside = if self.by_mask { in_mask } else { in_interval };
                match inside == self.inside {
                    true => Ending::Fires,
                    false => Ending::Silent,
                }
            }
            State::Missing => Ending::Silent,
            State::Fault => Ending::Tree,
        }
    }
}

impl Start {
    /// Nothing is asked: the tree has to tell.
    pub(super) const NONE: Self = Self {
        first: First::NONE,
        reaches: Reaches::NONE,
        at: 0,
    };

    /// How the rule ends if its first questions decide it; `Fires` if the code has to go on. What is
    /// false or missing outweighs a fault.
    #[inline(always)]
    pub(super) fn ask(&self, image: &mut Image<'_>) -> Ending {
        let ending = self.first.ask(image);
        match self.reaches.hold(image.bounds()) {
            true => ending,
            false => Ending::Silent,
        }
    }
}

impl Reaches {
    /// No question.
    const NONE: Self = Self {
        bounds: [0; 2],
        least: [i64::MIN; 2],
    };

    /// A part of a condition as a bound and what it has to reach. Bounds that all numbers satisfy are
    /// none: what is missing would.
    fn of(node: &Node, normal: &Normal) -> Option<(u32, i64)> {
        let Node::Literal(literal) = node else {
            return None;
        };
        let literal = normal.literal(*literal);
        let (bound, least) = match literal.check {
            Check::AtLeast(bound) => (2 * literal.slot, bound),
            Check::AtMost(bound) => (2 * literal.slot + 1, !bound),
            _ => return None,
        };
        let is_given = normal.slots[literal.slot as usize].is_given();
        (is_given && least > i64::MIN).then_some((bound, least))
    }

    /// Whether both hold.
    #[inline(always)]
    fn hold(&self, bounds: &[i64]) -> bool {
        let holds = |place: usize| {
            let bound = bounds.get(self.bounds[place] as usize);
            bound.copied().unwrap_or(i64::MIN) >= self.least[place]
        };
        holds(0) & holds(1)
    }
}

impl Mask {
    /// The mask of a set, if all its values have a bit.
    fn of(set: u32, normal: &Normal) -> Option<Self> {
        let values = normal.sets.get(set as usize)?;
        let bit = |value: &i64| (0..64).contains(value).then(|| 1 << value);
        let bits: Option<Vec<u64>> = values.iter().map(bit).collect();
        Some(Self(bits?.into_iter().fold(0, |mask, bit| mask | bit)))
    }

    #[inline]
    fn has(self, value: i64) -> bool {
        let bit = self.0 >> (value & 63) & 1;
        (value as u64) < 64 && bit == 1
    }
}

impl Instruction {
    #[inline]
    fn holds(&self, value: i64, sets: &[Box<[i64]>]) -> bool {
        match self.op {
            Op::AtLeast => value >= self.constant,
            Op::AtMost => value <= self.constant,
            Op::Is => value == self.constant,
            Op::IsNot => value != self.constant,
            Op::Within => Mask(self.constant as u64).has(value),
            Op::Without => !Mask(self.constant as u64).has(value),
            Op::Among => Check::Among(self.constant as u32).holds(value, sets),
            Op::NotAmong => Check::NotAmong(self.constant as u32).holds(value, sets),
            Op::Jump | Op::Tree => true,
        }
    }
}

impl Layout {
    fn push(&mut self, op: Op, constant: i64, slot: u32, jump_if: bool, target: Target) {
        let jump = 0;
        let instruction = Instruction {
            constant,
            slot,
            jump,
            op,
            jump_if,
        };
        self.code.push((instruction, target));
    }

    /// Adds code that jumps to `target` if the node is `jump_if`, and goes on behind itself else.
    fn emit(&mut self, node: &Node, jump_if: bool, target: Target, normal: &Normal) {
        let (parts, deciding) = match node {
            Node::Literal(literal) => return self.literal(*literal, jump_if, target, normal),
            Node::All(parts) => (parts, false),
            Node::Any(parts) => (parts, true),
        };
        if deciding == jump_if {
            for part in parts {
                self.emit(part, jump_if, target, normal);
            }
            return;
        }
        let Some((last, rest)) = parts.split_last() else {
            return self.push(Op::Jump, 0, 0, true, target);
        };
        let behind = self.labels.len();
        self.labels.push(0);
        for part in rest {
            self.emit(part, deciding, Target::Label(behind), normal);
        }
        self.emit(last, jump_if, target, normal);
        self.labels[behind] = self.code.len();
    }

    fn literal(&mut self, literal: u32, jump_if: bool, target: Target, normal: &Normal) {
        let literal = normal.literal(literal);
        let set = |set, by_mask, by_search| match Mask::of(set, normal) {
            Some(Mask(mask)) => (by_mask, mask as i64),
            None => (by_search, i64::from(set)),
        };
        let (op, constant) = match literal.check {
            Check::AtLeast(bound) => (Op::AtLeast, bound),
            Check::AtMost(bound) => (Op::AtMost, bound),
            Check::Is(value) => (Op::Is, value),
            Check::IsNot(value) => (Op::IsNot, value),
            Check::Among(values) => set(values, Op::Within, Op::Among),
            Check::NotAmong(values) => set(values, Op::Without, Op::NotAmong),
        };
        self.push(op, constant, literal.slot, jump_if, target);
    }
}
