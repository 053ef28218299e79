//! Allow and deny lists, and how many entries each has.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/lists",
    door: Door::Staff,
    needs: &[Scope::ListsRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::LISTS,
        key: 'l',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(ask(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Lists", "名单管理";
    LIST = "List", "名单";
    ENTRIES = "Entries", "条目数";
    CHANGE = "Ask for a change", "申请变更";
    CHANGE_WHY = "A change of a list takes effect by approval.", "名单变更经审批后生效。";
    VALUE = "Value", "取值";
    VALUE_HINT = "Key of an entity, or any text that a rule compares", "实体标识，或规则比对的文本";
    UNTIL = "Until", "有效期至";
    UNTIL_HINT = "RFC 3339, such as 2026-12-31T00:00:00Z; never ends if empty", "RFC 3339 时间，例如 2026-12-31T00:00:00Z；留空则长期有效";
    ADD = "Ask to add it", "申请加入名单";
    REMOVE = "Ask to remove it", "申请移出名单";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

#[derive(Deserialize)]
struct Lists {
    lists: Vec<List>,
}

#[derive(Deserialize)]
struct List {
    name: String,
    entries: u64,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let page: Lists = v.get("/v1/lists").await?;
    let v = &*v;
    let row = |list: &List| {
        vec![
            parts::link(&format!("/lists/{}", encoded(&list.name)), &list.name),
            html! { (format::number(list.entries)) },
        ]
    };
    let rows: Vec<_> = page.lists.iter().map(row).collect();
    let entries = format!("{}#", v.t(ENTRIES));
    let main = html! {
        div.columns {
            (parts::table(v.t(TITLE), &[v.t(LIST), &entries], &rows, v))
            (change(v, None))
        }
        (super::exports::way(v, "lists"))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

/// Asks for a change of a list, which is named where it is not given.
pub(super) fn change(v: &Visit, list: Option<&str>) -> Markup {
    if !(v.may(Scope::ListsWrite) && v.may(Scope::ApprovalsRequest)) {
        return html! {};
    }
    let value = Field {
        hint: Some(v.t(VALUE_HINT)),
        ..Field::new("value", v.t(VALUE))
    };
    let until = Field {
        required: false,
        hint: Some(v.t(UNTIL_HINT)),
        ..Field::new("until", v.t(UNTIL))
    };
    parts::panel(
        v.t(CHANGE),
        parts::form(
            v,
            "/lists",
            html! {
                p.muted { (v.t(CHANGE_WHY)) }
                @match list {
                    Some(list) => (parts::hidden("list", list)),
                    None => (Field::new("list", v.t(LIST))),
                }
                (value) (until) (parts::reason("reason", v))
                div.buttons {
                    (parts::submit_as("do", "add", v.t(ADD), Tone::Info))
                    (parts::submit_as("do", "remove", v.t(REMOVE), Tone::Plain))
                }
            },
        ),
    )
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn ask(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let reason = form.text("reason");
    let operation = match form.text("do") {
        "remove" => "remove",
        _ => "add",
    };
    let mut value = json!({ "value": form.text("value").trim() });
    if let (Some(until), "add", Value::Object(value)) = (form.given("until"), operation, &mut value)
    {
        value.insert("expires_at".to_owned(), until.into());
    }
    let change = json!({
        "list": form.text("list").trim(),
        "operation": operation,
        "values": [value],
        "reason": reason,
    });
    let body = json!({ "command": { "list_change": change }, "reason": reason });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
