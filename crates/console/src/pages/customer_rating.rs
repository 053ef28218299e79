//! One customer's rating: what contributed to it, what is known of them, how it came about; looking
//! again, and asking for another rating.

use super::customer_ratings::{self, Profile, RATINGS, place, rating};
use crate::{
    chart::{Drop, waterfall},
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::{edge::Code, pages::Form};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/customer-ratings/{id}",
    door: Door::Staff,
    needs: &[Scope::RatingsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    HOLDS = "The rating that holds", "现行风险等级";
    BY_POLICY = "By the policy", "策略评级";
    AT_LEAST = "At least", "最低等级";
    POLICY = "Version of the policy", "策略版本";
    ADDS_UP = "What contributed", "评分构成";
    POINTS = "Points", "分值";
    UNKNOWN = "nothing is known of it", "信息缺失";
    SET_TO = "Set by approval to {} until {}", "经审批设定为{}，有效期至 {}";
    KNOWN = "What is known", "基本情况";
    FOUND = "What was found", "风险信号";
    FOUND_AT = "Found", "发现时间";
    WHAT = "What it says", "信号内容";
    HISTORY = "How it came about", "评级历史";
    RATED_AT = "Rated", "评级时间";
    CAUSE = "Cause", "触发原因";
    BY = "By", "操作人";
    LOOK_AGAIN = "Rate again", "重新评级";
    LOOKED = "Rated again.", "已重新评级。";
    OVERRIDE = "Ask for another rating", "申请调整等级";
    OVERRIDE_WHY = "It takes effect by approval, for 366 days at most, and never goes below what the facts demand.", "经审批后生效，最长 366 天，且不得低于事实要求的最低等级。";
    UNTIL = "Until", "有效期至";
    UNTIL_HINT = "Such as 2027-01-31T00:00:00Z", "例如 2027-01-31T00:00:00Z";
    ASK = "Ask for this rating", "提交调整申请";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    ENTITY = "What the windows hold of them", "时间窗特征与关联";
}

#[derive(Deserialize)]
pub(super) struct Rated {
    customer: String,
    rating: String,
    assessment: Assessment,
    policy: String,
    overridden: Option<Overridden>,
    cause: String,
    by: String,
    reason: Option<String>,
    rated_at: Timestamp,
    review_at: Timestamp,
    profile: Option<Profile>,
    signals: Vec<Signal>,
}

#[derive(Deserialize)]
struct Assessment {
    score: u16,
    rating: String,
    floor: String,
    factors: Vec<Factor>,
}

#[derive(Deserialize)]
struct Factor {
    factor: String,
    points: u16,
    is_missing: bool,
    contributions: Vec<Contribution>,
}

#[derive(Deserialize)]
struct Contribution {
    fact: String,
    value: String,
    at_least: Option<String>,
}

#[derive(Deserialize)]
struct Overridden {
    rating: String,
    until: Timestamp,
    reason: String,
}

#[derive(Deserialize)]
struct Signal {
    id: String,
    kind: String,
    at: Timestamp,
}

#[derive(Deserialize)]
struct History {
    ratings: Vec<Rated>,
}

/// The rating of a customer on another page; nothing where there is none.
pub(super) fn panel(v: &Visit, rated: &Rated) -> Markup {
    parts::panel(
        v.t(customer_ratings::TITLE),
        html! {
            (facts(v, rated))
            p { a href=(place(&rated.customer)) { (v.t(ADDS_UP)) } }
        },
    )
}

/// The rating of a customer, if they are rated.
pub(super) async fn of(v: &mut Visit, hash: &str) -> Result<Option<Rated>, Fault> {
    let rated = v
        .get(&format!("/v1/customer-ratings/{}", encoded(hash)))
        .await;
    match rated {
        Err(Fault(document)) if document.code == Code::CustomerNotRated.name() => Ok(None),
        rated => rated.map(Some),
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = format!("/v1/customer-ratings/{}", encoded(&v.parameter));
    let rated: Rated = v.get(&route).await?;
    let History { ratings } = v.get(&format!("{route}/history?limit=50")).await?;
    let v = &*v;
    let main = html! {
        @if let Some(set) = &rated.overridden { (parts::note(Tone::Care, set_to(v, set))) }
        div.columns {
            (parts::panel(v.t(HOLDS), facts(v, &rated)))
            (parts::panel(v.t(KNOWN), known(v, &rated)))
        }
        (parts::panel(v.t(ADDS_UP), adds_up(v, &rated.assessment)))
        (parts::panel(v.t(FOUND), found(v, &rated.signals)))
        (parts::panel(v.t(HISTORY), history(v, &ratings)))
        @if v.may(Scope::RatingsWrite) {
            div.columns {
                (parts::panel(v.t(LOOK_AGAIN), look_again(v)))
                @if v.may(Scope::ApprovalsRequest) { (parts::panel(v.t(OVERRIDE), ask(v, &rated))) }
            }
        }
    };
    Ok(Body::new(rated.customer, main)
        .below("/customer-ratings", v.t(customer_ratings::TITLE))
        .into())
}

fn facts(v: &Visit, rated: &Rated) -> Markup {
    let hash = rated.customer.split(':').next_back().unwrap_or_default();
    let entity = format!("/entities/customer/{}", encoded(hash));
    parts::facts([
        parts::row(HOLDS, rating(v, &rated.rating), v),
        parts::row(parts::SCORE, html! { (rated.assessment.score) " / 100" }, v),
        parts::row(BY_POLICY, rating(v, &rated.assessment.rating), v),
        parts::row(AT_LEAST, rating(v, &rated.assessment.floor), v),
        parts::row(RATED_AT, parts::since(rated.rated_at, v), v),
        parts::row(
            customer_ratings::RATED_AGAIN,
            format::time(rated.review_at),
            v,
        ),
        parts::row(POLICY, parts::id(&rated.policy), v),
        parts::row(ENTITY, parts::link(&entity, &rated.customer), v),
    ])
}

fn set_to(v: &Visit, set: &Overridden) -> Markup {
    let rating = terms::term(&set.rating, v.language());
    let until = format::second(set.until);
    html! { p { (SET_TO.with(v.language(), &[&rating, &until])) } p { (set.reason) } }
}

fn known(v: &Visit, rated: &Rated) -> Markup {
    match &rated.profile {
        Some(profile) => customer_ratings::known(v, profile),
        None => parts::empty(v.t(parts::NOTHING_HERE)),
    }
}

/// The factors that gave points, as steps up to the score.
fn adds_up(v: &Visit, assessment: &Assessment) -> Markup {
    let language = v.language();
    let contribution = |one: &Contribution| {
        let fact = named("fact", &one.fact, "", language);
        let value = match one.fact.as_str() {
            "kind" => named("customer", &one.value, "", language),
            _ => customer_ratings::answer(v, &one.value),
        };
        html! {
            div.muted {
                (fact) ": " (value)
                @if let Some(least) = &one.at_least { " " (v.t(AT_LEAST)) " " (rating(v, least)) }
            }
        }
    };
    let drop = |factor: &Factor| Drop {
        points: factor.points,
        name: html! {
            (named("factor", &factor.factor, "", language))
            @if factor.is_missing { div.muted { (v.t(UNKNOWN)) } }
            @for one in &factor.contributions { (contribution(one)) }
        },
    };
    let drops: Vec<Drop> = assessment.factors.iter().map(drop).collect();
    let names = [v.t(ADDS_UP), v.t(POINTS), v.t(parts::SCORE)];
    waterfall(names[1], &drops, assessment.score, names)
}

fn found(v: &Visit, signals: &[Signal]) -> Markup {
    let row = |signal: &Signal| {
        let what = match signal.id.starts_with("alr_") {
            true => parts::link(
                &format!("/payment-alerts/{}", encoded(&signal.id)),
                &signal.id,
            ),
            false => parts::id(&signal.id),
        };
        let kind = named("signal", &signal.kind, "", v.language());
        vec![what, html! { (kind) }, format::time(signal.at)]
    };
    let rows: Vec<_> = signals.iter().rev().map(row).collect();
    parts::table(
        v.t(FOUND),
        &[v.t(FOUND), v.t(WHAT), v.t(FOUND_AT)],
        &rows,
        v,
    )
}

fn history(v: &Visit, ratings: &[Rated]) -> Markup {
    let row = |rated: &Rated| {
        vec![
            format::time(rated.rated_at),
            rating(v, &rated.rating),
            html! { (rated.assessment.score) },
            html! { (named("rated", &rated.cause, "", v.language())) },
            parts::actor(&rated.by, v),
            html! { (rated.reason.as_deref().unwrap_or("–")) },
        ]
    };
    let rows: Vec<_> = ratings.iter().map(row).collect();
    let score = format!("{}#", v.t(parts::SCORE));
    let columns = [
        v.t(RATED_AT),
        v.t(customer_ratings::RATING),
        &score,
        v.t(CAUSE),
        v.t(BY),
        v.t(parts::REASON),
    ];
    parts::table(v.t(HISTORY), &columns, &rows, v)
}

fn look_again(v: &Visit) -> Markup {
    let here = place(&v.parameter);
    parts::form(
        v,
        &here,
        html! {
            (parts::reason("reason", v))
            (parts::submit_as("do", "review", v.t(LOOK_AGAIN), Tone::Info))
        },
    )
}

fn ask(v: &Visit, rated: &Rated) -> Markup {
    let named = |rating: &str| (rating.to_owned(), terms::term(rating, v.language()));
    let floor = rated.assessment.floor.as_str();
    let allowed = RATINGS.into_iter().skip_while(|one| *one != floor);
    let until = Field {
        hint: Some(v.t(UNTIL_HINT)),
        ..Field::new("until", v.t(UNTIL))
    };
    parts::form(
        v,
        &place(&v.parameter),
        html! {
            p.muted { (v.t(OVERRIDE_WHY)) }
            (parts::select("rating", v.t(customer_ratings::RATING), &rated.rating, allowed.map(named)))
            (until)
            (parts::reason("why", v))
            (parts::submit_as("do", "override", v.t(ASK), Tone::Info))
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let here = place(&v.parameter);
    if form.text("do") == "override" {
        let reason = form.text("why");
        let asked = json!({
            "customer": format!("customer:{}", v.parameter),
            "rating": form.text("rating"),
            "expires_at": form.text("until").trim(),
            "reason": reason,
        });
        let body = json!({ "command": { "rating_override": asked }, "reason": reason });
        let Asked { id } = v.post("/v1/approvals", &body).await?;
        return Ok(Shown::done(
            format!("/approvals/{}", encoded(&id)),
            v.t(ASKED),
        ));
    }
    let route = format!("/v1/customer-ratings/{}/review", encoded(&v.parameter));
    v.post::<Value>(&route, &json!({ "reason": form.text("reason") }))
        .await?;
    Ok(Shown::done(here, v.t(LOOKED)))
}
