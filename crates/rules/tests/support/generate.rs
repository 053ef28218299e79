//! Random well-typed conditions, and random events to evaluate them on.

use paywarden_domain::EventKind;
use paywarden_rules::{Field, FieldValue, Slots};
use proptest::{collection::vec, option, prelude::*};

/// Fields of each type that the generator uses. Their paths are also valid CEL.
pub const INTS: [Field; 3] = [Field::EventHour, Field::PayerKycLevel, Field::NetworkAsn];
pub const DOUBLES: [Field; 2] = [
    Field::DistanceBillingShippingKm,
    Field::DistanceBillingMerchantKm,
];
pub const TEXTS: [Field; 3] = [Field::PayerName, Field::MerchantCategory, Field::DeviceOs];
pub const FLAGS: [Field; 3] = [
    Field::DeviceRooted,
    Field::NetworkVpn,
    Field::PaymentIsRound,
];

/// One event: each field may be missing.
#[derive(Debug, Clone)]
pub struct Facts {
    pub ints: [Option<i64>; 3],
    pub doubles: [Option<f64>; 2],
    pub texts: [Option<String>; 3],
    pub flags: [Option<bool>; 3],
    pub kind: Option<EventKind>,
}

impl Facts {
    pub fn slots(&self) -> Slots<'_> {
        let mut slots = Slots::new();
        for (field, value) in self.values() {
            slots.set(field, value);
        }
        slots
    }

    pub fn values(&self) -> Vec<(Field, FieldValue<'_>)> {
        let ints = INTS
            .iter()
            .zip(self.ints)
            .map(|(f, v)| (*f, v.map(FieldValue::Int)));
        let doubles = DOUBLES
            .iter()
            .zip(self.doubles)
            .map(|(f, v)| (*f, v.map(FieldValue::Double)));
        let flags = FLAGS
            .iter()
            .zip(self.flags)
            .map(|(f, v)| (*f, v.map(FieldValue::Bool)));
        let texts = TEXTS
            .iter()
            .zip(&self.texts)
            .map(|(f, v)| (*f, v.as_deref().map(FieldValue::Text)));
        let all = ints.chain(doubles).chain(flags).chain(texts);
        let kind = self.kind.map(|kind| FieldValue::Text(kind.name()));
        all.chain([(Field::EventType, kind)])
            .filter_map(|(field, value)| Some((field, value?)))
            .collect()
    }
}

pub fn facts() -> impl Strategy<Value = Facts> {
    let int = || option::weighted(0.8, prop_oneof![4 => -3i64..4, 1 => any::<i64>()]);
    let double = || {
        option::weighted(
            0.8,
            (-40i32..40).prop_map(|quarters| f64::from(quarters) / 4.0),
        )
    };
    let text = || option::weighted(0.8, word());
    let flag = || option::weighted(0.8, any::<bool>());
    (
        [int(), int(), int()],
        [double(), double()],
        [text(), text(), text()],
        [flag(), flag(), flag()],
        option::weighted(0.9, prop::sample::select(EventKind::ALL)),
    )
        .prop_map(|(ints, doubles, texts, flags, kind)| Facts {
            ints,
            doubles,
            texts,
            flags,
            kind,
        })
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "", "a", "b", "ab", "ba", "abc", "Ab", "é", "中文a", "12", "-3", " a ", "1.5",
    ])
    .prop_map(str::to_owned)
}

fn field(fields: &'static [Field]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(fields).prop_map(|field| field.path().to_owned())
}

fn literal_text() -> impl Strategy<Value = String> {
    word().prop_map(|word| format!("{word:?}"))
}

fn int() -> impl Strategy<Value = String> {
    let literal = prop_oneof![
        6 => (-3i64..4).prop_map(|value| value.to_string()),
        1 => any::<i64>().prop_map(|value| value.to_string()),
    ];
    let of_text = (text(), literal_text(), 0usize..6).prop_map(|(text, sought, form)| match form {
        0 => format!("size({text})"),
        1 => format!("{text}.indexOf({sought})"),
        2 => format!("{text}.lastIndexOf({sought})"),
        3 => format!("{text}.indexOf({sought}, 1)"),
        4 => format!("int({text})"),
        _ => format!("size([{text}, {sought}].filter(t, t == \"a\"))"),
    });
    let of_double = field(&DOUBLES).prop_map(|double| format!("int({double})"));
    let leaf = prop_oneof![4 => field(&INTS), 2 => literal, 2 => of_text, 1 => of_double];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            4 => (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            1 => inner.clone().prop_map(|inner| format!("-({inner})")),
            1 => (inner.clone(), prop::sample::select(vec!["greatest", "least"]), inner.clone())
                .prop_map(|(left, name, right)| format!("math.{name}({left}, {right}, 1)")),
            1 => inner.clone().prop_map(|inner| format!("math.abs({inner})")),
            1 => (field(&FLAGS), inner.clone(), inner)
                .prop_map(|(flag, then, other)| format!("({flag} ? {then} : {other})")),
        ]
    })
}

fn double() -> impl Strategy<Value = String> {
    let number = || (-40i32..40).prop_map(|quarters| format!("{:?}", f64::from(quarters) / 4.0));
    prop_oneof![3 => field(&DOUBLES), 1 => number()].prop_recursive(3, 12, 2, move |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*"]);
        prop_oneof![
            3 => (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            1 => inner.clone().prop_map(|inner| format!("({inner} / 0.5)")),
            1 => (prop::sample::select(vec!["abs", "ceil", "floor", "round", "trunc"]), inner)
                .prop_map(|(name, inner)| format!("math.{name}({inner})")),
            1 => field(&INTS).prop_map(|int| format!("double({int})")),
            1 => field(&TEXTS).prop_map(|text| format!("double({text})")),
        ]
    })
}

fn text() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        3 => field(&TEXTS),
        1 => (field(&FLAGS), field(&TEXTS), literal_text())
            .prop_map(|(flag, then, other)| format!("({flag} ? {then} : {other})")),
        1 => prop_oneof![field(&INTS), field(&FLAGS)].prop_map(|value| format!("string({value})")),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let change = vec!["lowerAscii", "upperAscii", "trim", "reverse"];
        prop_oneof![
            (inner.clone(), prop::sample::select(change))
                .prop_map(|(text, change)| format!("{text}.{change}()")),
            (inner.clone(), literal_text(), literal_text())
                .prop_map(|(text, sought, other)| format!("{text}.replace({sought}, {other})")),
            (inner.clone(), 0usize..3, 0usize..3)
                .prop_map(|(text, start, end)| format!("{text}.substring({start}, {end})")),
            (inner.clone(), 0usize..3).prop_map(|(text, place)| format!("{text}.charAt({place})")),
            (inner.clone(), literal_text()).prop_map(|(text, more)| format!("({text} + {more})")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("({left} + {right})")),
        ]
    })
}

/// Patterns, macros, maps and lists. Elements are literals: a missing element makes a whole list an
/// error in CEL, but not here.
fn collection() -> impl Strategy<Value = String> {
    let numbers = || vec((-3i64..4).prop_map(|i| i.to_string()), 0..5);
    let words = || vec(literal_text(), 1..4);
    let patterns = vec![
        "^a", "b$", "^(a|b)+$", "[0-9]", ".", "^.$", "(?i)AB", "\\\\s",
    ];
    let macros = prop::sample::select(vec!["exists", "all", "exists_one"]);
    prop_oneof![
        (text(), prop::sample::select(patterns))
            .prop_map(|(text, pattern)| format!("{text}.matches(\"{pattern}\")")),
        (macros.clone(), numbers(), field(&INTS)).prop_map(|(name, items, int)| {
            format!(
                "[{}].{name}(n, n * 2 > {int} && 6 / n != {int})",
                items.join(", ")
            )
        }),
        (macros, words(), text()).prop_map(|(name, items, text)| {
            format!("[{}].{name}(t, {text}.startsWith(t))", items.join(", "))
        }),
        (words(), text()).prop_map(|(items, text)| {
            format!("{text} in [{}].map(t, t + \"b\")", items.join(", "))
        }),
        (numbers(), field(&INTS)).prop_map(|(items, int)| {
            format!("size([{}].filter(n, n > {int})) > 1", items.join(", "))
        }),
        text().prop_map(|text| format!("{{\"a\": 1, \"ab\": 2, \"\": 3}}[{text}] > 1")),
        text().prop_map(|text| format!("{text} in {{\"a\": 1, \"b\": 2}}")),
        field(&INTS).prop_map(|int| format!("[5, 6, 7][{int}] > 5")),
        field(&INTS).prop_map(|int| format!("[{int}, 1] == [1, {int}]")),
    ]
}

/// A comparison or test that depends on the event.
fn test() -> impl Strategy<Value = String> {
    let comparison = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let equality = prop::sample::select(vec!["==", "!="]);
    let method = prop::sample::select(vec!["startsWith", "endsWith", "contains"]);
    let any_text = prop_oneof![literal_text(), field(&TEXTS)];
    prop_oneof![
        (field(&INTS), int(), comparison())
            .prop_map(|(field, int, comparison)| format!("{field} - 1 {comparison} {int}")),
        (field(&DOUBLES), double(), comparison())
            .prop_map(|(field, double, comparison)| format!("{field} {comparison} {double}")),
        (text(), any_text.clone(), comparison())
            .prop_map(|(left, right, comparison)| format!("{left} {comparison} {right}")),
        (text(), method, any_text)
            .prop_map(|(text, method, part)| format!("{text}.{method}({part})")),
        (text(), vec(literal_text(), 1..4))
            .prop_map(|(text, items)| format!("{text} in [{}]", items.join(", "))),
        (
            field(&INTS),
            vec((-3i64..4).prop_map(|i| i.to_string()), 1..4)
        )
            .prop_map(|(int, items)| format!("{int} in [{}]", items.join(", "))),
        (field(&FLAGS), equality, any::<bool>())
            .prop_map(|(flag, equality, value)| format!("{flag} {equality} {value}")),
        field(&FLAGS),
        vec(prop::sample::select(EventKind::ALL), 1..4).prop_map(|kinds| {
            let words: Vec<_> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
            match words.as_slice() {
                [word] => format!("event.type == {word}"),
                words => format!("event.type in [{}]", words.join(", ")),
            }
        }),
        prop_oneof![field(&INTS), field(&TEXTS), field(&FLAGS)]
            .prop_map(|field| format!("has({field})")),
        collection(),
    ]
}

/// A condition that depends on the event in each of its parts.
pub fn condition() -> impl Strategy<Value = String> {
    test().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l}) && ({r})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l}) || ({r})")),
            2 => inner.clone().prop_map(|inner| format!("!({inner})")),
            1 => (inner.clone(), inner.clone(), inner)
                .prop_map(|(c, t, o)| format!("(({c}) ? ({t}) : ({o}))")),
        ]
    })
}
