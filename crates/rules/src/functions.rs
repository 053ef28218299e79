//! The functions of the language: one table for the checker's hints, completion and hover.

use crate::checker::windows;

/// What stands before the dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Nothing,
    Text,
    Timestamp,
    Duration,
    List,
}

/// A function or method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    pub name: &'static str,
    pub on: On,
    /// How it is written.
    pub usage: &'static str,
    /// What it gives.
    pub result: &'static str,
    pub doc: &'static str,
}

macro_rules! functions {
    ($($on:ident $name:literal $usage:literal -> $result:literal: $doc:literal;)*) => {
        /// Every function and method, windows apart.
        pub(crate) const FUNCTIONS: &[Function] = &[$(
            Function { name: $name, on: On::$on, usage: $usage, result: $result, doc: $doc },
        )*];
    };
}

functions! {
    Nothing "money" "money(\"5.00\", \"USD\")" -> "money": "An amount, converted into the base currency when rules are published.";
    Nothing "duration" "duration(\"2d 3h\")" -> "duration": "A time span: d, h, m, s, ms, us. A text that is no literal is read when the rule runs.";
    Nothing "timestamp" "timestamp(\"2026-01-31T08:00:00Z\")" -> "timestamp": "A point in time from RFC 3339 or from seconds since 1970.";
    Nothing "has" "has(payer.name)" -> "bool": "Whether there is a value. Never unknown itself.";
    Nothing "size" "size(payer.name)" -> "int": "Characters of a text, or elements of a list or map.";
    Nothing "points" "points(condition, if_true, if_missing)" -> "int": "What a condition is worth; false is worth 0. Never unknown itself.";
    Nothing "int" "int(payment.remittance)" -> "int": "A number without its fraction, a text read as a number, or the seconds of a timestamp since 1970.";
    Nothing "double" "double(event.hour)" -> "double": "A number, or a text read as one.";
    Nothing "string" "string(event.hour)" -> "string": "A number, condition, duration or timestamp as text.";
    Nothing "bool" "bool(attributes.text(\"known\"))" -> "bool": "A text read as true or false: `true`, `t`, `1`, `TRUE`, `True`, and their opposites.";
    Nothing "dyn" "dyn(payer.kyc_level)" -> "the same": "Its argument. In CEL it hides the type; here types are checked all the same.";
    Nothing "cel.bind" "cel.bind(days, payer.age, days > duration(\"2d\"))" -> "the third": "A name for a part of one expression.";
    Text "startsWith" "payer.name.startsWith(\"A\")" -> "bool": "Whether the text begins so.";
    Text "endsWith" "payer.email.endsWith(\".example\")" -> "bool": "Whether the text ends so.";
    Text "contains" "payment.remittance.contains(\"fee\")" -> "bool": "Whether the text contains another.";
    Text "matches" "payer.name.matches(\"^[A-Z]+$\")" -> "bool": "Whether a regular expression (RE2 syntax) matches a part of the text. The pattern is a literal of at most 512 bytes.";
    Text "size" "payer.name.size()" -> "int": "Characters of the text.";
    Text "lowerAscii" "payer.email.lowerAscii()" -> "string": "With the letters A to Z in lower case.";
    Text "upperAscii" "payer.email.upperAscii()" -> "string": "With the letters a to z in upper case.";
    Text "trim" "payer.name.trim()" -> "string": "Without white space at both ends.";
    Text "replace" "payer.phone.replace(\" \", \"\")" -> "string": "With one text replaced by another; a third argument says how often.";
    Text "substring" "card.bin.substring(0, 4)" -> "string": "From one place to before another, in characters from 0.";
    Text "charAt" "card.bin.charAt(0)" -> "string": "The character at a place, from 0.";
    Text "indexOf" "payer.email.indexOf(\"@\")" -> "int": "Place of a text in another, from 0; -1 if it is not there. A second argument says where to begin.";
    Text "lastIndexOf" "payer.email.lastIndexOf(\"@\")" -> "int": "Last place of a text in another, from 0; -1 if it is not there.";
    Text "reverse" "payer.id.reverse()" -> "string": "The characters from last to first.";
    Timestamp "getFullYear" "event.occurred_at.getFullYear()" -> "int": "The year, in UTC or at an offset such as \"+08:00\".";
    Timestamp "getMonth" "event.occurred_at.getMonth()" -> "int": "The month, 0 for January, in UTC or at an offset.";
    Timestamp "getDate" "event.occurred_at.getDate()" -> "int": "The day of the month, from 1, in UTC or at an offset.";
    Timestamp "getDayOfMonth" "event.occurred_at.getDayOfMonth()" -> "int": "The day of the month, from 0, in UTC or at an offset.";
    Timestamp "getDayOfWeek" "event.occurred_at.getDayOfWeek(\"+08:00\")" -> "int": "The day of the week, 0 for Sunday, in UTC or at an offset.";
    Timestamp "getDayOfYear" "event.occurred_at.getDayOfYear()" -> "int": "The day of the year, from 0, in UTC or at an offset.";
    Timestamp "getHours" "event.occurred_at.getHours(\"+08:00\")" -> "int": "The hour, 0 to 23, in UTC or at an offset.";
    Timestamp "getMinutes" "event.occurred_at.getMinutes()" -> "int": "The minute, in UTC or at an offset.";
    Timestamp "getSeconds" "event.occurred_at.getSeconds()" -> "int": "The second.";
    Timestamp "getMilliseconds" "event.occurred_at.getMilliseconds()" -> "int": "The milliseconds within the second.";
    Duration "getHours" "payer.age.getHours()" -> "int": "Whole hours of the time span.";
    Duration "getMinutes" "payer.age.getMinutes()" -> "int": "Whole minutes of the time span.";
    Duration "getSeconds" "payer.age.getSeconds()" -> "int": "Whole seconds of the time span.";
    Duration "getMilliseconds" "payer.age.getMilliseconds()" -> "int": "The milliseconds within the second.";
    List "exists" "[payer.country, payee.country].exists(c, c == \"CN\")" -> "bool": "Whether the condition holds for an element.";
    List "all" "[payer.country, payee.country].all(c, c == \"CN\")" -> "bool": "Whether the condition holds for every element.";
    List "exists_one" "[payer.country, payee.country].exists_one(c, c == \"CN\")" -> "bool": "Whether the condition holds for exactly one element.";
    List "filter" "size([payer.country, payee.country].filter(c, c == \"CN\")) > 1" -> "list": "The elements for which the condition holds.";
    List "map" "\"CN\" in [payer.country, payee.country].map(c, c.upperAscii())" -> "list": "What an expression makes of every element.";
    List "existsOne" "[payer.country, payee.country].existsOne(place, c, c == \"CN\")" -> "bool": "As `exists_one`; with two variables the first is the place or key. `exists` and `all` may have two as well.";
    List "transformList" "[payer.country, payee.country].transformList(place, c, place > 0, c)" -> "list": "As `map`, with the place or key as first variable and a filter if there are four arguments.";
    List "transformMap" "{\"CN\": 1, \"HK\": 2}.transformMap(key, value, value + 1)" -> "map": "A map with the same keys and other values.";
    List "size" "[payer.country, payee.country].size()" -> "int": "How many elements there are.";
    Nothing "math.greatest" "math.greatest(payer.kyc_level, 1)" -> "number": "The greatest of its arguments.";
    Nothing "math.least" "math.least(payer.kyc_level, 1)" -> "number": "The least of its arguments.";
    Nothing "math.abs" "math.abs(event.hour - 12)" -> "number": "Without its sign.";
    Nothing "math.ceil" "math.ceil(distance.billing_merchant_km)" -> "double": "The next whole number above.";
    Nothing "math.floor" "math.floor(distance.billing_merchant_km)" -> "double": "The next whole number below.";
    Nothing "math.round" "math.round(distance.billing_merchant_km)" -> "double": "The nearest whole number, halves away from zero.";
    Nothing "math.trunc" "math.trunc(distance.billing_merchant_km)" -> "double": "Without its fraction.";
}

/// The functions with this name and receiver.
pub(crate) fn find(name: &str, on: On) -> Option<&'static Function> {
    FUNCTIONS
        .iter()
        .find(|function| function.name == name && function.on == on)
}

/// The names of everything that can follow such a receiver.
pub(crate) fn names(on: On) -> impl Iterator<Item = &'static str> {
    let fits = move |function: &&Function| function.on == on;
    FUNCTIONS.iter().filter(fits).map(|function| function.name)
}

/// The window functions and how each is written.
pub(crate) fn windows() -> impl Iterator<Item = (&'static str, &'static str)> {
    windows::FUNCTIONS
        .iter()
        .map(|function| (function.name, function.usage))
}

/// What a window function tells.
pub(crate) fn window_doc(name: &str) -> &'static str {
    windows::FUNCTIONS
        .iter()
        .find(|function| function.name == name)
        .map_or("", |function| function.doc)
}
