//! The rules of an index as one list of steps: what most rules are, a conjunction of literals, is
//! read from end to end.

use super::{
    Bits, Columns, NONE, is_none, join,
    ladder::{Ladders, Question, Reached},
};
use crate::{index::Index, literal::Node};

/// All rules that can be true, in their order.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Each rule and where its steps end; they begin where those of the one before end.
    ends: Vec<(u32, u32)>,
    steps: Vec<Step>,
}

/// One part of a conjunction.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask(Question),
    /// The part at this place of the rule's conjunction, which is more than a literal.
    Part(u32),
}

/// What a block is asked: its payments, and how far they stand on the ladders.
pub(super) struct Asked<'a> {
    pub columns: &'a Columns,
    pub ladders: &'a Ladders,
    pub reached: &'a mut Reached,
}

impl Program {
    pub(super) fn new(index: &Index, ladders: &Ladders) -> Self {
        let mut program = Self::default();
        for (rule, node) in index.ordered.iter().enumerate() {
            let Some(node) = node else { continue };
            let step = |(place, part): (usize, &Node)| match part {
                Node::Literal(literal) => Step::Ask(ladders.question(*literal)),
                _ => Step::Part(place as u32),
            };
            let steps = node.conjuncts().iter().enumerate().map(step);
            program.steps.extend(steps);
            program.ends.push((rule as u32, program.steps.len() as u32));
        }
        program
    }

    /// Tells `each` rule, with its condition, the payments of `all` that it is true of.
    pub(super) fn run(
        &self,
        index: &Index,
        all: Bits,
        asked: &mut Asked<'_>,
        mut each: impl FnMut(usize, &Node, Bits),
    ) {
        let mut from = 0;
        for (rule, end) in &self.ends {
            let steps = &self.steps[from..*end as usize];
            from = *end as usize;
            let Some(Some(node)) = index.ordered.get(*rule as usize) else {
                continue;
            };
            let mut rows = all;
            for step in steps {
                match step {
                    Step::Ask(question) => asked.narrow_by(*question, &mut rows),
                    Step::Part(part) => asked.narrow(&node.conjuncts()[*part as usize], &mut rows),
                }
                if is_none(&rows) {
                    break;
                }
            }
            each(*rule as usize, node, rows);
        }
    }
}

impl Asked<'_> {
    /// Leaves those of some payments for which a condition is true.
    fn narrow(&mut self, node: &Node, rows: &mut Bits) {
        match node {
            Node::Literal(literal) => self.narrow_by(self.ladders.question(*literal), rows),
            Node::All(parts) => {
                for part in parts {
                    self.narrow(part, rows);
                    if is_none(rows) {
                        break;
                    }
                }
            }
            Node::Any(parts) => {
                let mut found = NONE;
                for part in parts {
                    let mut more = *rows;
                    self.narrow(part, &mut more);
                    join(&mut found, &more, |found, more| found | more);
                    join(rows, &more, |rows, more| rows & !more);
                    if is_none(rows) {
                        break;
                    }
                }
                *rows = found;
            }
        }
    }

    /// The same for a literal.
    #[inline]
    pub(super) fn narrow_by(&mut self, question: Question, rows: &mut Bits) {
        self.reached
            .narrow(question, rows, self.ladders, self.columns);
    }
}
