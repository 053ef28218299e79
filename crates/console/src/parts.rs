//! Parts that pages are made of. The gallery shows each.

use crate::{
    format,
    icon::Icon,
    names, refused, risks, said,
    terms::{self, Tone},
    visit::Visit,
    word::{Language, Word, words},
};
use maud::{Markup, Render, html};
use paywarden_domain::{Outcome, Timestamp};
use paywarden_server::{edge::ProblemDocument, pages::TOKEN_FIELD};
use serde_json::Value;

words! {
    NOTHING_HERE = "Nothing here", "暂无数据";
    NEXT_PAGE = "Next page", "下一页";
    FIRST_PAGE = "First page", "首页";
    REASON = "Reason", "理由";
    REASON_HINT = "1 to 256 bytes; it goes into the trail", "1 至 256 字节，将写入审计轨迹";
    SCORE = "Score", "评分";
    OF_1000 = "{} of 1,000", "{}（满分 1,000）";
    SHOW_TABLE = "Show as a table", "以表格显示";
    AGO = "{} ago", "{}前";
    ANY = "Any", "不限";
    FILTER = "Filter", "筛选";
    CLEAR = "Clear", "清除";
    CHECK_PROOF = "Check the proof in this browser", "在本浏览器中验证";
    PROOF_HOLDS = "It holds: these bytes are in the tree that the checkpoint signs.", "验证通过：该记录包含在检查点签名的树中。";
    PROOF_FAILS = "It does not hold: these bytes are not in the tree that the checkpoint signs.", "验证失败：该记录不在检查点签名的树中。";
}

/// A coloured word with an icon.
pub(crate) fn badge(tone: Tone, icon: Option<Icon>, text: &str) -> Markup {
    let class = format!("badge {}", tone.name());
    html! {
        span class=(class) {
            @if let Some(icon) = icon { (icon.draw()) }
            (text)
        }
    }
}

/// What was decided.
pub(crate) fn outcome(outcome: Outcome, language: Language) -> Markup {
    let (word, tone, icon) = terms::outcome(outcome);
    badge(tone, Some(icon), word.of(language))
}

/// A name of the API as a coloured word.
pub(crate) fn state(name: &str, language: Language) -> Markup {
    badge(terms::tone(name), None, &terms::term(name, language))
}

/// A score from 0 to 1,000 with a bar.
pub(crate) fn score(score: u16, language: Language) -> Markup {
    let width = score.min(1000) / 20;
    let tone = terms::score(score);
    let said = OF_1000.with(language, &[&score.to_string()]);
    html! {
        span.score title=(said) {
            svg class=(format!("bar {}", tone.name())) viewBox="0 0 50 6" width="50" height="6" aria-hidden="true" {
                rect.track x="0" y="0" width="50" height="6" rx="3" {}
                rect.fill x="0" y="0" width=(width) height="6" rx="3" {}
            }
            span.number { (score) }
        }
    }
}

/// A panel with a heading.
pub(crate) fn panel(title: &str, inside: impl Render) -> Markup {
    html! {
        section.panel {
            h2 { (title) }
            (inside)
        }
    }
}

/// Names and values beside each other.
pub(crate) fn facts<'f>(rows: impl IntoIterator<Item = (&'f str, Markup)>) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in rows {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A table. Columns whose name ends with `#` hold numbers, the one whose name ends with `~` text that
/// gives way to the others. The first link of each row is the row's.
pub(crate) fn table(caption: &str, columns: &[&str], rows: &[Vec<Markup>], v: &Visit) -> Markup {
    let class = |column: usize| match columns.get(column)?.chars().last()? {
        '#' => Some("number"),
        '~' => Some("text"),
        _ => None,
    };
    html! {
        @if rows.is_empty() {
            (empty(v.t(NOTHING_HERE)))
        } @else {
            div.rows tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption.unseen { (caption) }
                    thead {
                        tr {
                            @for (place, name) in columns.iter().enumerate() {
                                th scope="col" class=[class(place)] { (name.trim_end_matches(['#', '~'])) }
                            }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (place, cell) in row.iter().enumerate() {
                                    td class=[class(place)] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Says that there is nothing.
pub(crate) fn empty(text: &str) -> Markup {
    html! { p.empty { (text) } }
}

/// Links to the first and the next page.
pub(crate) fn pager(first: Option<&str>, next: Option<&str>, v: &Visit) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pager aria-label=(v.t(NEXT_PAGE)) {
                @if let Some(first) = first {
                    a.button rel="first" href=(first) { (Icon::BACK.draw()) (v.t(FIRST_PAGE)) }
                }
                @if let Some(next) = next {
                    a.button rel="next" href=(next) { (v.t(NEXT_PAGE)) (Icon::NEXT.draw()) }
                }
            }
        }
    }
}

/// A form of this session, sent back to `action`.
pub(crate) fn form(v: &Visit, action: &str, inside: impl Render) -> Markup {
    html! {
        form method="post" action=(action) {
            (token(v))
            (refused::again(v, action, inside.render()))
        }
    }
}

/// The field that says that the form is ours.
pub(crate) fn token(v: &Visit) -> Markup {
    let member = v.desk.member();
    let token = member.map(|member| member.session.csrf.as_str());
    html! {
        @if let Some(token) = token {
            input type="hidden" name=(TOKEN_FIELD) value=(token);
        }
    }
}

/// A hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// The name that a field is sent under, and its identifier on the page. Of several of one name on a
/// page each says after `#` which one it is.
fn named(name: &str) -> (&str, String) {
    let sent = name.split('#').next().unwrap_or_default();
    (sent, format!("f-{}", name.replace('#', "-")))
}

/// A labelled line of text.
pub(crate) struct Field<'f> {
    pub(crate) name: &'f str,
    pub(crate) label: &'f str,
    pub(crate) kind: &'static str,
    pub(crate) value: &'f str,
    pub(crate) hint: Option<&'f str>,
    pub(crate) required: bool,
    pub(crate) autocomplete: &'static str,
    pub(crate) bytes_max: usize,
}

impl<'f> Field<'f> {
    pub(crate) fn new(name: &'f str, label: &'f str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: "",
            hint: None,
            required: true,
            autocomplete: "off",
            bytes_max: 512,
        }
    }
}

impl Render for Field<'_> {
    fn render(&self) -> Markup {
        let (name, id) = named(self.name);
        let hint_id = self.hint.map(|_| format!("{id}-hint"));
        html! {
            div.field {
                label for=(id) { (self.label) }
                input id=(id) name=(name) type=(self.kind) value=(self.value)
                    required[self.required] maxlength=(self.bytes_max) autocomplete=(self.autocomplete)
                    aria-describedby=[hint_id.as_deref()] spellcheck="false";
                @if let Some(hint) = self.hint {
                    p.hint id=[hint_id.as_deref()] { (hint) }
                }
            }
        }
    }
}

/// Lines of text, at most 4,096 bytes.
pub(crate) fn text_area(name: &str, label: &str, is_required: bool) -> Markup {
    let (name, id) = named(name);
    html! {
        div.field {
            label for=(id) { (label) }
            textarea id=(id) name=(name) rows="3" maxlength="4096" required[is_required] {}
        }
    }
}

/// Asks for the reason of what is done, under a name.
pub(crate) fn reason(name: &str, v: &Visit) -> Markup {
    let field = Field {
        bytes_max: 256,
        hint: Some(v.t(REASON_HINT)),
        ..Field::new(name, v.t(REASON))
    };
    field.render()
}

/// A choice of values with their texts; an empty value is the one that filters nothing.
pub(crate) fn select(
    name: &str,
    label: &str,
    chosen: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Markup {
    let (name, id) = named(name);
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
        }
    }
}

/// A choice of several values with their texts, or of none.
pub(crate) fn select_many(
    name: &str,
    label: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Markup {
    let (name, id) = named(name);
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) multiple size="4" {
                @for (value, text) in options { option value=(value) { (text) } }
            }
        }
    }
}

/// The same over names of the API, none of them being one of the choices.
pub(crate) fn filter_by<'n>(
    name: &str,
    label: &str,
    chosen: Option<&str>,
    names: impl IntoIterator<Item = &'n str>,
    v: &Visit,
) -> Markup {
    let any = (String::new(), v.t(ANY).to_owned());
    let named = names
        .into_iter()
        .map(|name| (name.to_owned(), terms::term(name, v.language())));
    let options = std::iter::once(any).chain(named);
    select(name, label, chosen.unwrap_or_default(), options)
}

/// A line of filters above a table, which work by address.
pub(crate) fn filters(action: &str, inside: impl Render, is_set: bool, v: &Visit) -> Markup {
    html! {
        form.filters method="get" action=(action) {
            (inside)
            button.button type="submit" { (v.t(FILTER)) }
            @if is_set {
                a.button.quiet href=(action) { (v.t(CLEAR)) }
            }
        }
    }
}

/// A button that sends its form.
pub(crate) fn submit(text: &str, tone: Tone) -> Markup {
    let class = format!("button {}", tone.name());
    html! { button class=(class) type="submit" { (text) } }
}

/// The same, saying which of several it is.
pub(crate) fn submit_as(name: &str, value: &str, text: &str, tone: Tone) -> Markup {
    let class = format!("button {}", tone.name());
    html! { button class=(class) type="submit" name=(name) value=(value) { (text) } }
}

/// Something said in a box.
pub(crate) fn note(tone: Tone, inside: impl Render) -> Markup {
    let class = format!("note {}", tone.name());
    html! { div class=(class) { (inside) } }
}

/// An identifier.
pub(crate) fn id(text: &str) -> Markup {
    html! { code.id { (text) } }
}

/// An identifier that leads somewhere.
pub(crate) fn link(address: &str, text: &str) -> Markup {
    html! { a.id href=(address) { (text) } }
}

/// A figure with its name, which leads to its rows.
pub(crate) fn figure(
    name: impl Render,
    value: impl Render,
    below: impl Render,
    to: Option<&str>,
) -> Markup {
    let inside = html! {
        span.name { (name) }
        span.value { (value) }
        span.below { (below) }
    };
    html! {
        @match to {
            Some(to) => a.figure href=(to) { (inside) },
            None => div.figure { (inside) },
        }
    }
}

/// Why something was refused: what that is called, then what exactly was wrong with it.
pub(crate) fn refusal(why: &ProblemDocument, v: &Visit) -> Markup {
    let missing = why.missing.join(", ");
    html! {
        b { (names::refusal(why, v.language())) }
        p { (said::detail(&why.detail, v)) @if !missing.is_empty() { " (" (missing) ")" } }
    }
}

/// When, and how long ago.
pub(crate) fn since(time: Timestamp, v: &Visit) -> Markup {
    let age = format::age(time, v.now(), v.language());
    let ago = AGO.with(v.language(), &[&age]);
    html! { (format::time(time)) " " span.muted { (ago) } }
}

/// JSON, for reading.
pub(crate) fn json(value: &Value, label: &str) -> Markup {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    html! { pre.raw tabindex="0" role="region" aria-label=(label) { (text) } }
}

/// Something that is opened to be seen.
pub(crate) fn fold(title: &str, inside: impl Render) -> Markup {
    let inside = inside.render();
    html! {
        details.fold open[refused::is_said(&inside)] {
            summary { (title) }
            (inside)
        }
    }
}

/// The same, opened by a letter too.
pub(crate) fn fold_by(key: &str, title: &str, inside: impl Render) -> Markup {
    let inside = inside.render();
    html! {
        details.fold open[refused::is_said(&inside)] {
            summary data-keys=(key) { (title) " " kbd aria-hidden="true" { (key) } }
            (inside)
        }
    }
}

/// Who acted: a colleague by name, a program by its key. Each leads to where it is looked after.
pub(crate) fn actor(name: &str, v: &Visit) -> Markup {
    use paywarden_access::Scope;
    let (kind, id) = name.split_once(':').unwrap_or(("", name));
    let colleague = colleague(id, v);
    let to = match kind {
        "key" if v.may(Scope::KeysRead) => Some("/keys".to_owned()),
        _ if colleague.is_some() && v.may(Scope::StaffRead) => Some(format!("/staff/{id}")),
        _ => None,
    };
    let shown = html! {
        @match &colleague {
            Some(colleague) => (colleague),
            None => code { (id) },
        }
    };
    html! {
        @match to {
            Some(to) => a.who href=(to) title=(id) { (shown) },
            None => span.who title=(id) { (shown) },
        }
    }
}

/// What something was done to: a colleague by name, all else by its identifier.
pub(crate) fn object(name: &str, v: &Visit) -> Markup {
    let id = name.rsplit([':', '/']).next().unwrap_or(name);
    match colleague(id, v) {
        Some(_) => actor(&format!("staff:{id}"), v),
        None => self::id(name),
    }
}

/// What a colleague is called; nothing of anything but the identifier of one.
pub(crate) fn colleague(id: &str, v: &Visit) -> Option<String> {
    id.starts_with("stf_").then(|| v.desk.colleague(id))?
}

/// A rule by its title, with its identifier small beside it.
pub(crate) fn rule(id: &str, v: &Visit) -> Markup {
    rule_as(id, None, None, v)
}

/// The same, which leads somewhere.
pub(crate) fn rule_link(to: &str, id: &str, v: &Visit) -> Markup {
    rule_as(id, None, Some(to), v)
}

/// The same of one whose title was kept when it fired.
pub(crate) fn rule_as(id: &str, kept: Option<&str>, to: Option<&str>, v: &Visit) -> Markup {
    let title = title(id, kept, v);
    let shown = title.as_deref().unwrap_or(id);
    let language = shown.is_ascii().then_some("en");
    html! {
        span.rule title=(shown) {
            @match to {
                Some(to) => a href=(to) lang=[language] { (shown) },
                None => span lang=[language] { (shown) },
            }
            @if title.is_some() { " " code { (id) } }
        }
    }
}

/// What a rule looks for; nothing of one that nobody knows. `kept` is what it was called when it fired.
pub(crate) fn title(id: &str, kept: Option<&str>, v: &Visit) -> Option<String> {
    risks::title(v.desk.rule(id), kept, v.language())
}

/// A word of a page beside a value.
pub(crate) fn row(word: Word, value: Markup, v: &Visit) -> (&'static str, Markup) {
    (v.t(word), value)
}

/// A button that checks the proof of a leaf in the browser. Without script it is not there.
pub(crate) fn proof(data: &str, v: &Visit) -> Markup {
    html! {
        div data-proof=(data) {
            button.button type="button" hidden { (Icon::SHIELD.draw()) (v.t(CHECK_PROOF)) }
            p.note hidden role="status" data-told="" data-holds=(v.t(PROOF_HOLDS)) data-fails=(v.t(PROOF_FAILS)) {}
        }
    }
}
