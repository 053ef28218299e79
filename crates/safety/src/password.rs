//! How strong a password is, what is wrong with it, and which rules it meets.

mod breached;
mod keyboard;
mod number;
mod person;
mod pinyin;
mod profile;
mod shape;
mod strength;
mod text;

pub use breached::{Breached, BuildError, LoadError};
pub use person::Person;
pub use profile::{Profile, Requirement, Rule};

use serde::Serialize;
use text::Text;
use utoipa::ToSchema;

/// The longest password that is assessed whole, in characters. What lies behind is not looked at,
/// which never makes a password look stronger than it is.
pub const LENGTH_MAX: usize = 128;

/// What makes a part of a password easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Characters that follow each other: `1234`, `dcba`.
    Run,
    /// The same again: `aaa`, `1212`.
    Repeat,
    /// Neighbours on a keyboard or number pad: `qwer`, `1qaz`, `147`.
    KeyboardWalk,
    /// A calendar date of the last hundred years.
    Date,
    /// A Chinese mobile number: eleven digits.
    MobileNumber,
    /// A Chinese resident identity number, its check digit right (GB 11643-1999).
    IdNumber,
    /// Mandarin written in Latin letters.
    Pinyin,
    /// A number that sounds like something: `520`, `1314`, `888`.
    LuckyNumber,
    /// A word or password out of the lists that every attacker tries first.
    Common,
    /// Part of what is known about the person: name, initials, phone, e-mail, birth date, identity
    /// number, company.
    Personal,
}

/// One guessable part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// What it is.
    pub pattern: Pattern,
    /// Its first character, counted from 0.
    pub start: usize,
    /// The character behind its last.
    pub end: usize,
    /// Decimal logarithm of the guesses that an attacker needs for this part alone.
    #[serde(skip)]
    pub guesses_log10: f64,
}

/// What is asked about a password. Not printable, because of what it holds.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The password.
    pub password: &'a str,
    /// What an attacker may know about the person.
    pub person: &'a Person,
    /// Which rules to hold it against.
    pub profile: &'static Profile,
    /// Whether another factor is asked for beside it.
    pub with_second_factor: bool,
    /// Passwords known from breaches, if a list was loaded.
    pub breached: Option<&'a Breached>,
}

/// Whether a rule is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// It is.
    Yes,
    /// It is not: the password is refused.
    No,
    /// The password alone cannot tell: it speaks of the past or the future, or of a list that was
    /// not loaded.
    NotChecked,
}

/// A rule and whether the password meets it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Checked {
    /// The rule, with the text that asks for it.
    #[schema(value_type = Rule)]
    pub rule: &'static Rule,
    /// The answer.
    pub met: Met,
}

/// What is to be said about a password.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Assessment {
    /// Whether every rule that could be checked is met.
    pub acceptable: bool,
    /// 0 to 4: below 10^3, 10^6, 10^8, 10^10 guesses, or beyond, as zxcvbn counts (Wheeler, USENIX
    /// Security 2016).
    pub score: u8,
    /// Decimal logarithm of the guesses that it withstands, to one tenth.
    pub guesses_log10: f64,
    /// What is guessable in it, in order of place.
    pub findings: Vec<Finding>,
    /// Every rule of the profile.
    pub rules: Vec<Checked>,
}

/// Assesses a password. Takes up to a millisecond, the first time some more.
///
/// ```
/// use paywarden_safety::password::{Person, Profile, Question, assess};
///
/// let question = Question {
///     password: "woaini1314",
///     person: &Person::default(),
///     profile: Profile::find("page").ok_or("no such profile")?,
///     with_second_factor: true,
///     breached: None,
/// };
/// let assessment = assess(question);
/// assert!(!assessment.acceptable);
/// assert_eq!(assessment.score, 1);
/// # Ok::<(), &str>(())
/// ```
pub fn assess(question: Question<'_>) -> Assessment {
    let text = Text::new(question.password);
    let known = question.person.tokens();
    let mut findings = Vec::new();
    shape::find(&text, &mut findings);
    keyboard::find(&text, &mut findings);
    number::find(&text, &mut findings);
    pinyin::find(&text, &mut findings);
    person::find(&text, &known, &mut findings);
    let common = strength::common(question.password, &known);
    findings.extend(&common.findings);
    let guesses_log10 = strength::guesses_log10(text.len(), &findings).min(common.guesses_log10);
    let findings = telling(findings);
    let score = strength::score(guesses_log10);
    let facts = profile::Facts {
        question: &question,
        text: &text,
        findings: &findings,
        score,
    };
    let rules: Vec<Checked> = question
        .profile
        .rules
        .iter()
        .map(|rule| Checked {
            rule,
            met: facts.met(rule.requirement),
        })
        .collect();
    Assessment {
        acceptable: rules.iter().all(|checked| checked.met != Met::No),
        score,
        guesses_log10: (guesses_log10.max(0.0) * 10.0).round() / 10.0,
        findings,
        rules,
    }
}

/// The findings worth telling: those that lie in no other one of their own kind.
fn telling(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.start, std::cmp::Reverse(finding.end)));
    let mut told: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let within = told.iter().any(|other| {
            other.pattern == finding.pattern
                && other.start <= finding.start
                && finding.end <= other.end
        });
        if !within {
            told.push(finding);
        }
    }
    told
}
