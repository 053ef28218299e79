//! Taking a program in: from nobody and nothing to its first signed decision, on one page.
//!
//! The private half of a key is made in the browser where there is script and never leaves it; else
//! the server makes it and shows it once. The calls of the company are shown as they arrive, and of
//! those that were refused what the server built, to be held against what was signed.

mod snippet;

use super::keys;
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::{self, Tone},
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Outcome, Timestamp};
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::json;

pub(crate) const PAGE: Page = Page {
    path: "/start",
    door: Door::Staff,
    needs: &[Scope::KeysRead],
    menu: Some(Menu {
        group: Group::Run,
        word: TITLE,
        icon: Icon::NEXT,
        key: 'f',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

/// Words of the part beside this file.
pub(crate) const MORE_WORDS: &[crate::word::Word] = snippet::WORDS;

words! {
    TITLE = "First steps", "快速接入";
    PEOPLE = "People", "人员";
    PEOPLE_WHY = "Keys are made by one person and approved by another who makes none: a key custodian and a security administrator.", "密钥由一人创建、另一位不管理密钥的人员批准：需要密钥管理员与安全管理员各一名。";
    IS_THERE = "is there", "已就位";
    IS_MISSING = "is missing", "尚缺";
    INVITE = "Invite them", "邀请";
    NAME = "Full name", "姓名";
    LOGIN = "Login name", "登录名";
    LINK = "Their one-time link", "一次性链接";
    LINK_WHY = "Hand it over by a way of its own. It is good once and shown once.", "请通过其他渠道转交。链接仅可使用一次，且只显示一次。";
    BACK = "Back to the first steps", "返回快速接入";
    KEY = "Key", "密钥";
    KEY_WHY = "The program signs every call with it. Its private half stays with the program.", "程序用它为每次调用签名，私钥仅由程序保存。";
    KEY_NOT_YOURS = "A key custodian asks for the key on this page.", "由密钥管理员在本页申请密钥。";
    MAKE_HERE = "Make the pair in this browser", "在本浏览器中生成密钥对";
    MAKE_HERE_WHY = "The private half never leaves the browser: save it before you ask. Without script the server makes the pair and shows the private half once.", "私钥不会离开浏览器，请在申请前保存。未启用脚本时由服务器生成，并只显示一次。";
    PRIVATE_HALF = "Private half: save it as private.pem now, it is shown this once", "私钥：请立即保存为 private.pem，仅显示一次";
    PUBLIC_HALF = "Public half; the server makes a pair if it is empty", "公钥；留空则由服务器生成密钥对";
    NO_CRYPTO = "This browser cannot make such a key.", "本浏览器无法生成此类密钥。";
    WHAT_FOR = "What it is for", "用途";
    ASK_KEY = "Ask for the key", "申请创建";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    OPEN_APPROVALS = "Approvals of keys under way", "处理中的密钥审批";
    LIVE_KEYS = "Keys in use", "使用中的密钥";
    CALL = "Call", "调用";
    WAIT = "First signed call", "首次签名调用";
    WAITING = "Waiting for the first signed call …", "正在等待首次签名调用…";
    LOOK_AGAIN = "Look again", "刷新";
    ARRIVED = "It arrived: the signature holds, and the decision is durable.", "已收到：签名验证通过，决策已持久保存。";
    ARRIVED_OTHER = "A signed call arrived and its signature holds. Now ask for a decision.", "已收到签名调用且签名有效，请继续发起决策请求。";
    DECISION = "Its decision", "对应决策";
    CALLS = "Calls as they arrive", "实时调用";
    AT = "At", "时间";
    WHAT = "Method and path", "方法与路径";
    ANSWER = "Answer", "答复";
    DEBUGGER = "Signature debugger", "签名调试";
    DEBUGGER_WHY = "This is the base that the server built of your call (RFC 9421, section 2.5). Hold it line by line against the one that your program signed: where they differ, the signature cannot hold.", "以下为服务器根据您的请求构建的签名基串（RFC 9421 第 2.5 节）。请与程序签名时使用的基串逐行比对，任何差异都会导致签名无效。";
    DEBUGGER_NONE = "A call that is refused for its signature is taken apart here.", "因签名被拒绝的调用将在此处解析。";
    LEAVES_OUT = "The signature leaves out", "签名未覆盖";
}

#[derive(Deserialize)]
struct Staff {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    status: String,
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    role: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    algorithm: String,
    description: String,
    created_at: Timestamp,
    is_live: bool,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    at: Timestamp,
    key: String,
    method: String,
    path: String,
    status: u16,
    code: Option<String>,
    missing: Vec<String>,
    signature_base: Option<String>,
    decision: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Approvals {
    approvals: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    id: String,
    command: String,
    state: String,
    reason: String,
}

/// The roles that it takes, with what they may do here.
const ROLES: [&str; 2] = ["key_custodian", "security_administrator"];
/// What the first key may do.
const SCOPES: [&str; 3] = ["decisions:write", "decisions:read", "labels:write"];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let staff: Option<Staff> = v.get_if(Scope::StaffRead, "/v1/staff").await?;
    let Keys { keys } = v.get("/v1/keys").await?;
    let Calls { calls } = v.get("/v1/signed-calls").await?;
    let approvals: Option<Approvals> = v
        .get_if(Scope::ApprovalsRead, "/v1/approvals?limit=50")
        .await?;
    let wanted = v.query("key");
    let v = &*v;
    let mut live: Vec<&Key> = keys
        .iter()
        .filter(|key| key.is_live && key.algorithm != "bearer")
        .collect();
    live.sort_by_key(|key| std::cmp::Reverse(key.created_at));
    let chosen = live
        .iter()
        .find(|key| wanted.as_ref().is_none_or(|id| key.id == *id));
    let first = calls.iter().find(|call| call.decision.is_some());
    let main = html! {
        ol.steps {
            @if let Some(staff) = &staff { li { (people(v, staff)) } }
            li { (key_step(v, &live, approvals.as_ref())) }
            li { (parts::panel(v.t(CALL), snippet::draw(v, v.desk.origin(), chosen.map(|key| (key.id.as_str(), key.algorithm.as_str()))))) }
            li { (wait_step(v, first, &calls)) }
        }
        (parts::panel(v.t(DEBUGGER), debugger(v, &calls)))
    };
    Ok(Body::new(v.t(TITLE), main)
        .with(&["start.js", "wait.js"])
        .into())
}

fn people(v: &Visit, staff: &Staff) -> Markup {
    let is_there = |role: &str| {
        let mut all = staff
            .accounts
            .iter()
            .filter(|account| account.status != "disabled");
        all.any(|account| account.grants.iter().any(|grant| grant.role == role))
    };
    let missing: Vec<&str> = ROLES.into_iter().filter(|role| !is_there(role)).collect();
    parts::panel(
        v.t(PEOPLE),
        html! {
            p.muted { (v.t(PEOPLE_WHY)) }
            ul.plain {
                @for role in ROLES {
                    li.line {
                        span { (terms::term(role, v.language())) }
                        @if is_there(role) { (parts::badge(Tone::Good, Some(Icon::YES), v.t(IS_THERE))) }
                        @else { (parts::badge(Tone::Care, None, v.t(IS_MISSING))) }
                    }
                }
            }
            @if v.may(Scope::StaffWrite) {
                @for role in missing {
                    (parts::fold(&format!("{}: {}", v.t(INVITE), terms::term(role, v.language())), parts::form(v, "/start", html! {
                        (parts::hidden("role", role))
                        div.grid {
                            (Field { ..Field::new(&format!("{role}_name"), v.t(NAME)) })
                            (Field { ..Field::new(&format!("{role}_login"), v.t(LOGIN)) })
                        }
                        (parts::submit_as("do", "invite", v.t(INVITE), Tone::Info))
                    })))
                }
            }
        },
    )
}

fn key_step(v: &Visit, live: &[&Key], approvals: Option<&Approvals>) -> Markup {
    let of_keys = approvals.into_iter().flat_map(|page| &page.approvals);
    let of_keys = of_keys.filter(|one| {
        one.command == "key_change" && ["open", "approved"].contains(&one.state.as_str())
    });
    let under_way: Vec<_> = of_keys.collect();
    let description = Field {
        bytes_max: 200,
        ..Field::new("description", v.t(WHAT_FOR))
    };
    parts::panel(
        v.t(KEY),
        html! {
            p.muted { (v.t(KEY_WHY)) }
            @if !live.is_empty() {
                h3 { (v.t(LIVE_KEYS)) }
                ul.plain {
                    @for key in live.iter().take(5) {
                        li.line {
                            span { a.id href=(address("/start", &[("key", Some(&key.id))])) { (key.id) } " " span.muted { (key.description) } }
                            span.muted title=(key.scopes.join(", ")) { (key.scopes.iter().take(3).cloned().collect::<Vec<_>>().join(", ")) @if key.scopes.len() > 3 { " …" } }
                        }
                    }
                }
            }
            @if !under_way.is_empty() {
                h3 { (v.t(OPEN_APPROVALS)) }
                ul.plain {
                    @for one in under_way {
                        li.line { (parts::link(&format!("/approvals/{}", encoded(&one.id)), &one.reason)) (parts::state(&one.state, v.language())) }
                    }
                }
            }
            @if v.may(Scope::KeysWrite) && v.may(Scope::ApprovalsRequest) {
                div.narrow data-pair="" data-no=(v.t(NO_CRYPTO)) {
                    (parts::form(v, "/start", html! {
                        p.hint { (v.t(MAKE_HERE_WHY)) }
                        p { button.button type="button" data-make="" hidden { (Icon::KEYS.draw()) (v.t(MAKE_HERE)) } }
                        div.field data-private="" hidden {
                            label for="f-private" { (v.t(PRIVATE_HALF)) }
                            textarea.code id="f-private" rows="4" readonly spellcheck="false" {}
                        }
                        div.field {
                            label for="f-public" { (v.t(PUBLIC_HALF)) }
                            textarea.code id="f-public" name="public" rows="4" maxlength="2000" spellcheck="false" {}
                        }
                        (description)
                        (parts::reason("reason", v))
                        (parts::submit_as("do", "key", v.t(ASK_KEY), Tone::Info))
                    }))
                }
            } @else { p.hint { (v.t(KEY_NOT_YOURS)) " " a href="/keys" { (v.t(keys::TITLE)) } } }
        },
    )
}

fn wait_step(v: &Visit, first: Option<&Call>, calls: &[Call]) -> Markup {
    let signed = calls.iter().any(|call| call.status < 300);
    let rows: Vec<Vec<Markup>> = calls.iter().map(|call| cells(v, call)).collect();
    let columns = [v.t(AT), v.t(KEY), v.t(WHAT), v.t(ANSWER)];
    parts::panel(
        v.t(WAIT),
        html! {
            @match first {
                Some(call) => (parts::note(Tone::Good, html! {
                    (Icon::YES.draw())
                    div {
                        p { (v.t(ARRIVED)) }
                        @if let Some(decision) = &call.decision {
                            p {
                                (v.t(DECISION)) " "
                                @if v.may(Scope::DecisionsRead) { (parts::link(&format!("/decisions/{}", encoded(decision)), decision)) }
                                @else { (parts::id(decision)) }
                                @if let Some(outcome) = call.outcome { " " (parts::outcome(outcome, v.language())) }
                            }
                        }
                    }
                })),
                None => (parts::note(Tone::Info, html! {
                    p data-wait="/v1/signed-calls" {
                        (v.t(if signed { ARRIVED_OTHER } else { WAITING })) " "
                        a href="/start" { (v.t(LOOK_AGAIN)) }
                    }
                })),
            }
            @if !rows.is_empty() { (parts::table(v.t(CALLS), &columns, &rows, v)) }
        },
    )
}

fn cells(v: &Visit, call: &Call) -> Vec<Markup> {
    let tone = if call.status < 300 {
        Tone::Good
    } else {
        Tone::Bad
    };
    vec![
        format::time(call.at),
        parts::id(&call.key),
        html! { (call.method) " " (call.path) },
        html! {
            (parts::badge(tone, None, &call.status.to_string())) " "
            @if let Some(code) = &call.code { (parts::id(code)) }
            @if let Some(outcome) = call.outcome { (parts::outcome(outcome, v.language())) }
        },
    ]
}

fn debugger(v: &Visit, calls: &[Call]) -> Markup {
    let wrong: Vec<&Call> = calls
        .iter()
        .filter(|call| call.signature_base.is_some() || !call.missing.is_empty())
        .take(3)
        .collect();
    html! {
        @if wrong.is_empty() { (parts::empty(v.t(DEBUGGER_NONE))) }
        @else { p.muted { (v.t(DEBUGGER_WHY)) } }
        @for call in wrong {
            h3 { (format::time(call.at)) " " (call.method) " " (call.path) " " @if let Some(code) = &call.code { (parts::id(code)) } }
            @if !call.missing.is_empty() { p { (v.t(LEAVES_OUT)) ": " @for part in &call.missing { (parts::id(part)) " " } } }
            @if let Some(base) = &call.signature_base { pre.raw tabindex="0" role="region" aria-label=(v.t(DEBUGGER)) { (base) } }
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

#[derive(Deserialize)]
struct Invited {
    link: String,
    until: Timestamp,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    if form.text("do") == "invite" {
        return invite(v, form).await;
    }
    let mut create = json!({
        "algorithm": "ed25519",
        "scopes": SCOPES,
        "description": form.text("description"),
    });
    if let Some(public) = form.given("public") {
        create["public_key_pem"] = public.replace("\r\n", "\n").into();
    }
    let change = json!({ "create": create });
    let body = json!({ "command": { "key_change": change }, "reason": form.text("reason") });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}

async fn invite(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let role = form.text("role");
    let body = json!({
        "name": form.text(&format!("{role}_name")),
        "login": form.given(&format!("{role}_login")),
        "roles": [role],
        "purpose": "first steps",
    });
    let Invited { link, until } = v.post("/v1/staff", &body).await?;
    let v = &*v;
    let main = html! {
        div.narrow {
            (parts::note(Tone::Care, v.t(LINK_WHY)))
            pre.raw tabindex="0" role="region" aria-label=(v.t(LINK)) { (link) }
            p.muted { (v.t(keys::UNTIL)) " " (format::time(until)) }
            p { a.button href="/start" data-back="" { (v.t(BACK)) } }
        }
    };
    Ok(Body::new(v.t(LINK), main)
        .below("/start", v.t(TITLE))
        .into())
}
