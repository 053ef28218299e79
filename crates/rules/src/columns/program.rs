//! The rules of an index as one list of steps: what most rules are, a conjunction of literals, is
//! read from end to end.

use super::{
    Bits, Columns, NONE, is_none, join,
    ladder::{Ladders, Question, Reached},
};
use crate::{index::Index, literal::Node, normal::Normal, symbols::QuickMap};
use multiversion::multiversion;

/// A literal in so many rules is asked once for all of them.
const SHARED_MIN: u32 = 32;

/// All rules that can be true, in their order.
#[derive(Debug, Default)]
pub(super) struct Program {
    rules: Vec<Line>,
    steps: Vec<Step>,
    /// What rules begin with, each once; none for those that share nothing.
    starts: Vec<Option<Question>>,
    /// The payments of the block that each of them is true of.
    begun: Vec<Bits>,
}

/// One rule.
#[derive(Debug, Clone, Copy)]
struct Line {
    rule: u32,
    /// The place of what it begins with in `starts`.
    start: u32,
    /// Where its other steps end; they begin where those of the one before end.
    end: u32,
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
    pub(super) fn new(index: &Index, normal: &Normal, ladders: &Ladders) -> Self {
        let mut program = Self::default();
        let mut starts: QuickMap<Option<u32>, u32> = QuickMap::default();
        for (rule, node) in index.ordered.iter().enumerate() {
            let Some(node) = node else { continue };
            let shared = most_shared(node, normal);
            let known = starts.len() as u32;
            let start = *starts.entry(shared).or_insert(known);
            let rest = node.conjuncts().iter().enumerate();
            let rest = rest.filter(|(_, part)| shared.map(Node::Literal).as_ref() != Some(part));
            program.steps.extend(rest.map(|(place, part)| match part {
                Node::Literal(literal) => Step::Ask(ladders.question(*literal)),
                _ => Step::Part(place as u32),
            }));
            program.rules.push(Line {
                rule: rule as u32,
                start,
                end: program.steps.len() as u32,
            });
        }
        program.starts = vec![None; starts.len()];
        for (literal, start) in starts {
            program.starts[start as usize] = literal.map(|literal| ladders.question(literal));
        }
        program
    }
}

/// Tells `each` rule of a program, with its condition, the payments of `all` that it is true of.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn run(
    program: &mut Program,
    index: &Index,
    all: Bits,
    asked: &mut Asked<'_>,
    mut each: impl FnMut(usize, &Node, &Bits),
) {
    program.begun.clear();
    for start in &program.starts {
        let mut rows = all;
        if let Some(question) = start {
            asked.narrow_by(*question, &mut rows);
        }
        program.begun.push(rows);
    }
    let mut from = 0;
    for Line { rule, start, end } in &program.rules {
        let steps = &program.steps[from..*end as usize];
        from = *end as usize;
        let Some(Some(node)) = index.ordered.get(*rule as usize) else {
            continue;
        };
        let mut rows = program.begun[*start as usize];
        for step in steps {
            if is_none(&rows) {
                break;
            }
            match step {
                Step::Ask(question) => asked.narrow_by(*question, &mut rows),
                Step::Part(part) => asked.narrow(&node.conjuncts()[*part as usize], &mut rows),
            }
        }
        each(*rule as usize, node, &rows);
    }
}

/// The literal of a conjunction that most rules have in common with it.
fn most_shared(node: &Node, normal: &Normal) -> Option<u32> {
    let literals = node.conjuncts().iter().filter_map(|part| match part {
        Node::Literal(literal) => Some(*literal),
        _ => None,
    });
    let uses = |literal: &u32| normal.uses[*literal as usize];
    literals
        .max_by_key(uses)
        .filter(|literal| uses(literal) >= SHARED_MIN)
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

    /// The same for a literal. Inlined, as all that it calls, to be compiled for what [`run`] is.
    #[inline(always)]
    pub(super) fn narrow_by(&mut self, question: Question, rows: &mut Bits) {
        self.reached
            .narrow(question, rows, self.ladders, self.columns);
    }
}
