//! What the tests share: a rule set of one rule.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod generate;

use paywarden_domain::{Currency, Engine};
use paywarden_rules::{
    Diagnostic, Pack, Rates, RuleSet, Schema, compile,
    pack::{OnFault, ReasonSource, RuleSource, Stage},
};

/// US dollars, with rates for euro and yen.
pub fn rates() -> Rates {
    let currency = |code| Currency::parse(code).unwrap();
    let rates = Rates::new(currency("USD"))
        .with(currency("EUR"), "1.10")
        .unwrap();
    rates.with(currency("JPY"), "1/150").unwrap()
}

/// A pack with one live rule per condition.
pub fn pack(conditions: &[String]) -> Pack {
    let rule = |(number, when): (usize, &String)| RuleSource {
        line: 1,
        id: format!("rule_{number}"),
        title: String::new(),
        title_zh: None,
        engine: Engine::Fraud,
        when: when.clone(),
        parts: Vec::new(),
        score: 100,
        action: None,
        hold_minutes: None,
        reason: ReasonSource {
            code: "test".to_owned(),
            text: "test".to_owned(),
        },
        warning: None,
        stage: Stage::Live,
        on_fault: OnFault::Open,
        source: "test".to_owned(),
        false_positives: None,
        examples: Vec::new(),
    };
    Pack {
        file: String::new(),
        id: "test".to_owned(),
        title: String::new(),
        description: String::new(),
        schema: &Schema::PAYMENTS,
        uses: Vec::new(),
        definitions: Vec::new(),
        rules: conditions.iter().enumerate().map(rule).collect(),
    }
}

/// A rule set of one rule.
pub fn rule_set(when: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    compile(&[pack(&[when.to_owned()])], &rates(), "test")
}
