//! Completion: what may stand at the cursor.

use super::{
    Surroundings,
    place::{Around, Before, Place},
};
use crate::{
    checker,
    diagnostic::Span,
    functions::{self, FUNCTIONS, On},
    parser::parse,
    program::AttributeKind,
    schema::{Field, Schema, Type},
    syntax::Expr,
};
use paywarden_domain::{Currency, EventKind, LabelVerdict, Outcome};

/// How many completions are given at most.
pub const COMPLETIONS_MAX: usize = 200;
/// Windows that are often wanted.
const WINDOWS: &[&str] = &["10m", "1h", "24h", "7d", "30d", "90d", "0s..30d", "7d..35d"];

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What it is.
    pub kind: CompletionKind,
    /// What to write.
    pub text: String,
    /// Its type, or how it is written.
    pub detail: String,
    /// What it means; may be empty.
    pub doc: String,
    /// The bytes of the source that it replaces; ends at the cursor.
    pub replaces: Span,
}

/// Kinds of completion, in the order in which they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    /// A word of a closed vocabulary, a window, a currency: inside quotes.
    Word,
    /// A named expression of the pack.
    Definition,
    /// A field of the event.
    Field,
    /// A list by name.
    List,
    /// A function over the past of an entity.
    Window,
    /// Another function or method.
    Function,
}

/// What may stand at the cursor, which is a place in bytes. Best first, at most 200.
///
/// ```
/// use paywarden_domain::Currency;
/// use paywarden_rules::{Rates, Surroundings, complete};
/// let rates = Rates::new(Currency::parse("USD").unwrap());
/// let source = "event.type == \"pay";
/// let found = complete(source, source.len(), &Surroundings::new(&rates));
/// assert!(found.iter().any(|completion| completion.text == "payment.card"));
/// ```
pub fn complete(source: &str, cursor: usize, around: &Surroundings<'_>) -> Vec<Completion> {
    let place = Place::of(source, cursor);
    let mut found = Found {
        schema: around.scope.schema,
        replaces: place.replaces.clone(),
        items: Vec::new(),
    };
    match (&place.text, place.receiver_end) {
        (Some(before), _) => found.words(before, &place),
        (None, Some(end)) => found.methods(kind_before(source, end, around), &place.path),
        (None, None) => found.names(&place, around),
    }
    let mut items = found.items;
    items.sort_by_key(|item| item.kind);
    items.dedup_by(|left, right| left.kind == right.kind && left.text == right.text);
    items.truncate(COMPLETIONS_MAX);
    items
}

/// The type of the value that ends at a place, as far as it can be told.
fn kind_before(source: &str, end: usize, around: &Surroundings<'_>) -> Option<Type> {
    let parsed = parse(source.get(..end)?);
    let expr = parsed.expr.ending_at(end)?;
    let expanded = around.scope.expand(expr.clone()).ok()?;
    checker::kind_alone(&expanded, around.rates, &around.scope)
}

/// The method table that belongs to a type.
pub(super) fn on(kind: Type) -> On {
    match kind {
        Type::Text => On::Text,
        Type::Timestamp => On::Timestamp,
        Type::Duration => On::Duration,
        Type::List | Type::Map => On::List,
        _ => On::Nothing,
    }
}

struct Found {
    schema: &'static Schema,
    replaces: Span,
    items: Vec<Completion>,
}

impl Found {
    fn add(&mut self, kind: CompletionKind, text: &str, detail: &str, doc: &str) {
        self.items.push(Completion {
            kind,
            text: text.to_owned(),
            detail: detail.to_owned(),
            doc: doc.to_owned(),
            replaces: self.replaces.clone(),
        });
    }

    /// Inside quotes: words of the field compared, or what the call around asks for.
    fn words(&mut self, before: &Before, place: &Place) {
        let around = place.calls.last();
        let compared = match before {
            Before::Compared(path) => Some(path.as_str()),
            Before::Other => None,
        };
        let filtered = place
            .calls
            .iter()
            .any(|call| self.is_window(call) && call.argument > 0);
        let words: Vec<&str> = match (compared, around) {
            (Some("type"), _) if filtered => {
                let kinds = EventKind::ALL.iter();
                kinds
                    .filter_map(|kind| self.schema.kind_name(*kind))
                    .collect()
            }
            (Some("outcome"), _) if filtered => {
                let outcomes = Outcome::ALL.into_iter();
                outcomes
                    .filter_map(|one| self.schema.outcome_name(one))
                    .collect()
            }
            (Some("label"), _) if filtered => {
                let labels = LabelVerdict::ALL.iter().map(|label| label.name());
                labels.chain(["none"]).collect()
            }
            (Some(path), _) => self.schema.field(path).map_or_else(Vec::new, Field::words),
            (None, Some(call)) => self.asked_by(call),
            (None, None) => Vec::new(),
        };
        for word in words.iter().filter(|word| word.starts_with(&place.path)) {
            self.add(CompletionKind::Word, word, "", "");
        }
    }

    /// Outside of quotes: names, fields, functions.
    fn names(&mut self, place: &Place, around: &Surroundings<'_>) {
        let path = place.path.as_str();
        let filtered = place.calls.last().filter(|call| self.is_window(call));
        if let Some(call) = filtered {
            return self.filter(call, path);
        }
        match path.rsplit_once('.') {
            Some(("lists", prefix)) => {
                for list in around.lists.iter().filter(|list| list.starts_with(prefix)) {
                    self.add(
                        CompletionKind::List,
                        list,
                        "list",
                        "A list kept by the operator.",
                    );
                }
            }
            Some(("attributes", prefix)) => {
                for kind in AttributeKind::ALL.map(AttributeKind::name) {
                    if kind.starts_with(prefix) {
                        let detail = format!("attributes.{kind}(\"name\")");
                        self.add(
                            CompletionKind::Function,
                            kind,
                            &detail,
                            "A value that the caller added.",
                        );
                    }
                }
            }
            Some((group, prefix)) => self.members(group, prefix, around),
            None => self.roots(path, around),
        }
    }

    /// What may follow `group.`.
    fn members(&mut self, group: &str, prefix: &str, around: &Surroundings<'_>) {
        for field in self.schema.fields() {
            let rest = field
                .path()
                .strip_prefix(group)
                .and_then(|rest| rest.strip_prefix('.'));
            if let Some(name) = rest.filter(|name| name.starts_with(prefix)) {
                self.add(
                    CompletionKind::Field,
                    name,
                    &field.kind().to_string(),
                    field.doc(),
                );
            }
        }
        if self.schema.entity(group).is_some() {
            for (name, usage) in functions::windows() {
                if name.starts_with(prefix) && self.schema.has_function(name) {
                    self.add(CompletionKind::Window, name, usage, "");
                }
            }
        }
        let dotted = format!("{group}.");
        for function in FUNCTIONS {
            let rest = function.name.strip_prefix(&dotted);
            if let Some(name) = rest.filter(|name| name.starts_with(prefix)) {
                self.add(CompletionKind::Function, name, function.usage, function.doc);
            }
        }
        let value = parse(group).expr;
        let kind = around.scope.expand(value).ok();
        let kind = kind.and_then(|e| checker::kind_alone(&e, around.rates, &around.scope));
        if kind.is_some() {
            self.methods(kind, prefix);
        }
    }

    fn methods(&mut self, kind: Option<Type>, prefix: &str) {
        let on = kind.map_or(On::Nothing, on);
        let fits = |f: &&functions::Function| f.on == on && f.name.starts_with(prefix);
        for function in FUNCTIONS
            .iter()
            .filter(fits)
            .filter(|f| f.on != On::Nothing)
        {
            self.add(
                CompletionKind::Function,
                function.name,
                function.usage,
                function.doc,
            );
        }
    }

    /// What a condition may begin with.
    fn roots(&mut self, prefix: &str, around: &Surroundings<'_>) {
        let mut definitions: Vec<&str> = around.scope.names().collect();
        definitions.sort_unstable();
        for name in definitions
            .into_iter()
            .filter(|name| name.starts_with(prefix))
        {
            let meaning = around.scope.meaning(name).map(Expr::to_string);
            self.add(
                CompletionKind::Definition,
                name,
                &meaning.unwrap_or_default(),
                "",
            );
        }
        let (exact, within): (Vec<&Field>, Vec<&Field>) = self
            .schema
            .fields()
            .iter()
            .filter(|field| field.path().split('.').any(|part| part.starts_with(prefix)))
            .partition(|field| field.path().starts_with(prefix));
        for field in exact.into_iter().chain(within) {
            self.add(
                CompletionKind::Field,
                field.path(),
                &field.kind().to_string(),
                field.doc(),
            );
        }
        for function in FUNCTIONS
            .iter()
            .filter(|function| function.on == On::Nothing)
        {
            if function.name.starts_with(prefix) {
                self.add(
                    CompletionKind::Function,
                    function.name,
                    function.usage,
                    function.doc,
                );
            }
        }
    }

    /// Inside a window: what it counts and which events pass.
    fn filter(&mut self, call: &Around, prefix: &str) {
        let values = call.path.ends_with(".distinct") && call.argument == 0;
        let entities = self.schema.entity_names();
        if values {
            for name in entities
                .chain(["country", "mcc"])
                .filter(|n| n.starts_with(prefix))
            {
                self.add(CompletionKind::Field, name, "counted", "");
            }
            return;
        }
        let words = [
            (
                "type",
                "type == \"payment.card\"",
                "Which kinds of event count; payments if it is not asked.",
            ),
            (
                "outcome",
                "outcome == \"decline\"",
                "What was decided about the event.",
            ),
            (
                "label",
                "label in [\"fraud\", \"chargeback\"]",
                "What is known about the event by now.",
            ),
            (
                "amount",
                "amount >= money(\"100.00\", \"USD\")",
                "The amount of the event.",
            ),
            (
                "same",
                "same(device)",
                "Only events that share this entity with the current one.",
            ),
        ];
        for (name, usage, doc) in words
            .into_iter()
            .filter(|(name, ..)| name.starts_with(prefix))
        {
            self.add(CompletionKind::Function, name, usage, doc);
        }
    }

    fn is_window(&self, call: &Around) -> bool {
        let (entity, function) = call.path.rsplit_once('.').unwrap_or(("", ""));
        self.schema.entity(entity).is_some()
            && functions::windows().any(|(name, _)| name == function)
    }

    /// What a call asks for in quotes at one of its arguments.
    fn asked_by(&self, call: &Around) -> Vec<&'static str> {
        let name = call.path.rsplit('.').next().unwrap_or("");
        match (name, call.argument) {
            ("money", 1) => Currency::all().map(Currency::code).collect(),
            ("duration", 0) => vec!["10m", "1h", "24h", "7d", "30d"],
            (get, 0) if get.starts_with("get") => vec!["UTC", "+08:00", "+01:00", "-05:00"],
            _ if self.is_window(call) => WINDOWS.to_vec(),
            _ => Vec::new(),
        }
    }
}
