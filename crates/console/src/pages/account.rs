//! One's own account: factors and sessions. For whoever was just invited it is all there is.

use crate::{
    chart::qr,
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::{Word, words},
};
use http::Method;
use maud::{Markup, html};
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/account",
    door: Door::Own,
    needs: &[],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Your account", "我的账户";
    SETTING_UP = "One step is left: set up a passkey. A password with an authenticator application works as well.", "还差一步：设置通行密钥，或设置密码并绑定身份验证器。";
    WHO = "Who you are", "身份信息";
    NAME = "Name", "名称";
    LOGIN = "Login name", "登录名";
    COMPANY = "Company", "所属公司";
    ROLES = "Roles", "角色";
    NO_ROLES = "None yet", "暂无";
    PASSKEYS = "Passkeys", "通行密钥（列表）";
    PASSKEY_NAME = "Name of the passkey", "通行密钥名称";
    PASSKEY_USUAL = "This device", "本设备";
    ADD_PASSKEY = "Set up a passkey", "设置通行密钥";
    CREATE = "Create the passkey", "创建通行密钥";
    CREATE_WHY = "Your browser asks you to create it. A passkey is a device and what unlocks it.", "浏览器将请求您创建通行密钥。通行密钥由设备及其解锁方式组成。";
    REMOVE = "Remove", "移除";
    PASSWORD = "Password", "密码";
    NEW_PASSWORD = "New password", "新密码";
    SET_PASSWORD = "Set the password", "设置密码";
    PASSWORD_SET = "A password is set", "已设置密码";
    PASSWORD_NONE = "No password is set", "未设置密码";
    TOTP = "Authenticator application", "身份验证器";
    TOTP_ON = "Set up; {} recovery codes are left", "已绑定，剩余 {} 个恢复码";
    TOTP_OFF = "Not set up", "未绑定";
    SET_UP_TOTP = "Set up an application", "绑定身份验证器";
    TOTP_SCAN = "Scan this with the application", "请用身份验证器扫描";
    TOTP_QR = "QR code of the secret", "密钥二维码";
    TOTP_SECRET = "Or type this into it", "或手动输入";
    TOTP_LINK = "Or open it on this device", "或在本设备上打开";
    TOTP_CODE = "The code it shows", "身份验证器显示的动态码";
    CONFIRM = "Confirm", "确认";
    NEW_CODES = "New recovery codes", "重新生成恢复码";
    CODES = "Recovery codes", "恢复码（列表）";
    CODES_WHY = "Each is good once, beside the password. They are shown only now: keep them where you keep such things.", "每个恢复码配合密码只能使用一次，且仅在此显示，请妥善保存。";
    KEPT = "I have kept them", "我已保存";
    SESSIONS = "Sessions", "登录会话";
    THIS_ONE = "This one", "当前会话";
    OPENED = "Opened", "登录时间";
    FACTOR = "Factor", "验证方式";
    NETWORK = "Network", "网络";
    IDLE = "Idle", "空闲";
    END = "End", "结束";
    DONE_PASSKEY = "The passkey is set up.", "通行密钥已设置。";
    DONE_REMOVED = "The passkey is removed; other sessions have ended.", "通行密钥已移除，其他会话已结束。";
    DONE_PASSWORD = "The password is set; other sessions have ended.", "密码已设置，其他会话已结束。";
    DONE_ENDED = "The session has ended.", "会话已结束。";
}

#[derive(Deserialize)]
struct Session {
    company: String,
    name: String,
    login: Option<String>,
    roles: Vec<String>,
    factors: Factors,
}

#[derive(Deserialize)]
struct Factors {
    passkeys: Vec<String>,
    password: bool,
    totp: bool,
    recovery_codes: usize,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    factor: String,
    opened_at: Timestamp,
    network: String,
    idle_seconds: u64,
    is_this: bool,
}

#[derive(Deserialize)]
struct Challenge {
    ceremony: String,
    options: Value,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let session: Session = v.get("/v1/session").await?;
    let is_full = v
        .desk
        .member()
        .is_some_and(|one| one.session.factor.is_full());
    let lines = match is_full {
        true => v.get::<Sessions>("/v1/session/sessions").await?.sessions,
        false => Vec::new(),
    };
    let v = &*v;
    let main = html! {
        @if !is_full { (parts::note(Tone::Info, v.t(SETTING_UP))) }
        div.columns {
            div {
                (parts::panel(v.t(PASSKEYS), passkeys(v, &session.factors.passkeys, is_full)))
                (parts::panel(v.t(PASSWORD), password(v, &session.factors)))
                (parts::panel(v.t(TOTP), application(v, &session.factors, is_full)))
            }
            div {
                (parts::panel(v.t(WHO), who(v, &session)))
                @if is_full { (parts::panel(v.t(SESSIONS), sessions(v, &lines))) }
            }
        }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn who(v: &Visit, session: &Session) -> Markup {
    let roles: Vec<String> = session
        .roles
        .iter()
        .map(|role| terms::term(role, v.language()))
        .collect();
    let roles = match roles.is_empty() {
        true => v.t(NO_ROLES).to_owned(),
        false => roles.join(", "),
    };
    parts::facts([
        parts::row(NAME, html! { (session.name) }, v),
        parts::row(
            LOGIN,
            html! { (session.login.as_deref().unwrap_or("–")) },
            v,
        ),
        parts::row(COMPANY, html! { (session.company) }, v),
        parts::row(ROLES, html! { (roles) }, v),
    ])
}

fn passkeys(v: &Visit, names: &[String], is_full: bool) -> Markup {
    html! {
        @if !names.is_empty() {
            ul.plain {
                @for (place, name) in names.iter().enumerate() {
                    li.line {
                        span { (name) }
                        @if is_full {
                            (action(v, "remove_passkey", &place.to_string(), v.t(REMOVE), Tone::Plain))
                        }
                    }
                }
            }
        }
        (action(v, "begin_passkey", "", v.t(ADD_PASSKEY), Tone::Info))
    }
}

/// A form that is one button: what to do, and with what.
fn action(v: &Visit, what: &str, with: &str, text: &str, tone: Tone) -> Markup {
    parts::form(
        v,
        "/account",
        html! {
            (parts::hidden("do", what)) (parts::hidden("with", with)) (parts::submit(text, tone))
        },
    )
}

fn password(v: &Visit, factors: &Factors) -> Markup {
    let field = Field {
        kind: "password",
        autocomplete: "new-password",
        ..Field::new("password", v.t(NEW_PASSWORD))
    };
    html! {
        p { (v.t(if factors.password { PASSWORD_SET } else { PASSWORD_NONE })) }
        (parts::form(v, "/account", html! {
            (parts::hidden("do", "set_password")) (field)
            (parts::submit(v.t(SET_PASSWORD), Tone::Plain))
        }))
    }
}

fn application(v: &Visit, factors: &Factors, is_full: bool) -> Markup {
    let left = factors.recovery_codes.to_string();
    html! {
        p {
            @match factors.totp {
                true => (TOTP_ON.with(v.language(), &[&left])),
                false => (v.t(TOTP_OFF)),
            }
        }
        @if factors.password {
            (action(v, "begin_totp", "", v.t(SET_UP_TOTP), Tone::Plain))
        }
        @if factors.totp && is_full {
            (action(v, "new_codes", "", v.t(NEW_CODES), Tone::Plain))
        }
    }
}

fn sessions(v: &Visit, lines: &[Line]) -> Markup {
    let row = |line: &Line| {
        let now = Timestamp::from_micros(v.now().micros());
        let idle = i64::try_from(line.idle_seconds).unwrap_or(0);
        let seen = Timestamp::from_micros(now.micros() - idle * 1_000_000);
        vec![
            format::time(line.opened_at),
            html! { (terms::term(&line.factor, v.language())) },
            html! { (line.network) },
            html! { (format::age(seen, now, v.language())) },
            match line.is_this {
                true => parts::badge(Tone::Info, None, v.t(THIS_ONE)),
                false => action(v, "end_session", &line.id, v.t(END), Tone::Plain),
            },
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    let columns = [v.t(OPENED), v.t(FACTOR), v.t(NETWORK), v.t(IDLE), v.t(END)];
    parts::table(v.t(SESSIONS), &columns, &rows, v)
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let with = form.text("with");
    let done = |v: &Visit, word: Word| Ok(Shown::done("/account", v.t(word)));
    match form.text("do") {
        "begin_passkey" => begin_passkey(v).await,
        "add_passkey" => {
            let answer: Value = serde_json::from_str(form.text("answer")).unwrap_or_default();
            let usual = v.t(PASSKEY_USUAL);
            let body = json!({
                "ceremony": form.text("ceremony"),
                "answer": answer,
                "name": form.given("name").unwrap_or(usual),
            });
            v.post::<Value>("/v1/session/factors/passkeys", &body)
                .await?;
            done(v, DONE_PASSKEY)
        }
        "remove_passkey" => {
            let target = format!("/v1/session/factors/passkeys/{}", encoded(with));
            v.send(&Method::DELETE, &target, None).await?;
            done(v, DONE_REMOVED)
        }
        "set_password" => {
            let body = json!({ "password": form.text("password") });
            let target = "/v1/session/factors/password";
            v.send(&Method::PUT, target, Some(&body)).await?;
            done(v, DONE_PASSWORD)
        }
        "begin_totp" => begin_totp(v).await,
        "confirm_totp" => {
            let body = json!({ "code": form.text("code").trim() });
            let target = "/v1/session/factors/totp/confirmation";
            let codes: Codes = v.post(target, &body).await?;
            Ok(recovery(v, &codes))
        }
        "new_codes" => {
            let target = "/v1/session/factors/recovery-codes";
            let codes: Codes = v.post(target, &Value::Null).await?;
            Ok(recovery(v, &codes))
        }
        _ => {
            let target = format!("/v1/session/sessions/{}", encoded(with));
            v.send(&Method::DELETE, &target, None).await?;
            done(v, DONE_ENDED)
        }
    }
}

async fn begin_passkey(v: &mut Visit) -> Result<Shown, Fault> {
    let target = "/v1/session/factors/passkey-challenge";
    let Challenge { ceremony, options } = v.post(target, &Value::Null).await?;
    let name = Field {
        value: v.t(PASSKEY_USUAL),
        bytes_max: 100,
        ..Field::new("name", v.t(PASSKEY_NAME))
    };
    let main = html! {
        div.narrow {
            section.panel {
                p { (v.t(CREATE_WHY)) }
                form method="post" action="/account" data-passkey="create" data-options=(options) data-field="answer" {
                    (parts::token(v)) (parts::hidden("do", "add_passkey"))
                    (parts::hidden("ceremony", &ceremony)) (parts::hidden("answer", ""))
                    (name)
                    p.note.bad role="alert" data-problem="" hidden {}
                    (parts::submit(v.t(CREATE), Tone::Info))
                }
            }
        }
    };
    let body = Body::new(v.t(ADD_PASSKEY), main).below("/account", v.t(TITLE));
    Ok(body.with(&["passkey.js"]).into())
}

#[derive(Deserialize)]
struct Setup {
    secret: String,
    address: String,
}

async fn begin_totp(v: &mut Visit) -> Result<Shown, Fault> {
    let Setup { secret, address } = v.post("/v1/session/factors/totp", &Value::Null).await?;
    let code = Field {
        autocomplete: "one-time-code",
        bytes_max: 8,
        ..Field::new("code", v.t(TOTP_CODE))
    };
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    let main = html! {
        div.narrow {
            section.panel {
                p { (v.t(TOTP_SCAN)) }
                (qr::code(&address, v.t(TOTP_QR)))
                p { (v.t(TOTP_SECRET)) }
                p.secret { code { (groups.join(" ")) } }
                p { a href=(address) { (v.t(TOTP_LINK)) } }
                (parts::form(v, "/account", html! {
                    (parts::hidden("do", "confirm_totp")) (code)
                    (parts::submit(v.t(CONFIRM), Tone::Info))
                }))
            }
        }
    };
    Ok(Body::new(v.t(SET_UP_TOTP), main)
        .below("/account", v.t(TITLE))
        .into())
}

#[derive(Deserialize)]
struct Codes {
    recovery_codes: Vec<String>,
}

fn recovery(v: &Visit, codes: &Codes) -> Shown {
    let main = html! {
        div.narrow {
            section.panel {
                p { (v.t(CODES_WHY)) }
                ol.codes { @for code in &codes.recovery_codes { li { code { (code) } } } }
                p { a.button href="/account" { (v.t(KEPT)) } }
            }
        }
    };
    Body::new(v.t(CODES), main)
        .below("/account", v.t(TITLE))
        .into()
}
