//! Schemas: what rules read of one kind of event, as a value.
//!
//! The language, the checker, the windows and the evaluator know numbers: slots of fields, kinds
//! of entities, kinds and outcomes of events. A schema says what they are called. There are two:
//! payments, and acts of the people and programs that use Paywarden itself.

pub mod acts;
mod fields;

pub use fields::Field;

use paywarden_domain::{
    Country, Currency, EventKind, LabelVerdict, Outcome,
    event::{Channel, CheckResult, EntryMode, Funding, ThreeDs},
};
use paywarden_features::{EntityKind, Filter, Set, WindowSpec};
use std::{collections::HashMap, fmt, sync::LazyLock};

/// What a number of the windows is called; none where there is no such thing.
type Named<T> = fn(T) -> Option<&'static str>;

/// The words of one kind of event.
pub struct Schema {
    /// As packs write it: `events: acts`.
    pub name: &'static str,
    fields: &'static [Field],
    /// The field that tells its kinds of event apart.
    pub(crate) kind_field: Field,
    entity: Named<EntityKind>,
    kind: Named<EventKind>,
    outcome: Named<Outcome>,
    label: Named<Option<LabelVerdict>>,
    /// What a rule may ask for.
    action: Named<Outcome>,
    /// The window functions; all if there are none.
    functions: &'static [&'static str],
    /// Whether rules belong to one of two engines, may hold payments and warn payers, ask lists
    /// and attributes, and count amounts of money.
    pub(crate) is_of_payments: bool,
}

impl Schema {
    /// Payments, and what surrounds them.
    pub const PAYMENTS: Self = Self {
        name: "payments",
        fields: fields::PAYMENTS,
        kind_field: Field::EventType,
        entity: |kind| Some(kind.name()),
        kind: |kind| Some(kind.name()),
        outcome: |outcome| Some(outcome.name()),
        label: |label| Some(label.map_or("none", LabelVerdict::name)),
        action: |outcome| Some(outcome.name()),
        functions: &[],
        is_of_payments: true,
    };

    /// What people and programs do with Paywarden, leaf by leaf of the trail.
    pub const ACTS: Self = Self {
        name: "acts",
        fields: fields::ACTS,
        kind_field: Field::ActType,
        entity: acts::entity,
        kind: acts::kind,
        outcome: acts::outcome,
        label: |_| None,
        action: acts::effect,
        functions: acts::FUNCTIONS,
        is_of_payments: false,
    };

    /// Every schema.
    pub const ALL: [&Self; 2] = [&Self::PAYMENTS, &Self::ACTS];

    /// The schema with this name.
    pub fn parse(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|schema| schema.name == name)
    }

    /// Its fields, in slot order.
    pub fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The field with this path.
    pub fn field(&self, path: &str) -> Option<Field> {
        static BY_PATH: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
            let fields = Schema::ALL.iter().flat_map(|schema| schema.fields);
            fields.map(|field| (field.path(), *field)).collect()
        });
        let field = BY_PATH.get(path).copied();
        field.filter(|field| field.schema() == self)
    }

    /// What it calls an entity.
    pub fn entity_name(&self, kind: EntityKind) -> Option<&'static str> {
        (self.entity)(kind)
    }

    /// The entity that it calls so.
    pub fn entity(&self, name: &str) -> Option<EntityKind> {
        named(EntityKind::ALL, self.entity, name)
    }

    /// What it calls its entities.
    pub fn entity_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        EntityKind::ALL.into_iter().filter_map(self.entity)
    }

    /// The kind of event that it calls so.
    pub fn kind(&self, name: &str) -> Option<EventKind> {
        named(EventKind::ALL.iter().copied(), self.kind, name)
    }

    /// What it calls a kind of event.
    pub fn kind_name(&self, kind: EventKind) -> Option<&'static str> {
        (self.kind)(kind)
    }

    /// What it calls an outcome of an event.
    pub fn outcome_name(&self, outcome: Outcome) -> Option<&'static str> {
        (self.outcome)(outcome)
    }

    /// The outcome of an event that it calls so.
    pub fn outcome(&self, name: &str) -> Option<Outcome> {
        named(Outcome::ALL, self.outcome, name)
    }

    /// What it calls a label.
    pub(crate) fn label_name(&self, label: Option<LabelVerdict>) -> Option<&'static str> {
        (self.label)(label)
    }

    /// What a rule asks for by this word.
    pub fn action(&self, name: &str) -> Option<Outcome> {
        named(Outcome::ALL, self.action, name)
    }

    /// What rules may ask for.
    pub(crate) fn action_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        Outcome::ALL.into_iter().filter_map(self.action)
    }

    /// Whether it has this window function.
    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.functions.is_empty() || self.functions.contains(&name)
    }

    /// What sums of windows come to.
    pub(crate) fn amount(&self) -> Type {
        match self.is_of_payments {
            true => Type::Money,
            false => Type::Int,
        }
    }

    /// A window that no filter narrows: payments are counted where a rule names no type, and acts
    /// of every kind.
    pub(crate) fn unfiltered(&self, spec: WindowSpec) -> WindowSpec {
        match self.is_of_payments {
            true => spec,
            false => spec.filtered(Filter {
                kinds: Set::all(),
                ..spec.filter
            }),
        }
    }
}

fn named<T: Copy>(all: impl IntoIterator<Item = T>, word: Named<T>, name: &str) -> Option<T> {
    all.into_iter().find(|one| word(*one) == Some(name))
}

/// By name: there is one of each.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Default for &Schema {
    fn default() -> Self {
        &Schema::PAYMENTS
    }
}

/// The types of the language. `Money` and `PaymentMoney` never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// 64-bit whole number.
    Int,
    /// 64-bit floating point number.
    Double,
    /// An amount in the base currency.
    Money,
    /// An amount in the currency of the payment.
    PaymentMoney,
    /// UTF-8 text.
    Text,
    /// True or false.
    Bool,
    /// A time span in microseconds; may be negative.
    Duration,
    /// A point in time: microseconds since the start of 1970, UTC.
    Timestamp,
    /// A list. No field holds one, and none is left when a condition has been compiled.
    List,
    /// A map from keys to values. No field holds one either.
    Map,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int => "int",
            Self::Double => "double",
            Self::Money => "money",
            Self::PaymentMoney => "money in the payment's currency",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::List => "list",
            Self::Map => "map",
        })
    }
}

/// What being on a screening list means, the gravest first.
pub const LIST_KINDS: [&str; 4] = ["sanctions", "pep", "adverse", "own"];

/// How risky a customer is, the least first.
pub const RISK_RATINGS: [&str; 4] = ["low", "medium", "high", "prohibited"];

/// What texts a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    Free,
    EventKind,
    Channel,
    EntryMode,
    Funding,
    CheckResult,
    ThreeDs,
    Country,
    Currency,
    ListKind,
    RiskRating,
    Words(&'static [&'static str]),
}

impl Vocabulary {
    /// The words of a closed vocabulary; empty if it is open or too large to list.
    pub(crate) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Free | Self::Country => Vec::new(),
            Self::EventKind => EventKind::ALL.iter().map(|word| word.name()).collect(),
            Self::Channel => Channel::ALL.iter().map(|word| word.name()).collect(),
            Self::EntryMode => EntryMode::ALL.iter().map(|word| word.name()).collect(),
            Self::Funding => Funding::ALL.iter().map(|word| word.name()).collect(),
            Self::CheckResult => CheckResult::ALL.iter().map(|word| word.name()).collect(),
            Self::ThreeDs => ThreeDs::ALL.iter().map(|word| word.name()).collect(),
            Self::Currency => Currency::all().map(Currency::code).collect(),
            Self::ListKind => LIST_KINDS.to_vec(),
            Self::RiskRating => RISK_RATINGS.to_vec(),
            Self::Words(words) => words.to_vec(),
        }
    }

    /// Whether a field with this vocabulary can ever hold the word.
    pub(crate) fn knows(self, word: &str) -> bool {
        match self {
            Self::Free => true,
            Self::Country => Country::parse(word).is_ok(),
            Self::EventKind => EventKind::parse(word).is_some(),
            _ => self.words().contains(&word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unique_and_entities_have_a_field_of_their_name() {
        for schema in Schema::ALL {
            for (slot, field) in schema.fields().iter().enumerate() {
                assert_eq!(schema.field(field.path()), Some(*field));
                assert_eq!((field.slot(), field.schema()), (slot, schema));
                assert!(field.doc().ends_with('.'));
                let others = Schema::ALL.into_iter().filter(|other| *other != schema);
                assert!(
                    others
                        .into_iter()
                        .all(|other| other.field(field.path()).is_none())
                );
            }
            for name in schema.entity_names() {
                assert!(schema.field(name).is_some(), "{name}");
            }
        }
        for entity in EntityKind::ALL {
            assert_eq!(Field::of_entity(entity).path(), entity.name());
        }
    }

    #[test]
    fn words_of_acts_are_told_apart() {
        let schema = &Schema::ACTS;
        for word in acts::TYPES {
            let kind = schema.kind(word).unwrap();
            assert_eq!(schema.kind_name(kind), Some(*word));
        }
        assert_eq!(schema.kind("payment.card"), None);
        assert_eq!(schema.outcome("refused"), Some(Outcome::Decline));
        assert_eq!(
            schema.action_names().collect::<Vec<_>>(),
            ["step_up", "alert", "suspend"]
        );
        assert_eq!(Schema::PAYMENTS.action("suspend"), None);
    }
}
