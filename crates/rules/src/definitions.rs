//! Named expressions: what each name of a pack stands for, and its place in a condition.

use crate::{
    checker,
    diagnostic::{Code, Diagnostic, Span},
    pack::{Definition, Pack, is_snake_case},
    parser::{EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX, parse},
    rates::Rates,
    schema::{Field, Schema},
    syntax::{Expr, ExprKind},
};
use std::collections::HashMap;

/// Names that mean something else inside a condition or the filter of a window.
const TAKEN: &[&str] = &[
    "attributes",
    "lists",
    "type",
    "outcome",
    "label",
    "amount",
    "country",
    "mcc",
    "in",
    "true",
    "false",
    "null",
];

/// The definitions that the conditions of one pack may name, names resolved within them.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    /// What the fields and windows of the conditions are called.
    pub(crate) schema: &'static Schema,
    meanings: HashMap<&'a str, Expr>,
}

/// The scope of each pack, in their order, and what is wrong with their definitions.
pub(crate) fn scopes<'a>(packs: &'a [Pack], rates: &Rates) -> (Vec<Scope<'a>>, Vec<Diagnostic>) {
    let by_id: HashMap<&str, &Pack> = packs.iter().map(|pack| (pack.id.as_str(), pack)).collect();
    let mut problems = Vec::new();
    let scopes = packs.iter().map(|pack| {
        let mut resolver = Resolver::new(pack, &by_id, rates);
        for place in 0..resolver.visible.len() {
            resolver.resolve(place);
        }
        problems.append(&mut resolver.problems);
        resolver.scope
    });
    (scopes.collect(), problems)
}

impl Scope<'_> {
    /// The expression with every name replaced by what it stands for.
    pub(crate) fn expand(&self, mut expr: Expr) -> Result<Expr, Diagnostic> {
        if self.meanings.is_empty() {
            return Ok(expr);
        }
        let mut nodes = expr.nodes();
        expr.replace_names(&mut |name, span| {
            let meaning = self.meanings.get(name)?;
            nodes += meaning.nodes();
            (nodes <= EXPRESSION_NODES_MAX).then(|| meaning.at(span))
        });
        match nodes > EXPRESSION_NODES_MAX || expr.depth > EXPRESSION_DEPTH_MAX {
            true => Err(too_long(expr.span)),
            false => Ok(expr),
        }
    }

    /// What a name stands for.
    pub(crate) fn meaning(&self, name: &str) -> Option<&Expr> {
        self.meanings.get(name)
    }

    /// Whether there is no name.
    pub(crate) fn is_empty(&self) -> bool {
        self.meanings.is_empty()
    }

    /// The names, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.meanings.keys().copied()
    }
}

fn too_long(span: Span) -> Diagnostic {
    let message = format!(
        "with its names replaced, an expression has at most {EXPRESSION_NODES_MAX} nodes \
         and nests at most {EXPRESSION_DEPTH_MAX} deep"
    );
    Diagnostic::at(Code::TooLong, span, message)
}

/// The packs whose definitions a pack sees: those it uses, those that these use, and itself last.
fn used<'a>(pack: &'a Pack, by_id: &HashMap<&str, &'a Pack>) -> Vec<&'a Pack> {
    let (mut found, mut next) = (vec![pack], 0);
    while let Some(pack) = found.get(next).copied() {
        next += 1;
        for used in pack.uses.iter().filter_map(|name| by_id.get(name.as_str())) {
            if !found.iter().any(|known| known.id == used.id) {
                found.push(used);
            }
        }
    }
    found.reverse();
    found
}

/// Resolves the definitions of one pack, each before those that name it.
struct Resolver<'a, 'r> {
    pack: &'a Pack,
    rates: &'r Rates,
    /// Own definitions and those of used packs, with the pack that they stand in.
    visible: Vec<(&'a Pack, &'a Definition, State)>,
    scope: Scope<'a>,
    problems: Vec<Diagnostic>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Untouched,
    Open,
    Done,
}

impl<'a, 'r> Resolver<'a, 'r> {
    fn new(pack: &'a Pack, by_id: &HashMap<&str, &'a Pack>, rates: &'r Rates) -> Self {
        let mut resolver = Self {
            pack,
            rates,
            visible: Vec::new(),
            scope: Scope {
                schema: pack.schema,
                ..Scope::default()
            },
            problems: Vec::new(),
        };
        for pack in used(pack, by_id) {
            resolver.add_all(pack);
        }
        for name in &pack.uses {
            if !by_id.contains_key(name.as_str()) {
                let message = format!("there is no pack `{name}` to use");
                let problem = Diagnostic::new(Code::BadDefinition, message)
                    .did_you_mean(name, by_id.keys().copied());
                resolver.problems.push(problem.in_file(&pack.file, None));
            }
        }
        resolver
    }

    fn add_all(&mut self, pack: &'a Pack) {
        for definition in &pack.definitions {
            let name = definition.name.as_str();
            let group = |field: &Field| field.path().split('.').next() == Some(name);
            let message = if !is_snake_case(name) {
                "a definition is named in snake_case"
            } else if TAKEN.contains(&name) || pack.schema.fields().iter().any(group) {
                "the name means something else already"
            } else if self.visible.iter().any(|(_, other, _)| other.name == name) {
                self.doubled(pack, name);
                continue;
            } else {
                self.visible.push((pack, definition, State::Untouched));
                continue;
            };
            let problem = Diagnostic::new(Code::BadDefinition, message);
            self.problem(pack, definition, problem);
        }
    }

    fn doubled(&mut self, pack: &Pack, name: &str) {
        let message = format!(
            "`{name}` is defined twice: the second time in pack `{}`",
            pack.id
        );
        let problem = Diagnostic::new(Code::BadDefinition, message);
        self.problems.push(problem.in_file(&self.pack.file, None));
    }

    /// Notes a mistake, once: in the pack that the definition stands in.
    fn problem(&mut self, pack: &Pack, definition: &Definition, problem: Diagnostic) {
        if pack.id == self.pack.id {
            let part = format!("definition `{}`", definition.name);
            let problem = problem.located(&definition.expression);
            let problem = problem.in_file(&pack.file, Some(definition.line));
            self.problems.push(problem.in_part(&part));
        }
    }

    fn resolve(&mut self, place: usize) {
        let Some((pack, definition, state)) = self.visible.get(place).copied() else {
            return;
        };
        if state != State::Untouched {
            return;
        }
        self.mark(place, State::Open);
        let meaning = self.meaning(definition);
        self.mark(place, State::Done);
        let span = 0..definition.expression.len();
        let meaning = meaning.unwrap_or_else(|problems| {
            for problem in problems {
                self.problem(pack, definition, problem);
            }
            // A hole has been reported and spreads silently.
            Expr::new(ExprKind::Missing, span)
        });
        self.scope.meanings.insert(&definition.name, meaning);
    }

    fn mark(&mut self, place: usize, state: State) {
        if let Some(visible) = self.visible.get_mut(place) {
            visible.2 = state;
        }
    }

    fn meaning(&mut self, definition: &Definition) -> Result<Expr, Vec<Diagnostic>> {
        let parsed = parse(&definition.expression);
        if !parsed.problems.is_empty() {
            return Err(parsed.problems);
        }
        let mut names = Vec::new();
        parsed.expr.names(&mut names);
        for (name, span) in names {
            let sought = |visible: &(_, &Definition, _)| visible.1.name == name;
            let Some(place) = self.visible.iter().position(sought) else {
                continue;
            };
            if self.visible.get(place).is_some_and(|v| v.2 == State::Open) {
                let message = format!("`{name}` is defined by itself");
                return Err(vec![Diagnostic::at(Code::BadDefinition, span, message)]);
            }
            self.resolve(place);
        }
        let expanded = self
            .scope
            .expand(parsed.expr)
            .map_err(|problem| vec![problem])?;
        checker::check_alone(&expanded, self.rates, &self.scope)?;
        Ok(expanded)
    }
}
