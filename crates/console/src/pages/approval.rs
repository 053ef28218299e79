//! One approval: what is asked for and why, the votes, and what may be done about it now.

mod payload;
mod reveal;

pub(super) use payload::WORDS as PAYLOAD_WORDS;
pub(super) use reveal::WORDS as REVEAL_WORDS;

use super::{
    approvals::{self, Count},
    exports, reveals,
};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/approvals/{id}",
    door: Door::Staff,
    needs: &[Scope::ApprovalsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    COMMAND = "Command", "操作";
    ABOUT = "About", "涉及对象";
    STATE = "State", "状态";
    ASKED_BY = "Asked by", "申请人";
    AUTHORS = "Made by", "编写人";
    ASKED_AT = "Asked", "申请时间";
    EXPIRES = "Expires", "有效期至";
    TICKET = "Ticket", "工单号";
    CLAUSE = "Clause of the policy", "适用策略条款";
    COUNT = "Votes that count", "有效票数";
    USED_BY = "Carried out by", "执行人";
    MASKED = "Values of customers are hidden from you; nobody votes on what is hidden from them.", "客户数据对您隐藏；无法查看内容的人员不能投票。";
    FINGERPRINT = "SHA-256", "SHA-256";
    VOTES = "Votes", "票数";
    AT = "At", "时间";
    BY = "By", "操作人";
    COUNTS = "Counts", "是否计入";
    DOES = "Counts now", "计入";
    NO_VOTE = "Your vote would not count: {}.", "您的投票不会计入：{}。";
    ACT = "Your part", "您的操作";
    APPROVE = "Approve it", "批准";
    DENY = "Refuse it", "否决";
    EXECUTE = "Carry it out", "执行";
    LOOK = "Show the values for a minute", "查看明文（一分钟）";
    WITHDRAW = "Take it back", "撤回";
    PRIVATE_HALF = "The private half of the key. It is shown once and stored nowhere.", "密钥的私有部分，仅显示一次，系统不保存。";
    WEBHOOK_SECRET = "The secret by which messages to the webhook are checked. It is shown once.", "用于校验该通知消息的密钥，仅显示一次。";
    CARRIED_OUT = "Carried out.", "已执行完毕。";
    PREPARING = "It is being prepared, then it follows.", "正在准备，完成后自动执行。";
    DONE_VOTE = "Your vote counts.", "投票已计入。";
    DONE_WITHDRAWN = "Taken back.", "已撤回申请。";
    CHANGES = "Against what is live", "与生效版本的差异";
    ADDED = "Added", "新增";
    REMOVED = "Removed", "移除内容";
    CHANGED = "Changed", "变更";
    BACK = "Back to the approval", "返回审批单";
}

#[derive(Deserialize)]
struct Approval {
    id: String,
    command: String,
    object: String,
    payload: Value,
    is_masked: bool,
    payload_sha256: String,
    state: String,
    maker: String,
    authors: Vec<String>,
    reason: String,
    ticket: Option<String>,
    requested_at: Timestamp,
    expires_at: Timestamp,
    count: Option<Count>,
    your_vote_void: Option<String>,
    votes: Vec<Vote>,
    denied: Option<Closing>,
    withdrawn: Option<Closing>,
    used: Option<Used>,
}

#[derive(Deserialize)]
struct Vote {
    by: String,
    at: Timestamp,
    reason: String,
    void: Option<String>,
}

#[derive(Deserialize)]
struct Closing {
    by: String,
    at: Timestamp,
    reason: String,
}

#[derive(Deserialize)]
struct Used {
    by: String,
    at: Timestamp,
}

/// What a version of rules changes.
#[derive(Deserialize)]
pub(super) struct Difference {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<Value>,
}

fn target(v: &Visit) -> String {
    format!("/v1/approvals/{}", encoded(&v.parameter))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let approval: Approval = v.get(&target(v)).await?;
    let version = approval.payload.get("version").and_then(Value::as_str);
    let difference: Option<Difference> = match version {
        Some(version) if approval.command == "rule_release" => {
            let target = format!("/v1/rule-sets/{}/diff", encoded(version));
            v.desk.about_rules(version).await;
            v.get_if(Scope::RulesRead, &target).await?
        }
        _ => None,
    };
    // Once it was carried out, what stands now is no longer what it changed.
    let before = match approval.state.as_str() {
        "open" | "approved" => payload::before(v, &approval.command, &approval.payload).await?,
        _ => None,
    };
    let v = &*v;
    let main = html! {
        p { (approval.reason) }
        div.columns {
            div {
                (parts::panel(v.t(ABOUT), facts(v, &approval)))
                @if let Some(files) = open_files(v, &approval) { (parts::panel(v.t(exports::EXPORT), files)) }
                @if let Some(act) = act(v, &approval) { (parts::panel(v.t(ACT), act)) }
            }
            div {
                (parts::panel(v.t(payload::PAYLOAD), asked_for(v, &approval, before.as_ref())))
                @if let Some(difference) = &difference {
                    (parts::panel(v.t(CHANGES), changes(v, difference)))
                }
            }
        }
        (parts::panel(v.t(VOTES), votes(v, &approval)))
    };
    let title = terms::term(&approval.command, v.language());
    Ok(Body::new(title, main)
        .below("/approvals", v.t(approvals::TITLE))
        .into())
}

fn facts(v: &Visit, approval: &Approval) -> Markup {
    let count = approval.count.as_ref();
    let clause = count.and_then(|count| count.clause.as_deref());
    let mut rows = vec![
        parts::row(STATE, parts::state(&approval.state, v.language()), v),
        parts::row(
            COMMAND,
            html! { (terms::term(&approval.command, v.language())) },
            v,
        ),
        parts::row(ABOUT, parts::object(&approval.object, v), v),
        parts::row(ASKED_BY, parts::actor(&approval.maker, v), v),
        parts::row(ASKED_AT, parts::since(approval.requested_at, v), v),
        parts::row(EXPIRES, format::time(approval.expires_at), v),
    ];
    if !approval.authors.is_empty() {
        let authors = html! { @for author in &approval.authors { (parts::actor(author, v)) " " } };
        rows.push(parts::row(AUTHORS, authors, v));
    }
    if let Some(ticket) = &approval.ticket {
        rows.push(parts::row(TICKET, html! { (ticket) }, v));
    }
    if let Some(count) = count {
        let counted = html! { (count.counted) " / " (count.needed) };
        rows.push(parts::row(COUNT, counted, v));
        rows.push(parts::row(CLAUSE, html! { (clause.unwrap_or("–")) }, v));
    }
    if let Some(Used { by, at }) = &approval.used {
        rows.push(parts::row(
            USED_BY,
            html! { (parts::actor(by, v)) " " (parts::since(*at, v)) },
            v,
        ));
    }
    parts::facts(rows)
}

fn asked_for(v: &Visit, approval: &Approval, before: Option<&payload::Before>) -> Markup {
    html! {
        @if approval.is_masked { (parts::note(Tone::Care, v.t(MASKED))) }
        (payload::table(v, &approval.payload, before))
        p.hint { (v.t(FINGERPRINT)) " " (parts::id(&approval.payload_sha256)) }
    }
}

/// Rules that come, go and change.
pub(super) fn changes(v: &Visit, difference: &Difference) -> Markup {
    html! {
        @if !difference.added.is_empty() {
            h3 { (v.t(ADDED)) }
            ul.plain { @for rule in &difference.added { li.come { "+ " (parts::rule(rule, v)) } } }
        }
        @if !difference.removed.is_empty() {
            h3 { (v.t(REMOVED)) }
            ul.plain { @for rule in &difference.removed { li.gone { "− " (parts::rule(rule, v)) } } }
        }
        @if !difference.changed.is_empty() {
            h3 { (v.t(CHANGED)) }
            @for change in &difference.changed { (parts::json(change, v.t(CHANGED))) }
        }
        @if difference.added.is_empty() && difference.removed.is_empty() && difference.changed.is_empty() {
            (parts::empty(v.t(parts::NOTHING_HERE)))
        }
    }
}

fn votes(v: &Visit, approval: &Approval) -> Markup {
    let vote = |vote: &Vote| {
        let counts = match &vote.void {
            Some(void) => parts::state(void, v.language()),
            None => parts::badge(Tone::Good, None, v.t(DOES)),
        };
        vec![
            format::time(vote.at),
            parts::actor(&vote.by, v),
            html! { (vote.reason) },
            counts,
        ]
    };
    let closing = |closing: &Closing, state: &str| {
        vec![
            format::time(closing.at),
            parts::actor(&closing.by, v),
            html! { (closing.reason) },
            parts::state(state, v.language()),
        ]
    };
    let mut rows: Vec<_> = approval.votes.iter().map(vote).collect();
    rows.extend(approval.denied.iter().map(|one| closing(one, "denied")));
    rows.extend(
        approval
            .withdrawn
            .iter()
            .map(|one| closing(one, "withdrawn")),
    );
    let columns = [v.t(AT), v.t(BY), v.t(parts::REASON), v.t(COUNTS)];
    parts::table(v.t(VOTES), &columns, &rows, v)
}

/// The files of an export that whoever looks has carried out.
fn open_files(v: &Visit, approval: &Approval) -> Option<Markup> {
    let me = v.desk.member()?.who().actor.to_string();
    let is_own = approval.maker == me && approval.command == "export";
    let is_open = is_own && approval.state == "used";
    is_open.then(|| exports::files(v, &approval.id, &approval.payload))?
}

/// What whoever looks may do about it now; nothing where there is nothing.
fn act(v: &Visit, approval: &Approval) -> Option<Markup> {
    let me = v.desk.member()?.who().actor.to_string();
    let is_open = approval.state == "open";
    let is_maker = approval.maker == me;
    let votes = is_open && v.may(Scope::ApprovalsVote) && !is_maker && !approval.is_masked;
    let void = approval.your_vote_void.as_deref().filter(|_| votes);
    let may_approve = votes && void.is_none();
    // How often two have approved each other does not matter for a refusal.
    let may_deny = may_approve || void == Some("mutual");
    let kind = paywarden_access::approval::Kind::parse(&approval.command)?;
    let may_execute =
        approval.state == "approved" && v.may(Scope::ApprovalsRequest) && v.may(kind.scope());
    let may_withdraw = is_maker && (is_open || approval.state == "approved");
    // A grant that is open is looked at by whoever asked for it.
    if approval.state == "used" && approval.command == "reveal" && is_maker {
        let look = parts::submit_as("do", "look", v.t(LOOK), Tone::Info);
        return Some(parts::form(v, v.desk.path(), look));
    }
    let why_not = void.map(|void| {
        let void = terms::term(void, v.language());
        parts::note(Tone::Care, NO_VOTE.with(v.language(), &[&void]))
    });
    if !may_deny && !may_execute && !may_withdraw {
        return why_not;
    }
    let action = format!("/approvals/{}", encoded(&approval.id));
    Some(parts::form(
        v,
        &action,
        html! {
            @if let Some(why_not) = why_not { (why_not) }
            (parts::hidden("payload_sha256", &approval.payload_sha256))
            (parts::reason("reason", v))
            // Whatever leaves serves a purpose that the privacy policy knows.
            @if may_execute && approval.command == "export" { (reveals::purpose(v)) }
            div.buttons {
                @if may_approve { (parts::submit_as("do", "approve", v.t(APPROVE), Tone::Info)) }
                @if may_deny { (parts::submit_as("do", "deny", v.t(DENY), Tone::Bad)) }
                @if may_execute { (parts::submit_as("do", "execute", v.t(EXECUTE), Tone::Info)) }
                @if may_withdraw { (parts::submit_as("do", "withdraw", v.t(WITHDRAW), Tone::Plain)) }
            }
        },
    ))
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let (target, here) = (target(v), v.desk.path().to_owned());
    let reason = form.text("reason");
    match form.text("do") {
        "execute" => {
            let purpose = form.given("purpose").unwrap_or(reason);
            return execute(v, &target, purpose).await;
        }
        "look" => return reveal::look(v, &target).await,
        "withdraw" => {
            let body = json!({ "reason": reason });
            v.post::<Value>(&format!("{target}/withdrawal"), &body)
                .await?;
            Ok(Shown::done(here, v.t(DONE_WITHDRAWN)))
        }
        vote => {
            let body = json!({
                "vote": if vote == "approve" { "approve" } else { "deny" },
                "payload_sha256": form.text("payload_sha256"),
                "reason": reason,
            });
            v.post::<Value>(&format!("{target}/votes"), &body).await?;
            Ok(Shown::done(here, v.t(DONE_VOTE)))
        }
    }
}

#[derive(Deserialize)]
struct Execution {
    progress: Option<Value>,
    key: Option<MadeKey>,
    webhook: Option<MadeWebhook>,
}

#[derive(Deserialize)]
struct MadeKey {
    private_half: Option<String>,
}

#[derive(Deserialize)]
struct MadeWebhook {
    secret: Option<String>,
}

impl Execution {
    /// What is shown once, with what it is.
    fn secret(self) -> Option<(Word, String)> {
        let half = self.key.and_then(|key| key.private_half);
        let secret = self.webhook.and_then(|webhook| webhook.secret);
        let half = half.map(|half| (PRIVATE_HALF, half));
        half.or_else(|| secret.map(|secret| (WEBHOOK_SECRET, secret)))
    }
}

async fn execute(v: &mut Visit, target: &str, reason: &str) -> Result<Shown, Fault> {
    let body = json!({ "purpose": reason });
    let done: Execution = v.post(&format!("{target}/execution"), &body).await?;
    let here = v.desk.path().to_owned();
    let word = match done.progress {
        Some(_) => PREPARING,
        None => CARRIED_OUT,
    };
    let Some((what, secret)) = done.secret() else {
        return Ok(Shown::done(here, v.t(word)));
    };
    let main = html! {
        div.narrow {
            (parts::note(Tone::Care, v.t(what)))
            pre.raw tabindex="0" role="region" aria-label=(v.t(what)) { (secret) }
            p { a.button href=(here) data-back="" { (v.t(BACK)) } }
        }
    };
    let body = Body::new(v.t(CARRIED_OUT), main);
    Ok(body.below("/approvals", v.t(approvals::TITLE)).into())
}
