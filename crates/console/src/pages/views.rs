//! One's own views, and the letters that one uses: kept for the person, on whatever machine.

use crate::{
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::{Word, words},
};
use http::Method;
use maud::{Markup, html};
use paywarden_server::{edge::Code, pages::Form};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub(crate) const PAGE: Page = Page {
    path: "/views",
    door: Door::Staff,
    needs: &[],
    menu: None,
    show: |v| Box::pin(async { Ok(show(v)) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Views and keys", "视图与快捷键";
    VIEWS = "Your views", "我的视图";
    NAME = "Name", "名称";
    WHERE = "Page", "页面";
    KEEP = "Keep this view", "保存当前视图";
    KEEP_AS = "Name of the view", "视图名称";
    FORGET = "Forget", "删除视图";
    KEPT = "The view is kept.", "视图已保存。";
    FORGOTTEN = "The view is gone.", "视图已删除。";
    LETTERS = "Your keys", "我的快捷键";
    LETTERS_WHY = "One letter for each; an empty field turns the key off. All of them are turned off in the menu of your name.", "每项一个字符，留空则停用；可在姓名菜单中停用全部单字母快捷键。";
    SAVE = "Keep the keys", "保存快捷键";
    USUAL = "As usual again", "恢复默认";
    SAVED = "The keys are kept.", "快捷键已保存。";
    TAKE_NEXT = "The next one, or the next page", "下一条或下一页";
    CLOSE = "Close as a button says", "按按钮结案";
    APPROVE = "Approve", "放行";
    REVIEW = "Pass up for review", "提交复核";
    HOLD = "Hold", "暂缓";
    BLOCK = "Block", "阻止";
    GO_TO = "Go to a page, with its letter", "跳转页面（加页面字母）";
}

/// How whoever looks works.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Own {
    version: i64,
    views: Vec<View>,
    keys: BTreeMap<String, String>,
}

/// A page with what is asked of it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct View {
    pub(crate) name: String,
    page: String,
    query: String,
}

/// What letters do everywhere, by their usual letter.
pub(crate) const BY_LETTER: &[(&str, Word)] = &[
    ("/", crate::layout::KEY_SEARCH),
    ("?", crate::layout::KEY_SHEET),
    ("j", crate::layout::KEY_DOWN),
    ("k", crate::layout::KEY_UP),
    ("n", TAKE_NEXT),
    ("x", crate::layout::KEY_PICK),
    ("e", CLOSE),
    ("a", APPROVE),
    ("r", REVIEW),
    ("h", HOLD),
    ("b", BLOCK),
    ("g", GO_TO),
];

impl View {
    /// Where it is.
    pub(crate) fn address(&self) -> String {
        match self.query.as_str() {
            "" => self.page.clone(),
            query => format!("{}?{query}", self.page),
        }
    }
}

impl Own {
    /// The views.
    pub(crate) fn views(&self) -> &[View] {
        &self.views
    }

    /// The letter that is pressed for what another does usually; empty where none is.
    pub(crate) fn key<'k>(&'k self, usual: &'k str) -> &'k str {
        self.keys.get(usual).map_or(usual, String::as_str)
    }

    /// The letters that are other ones, for the page's script.
    pub(crate) fn changed(&self) -> Option<String> {
        (!self.keys.is_empty()).then(|| json!(self.keys).to_string())
    }
}

/// Keeps what a list shows now, under a name.
pub(super) fn keep(v: &Visit) -> Markup {
    let name = Field {
        bytes_max: 60,
        ..Field::new("name", v.t(KEEP_AS))
    };
    parts::fold(
        v.t(KEEP),
        parts::form(
            v,
            "/views",
            html! {
                (parts::hidden("page", v.desk.path())) (parts::hidden("query", v.desk.query()))
                (name)
                (parts::submit_as("do", "keep", v.t(KEEP), Tone::Plain))
            },
        ),
    )
}

fn show(v: &Visit) -> Shown {
    let row = |view: &View| {
        vec![
            html! { a href=(view.address()) { (view.name) } },
            parts::id(&view.address()),
            parts::form(
                v,
                "/views",
                html! {
                    (parts::hidden("name", &view.name))
                    (parts::submit_as("do", "forget", v.t(FORGET), Tone::Plain))
                },
            ),
        ]
    };
    let rows: Vec<_> = v.own.views.iter().map(row).collect();
    let main = html! {
        (parts::panel(v.t(VIEWS), parts::table(v.t(VIEWS), &[v.t(NAME), v.t(WHERE), v.t(FORGET)], &rows, v)))
        (parts::panel(v.t(LETTERS), html! {
            p.muted { (v.t(LETTERS_WHY)) }
            (parts::form(v, "/views", html! {
                div.letters {
                    @for (usual, word) in BY_LETTER {
                        label {
                            input name=(format!("key {usual}")) value=(v.own.key(usual)) maxlength="1" autocomplete="off" spellcheck="false";
                            span { (v.t(*word)) }
                        }
                    }
                }
                div.buttons {
                    (parts::submit_as("do", "letters", v.t(SAVE), Tone::Info))
                    (parts::submit_as("do", "usual", v.t(USUAL), Tone::Plain))
                }
            }))
        }))
    };
    Body::new(v.t(TITLE), main).into()
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let mut own: Own = v.get("/v1/session/preferences").await?;
    let name = form.text("name").trim().to_owned();
    let (to, told) = match form.text("do") {
        "keep" => {
            let view = View {
                name,
                page: form.text("page").to_owned(),
                query: form.text("query").to_owned(),
            };
            own.views.retain(|known| known.name != view.name);
            let to = view.address();
            own.views.push(view);
            (to, KEPT)
        }
        "forget" => {
            own.views.retain(|view| view.name != name);
            ("/views".to_owned(), FORGOTTEN)
        }
        "letters" => {
            own.keys = BY_LETTER
                .iter()
                .map(|(usual, _)| {
                    (
                        (*usual).to_owned(),
                        form.text(&format!("key {usual}")).trim().to_owned(),
                    )
                })
                .filter(|(usual, letter)| usual != letter)
                .collect();
            ("/views".to_owned(), SAVED)
        }
        "usual" => {
            own.keys.clear();
            ("/views".to_owned(), SAVED)
        }
        _ => return Err(v.fault(Code::FieldInvalid, "nothing that can be done with views")),
    };
    let body = json!(own);
    v.send(&Method::PUT, "/v1/session/preferences", Some(&body))
        .await?;
    Ok(Shown::done(
        super::preferences::within(&to).to_owned(),
        v.t(told),
    ))
}
