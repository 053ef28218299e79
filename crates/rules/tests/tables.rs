//! Decision tables, scorecards and named expressions: what they become, and what is said of wrong
//! ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_rules::{Diagnostic, Pack, RuleSet, canonical_source, check_examples, compile};

const COMMON: &str = r#"
pack: common
title: Names for all packs
define:
  is_remote: event.channel in ["web", "mobile_app", "api"]
  small: money("5.00", "USD")
"#;

const FORMS: &str = r#"
pack: forms
title: Forms
use: [common]
define:
  remote_card: is_remote && event.type == "payment.card"
rules:
  - id: named
    title: Small remote card payment
    engine: fraud
    when: remote_card && payment.amount_base < small
    score: 10
    reason: { code: small, text: Small }
    source: names may name names
    examples:
      - hit: true
        given: { event.channel: web, event.type: payment.card, payment.amount_base: 1.00 USD }
      - hit: false
        given: { event.channel: pos, event.type: payment.card, payment.amount_base: 1.00 USD }
tables:
  - id: daily_sum
    title: Daily sum by segment
    engine: laundering
    when: event.type == "payment.transfer"
    inputs:
      kyc: payer.kyc_level == ?
      country: payee.country in ?
      limit: account.sum("24h") > ?
    score: 200
    reason: { code: daily_sum, text: More than usual for the segment }
    source: each segment has its own limit
    rows:
      - { id: basic_cn, kyc: 1, country: '["CN"]', limit: 'money("500.00", "USD")', score: 250 }
      - { id: any_full, kyc: 2, country: "-", limit: 'money("5000.00", "USD")' }
      - { id: held, kyc: "event.hour > 6 ? 0 : 1", country: "-", limit: small, action: hold, hold_minutes: 5 }
    examples:
      - hit: true
        row: basic_cn
        name: above
        given: { event.type: payment.transfer, payer.kyc_level: 1, payee.country: CN, 'account.sum("24h")': 501.00 USD }
      - hit: false
        row: basic_cn
        name: elsewhere
        given: { event.type: payment.transfer, payer.kyc_level: 1, payee.country: DE, 'account.sum("24h")': 501.00 USD }
      - hit: true
        row: any_full
        name: wherever
        given: { event.type: payment.transfer, payer.kyc_level: 2, 'account.sum("24h")': 5001.00 USD }
scorecards:
  - id: new_account
    title: New account
    engine: fraud
    when: is_remote || event.type == "login"
    threshold: 50
    characteristics:
      - { id: young, if: account.age < duration("30d"), points: 40 }
      - { id: free_mail, if: 'payer.email_domain in lists.free_mail', points: 25, missing: 10 }
      - { id: known, if: payer.kyc_level >= 2 || payer.is_company, points: -30 }
    score: 150
    reason: { code: new_account, text: Young }
    source: signs that add up
    examples:
      - hit: true
        name: no address is worth ten
        given: { event.channel: web, account.age: 2d }
      - hit: false
        name: an address of his own is worth nothing
        given: { event.channel: web, account.age: 2d, payer.email_domain: own.example }
      - hit: false
        name: due diligence outweighs
        given: { event.channel: web, account.age: 2d, payer.email_domain: free.example, lists.free_mail: true, payer.kyc_level: 3 }
"#;

fn built(yaml: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    let packs = [
        Pack::parse("common.yaml", COMMON)?,
        Pack::parse("forms.yaml", yaml)?,
    ];
    compile(&packs, &support::rates(), "test")
}

fn report(yaml: &str) -> String {
    let problems = built(yaml).map_or_else(|problems| problems, |rules| check_examples(&rules));
    let texts: Vec<String> = problems.iter().map(Diagnostic::render).collect();
    texts.join("\n\n")
}

#[test]
fn forms_become_rules() {
    assert_eq!(report(FORMS), "");
    let rules = built(FORMS).unwrap();
    let shown: Vec<String> = rules
        .rules()
        .iter()
        .map(|rule| format!("{} [{}]\n  {}", rule.id, rule.score, rule.when))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn an_example_is_tried_on_its_own_row() {
    let text = report(&FORMS.replace("payee.country: DE", "payee.country: CN"));
    insta::assert_snapshot!(text, @r#"
    error[example_failed]: example "elsewhere": the rule should stay silent, but it fires
      --> forms.yaml:33 rule forms.daily_sum.basic_cn
      = hint: event.type = "payment.transfer", payer.kyc_level = 1, payee.country = "CN", account.sum("24h") = 501.00 USD
    "#);
}

#[test]
fn mistakes_point_into_the_cell_the_template_or_the_definition() {
    let cases = [
        ("kyc: 1,", "kyc: '\"one\"',"),
        ("kyc: 1,", "kyc: '1 +',"),
        ("payer.kyc_level == ?", "payer.kyc_levl == ?"),
        ("payer.kyc_level == ?", "payer.kyc_level =="),
        ("payee.country in ?", "payee.country in ? &&"),
        ("is_remote && event.type", "is_remote && event.typ"),
        ("payment.amount_base < small", "payment.amount_base < smal"),
        (
            "if: account.age < duration(\"30d\")",
            "if: account.age < 30",
        ),
        ("payment.amount_base < small", "payment.amount < small"),
    ];
    let reports = cases.map(|(right, wrong)| report(&FORMS.replacen(right, wrong, 1)));
    insta::assert_snapshot!(reports.join("\n\n----\n"));
}

#[test]
fn tables_and_scorecards_say_what_they_lack() {
    let cases = [
        (", limit: 'money(\"500.00\", \"USD\")', score: 250", ""),
        ("limit: small", "limits: small"),
        ("row: any_full", "row: any_ful"),
        ("    score: 200\n", ""),
        ("kyc: payer.kyc_level", "score: payer.kyc_level"),
        ("threshold: 50", "threshold: 90"),
        ("id: free_mail", "id: young"),
        ("action: hold, hold_minutes: 5", "action: hold"),
        ("hit: true\n        row", "hit: false\n        row"),
    ];
    let mut reports = cases.map(|(right, wrong)| {
        let changed = FORMS.replace(right, wrong);
        assert_ne!(changed, FORMS, "{right}");
        report(&changed)
    });
    reports.sort();
    insta::assert_snapshot!(reports.join("\n\n----\n"));
}

#[test]
fn definitions_that_mean_nothing_are_refused() {
    let define = "  remote_card: is_remote && event.type == \"payment.card\"\n";
    let cases = [
        "  remote_card: remote_card && device.rooted\n",
        "  remote_card: other || device.rooted\n  other: third\n  third: '!remote_card'\n",
        "  remote_card: device.rooted\n  payer: device.rooted\n",
        "  remote_card: device.rooted\n  small: device.rooted\n",
        "  remote_card: device.rooted\n  Remote: device.rooted\n",
        "  remote_card: device.rooted &&\n",
    ];
    let mut reports: Vec<String> = cases
        .iter()
        .map(|wrong| report(&FORMS.replace(define, wrong)))
        .collect();
    reports.push(report(&FORMS.replace("use: [common]", "use: [comon]")));
    insta::assert_snapshot!(reports.join("\n\n----\n"));
}

#[test]
fn definitions_that_double_again_and_again_are_refused() {
    let mut define = "  remote_card: d0\n  d0: device.rooted && device.emulator\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        define.push_str(&format!(
            "  d{level}: d{below} || (d{below} && device.rooted)\n"
        ));
    }
    let define = define.replace("remote_card: d0", "remote_card: d39");
    let text = report(&FORMS.replace(
        "  remote_card: is_remote && event.type == \"payment.card\"\n",
        &define,
    ));
    assert!(
        text.contains("error[too_long]: with its names replaced"),
        "{text}"
    );
}

#[test]
fn a_definition_is_part_of_the_version() {
    let version = |common: &str| canonical_source(&[Pack::parse("common.yaml", common).unwrap()]);
    assert_ne!(version(COMMON), version(&COMMON.replace("5.00", "6.00")));
    assert_eq!(
        version(COMMON),
        version(&COMMON.replace("in [\"web\"", "in  ['web'"))
    );
}

#[test]
fn titles_in_chinese_go_with_rules_rows_and_scorecards_and_rules_without_them_stay_what_they_were()
{
    let zh = FORMS
        .replace(
            "    title: Small remote card payment\n",
            "    title: Small remote card payment\n    title_zh: 小额远程刷卡\n",
        )
        .replace(
            "    title: Daily sum by segment\n",
            "    title: Daily sum by segment\n    title_zh: 分群日累计\n",
        )
        .replace(
            "{ id: basic_cn,",
            "{ id: basic_cn, name_zh: 中国、基本核验,",
        )
        .replace(
            "    title: New account\n",
            "    title: New account\n    title_zh: 新账户\n",
        );
    let rules = built(&zh).unwrap();
    let title = |id: &str| rules.title(id).unwrap().title_zh;
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(title("forms.named"), said("小额远程刷卡"));
    assert_eq!(
        title("forms.daily_sum.basic_cn"),
        said("分群日累计：中国、基本核验")
    );
    assert_eq!(title("forms.daily_sum.any_full"), None);
    assert_eq!(title("forms.new_account"), said("新账户"));
    assert_eq!(rules.title("forms.new"), None);
    for (place, rule) in rules.rules().iter().enumerate() {
        assert_eq!(rules.place(&rule.id), Some(place));
    }
    // What is stored without them keeps its version; with them it is another one.
    let source = |yaml: &str| canonical_source(&[Pack::parse("forms.yaml", yaml).unwrap()]);
    let bare = source(FORMS);
    assert!(!bare.contains("title_zh"), "{bare}");
    assert_eq!(source(&zh).lines().count(), bare.lines().count() + 3 * 2);
}

#[test]
fn a_title_in_chinese_is_one_short_line_and_a_row_stands_behind_its_table() {
    let named = |title: &str| {
        FORMS.replace(
            "title: Small",
            &format!("title_zh: {title}\n    title: Small"),
        )
    };
    let long = "长".repeat(201);
    for title in ["''", "'  '", "\"一\\n二\"", &long] {
        let report = report(&named(title));
        assert!(
            report.contains("one line of 1 to 200 characters"),
            "{title}: {report}"
        );
    }
    assert_eq!(report(&named(&"长".repeat(200))), "");
    let row = FORMS.replace("{ id: basic_cn,", "{ id: basic_cn, name_zh: 中国,");
    let said = report(&row);
    assert!(
        said.contains("stands behind the `title_zh` of the table"),
        "{said}"
    );
}
