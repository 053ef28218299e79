//! Named sets of rules. The texts disagree, so each rule names the one that asks for it.

use super::{Finding, Met, Pattern, Question, text::Text};
use serde::Serialize;
use utoipa::ToSchema;

/// What a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Requirement {
    /// So many characters at least.
    Length {
        /// Where the password is the only factor.
        alone: usize,
        /// Where another factor is asked for as well.
        with_second_factor: usize,
    },
    /// So many of lower case, upper case, digits and others.
    Kinds {
        /// 1 to 4.
        min: usize,
    },
    /// At least one letter and one digit.
    LettersAndDigits,
    /// A score of at least so much.
    Score {
        /// 0 to 4.
        min: u8,
    },
    /// None of these patterns makes up half of it or more.
    NotMainly {
        /// The patterns.
        #[schema(value_type = Vec<Pattern>)]
        patterns: &'static [Pattern],
    },
    /// None of these patterns anywhere in it.
    Without {
        /// The patterns.
        #[schema(value_type = Vec<Pattern>)]
        patterns: &'static [Pattern],
    },
    /// In no list of passwords from breaches.
    NotBreached,
    /// None of the last ones; for whoever keeps the hashes.
    NotReused {
        /// How many earlier ones.
        last: u8,
    },
    /// Changed after so many days; for whoever keeps the date.
    Changed {
        /// Days.
        days: u16,
        /// Whether only where the password is the only factor.
        alone_only: bool,
    },
}

/// One rule of a profile.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Rule {
    /// Stable name.
    pub id: &'static str,
    /// What it asks for.
    pub requirement: Requirement,
    /// The text that asks for it.
    pub source: &'static str,
    /// What to tell the person, in English.
    pub en: &'static str,
    /// What to tell the person, in Chinese.
    pub zh: &'static str,
}

/// A named set of rules.
#[derive(Debug)]
pub struct Profile {
    /// Stable name.
    pub name: &'static str,
    /// The text that it follows.
    pub title: &'static str,
    /// Its rules, in reading order.
    pub rules: &'static [Rule],
}

impl Profile {
    /// Every profile.
    pub const ALL: &[Self] = &[NIST, PCI, MLPS_L3, PAGE];

    /// The profile with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }
}

const HABITS: &[Pattern] = &[
    Pattern::Run,
    Pattern::Repeat,
    Pattern::KeyboardWalk,
    Pattern::LuckyNumber,
];
const NUMBERS: &[Pattern] = &[Pattern::Date, Pattern::MobileNumber, Pattern::IdNumber];
const OWN: &[Pattern] = &[Pattern::Personal];

const STRONG: Rule = Rule {
    id: "strong",
    requirement: Requirement::Score { min: 3 },
    source: "Paywarden: a hundred million guesses, more than an attacker gets past a lock-out",
    en: "Make it longer or less predictable.",
    zh: "请增加长度,或减少可预测的内容。",
};
const NOT_BREACHED: Rule = Rule {
    id: "not_breached",
    requirement: Requirement::NotBreached,
    source: "NIST SP 800-63B-4 section 3.1.1.2: compare with a blocklist of breached passwords",
    en: "This password is known from a breach. Choose another one.",
    zh: "该密码已在泄露事件中出现,请更换。",
};

const NIST: Profile = Profile {
    name: "nist",
    title: "NIST SP 800-63B-4, August 2025",
    rules: &[
        Rule {
            id: "length",
            requirement: Requirement::Length {
                alone: 15,
                with_second_factor: 8,
            },
            source: "NIST SP 800-63B-4 section 3.1.1.2: 15 characters as the only factor, else 8",
            en: "Use at least 15 characters, or 8 together with a second factor.",
            zh: "至少 15 个字符;启用第二因素时至少 8 个。",
        },
        NOT_BREACHED,
        Rule {
            id: "not_context",
            requirement: Requirement::NotMainly {
                patterns: &[Pattern::Personal, Pattern::Common],
            },
            source: "NIST SP 800-63B-4 section 3.1.1.2: blocklist of dictionary and context words",
            en: "Do not build it from a common word, or from your name or the service's.",
            zh: "请勿使用常见词语、本人姓名或服务名称。",
        },
        STRONG,
    ],
};

const PCI: Profile = Profile {
    name: "pci",
    title: "PCI DSS 4.0.1, requirement 8.3",
    rules: &[
        Rule {
            id: "length",
            requirement: Requirement::Length {
                alone: 12,
                with_second_factor: 12,
            },
            source: "PCI DSS 4.0.1 requirement 8.3.6",
            en: "Use at least 12 characters.",
            zh: "至少 12 个字符。",
        },
        Rule {
            id: "letters_and_digits",
            requirement: Requirement::LettersAndDigits,
            source: "PCI DSS 4.0.1 requirement 8.3.6",
            en: "Use letters and digits.",
            zh: "须同时包含字母和数字。",
        },
        Rule {
            id: "not_reused",
            requirement: Requirement::NotReused { last: 4 },
            source: "PCI DSS 4.0.1 requirement 8.3.7",
            en: "Do not use one of your last four passwords.",
            zh: "不得与最近四次使用的密码相同。",
        },
        Rule {
            id: "changed",
            requirement: Requirement::Changed {
                days: 90,
                alone_only: true,
            },
            source: "PCI DSS 4.0.1 requirement 8.3.9: where a password is the only factor",
            en: "Change it every 90 days, unless a second factor is asked for.",
            zh: "仅使用密码登录时,每 90 天更换一次。",
        },
        NOT_BREACHED,
        STRONG,
    ],
};

const MLPS_L3: Profile = Profile {
    name: "mlps-l3",
    title: "GB/T 22239-2019 level 3, clause 8.1.4.1",
    rules: &[
        Rule {
            id: "length",
            requirement: Requirement::Length {
                alone: 8,
                with_second_factor: 8,
            },
            source: "GB/T 22239-2019 clause 8.1.4.1 a asks for complexity; 8 is our reading of it",
            en: "Use at least 8 characters.",
            zh: "至少 8 个字符。",
        },
        Rule {
            id: "kinds",
            requirement: Requirement::Kinds { min: 3 },
            source: "GB/T 22239-2019 clause 8.1.4.1 a asks for complexity; three is our reading",
            en: "Use three of: upper case, lower case, digits, other signs.",
            zh: "须包含大写字母、小写字母、数字、符号中的三类。",
        },
        Rule {
            id: "changed",
            requirement: Requirement::Changed {
                days: 90,
                alone_only: false,
            },
            source: "GB/T 22239-2019 clause 8.1.4.1 a: replaced regularly; 90 days is our reading",
            en: "Change it every 90 days.",
            zh: "每 90 天更换一次。",
        },
        Rule {
            id: "not_personal",
            requirement: Requirement::NotMainly { patterns: OWN },
            source: "GB/T 22239-2019 clause 8.1.4.1 a: not easily impersonated",
            en: "Do not build it from your own data.",
            zh: "请勿使用本人信息作为密码。",
        },
        NOT_BREACHED,
        STRONG,
    ],
};

const PAGE: Profile = Profile {
    name: "page",
    title: "The safety tips that payment companies give their customers",
    rules: &[
        Rule {
            id: "length",
            requirement: Requirement::Length {
                alone: 12,
                with_second_factor: 8,
            },
            source: "safety tips: use a strong password",
            en: "Use at least 12 characters, or 8 together with a second factor.",
            zh: "至少 12 个字符;启用第二因素时至少 8 个。",
        },
        Rule {
            id: "kinds",
            requirement: Requirement::Kinds { min: 3 },
            source: "safety tips: combine upper and lower case letters and numbers",
            en: "Combine upper case, lower case and digits.",
            zh: "请组合使用大写字母、小写字母和数字。",
        },
        Rule {
            id: "no_habits",
            requirement: Requirement::Without { patterns: HABITS },
            source: "safety tips: no continuous, repetitive or simple combinations of numbers",
            en: "Leave out rows like 1234 or qwer, repeats like 1212, and numbers like 520.",
            zh: "请勿使用连续、重复或简单的数字组合,如 1234、1212、520。",
        },
        Rule {
            id: "no_numbers",
            requirement: Requirement::Without { patterns: NUMBERS },
            source: "safety tips: no birthdays, phone numbers or ID numbers",
            en: "Leave out dates, phone numbers and ID numbers.",
            zh: "请勿使用生日、手机号或身份证号。",
        },
        Rule {
            id: "not_personal",
            requirement: Requirement::Without { patterns: OWN },
            source: "safety tips: no abbreviations and nothing that others know of you",
            en: "Leave out your name, initials and anything that others know of you.",
            zh: "请勿使用姓名、姓名缩写等他人知道的信息。",
        },
        Rule {
            id: "changed",
            requirement: Requirement::Changed {
                days: 180,
                alone_only: false,
            },
            source: "safety tips: change your password regularly; 180 days is our reading",
            en: "Change it every half a year.",
            zh: "每半年更换一次。",
        },
        NOT_BREACHED,
        STRONG,
    ],
};

/// What is known about a password when its rules are checked.
pub(super) struct Facts<'a> {
    pub question: &'a Question<'a>,
    pub text: &'a Text,
    pub findings: &'a [Finding],
    pub score: u8,
}

impl Facts<'_> {
    /// Whether a requirement is met.
    pub(super) fn met(&self, requirement: Requirement) -> Met {
        let met = match requirement {
            Requirement::Length {
                alone,
                with_second_factor,
            } => {
                let min = match self.question.with_second_factor {
                    true => with_second_factor,
                    false => alone,
                };
                self.question.password.chars().count() >= min
            }
            Requirement::Kinds { min } => self.kinds().iter().filter(|kind| **kind).count() >= min,
            Requirement::LettersAndDigits => {
                let [lower, upper, digit, _] = self.kinds();
                (lower || upper) && digit
            }
            Requirement::Score { min } => self.score >= min,
            Requirement::NotMainly { patterns } => {
                let mainly = |f: &Finding| (f.end - f.start) * 2 >= self.text.len();
                !self.of(patterns).any(mainly)
            }
            Requirement::Without { patterns } => self.of(patterns).next().is_none(),
            Requirement::NotBreached => match self.question.breached {
                Some(breached) => !breached.contains(self.question.password),
                None => return Met::NotChecked,
            },
            Requirement::NotReused { .. } => return Met::NotChecked,
            Requirement::Changed { alone_only, .. } => {
                if !(alone_only && self.question.with_second_factor) {
                    return Met::NotChecked;
                }
                true
            }
        };
        if met { Met::Yes } else { Met::No }
    }

    fn of(&self, patterns: &'static [Pattern]) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| patterns.contains(&finding.pattern))
    }

    /// Lower case, upper case, digits, others. Letters of scripts without case count as others.
    fn kinds(&self) -> [bool; 4] {
        let any = |of: fn(&char) -> bool| self.text.given.iter().any(of);
        [
            any(|c| c.is_lowercase()),
            any(|c| c.is_uppercase()),
            any(char::is_ascii_digit),
            any(|c| !c.is_lowercase() && !c.is_uppercase() && !c.is_ascii_digit()),
        ]
    }
}
