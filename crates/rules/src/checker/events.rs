//! The latest events of an entity as a list. Like every list it exists only while a condition is
//! compiled: what is asked of an event becomes a window of its own.

use super::{Checker, Typed, lists::Item, windows};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    program::{ComputedText, Condition, Source, Test, Text, Whole},
    schema::Type,
    syntax::{Call, Comparison},
};
use paywarden_domain::Outcome;
use paywarden_features::{Aggregate, Part, Set, WindowSpec};

/// One earlier event: which, and how it is written to ask for something of it.
#[derive(Clone)]
pub(super) struct Earlier {
    spec: WindowSpec,
    place: u8,
    /// What stands before the function.
    receiver: String,
    /// What stands behind the place.
    filter: String,
}

impl Checker<'_> {
    /// `card.recent(5)`, as a value: each event is there if it has an age.
    pub(super) fn recent(&mut self, call: &Call, spec: WindowSpec) -> Typed {
        let Aggregate::Earlier(count, _) = spec.aggregate else {
            return Typed::Wrong;
        };
        let receiver = call.receiver.as_ref().map(ToString::to_string);
        let terms = call.arguments.iter().skip(1);
        let filter: String = terms.map(|term| format!(", {term}")).collect();
        let events = (1..=count).map(|place| Earlier {
            spec,
            place,
            receiver: receiver.clone().unwrap_or_default(),
            filter: filter.clone(),
        });
        let item = |event: Earlier| {
            let age = self.part_slot(&event, Part::Age, "age_at");
            let there = Condition::Has(Source::Window(age));
            Item::of(Typed::Event(event)).if_present(Some(there))
        };
        Typed::List(events.map(item).collect())
    }

    /// `e.amount` of an event.
    pub(super) fn part_of(&mut self, event: &Earlier, name: &str, span: &Span) -> Typed {
        let parts = windows::PARTS.iter();
        let Some((_, part, function)) = parts.clone().find(|(known, ..)| *known == name) else {
            let message = format!("an event of a list has no `{name}`");
            let problem = Diagnostic::at(Code::UnknownField, span.clone(), message);
            return self.problem(problem.did_you_mean(name, parts.map(|(known, ..)| *known)));
        };
        let slot = self.part_slot(event, *part, function);
        self.of_window(slot, &event.asking(*part))
    }

    /// Where the value of a window is found.
    pub(super) fn window_slot(&mut self, text: impl ToString, spec: WindowSpec) -> usize {
        // Who reads it is known once every rule is compiled.
        let readers = Set::EMPTY;
        self.lookups += 1;
        let slot = self.shared.windows.place(WindowSpec { readers, ..spec });
        self.operand(text, Source::Window(slot));
        slot
    }

    /// The value of a window. An outcome is kept as its number and read as its name.
    pub(super) fn of_window(&self, slot: usize, spec: &WindowSpec) -> Typed {
        let schema = self.scope.schema;
        let kind = windows::kind(spec, schema);
        if kind != Type::Text {
            return Typed::Whole(kind, Whole::Window(slot));
        }
        let name = |outcome| schema.outcome_name(outcome).unwrap_or_default();
        let named = |outcome: Outcome| Text::Constant(name(outcome).into());
        let [first, rest @ ..] = Outcome::ALL;
        Typed::Text(rest.into_iter().fold(named(first), |others, outcome| {
            let number = Whole::Constant(outcome as i64);
            let is_it = Test::Whole(Comparison::Equal, Whole::Window(slot), number);
            ComputedText::Choose(Condition::Test(is_it), [named(outcome), others]).into()
        }))
    }

    fn part_slot(&mut self, event: &Earlier, part: Part, function: &str) -> usize {
        let Earlier {
            place,
            receiver,
            filter,
            ..
        } = event;
        let text = format!("{receiver}.{function}({place}{filter})");
        self.window_slot(text, event.asking(part))
    }
}

impl Earlier {
    fn asking(&self, part: Part) -> WindowSpec {
        WindowSpec {
            aggregate: Aggregate::Earlier(self.place, part),
            ..self.spec
        }
    }
}
