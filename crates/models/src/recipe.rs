//! What a model reads of a payment: named numbers over the windows that decide, too.
//!
//! A recipe is windows of `features` and one formula for each number. Online, in a back-test and
//! while training, the values of the windows come from the same code, and the formulas are these.
//! The name of a number tells its window, label delay included, so that a model that was trained
//! with another delay is refused by name.

use crate::Error;
use paywarden_domain::LabelVerdict;
use paywarden_domain::time::{DAY, HOUR, MINUTE, SECOND};
use paywarden_features::{Aggregate, EntityKind, FeatureEvent, Filter, Part, Value, WindowSpec};

/// Earlier payments of the payer that are looked at one by one.
const EARLIER: u8 = 8;
/// An amount this many times the usual one stands out.
const SPIKE: f64 = 2.5;
/// Of so many of the last payments whose label is due, how long ago the frauds among them were.
const DUE: u8 = 4;
/// How far back payments whose label is due are looked at.
const DUE_REACH: i64 = 90 * DAY;
/// Of so many of the last payments whose truth is known, how long ago the frauds among them were.
const TOLD: u8 = 2;
/// How far back payments whose truth is known are looked at.
const TOLD_REACH: i64 = 30 * DAY;
/// How far back the amounts of known frauds are looked at.
const AMOUNTS_REACH: i64 = 28 * DAY;
/// Numbers that name something: new ones are news, and their order means nothing.
const CATEGORIES: [&str; 2] = ["mcc", "country"];

/// Windows, and the numbers made of them.
///
/// ```
/// use paywarden_domain::time::DAY;
/// use paywarden_features::EntityKind;
/// use paywarden_models::Recipe;
///
/// let recipe = Recipe::payments(EntityKind::Customer, EntityKind::Terminal, 7 * DAY);
/// assert!(recipe.names().iter().any(|name| name == "terminal.fraud_share(7d..14d)"));
/// ```
#[derive(Debug, Clone)]
pub struct Recipe {
    windows: Vec<WindowSpec>,
    names: Vec<String>,
    formulas: Vec<Formula>,
}

/// How a number is made; places are those of windows.
#[derive(Debug, Clone)]
enum Formula {
    /// The amount in minor units.
    Amount,
    /// Hours since midnight, UTC.
    Hour,
    /// Days since Monday, UTC.
    Weekday,
    /// The merchant category code.
    Mcc,
    /// The number of the country (ISO 3166-1).
    Country,
    /// The value of a window: a count, minor units, or seconds.
    Window(usize),
    /// One window over another.
    Ratio(usize, usize),
    /// The amount over a window.
    AmountOver(usize),
    /// By how many deviations the amount is above a mean.
    Deviations { mean: usize, deviation: usize },
    /// How many of some earlier amounts stand out from a mean.
    Spikes { earlier: Vec<usize>, mean: usize },
}

impl Recipe {
    /// For payments of a payer (customer, card or account) at a place (terminal, merchant or payee)
    /// whose frauds become known after about `delay` microseconds.
    ///
    /// - Amounts against the payer's own past, also against the month before the last fortnight: an
    ///   attack of two weeks does not raise that.
    /// - Against the payer's past without what is known to be fraud: an attack that was found does
    ///   not raise it either.
    /// - Frauds of the place in windows behind the delay, where a share means what it says, and
    ///   frauds known by now, which tell of prompt reports.
    /// - What is known to be genuine, and whether the last payments of which anything is known were
    ///   frauds: whoever looked at an alert in vain has said where a compromise has ended.
    /// - The amounts of the known frauds of the place: whoever has stolen a payer's card takes much,
    ///   and a fraud of a usual amount says that it is the place that is compromised.
    /// - Whether the last payments whose label is due were frauds: where a compromise has ended the
    ///   last one was not. And frauds of weeks ago: a compromise that is old is near its end.
    pub fn payments(payer: EntityKind, place: EntityKind, delay: i64) -> Self {
        let mut recipe = Self {
            windows: Vec::new(),
            names: Vec::new(),
            formulas: Vec::new(),
        };
        recipe.add("amount", Formula::Amount);
        recipe.add("hour", Formula::Hour);
        recipe.add("weekday", Formula::Weekday);
        recipe.add("mcc", Formula::Mcc);
        recipe.add("country", Formula::Country);
        recipe.own_pace(payer);
        recipe.own_amounts(payer);
        recipe.pace(place);
        recipe.known_frauds(payer, delay);
        recipe.known_frauds(place, delay);
        recipe.fraud_amounts(place);
        recipe
    }

    /// The windows to register, in the order in which [`Recipe::fill`] wants their values.
    pub fn windows(&self) -> &[WindowSpec] {
        &self.windows
    }

    /// The names of the numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a number of this name names something: new ones are news.
    pub fn is_category(name: &str) -> bool {
        CATEGORIES.contains(&name)
    }

    /// Which of them more confirmed fraud can only raise.
    pub fn rising(&self) -> Vec<String> {
        let fraud = |name: &&String| name.contains(".fraud") && !name.contains("ago");
        self.names.iter().filter(fraud).cloned().collect()
    }

    /// The numbers of one payment into `row`, `NaN` for what is missing. `values` are those of the
    /// windows.
    pub fn fill(
        &self,
        event: &FeatureEvent,
        values: &[Value],
        row: &mut Vec<f64>,
    ) -> Result<(), Error> {
        if values.len() != self.windows.len() {
            return Err(Error::Row {
                expected: self.windows.len(),
                found: values.len(),
            });
        }
        row.clear();
        row.extend(
            self.formulas
                .iter()
                .map(|formula| formula.of(event, values)),
        );
        Ok(())
    }

    fn own_pace(&mut self, payer: EntityKind) {
        for length in [HOUR, DAY, 7 * DAY, 30 * DAY] {
            self.window(WindowSpec::recent(payer, Aggregate::Count, length), "count");
        }
        self.window(WindowSpec::recent(payer, Aggregate::Sum, DAY), "sum");
        self.window(WindowSpec::since_previous(payer), "since_previous");
    }

    fn own_amounts(&mut self, payer: EntityKind) {
        let span = |aggregate, newer, older| WindowSpec::between(payer, aggregate, newer, older);
        let month = self.place(span(Aggregate::Avg, 0, 30 * DAY));
        let month_deviation = self.place(span(Aggregate::Deviation, 0, 30 * DAY));
        let old = self.place(span(Aggregate::Avg, 14 * DAY, 44 * DAY));
        let old_deviation = self.place(span(Aggregate::Deviation, 14 * DAY, 44 * DAY));
        let old_max = self.place(span(Aggregate::Max, 14 * DAY, 44 * DAY));
        let clean = |aggregate| span(aggregate, 0, 90 * DAY).filtered(not_fraud());
        let clean_mean = self.place(clean(Aggregate::Avg));
        let clean_deviation = self.place(clean(Aggregate::Deviation));
        self.add(format!("{payer}.avg(0d..30d)"), Formula::Window(month));
        self.add(format!("{payer}.avg(14d..44d)"), Formula::Window(old));
        self.add(
            format!("amount/{payer}.avg(0d..30d)"),
            Formula::AmountOver(month),
        );
        self.add(
            format!("amount/{payer}.avg(14d..44d)"),
            Formula::AmountOver(old),
        );
        self.add(
            format!("amount/{payer}.max(14d..44d)"),
            Formula::AmountOver(old_max),
        );
        self.add(
            format!("amount/{payer}.clean_avg(90d)"),
            Formula::AmountOver(clean_mean),
        );
        for (name, mean, deviation) in [
            ("clean_deviations(90d)", clean_mean, clean_deviation),
            ("deviations(0d..30d)", month, month_deviation),
            ("deviations(14d..44d)", old, old_deviation),
        ] {
            let formula = Formula::Deviations { mean, deviation };
            self.add(format!("{payer}.{name}"), formula);
        }
        for (days, aggregate, name) in [
            (3, Aggregate::Avg, "avg"),
            (7, Aggregate::Avg, "avg"),
            (14, Aggregate::Avg, "avg"),
            (14, Aggregate::Max, "max"),
            (14, Aggregate::Quantile(700), "q70"),
            (14, Aggregate::Quantile(850), "q85"),
        ] {
            let recent = self.place(span(aggregate, 0, days * DAY));
            let name = format!("{payer}.{name}(0d..{days}d)/avg(14d..44d)");
            self.add(name, Formula::Ratio(recent, old));
        }
        for days in [3, 14] {
            let earlier = (1..=EARLIER)
                .map(|place| {
                    self.place(span(Aggregate::Earlier(place, Part::Amount), 0, days * DAY))
                })
                .collect();
            let formula = Formula::Spikes { earlier, mean: old };
            self.add(format!("{payer}.spikes({days}d)"), formula);
        }
    }

    fn pace(&mut self, place: EntityKind) {
        for length in [DAY, 7 * DAY, 30 * DAY] {
            self.window(WindowSpec::recent(place, Aggregate::Count, length), "count");
        }
        let usual = self.place(WindowSpec::between(place, Aggregate::Avg, 0, 30 * DAY));
        self.add(
            format!("amount/{place}.avg(0d..30d)"),
            Formula::AmountOver(usual),
        );
    }

    /// Frauds behind the delay with their share, and what is known by now.
    fn known_frauds(&mut self, entity: EntityKind, delay: i64) {
        let frauds = fraud();
        for days in [1, 3, 7, 14, 28] {
            let all = WindowSpec::between(entity, Aggregate::Count, delay, delay + days * DAY);
            let span = span_of(&all);
            let count = self.place(all);
            let fraud = self.place(all.filtered(frauds));
            self.add(format!("{entity}.frauds({span})"), Formula::Window(fraud));
            self.add(
                format!("{entity}.fraud_share({span})"),
                Formula::Ratio(fraud, count),
            );
        }
        for length in [DAY, 3 * DAY, 7 * DAY, 30 * DAY] {
            let known = WindowSpec::between(entity, Aggregate::Count, 0, length);
            self.window(known.filtered(frauds), "frauds_known");
        }
        let since = WindowSpec::since_previous(entity).filtered(frauds);
        self.window(since, "since_known");
        self.told(entity);
        for (newer, older) in [(14, 21), (21, 28), (28, 42)] {
            let ago = WindowSpec::between(entity, Aggregate::Count, newer * DAY, older * DAY);
            self.window(ago.filtered(frauds), "frauds_ago");
        }
        for place in 1..=DUE {
            let age = Aggregate::Earlier(place, Part::Age);
            let due = WindowSpec::between(entity, age, delay, DUE_REACH);
            let name = format!("{entity}.due_fraud{place}/due{place}({})", span_of(&due));
            let (any, fraud) = (self.place(due), self.place(due.filtered(frauds)));
            self.add(name, Formula::Ratio(fraud, any));
        }
    }

    /// The amounts of the known frauds of a place.
    fn fraud_amounts(&mut self, place: EntityKind) {
        for (aggregate, name) in [
            (Aggregate::Min, "min_fraud"),
            (Aggregate::Avg, "avg_fraud"),
            (Aggregate::Max, "max_fraud"),
        ] {
            let known = WindowSpec::between(place, aggregate, 0, AMOUNTS_REACH);
            self.window(known.filtered(fraud()), name);
        }
    }

    /// What is known to be genuine, because an alert was looked at, and whether the last payments
    /// of which anything is known were frauds.
    fn told(&mut self, entity: EntityKind) {
        for length in [DAY, 7 * DAY] {
            let known = WindowSpec::between(entity, Aggregate::Count, 0, length);
            self.window(known.filtered(cleared()), "cleared");
        }
        let since = WindowSpec::since_previous(entity).filtered(cleared());
        self.window(since, "since_cleared");
        for place in 1..=TOLD {
            let age = Aggregate::Earlier(place, Part::Age);
            let known = WindowSpec::between(entity, age, 0, TOLD_REACH);
            let span = span_of(&known);
            let any = self.place(known.filtered(told()));
            let fraud = self.place(known.filtered(fraud()));
            let name = format!("{entity}.told_fraud{place}/told{place}({span})");
            self.add(name, Formula::Ratio(fraud, any));
        }
    }

    /// A number that is the value of a window.
    fn window(&mut self, window: WindowSpec, name: &str) {
        let name = format!("{}.{name}({})", window.entity, span_of(&window));
        let place = self.place(window);
        self.add(name, Formula::Window(place));
    }

    /// The place of a window; equal ones share it.
    fn place(&mut self, window: WindowSpec) -> usize {
        let known = self.windows.iter().position(|other| *other == window);
        known.unwrap_or_else(|| {
            self.windows.push(window);
            self.windows.len() - 1
        })
    }

    fn add(&mut self, name: impl Into<String>, formula: Formula) {
        self.names.push(name.into());
        self.formulas.push(formula);
    }
}

/// What is known to be fraud.
fn fraud() -> Filter {
    let verdicts = [LabelVerdict::Fraud, LabelVerdict::Chargeback];
    labelled(verdicts.into_iter().map(Some))
}

/// What is not known to be fraud.
fn not_fraud() -> Filter {
    labelled([None, Some(LabelVerdict::Genuine)].into_iter())
}

/// What is known to be genuine.
fn cleared() -> Filter {
    labelled([Some(LabelVerdict::Genuine)].into_iter())
}

/// What anything is known of.
fn told() -> Filter {
    use LabelVerdict::{Chargeback, Fraud, Genuine};
    labelled([Fraud, Chargeback, Genuine].map(Some).into_iter())
}

fn labelled(labels: impl Iterator<Item = Option<LabelVerdict>>) -> Filter {
    Filter {
        labels: Some(labels.collect()),
        ..Filter::default()
    }
}

impl Formula {
    fn of(&self, event: &FeatureEvent, values: &[Value]) -> f64 {
        let value = |place: &usize| match values[*place] {
            Value::Duration(micros) => micros as f64 / SECOND as f64,
            value => value.number().map_or(f64::NAN, |number| number as f64),
        };
        let amount = event.amount.map_or(f64::NAN, |amount| amount as f64);
        match self {
            Self::Amount => amount,
            Self::Hour => (event.at.rem_euclid(DAY) / MINUTE) as f64 / 60.0,
            // The first day of 1970 was a Thursday.
            Self::Weekday => (event.at.div_euclid(DAY) + 3).rem_euclid(7) as f64,
            Self::Mcc => named(event.mcc),
            Self::Country => named(event.country),
            Self::Window(place) => value(place),
            Self::Ratio(one, other) => over(value(one), value(other)),
            Self::AmountOver(place) => over(amount, value(place)),
            Self::Deviations { mean, deviation } => over(amount - value(mean), value(deviation)),
            Self::Spikes { earlier, mean } => {
                let limit = SPIKE * value(mean);
                if limit.is_nan() {
                    return f64::NAN;
                }
                earlier.iter().filter(|place| value(place) > limit).count() as f64
            }
        }
    }
}

/// The number of something; missing where there is none.
fn named(number: u16) -> f64 {
    match number {
        0 => f64::NAN,
        number => f64::from(number),
    }
}

/// A quotient; missing where it would be by nothing.
fn over(one: f64, other: f64) -> f64 {
    if other == 0.0 { f64::NAN } else { one / other }
}

/// `7d..14d`, or `1h` for a window that ends now.
fn span_of(window: &WindowSpec) -> String {
    if window.newer == 0 {
        return length(window.older);
    }
    format!("{}..{}", length(window.newer), length(window.older))
}

fn length(micros: i64) -> String {
    match micros {
        0 => "0d".into(),
        _ if micros % DAY == 0 => format!("{}d", micros / DAY),
        _ if micros % HOUR == 0 => format!("{}h", micros / HOUR),
        _ => format!("{}s", micros / SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{EventKind, Outcome, Timestamp};
    use paywarden_features::{Limits, Replay};

    /// The numbers of the last of some payments (day, amount) of one customer at one terminal, of
    /// which the first is known to be fraud after a week.
    fn last(payments: &[(f64, i64)]) -> impl Fn(&str) -> f64 + use<> {
        last_of(payments, &[(0, 7.0, LabelVerdict::Fraud)])
    }

    /// The same where it is known of some payments, by place, what they were, so many days after.
    fn last_of(
        payments: &[(f64, i64)],
        labels: &[(usize, f64, LabelVerdict)],
    ) -> impl Fn(&str) -> f64 + use<> {
        let recipe = Recipe::payments(EntityKind::Customer, EntityKind::Terminal, 7 * DAY);
        let mut replay = Replay::new(Limits::default(), recipe.windows()).unwrap();
        let (mut values, mut row) = (Vec::new(), Vec::new());
        for (place, (day, amount)) in payments.iter().enumerate() {
            let mut event = FeatureEvent::new(EventKind::PaymentCard, (day * DAY as f64) as i64);
            event.amount = Some(*amount);
            event.entities[EntityKind::Customer as usize] = 1;
            event.entities[EntityKind::Terminal as usize] = 2;
            let now = Timestamp::from_micros(event.at);
            let number = place as u64 + 1;
            for (_, days, verdict) in labels.iter().filter(|label| label.0 == place) {
                let known = event.at + (days * DAY as f64) as i64;
                replay.label(Timestamp::from_micros(known), number, *verdict);
            }
            replay
                .decide(now, number, &event, Outcome::Approve, &mut values)
                .unwrap();
            recipe.fill(&event, &values, &mut row).unwrap();
        }
        let names = recipe.names().to_vec();
        move |name| row[names.iter().position(|other| other == name).expect(name)]
    }

    #[test]
    fn numbers_are_what_their_names_say() {
        let number = last(&[
            (0.0, 1_000),
            (1.0, 3_000),
            (20.0, 9_000),
            (24.0, 4_000),
            (24.5, 8_000),
        ]);
        let expected = [
            ("amount", 8_000.0),
            ("hour", 12.0),
            ("weekday", 6.0),
            ("customer.count(1d)", 2.0),
            ("customer.sum(1d)", 12_000.0),
            ("customer.since_previous(90d)", 43_200.0),
            ("customer.avg(14d..44d)", 2_000.0),
            ("amount/customer.avg(14d..44d)", 4.0),
            ("amount/customer.max(14d..44d)", 8_000.0 / 3_000.0),
            ("customer.deviations(14d..44d)", 6_000.0 / 1_414.0),
            ("customer.max(0d..14d)/avg(14d..44d)", 4.5),
            ("customer.spikes(14d)", 1.0),
            ("customer.spikes(3d)", 0.0),
            ("terminal.frauds(7d..35d)", 1.0),
            ("terminal.fraud_share(7d..35d)", 0.5),
            ("terminal.frauds(7d..14d)", 0.0),
            ("terminal.frauds_known(30d)", 1.0),
            ("terminal.since_known(90d)", 24.5 * 86_400.0),
            ("terminal.frauds_ago(21d..28d)", 1.0),
            ("terminal.frauds_ago(14d..21d)", 0.0),
            ("terminal.due_fraud1/due1(7d..90d)", 24.5 / 23.5),
            ("amount/customer.clean_avg(90d)", 8_000.0 / 5_333.0),
            ("customer.clean_deviations(90d)", 2_667.0 / 3_215.0),
        ];
        for (name, value) in expected {
            assert!(
                (number(name) - value).abs() < 1e-9,
                "{name}: {}",
                number(name)
            );
        }
        assert!(number("terminal.fraud_share(7d..14d)").is_nan());
    }

    #[test]
    fn an_alert_that_was_looked_at_in_vain_ends_a_row_of_frauds() {
        use LabelVerdict::{Fraud, Genuine};
        let payments: Vec<(f64, i64)> = (0..6).map(|day| (f64::from(day), 1_000)).collect();
        let told = [(1, 0.1, Fraud), (2, 0.1, Fraud), (3, 0.1, Genuine)];
        let expected = [
            // The last of which anything is known was cleared two days ago, the last fraud was three
            // days ago and the one before it four.
            (5, 1.0, 2.0, 3.0 / 2.0, 4.0 / 3.0),
            // A day earlier the one that was cleared is a day old.
            (4, 1.0, 1.0, 2.0, 3.0 / 2.0),
            // And before it was looked at, all of which anything was known were frauds.
            (3, 0.0, f64::NAN, 1.0, 1.0),
        ];
        for (day, cleared, days_since, first, second) in expected {
            let number = last_of(&payments[..=day], &told);
            let found = [
                number("terminal.cleared(7d)"),
                number("terminal.since_cleared(90d)") / 86_400.0,
                number("terminal.told_fraud1/told1(30d)"),
                number("customer.told_fraud2/told2(30d)"),
            ];
            for (found, expected) in found.iter().zip([cleared, days_since, first, second]) {
                let is_it = (found - expected).abs() < 1e-9 || found.is_nan() && expected.is_nan();
                assert!(is_it, "day {day}: {found} is not {expected}");
            }
        }
    }

    /// What rules say of a payment changes no number that a model reads of it or of later ones, so
    /// that rules may read scores.
    #[test]
    fn no_window_asks_for_what_rules_said() {
        let recipe = Recipe::payments(EntityKind::Customer, EntityKind::Terminal, 7 * DAY);
        let asks = |window: &WindowSpec| {
            let earlier = matches!(window.aggregate, Aggregate::Earlier(_, Part::Outcome));
            window.filter.outcomes.is_some() || earlier
        };
        assert!(!recipe.windows().iter().any(asks));
    }

    #[test]
    fn the_first_payment_has_no_past_and_a_fraud_is_not_known_before_its_time() {
        let number = last(&[(0.0, 1_000)]);
        assert!(number("amount/customer.avg(14d..44d)").is_nan());
        assert!(number("customer.spikes(14d)").is_nan());
        assert!(number("terminal.fraud_share(7d..35d)").is_nan());
        let number = last(&[(0.0, 1_000), (6.99, 1_000)]);
        assert!(number("terminal.frauds_known(30d)").abs() < 0.5);
        let number = last(&[(0.0, 1_000), (7.0, 1_000)]);
        assert!((number("terminal.frauds_known(30d)") - 1.0).abs() < 0.5);
    }

    #[test]
    fn names_differ_with_the_delay_and_between_themselves() {
        let recipe = |delay| Recipe::payments(EntityKind::Card, EntityKind::Merchant, delay);
        assert_ne!(recipe(DAY).names(), recipe(7 * DAY).names());
        let mut names = recipe(DAY).names().to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), recipe(DAY).names().len());
    }
}
