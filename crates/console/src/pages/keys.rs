//! Keys of programs: what each may do, when it was used, and how one begins, is replaced or ends.

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
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/keys",
    door: Door::Staff,
    needs: &[Scope::KeysRead],
    menu: Some(Menu {
        group: Group::Run,
        word: TITLE,
        icon: Icon::KEYS,
        key: 'k',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(ask(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Keys of programs", "程序密钥";
    KEY = "Key", "密钥";
    STATE = "State", "状态";
    IS_LIVE = "In use", "使用中";
    ENDED = "Ended", "已终止";
    ALGORITHM = "Algorithm", "算法";
    WHAT_FOR = "What it is for", "用途";
    CREATED = "Created", "创建时间";
    LAST_USED = "Last used", "最近使用";
    UNTIL = "Until", "有效期至";
    SCOPES = "May", "权限";
    CHANGE_WHY = "A key begins, is replaced and ends by approval of somebody who makes no keys.", "密钥的创建、轮换与终止须由不管理密钥的人员批准。";
    MAKE = "Make a key", "创建密钥";
    SCOPES_HINT = "Separated by commas, such as decisions:write,labels:write", "以逗号分隔，例如 decisions:write,labels:write";
    REPLACE = "Replace or end a key", "轮换或终止密钥";
    OVERLAP = "Hours for which both are valid", "新旧密钥并行小时数";
    ASK_MAKE = "Ask for the key", "申请创建";
    ASK_ROTATE = "Ask to replace it", "申请轮换";
    ASK_REVOKE = "Ask to end it", "申请终止";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

const ALGORITHMS: [&str; 5] = [
    "ed25519",
    "ecdsa-p256-sha256",
    "rsa-pss-sha512",
    "rsa-v1_5-sha256",
    "hmac-sha256",
];

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    algorithm: String,
    scopes: Vec<String>,
    description: String,
    created_at: Timestamp,
    is_live: bool,
    last_used_on: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let Keys { mut keys } = v.get("/v1/keys").await?;
    keys.sort_by_key(|key| (!key.is_live, std::cmp::Reverse(key.created_at)));
    let v = &*v;
    let rows: Vec<_> = keys.iter().map(|key| cells(v, key)).collect();
    let columns = [
        v.t(KEY),
        v.t(STATE),
        v.t(ALGORITHM),
        v.t(CREATED),
        v.t(LAST_USED),
        v.t(UNTIL),
        v.t(SCOPES),
        v.t(WHAT_FOR),
    ];
    let main = html! {
        (parts::table(v.t(TITLE), &columns, &rows, v))
        @if v.may(Scope::KeysWrite) && v.may(Scope::ApprovalsRequest) { (changes(v, &keys)) }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, key: &Key) -> Vec<Markup> {
    let state = match key.is_live {
        true => parts::badge(Tone::Good, None, v.t(IS_LIVE)),
        false => parts::badge(Tone::Plain, None, v.t(ENDED)),
    };
    let moment = |time: Option<Timestamp>| html! { @if let Some(time) = time { (format::time(time)) } @else { "–" } };
    vec![
        parts::id(&key.id),
        state,
        html! { (key.algorithm) },
        format::time(key.created_at),
        moment(key.last_used_on),
        moment(key.revoked_at.or(key.valid_until)),
        html! { details.fold { summary { (key.scopes.len()) } p { (key.scopes.join(", ")) } } },
        html! { (key.description) },
    ]
}

fn changes(v: &Visit, keys: &[Key]) -> Markup {
    let algorithms = ALGORITHMS.map(|name| (name.to_owned(), name.to_owned()));
    let live = keys.iter().filter(|key| key.is_live);
    let live = live.map(|key| (key.id.clone(), format!("{} · {}", key.id, key.description)));
    let scopes = Field {
        hint: Some(v.t(SCOPES_HINT)),
        ..Field::new("scopes", v.t(SCOPES))
    };
    let overlap = Field {
        kind: "number",
        value: "24",
        bytes_max: 3,
        ..Field::new("overlap", v.t(OVERLAP))
    };
    html! {
        p.muted { (v.t(CHANGE_WHY)) }
        div.columns {
            (parts::panel(v.t(MAKE), parts::form(v, "/keys", html! {
                (parts::select("algorithm", v.t(ALGORITHM), "ed25519", algorithms))
                (scopes) (Field { bytes_max: 200, ..Field::new("description", v.t(WHAT_FOR)) })
                (parts::reason("make_reason", v))
                (parts::submit_as("do", "create", v.t(ASK_MAKE), Tone::Info))
            })))
            (parts::panel(v.t(REPLACE), parts::form(v, "/keys", html! {
                (parts::select("key", v.t(KEY), "", live)) (overlap)
                (parts::reason("end_reason", v))
                div.buttons {
                    (parts::submit_as("do", "rotate", v.t(ASK_ROTATE), Tone::Info))
                    (parts::submit_as("do", "revoke", v.t(ASK_REVOKE), Tone::Bad))
                }
            })))
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn ask(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let key = form.text("key");
    let (change, reason) = match form.text("do") {
        "create" => {
            let scopes = form.text("scopes").split(',').map(str::trim);
            let scopes: Vec<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
            let create = json!({
                "algorithm": form.text("algorithm"),
                "scopes": scopes,
                "description": form.text("description"),
            });
            (json!({ "create": create }), form.text("make_reason"))
        }
        "rotate" => {
            let overlap = form.text("overlap");
            let hours = overlap
                .parse::<u16>()
                .map_or_else(|_| Value::from(overlap), Value::from);
            let rotate = json!({ "key_id": key, "overlap_hours": hours });
            (json!({ "rotate": rotate }), form.text("end_reason"))
        }
        _ => (
            json!({ "revoke": { "key_id": key } }),
            form.text("end_reason"),
        ),
    };
    let body = json!({ "command": { "key_change": change }, "reason": reason });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
