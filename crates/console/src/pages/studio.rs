//! The rule studio: one pack of a version, its rules by form or as text, and what each change does.
//!
//! Form and text are two views of one YAML pack: the API puts the fields of a rule into its text and
//! reads them out of it. Every button sends the whole form, so that the page works without script;
//! the module beside it asks the same routes on each pause.

mod effect;
mod form;
mod problems;

use super::rules;
use crate::{
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    refused::{self, Refused},
    risks,
    visit::{Visit, address, encoded},
    word::{Language, words},
};
use effect::Glance;
use form::Rule;
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_server::pages::Form;
use problems::Problem;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/studio",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::PEN,
        key: 'e',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

/// Words of the parts beside this file.
pub(crate) const MORE_WORDS: [&[crate::word::Word]; 3] =
    [form::WORDS, problems::WORDS, effect::WORDS];

words! {
    TITLE = "Rule studio", "规则工作台";
    PACKS = "Packs", "规则包";
    PACK_NEW = "New pack", "新建规则包";
    RULE_NEW = "New rule", "新建规则";
    FROM = "Starting from", "基于版本";
    CHOOSE = "Choose a pack to see and change its rules. What you save becomes a draft: nothing decides payments before it is tried and approved.", "请选择规则包以查看和修改规则。保存后生成草稿版本，须经试运行与审批后方可生效。";
    BY_FORM = "By form", "表单";
    AS_TEXT = "As text", "文本";
    MADE_BY = "made by a table or scorecard: edit it as text", "由决策表或评分卡生成，请以文本编辑";
    SAVED = "Saved as a draft.", "已保存为草稿版本。";
    SAVE = "Save as a draft", "保存为草稿";
    SAVE_WHY = "The whole version is checked and all examples are run. Then it can be tried on the past.", "系统将检查整个版本并运行全部样例，通过后可用历史数据回测。";
    CHECK = "Check", "检查规则";
    TIDY = "Tidy the condition", "整理条件格式";
    REMOVE = "Take the rule out", "删除该规则";
}

/// The file of a new pack, until it is named by its identifier.
const NEW_FILE: &str = "my_pack.yaml";
/// What a new pack begins with.
const NEW_PACK: &str = "pack: my_pack\ntitle: My pack\ndescription: What the scenario is.\n";

#[derive(Deserialize)]
struct Packs {
    packs: Vec<Pack>,
}

#[derive(Deserialize)]
struct Pack {
    pack: String,
    title: String,
    rules: u64,
}

/// A pack as the API has looked at it.
#[derive(Deserialize, Default)]
pub(super) struct Checked {
    #[serde(default)]
    file: Option<String>,
    text: String,
    pack: Option<String>,
    rules: Vec<PackRule>,
    pub(super) rule: Option<CheckedRule>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct PackRule {
    id: String,
    title: String,
    title_zh: Option<String>,
    stage: String,
    is_written: bool,
}

impl PackRule {
    /// Its title in the language of whoever looks.
    fn called(&self, v: &Visit) -> &str {
        match (v.language(), &self.title_zh) {
            (Language::Zh, Some(title)) => title,
            _ => &self.title,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct CheckedRule {
    written: Rule,
    formatted: Option<String>,
    meaning: Option<String>,
    pub(super) examples: Vec<effect::Example>,
}

/// What is being edited.
struct Draft {
    /// The version that it starts from.
    from: String,
    file: String,
    /// The rule that is being edited, as the text has it; empty for one that is new.
    was: String,
    is_text: bool,
    rule: Rule,
    checked: Checked,
    glance: Option<Glance>,
    /// Why it is saved, as it was filled in.
    reason: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let from = v.query("from").unwrap_or_else(|| "live".to_owned());
    let (pack, rule) = (v.query("pack"), v.query("rule"));
    let Some(pack) = pack else {
        return studio(v, &from, None).await;
    };
    let is_new = v.query("new").is_some();
    let checked = match v.query("pack").as_deref() {
        Some("+") => Checked {
            text: NEW_PACK.to_owned(),
            ..Checked::default()
        },
        _ => {
            let route = format!("/v1/rule-sets/{}/packs/{}", encoded(&from), encoded(&pack));
            v.get::<Checked>(&address(&route, &[("rule", rule.as_deref())]))
                .await?
        }
    };
    let first = checked.rules.iter().find(|rule| rule.is_written);
    let was = match (&rule, is_new) {
        (_, true) => String::new(),
        (Some(rule), _) => rule.clone(),
        (None, _) => first.map(|rule| rule.id.clone()).unwrap_or_default(),
    };
    // The first rule is asked about once it is known which it is.
    let checked = match (&checked.rule, &rule) {
        (None, None) if !is_new && !was.is_empty() => {
            let route = format!("/v1/rule-sets/{}/packs/{}", encoded(&from), encoded(&pack));
            v.get::<Checked>(&address(&route, &[("rule", Some(&was))]))
                .await?
        }
        _ => checked,
    };
    let is_written = checked.rule.is_some() || is_new;
    let draft = Draft {
        file: checked.file.clone().unwrap_or_else(|| NEW_FILE.to_owned()),
        is_text: !is_written || v.query("as").as_deref() == Some("text"),
        rule: match &checked.rule {
            Some(rule) if !is_new => rule.written.clone(),
            _ => Rule::fresh(),
        },
        from: from.clone(),
        was,
        checked,
        glance: None,
        reason: String::new(),
    };
    studio(v, &from, Some(draft)).await
}

async fn studio(v: &mut Visit, from: &str, draft: Option<Draft>) -> Result<Shown, Fault> {
    let route = format!("/v1/rule-sets/{}/packs", encoded(from));
    let Packs { packs } = v.get(&route).await?;
    let v = &*v;
    let main = html! {
        div.studio {
            (shelf(v, from, &packs, draft.as_ref()))
            @match &draft {
                Some(draft) => (editor(v, draft)),
                None => div.desk { (parts::empty(v.t(CHOOSE))) },
            }
        }
    };
    let body = Body::new(v.t(TITLE), main).below("/rules", v.t(rules::TITLE));
    Ok(body.with(&["studio.js"]).into())
}

/// The packs, and the rules of the one that is open.
fn shelf(v: &Visit, from: &str, packs: &[Pack], draft: Option<&Draft>) -> Markup {
    let open = draft.and_then(|draft| draft.checked.pack.as_deref());
    let to = |pack: &str, rule: Option<&str>| {
        address(
            "/studio",
            &[("from", Some(from)), ("pack", Some(pack)), ("rule", rule)],
        )
    };
    let may_write = v.may(Scope::RulesWrite);
    html! {
        nav.shelf aria-label=(v.t(PACKS)) {
            p.muted { (v.t(FROM)) " " a.id href=(format!("/rules/{}", encoded(from))) { (from) } }
            @if may_write {
                a.button href=(to("+", None)) { (v.t(PACK_NEW)) }
            }
            ul.plain {
                @for pack in packs {
                    @let is_open = open == Some(pack.pack.as_str());
                    @let called = risks::pack(&pack.pack, &pack.title, v.language());
                    li {
                        a.pack href=(to(&pack.pack, None)) aria-current=[is_open.then_some("true")] title=(called) {
                            span { (called) br; code { (pack.pack) } } span.muted { (pack.rules) }
                        }
                        @if let Some(draft) = draft.filter(|_| is_open) { (rules_of(v, from, &pack.pack, draft)) }
                    }
                }
            }
        }
    }
}

fn rules_of(v: &Visit, from: &str, pack: &str, draft: &Draft) -> Markup {
    let to = |rule: &str| {
        address(
            "/studio",
            &[
                ("from", Some(from)),
                ("pack", Some(pack)),
                ("rule", Some(rule)),
            ],
        )
    };
    let new = address(
        "/studio",
        &[
            ("from", Some(from)),
            ("pack", Some(pack)),
            ("new", Some("1")),
        ],
    );
    html! {
        ul.plain.inner {
            @for rule in &draft.checked.rules {
                li {
                    a href=(to(&rule.id)) title=(if rule.is_written { rule.called(v) } else { v.t(MADE_BY) })
                        aria-current=[(rule.id == draft.was).then_some("true")] {
                        span { (rule.called(v)) br; code { (rule.id) } }
                        @if rule.stage != "live" { (parts::state(&rule.stage, v.language())) }
                    }
                }
            }
            @if v.may(Scope::RulesWrite) { li { a href=(new) { "+ " (v.t(RULE_NEW)) } } }
        }
    }
}

fn editor(v: &Visit, draft: &Draft) -> Markup {
    let words = json!({ "words": problems::script_words(v), "language": v.language().name() });
    let tab = |value, word, is_on: bool| {
        html! {
            button.button.quiet type="submit" name="do" value=(value) aria-pressed=(is_on) formnovalidate { (v.t(word)) }
        }
    };
    let inside = html! {
        (parts::hidden("from", &draft.from))
        (parts::hidden("file", &draft.file))
        (parts::hidden("was", &draft.was))
        (parts::hidden("as", if draft.is_text { "text" } else { "form" }))
        // Pressing Enter in a field checks; it never takes anything out.
        button.unseen type="submit" name="do" value="check" tabindex="-1" aria-hidden="true" formnovalidate {}
        div.desk {
            div.choice { (tab("form", BY_FORM, !draft.is_text)) (tab("text", AS_TEXT, draft.is_text)) }
            @if draft.is_text { (form::as_text(v, &draft.checked.text)) }
            @else { (parts::hidden("text", &draft.checked.text)) (form::by_form(v, &draft.rule)) }
            @if v.may(Scope::RulesWrite) { (save(v, draft)) }
        }
        div.told {
            div.buttons {
                button.button type="submit" name="do" value="check" formnovalidate { (v.t(CHECK)) }
                @if !draft.is_text {
                    button.button type="submit" name="do" value="tidy" formnovalidate { (v.t(TIDY)) }
                }
            }
            (problems::panel(v, &draft.checked.problems))
            (effect::examples(v, draft.checked.rule.as_ref().map(|rule| rule.examples.as_slice())))
            (effect::panel(v, draft.glance.as_ref()))
        }
    };
    html! {
        form.edit method="post" action="/studio" data-studio=(words) {
            (parts::token(v)) (inside)
        }
    }
}

fn save(v: &Visit, draft: &Draft) -> Markup {
    html! {
        section.panel {
            h2 { (v.t(SAVE)) }
            p.muted { (v.t(SAVE_WHY)) }
            (refused::said(v))
            (Field { value: &draft.reason, bytes_max: 256, hint: Some(v.t(parts::REASON_HINT)), ..Field::new("reason", v.t(parts::REASON)) })
            div.buttons {
                button.button.info type="submit" name="do" value="save" { (v.t(SAVE)) }
                @if !draft.is_text && !draft.was.is_empty() {
                    button.button.bad type="submit" name="do" value="remove" formnovalidate { (v.t(REMOVE)) }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Drafted {
    version: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let from = form.text("from").to_owned();
    let (is_text, wish) = (form.text("as") == "text", form.text("do"));
    let was = form.text("was").to_owned();
    let mut rule = Rule::of(form);
    let asked = if is_text { &was } else { &rule.id }.clone();
    let mut checked = check(v, form, (&rule, &asked)).await?;
    let is_broken = checked.problems.iter().any(|problem| problem.is_error);
    if wish == "save" && !is_broken {
        match save_it(v, form, &mut checked).await {
            Ok(Some(saved)) => return Ok(saved),
            Ok(None) => {}
            Err(fault) if fault.is_kept() => return Err(fault),
            Err(fault) => v.refused = Some(Refused::of(form, fault.0)),
        }
    }
    let tidy = checked
        .rule
        .as_ref()
        .and_then(|rule| rule.formatted.clone());
    if let Some(tidy) = tidy.filter(|_| wish == "tidy") {
        rule.when = tidy;
    }
    let glance = match checked.rule.as_ref().and_then(|rule| rule.meaning.clone()) {
        Some(meaning) => {
            let ask = json!({ "expression": meaning });
            v.post::<Glance>("/v1/rules/effect", &ask).await.ok()
        }
        None => None,
    };
    // Once the form's rule is in the text, it is what the next change replaces.
    let is_in = checked.rules.iter().any(|known| known.id == asked);
    let draft = Draft {
        file: form.text("file").to_owned(),
        was: match (is_in, wish) {
            (_, "remove") => String::new(),
            (true, _) => asked,
            (false, _) => was,
        },
        rule: match (&checked.rule, is_text) {
            (Some(known), true) => known.written.clone(),
            (None, true) => Rule::fresh(),
            (_, false) => rule,
        },
        from: from.clone(),
        is_text: match wish {
            "text" | "remove" => true,
            "form" => false,
            _ => is_text,
        },
        checked,
        glance,
        reason: form.text("reason").to_owned(),
    };
    studio(v, &from, Some(draft)).await
}

/// Has the form's rule put into the text, or taken out of it, and the text checked.
async fn check(v: &mut Visit, form: &Form, (rule, asked): (&Rule, &str)) -> Result<Checked, Fault> {
    let replaces = form.given("was");
    let change = match (form.text("as"), form.text("do")) {
        ("text", _) => Value::Null,
        (_, "remove") => json!({ "replaces": replaces, "rule": null }),
        _ => json!({ "replaces": replaces, "rule": rule }),
    };
    // Browsers send lines with CR LF.
    let text = form.text("text").replace("\r\n", "\n");
    let ask = json!({ "from": form.text("from"), "text": text, "change": change, "rule": asked });
    v.post("/v1/rules/check", &ask).await
}

/// Saves the pack as a draft; notes what keeps it from being one.
async fn save_it(
    v: &mut Visit,
    form: &Form,
    checked: &mut Checked,
) -> Result<Option<Shown>, Fault> {
    let name = checked.pack.clone().unwrap_or_default();
    let file = match form.text("file") {
        NEW_FILE => format!("{name}.yaml"),
        file => file.to_owned(),
    };
    let pack = json!({ "file": file, "text": checked.text });
    let purpose = form.text("reason");
    let draft = json!({ "from": form.text("from"), "packs": [pack], "purpose": purpose });
    match v.post::<Drafted>("/v1/rule-sets", &draft).await {
        Ok(Drafted { version }) => {
            let to = format!("/rules/{}", encoded(&version));
            Ok(Some(Shown::done(to, v.t(SAVED))))
        }
        Err(fault) if !fault.0.diagnostics.is_empty() => {
            checked.problems = problems::of_refusal(v, &fault.0)?;
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}
