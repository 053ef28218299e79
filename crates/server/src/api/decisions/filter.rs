//! Which decisions are asked for: by single parameters, and by a line of terms that people type.
//!
//! A line is terms with blanks between, all of which have to hold:
//! `outcome:decline,hold type:payout score>=600 amount>=500EUR amount<900EUR since:24h payment:p-17
//! rule:mule_account.fan_in card:6c1f0a9be27d4853`.

use crate::{
    api::{
        entities::pseudonym,
        query::{Query, invalid},
    },
    edge::Problem,
};
use paywarden_domain::{
    Currency, EventKind, Money, Outcome, PaymentId, Timestamp,
    time::{DAY, HOUR, MINUTE},
};
use paywarden_risk::{DecisionQuery, Mention, entity::EntityKind};
use paywarden_store::DecisionFilter;

/// The parameter that holds a line of terms.
const LINE: &str = "q";
/// The most bytes of it.
const LINE_BYTES_MAX: usize = 512;
/// The most terms of it.
const TERMS_MAX: usize = 24;
/// The parameters that say which decisions are asked for.
pub(crate) const FILTERS: [&str; 6] = ["outcome", "type", "payment_id", "from", "to", LINE];

/// The most rules and entities of it.
const MENTIONS_MAX: usize = 24;
/// The longest name of a rule.
const RULE_BYTES_MAX: usize = 128;

const EXPECTED: &str = "terms are outcome:…, type:…, payment:…, score>=0, amount>=1.00EUR, \
    since:24h, from:…, to:…, rule:pack.rule, and card:… or another kind of entity with its \
    pseudonym of 16 hexadecimal digits";

/// What the parameters of a query ask for.
pub(crate) fn read(query: &Query<'_>, now: Timestamp) -> Result<DecisionQuery, Problem> {
    let time = |text: &str| Timestamp::parse(text).ok();
    let outcomes = query.read("outcome", "not an outcome", |text| {
        each(text, Outcome::parse)
    })?;
    let kinds = query.read("type", "not a kind of event", |text| {
        each(text, EventKind::parse)
    })?;
    let filter = DecisionFilter {
        outcomes: outcomes.unwrap_or_default(),
        kinds: kinds.unwrap_or_default(),
        payment_id: query.read("payment_id", "not an identifier", |text| {
            PaymentId::parse(text).ok()
        })?,
        from: query.read("from", "write a time as RFC 3339", time)?,
        to: query.read("to", "write a time as RFC 3339", time)?,
        ..DecisionFilter::default()
    };
    let line = query.find(LINE).unwrap_or_default();
    let terms: Vec<&str> = line.split_whitespace().collect();
    if line.len() > LINE_BYTES_MAX || terms.len() > TERMS_MAX {
        return Err(invalid(LINE, "at most 24 terms in 512 bytes"));
    }
    let mut asked = DecisionQuery {
        filter,
        ..DecisionQuery::default()
    };
    for term in terms {
        match mentions(term) {
            Some(any) => asked.mentions.push(any),
            None => narrow(&mut asked.filter, term, now).ok_or_else(|| invalid(LINE, EXPECTED))?,
        }
    }
    match asked.mentions.iter().flatten().count() <= MENTIONS_MAX {
        true => Ok(asked),
        false => Err(invalid(LINE, "at most 24 rules and entities")),
    }
}

/// The rules or entities of which a term wants one; nothing where it wants something else.
fn mentions(term: &str) -> Option<Vec<Mention>> {
    let (name, values) = term.split_once(':')?;
    if name == "rule" {
        return each(values, |rule| {
            is_rule(rule).then(|| Mention::Rule(rule.to_owned()))
        });
    }
    let kind = EntityKind::parse(name)?;
    each(values, |hash| Some(Mention::Entity(kind, pseudonym(hash)?)))
}

/// Whether this may name a rule.
fn is_rule(text: &str) -> bool {
    let is_word = |word: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !word.is_empty() && word.bytes().all(plain)
    };
    let words = text.split_once('.');
    text.len() <= RULE_BYTES_MAX && words.is_some_and(|(pack, rule)| is_word(pack) && is_word(rule))
}

/// Narrows a filter by one more term; nothing where it is none.
fn narrow(filter: &mut DecisionFilter, term: &str, now: Timestamp) -> Option<()> {
    let place = term.find([':', '<', '>', '='])?;
    let (name, rest) = term.split_at_checked(place)?;
    let digits = rest.trim_start_matches([':', '<', '>', '=']);
    let sign = rest.strip_suffix(digits)?;
    match (name, sign) {
        ("outcome", ":") => keep(&mut filter.outcomes, each(digits, Outcome::parse)?),
        ("type", ":") => keep(&mut filter.kinds, each(digits, EventKind::parse)?),
        ("payment", ":") => filter.payment_id = Some(PaymentId::parse(digits).ok()?),
        ("from", ":") => filter.from = filter.from.max(Some(Timestamp::parse(digits).ok()?)),
        ("since", ":") => {
            let since = Timestamp::from_micros(now.micros().saturating_sub(span(digits)?));
            filter.from = filter.from.max(Some(since));
        }
        ("to", ":") => {
            let to = Timestamp::parse(digits).ok()?;
            filter.to = Some(filter.to.map_or(to, |known| known.min(to)));
        }
        ("score", ">" | ">=") => {
            let least: u16 = digits.parse().ok()?;
            let least = least.checked_add(u16::from(sign == ">"))?;
            filter.score_min = filter.score_min.max(Some(least));
        }
        ("amount", _) => {
            let (from, to) = (i64::MIN, i64::MAX);
            let Money { minor, currency } = money(digits)?;
            let (from, to) = match sign {
                "=" => (minor, minor),
                ">=" => (minor, to),
                ">" => (minor.checked_add(1)?, to),
                "<=" => (from, minor),
                "<" => (from, minor.checked_sub(1)?),
                _ => return None,
            };
            let (_, least, most) = match filter.amount {
                Some(known) if known.0 != currency => return None,
                known => known.unwrap_or((currency, i64::MIN, i64::MAX)),
            };
            filter.amount = Some((currency, least.max(from), most.min(to)));
        }
        _ => return None,
    }
    Some(())
}

/// Names with commas between.
fn each<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(parse).collect()
}

/// Keeps of what was wanted what is wanted still; what would leave nothing asks for the new alone.
fn keep<T: PartialEq>(wanted: &mut Vec<T>, still: Vec<T>) {
    wanted.retain(|one| still.contains(one));
    if wanted.is_empty() {
        *wanted = still;
    }
}

/// `90m`, `24h`, `7d`, in microseconds.
fn span(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let unit = match unit {
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    (count > 0).then(|| count.checked_mul(unit)).flatten()
}

/// `12.50EUR`.
fn money(text: &str) -> Option<Money> {
    let place = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (amount, currency) = text.split_at_checked(place)?;
    let currency = Currency::parse(&currency.to_ascii_uppercase()).ok()?;
    Money::parse(amount, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Code;

    const NOW: Timestamp = Timestamp::from_micros(10 * DAY);

    fn asked(line: &str) -> Result<DecisionFilter, Code> {
        all_asked(line).map(|asked| asked.filter)
    }

    fn all_asked(line: &str) -> Result<DecisionQuery, Code> {
        let text = form_urlencoded::Serializer::new(String::new())
            .append_pair(LINE, line)
            .finish();
        let query = Query::parse(&text, &FILTERS).unwrap();
        read(&query, NOW).map_err(|problem| problem.code())
    }

    #[test]
    fn a_line_says_all_that_has_to_hold() {
        let eur = Currency::parse("EUR").unwrap();
        let line = "outcome:decline,hold type:payout score>=600 since:24h \
            amount>=500EUR amount<900.50eur payment:p-17";
        let expected = DecisionFilter {
            outcomes: vec![Outcome::Decline, Outcome::Hold],
            kinds: vec![EventKind::Payout],
            payment_id: Some(PaymentId::parse("p-17").unwrap()),
            from: Some(Timestamp::from_micros(9 * DAY)),
            score_min: Some(600),
            amount: Some((eur, 50_000, 90_049)),
            ..DecisionFilter::default()
        };
        assert_eq!(asked(line), Ok(expected));
        assert_eq!(asked("  "), Ok(DecisionFilter::default()));
        assert_eq!(asked("score>600").unwrap().score_min, Some(601));
    }

    #[test]
    fn terms_narrow_each_other() {
        let both = asked("since:1h since:2h score>=300 score>=200").unwrap();
        assert_eq!(both.from, Some(Timestamp::from_micros(10 * DAY - HOUR)));
        assert_eq!(both.score_min, Some(300));
        let both = asked("outcome:hold,decline outcome:decline").unwrap();
        assert_eq!(both.outcomes, [Outcome::Decline]);
    }

    #[test]
    fn rules_and_entities_are_named() {
        let rule = |name: &str| Mention::Rule(name.to_owned());
        let line =
            "rule:mule.fan_in,test.line2 card:00000000000000ff payee:fedcba9876543210 score>5";
        let both = all_asked(line).unwrap();
        let expected = [
            vec![rule("mule.fan_in"), rule("test.line2")],
            vec![Mention::Entity(EntityKind::Card, 255)],
            vec![Mention::Entity(EntityKind::Payee, 0xfedc_ba98_7654_3210)],
        ];
        assert_eq!(both.mentions, expected);
        assert_eq!(both.filter.score_min, Some(6));
        let many = vec!["a.b"; 25].join(",");
        assert_eq!(
            all_asked(&format!("rule:{many}")),
            Err(Code::ParameterInvalid)
        );
        assert!(all_asked(&format!("rule:{}", &many[4..])).is_ok());
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for line in [
            "rule:",
            "rule:mule",
            "rule:.fan_in",
            "rule:mule.",
            "rule:mule.fan_in,",
            "rule:Mule.fan_in",
            "rule:mule.fan_in'--",
            "rule:a.b.c",
            "rule=a.b",
            "card:",
            "card:4111111111111111111",
            "card:0000000000000000",
            "card:00000000000000FF",
            "card:00000000000000f",
            "customer:c-42",
            "entity:00000000000000ff",
            "decline",
            "outcome:",
            "outcome:no",
            "type=payout",
            "score<5",
            "score>=x",
            "amount>5",
            "amount>=1EUR amount<5USD",
            "since:5y",
            "since:0d",
            "from:today",
            "amount~5EUR",
            "score>=70000",
            "score>65535",
            "payment:",
            "é:1",
            "since:9999999999999d",
        ] {
            assert_eq!(asked(line), Err(Code::ParameterInvalid), "{line}");
        }
        assert_eq!(asked(&"score>1 ".repeat(25)), Err(Code::ParameterInvalid));
        assert_eq!(asked(&"x".repeat(513)), Err(Code::ParameterInvalid));
    }
}
