//! Rated customers: how many there are of each rating, who they are, and saying what is known of one.

use crate::{
    format,
    icon::Icon,
    names::named,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms,
    visit::{Visit, address, encoded},
    word::{Word, words},
};
use http::Method;
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

const HERE: &str = "/customer-ratings";

pub(crate) const PAGE: Page = Page {
    path: HERE,
    door: Door::Staff,
    needs: &[Scope::RatingsRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::RATINGS,
        key: 'z',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Customer risk", "客户风险";
    CUSTOMER = "Customer", "客户";
    RATING = "Rating", "风险等级";
    SET = "Set by approval", "经审批设定";
    RATED_AGAIN = "Rated again by", "下次评级时间";
    TELL = "Say what is known of a customer", "登记客户信息";
    TELL_WHY = "They are rated at once. What is left out is not known from then on.", "提交后立即评级；未填写的内容此后视为未知。";
    REFERENCE = "Your identifier of the customer", "您的客户标识";
    REFERENCE_HINT = "As payments carry it in payer.id; a pseudonym is kept", "与支付请求的 payer.id 一致；系统仅保存假名";
    KIND = "What kind of person", "客户类型";
    COUNTRIES = "Countries", "国家或地区";
    COUNTRIES_HINT = "ISO 3166 letters with blanks between", "ISO 3166 两位代码，以空格分隔";
    INDUSTRIES = "Lines of business", "所属行业";
    PRODUCTS = "Products", "使用产品";
    CHANNELS = "Channels", "接触渠道";
    WORDS_HINT = "Words of the policy or your own, with blanks between", "策略用词或自定义用词，以空格分隔";
    EXPOSED = "Politically exposed", "政治公众人物";
    OPAQUE = "Ownership cannot be seen through", "股权结构不透明";
    DILIGENCE = "Due diligence done, 0 to 3", "尽职调查等级（0 至 3）";
    SINCE = "Customer since", "建立关系时间";
    SINCE_HINT = "Such as 2024-05-01T00:00:00Z", "例如 2024-05-01T00:00:00Z";
    NOT_SAID = "not known", "未知";
    KIND_NOT_SAID = "kind not known", "未知类型";
    YES = "yes", "是";
    NO = "no", "否";
    RATE = "Rate", "评级";
    RATED = "Rated.", "已完成评级。";
}

/// Every rating, the least first.
pub(super) const RATINGS: [&str; 4] = ["low", "medium", "high", "prohibited"];

/// Every kind of customer.
#[rustfmt::skip]
const KINDS: [&str; 12] = [
    "person", "sole_trader", "company", "nominee_company", "trust", "foundation", "non_profit",
    "public_body", "financial_institution", "money_service", "virtual_asset_service", "shell_bank",
];

#[derive(Deserialize)]
struct Rows {
    customers: Vec<Row>,
    counts: [u64; 4],
    next_after: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    customer: String,
    rating: String,
    score: u16,
    is_overridden: bool,
    review_at: Timestamp,
}

/// A rating as a coloured word.
pub(super) fn rating(v: &Visit, rating: &str) -> Markup {
    parts::state(rating, v.language())
}

/// Where a customer's rating is shown.
pub(super) fn place(customer: &str) -> String {
    let hash = customer.split(':').next_back().unwrap_or_default();
    format!("/customer-ratings/{}", encoded(hash))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let [chosen, overridden, after] = ["rating", "overridden", "after"].map(|name| v.query(name));
    let filter = [
        ("rating", chosen.as_deref()),
        ("overridden", overridden.as_deref()),
    ];
    let asked = [&filter[..], &[("after", after.as_deref())]].concat();
    let page: Rows = v.get(&address("/v1/customer-ratings", &asked)).await?;
    let v = &*v;
    let rows: Vec<_> = page.customers.iter().map(|row| cells(v, row)).collect();
    let score = format!("{}#", v.t(parts::SCORE));
    let columns = [
        v.t(CUSTOMER),
        v.t(RATING),
        &score,
        v.t(SET),
        v.t(RATED_AGAIN),
    ];
    let next = page.next_after.map(|after| {
        let asked = [&filter[..], &[("after", Some(after.as_str()))]].concat();
        address(HERE, &asked)
    });
    let first = after.map(|_| address(HERE, &filter));
    let is_set = chosen.is_some() || overridden.is_some();
    let choice = html! {
        (parts::filter_by("rating", v.t(RATING), chosen.as_deref(), RATINGS, v))
        (parts::select("overridden", v.t(SET), overridden.as_deref().unwrap_or_default(), answers(v, parts::ANY)))
    };
    let main = html! {
        div.figures {
            @for (rating, count) in RATINGS.into_iter().zip(page.counts) {
                @let to = address(HERE, &[("rating", Some(rating))]);
                (parts::figure(terms::term(rating, v.language()), format::number(count), "", Some(&to)))
            }
        }
        (parts::filters(HERE, choice, is_set, v))
        (parts::table(v.t(TITLE), &columns, &rows, v))
        div.line { (super::views::keep(v)) (super::exports::way(v, "ratings")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
        @if v.may(Scope::RatingsWrite) { (parts::panel(v.t(TELL), tell(v))) }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, row: &Row) -> Vec<Markup> {
    vec![
        parts::link(&place(&row.customer), &row.customer),
        rating(v, &row.rating),
        html! { (row.score) },
        html! { @if row.is_overridden { (v.t(YES)) } @else { (v.t(NO)) } },
        format::time(row.review_at),
    ]
}

/// Yes and no in the language of whoever looks; whatever else is said as it is.
pub(super) fn answer(v: &Visit, said: &str) -> String {
    match said {
        "yes" => v.t(YES).to_owned(),
        "no" => v.t(NO).to_owned(),
        other => other.to_owned(),
    }
}

/// Yes, no, or neither.
fn answers(v: &Visit, neither: Word) -> [(String, String); 3] {
    [("", neither), ("true", YES), ("false", NO)]
        .map(|(value, word)| (value.to_owned(), v.t(word).to_owned()))
}

/// What the company has said of a customer.
#[derive(Deserialize)]
pub(super) struct Profile {
    kind: Option<String>,
    countries: Vec<String>,
    industries: Vec<String>,
    products: Vec<String>,
    channels: Vec<String>,
    politically_exposed: Option<bool>,
    opaque_ownership: Option<bool>,
    due_diligence: Option<u8>,
    since: Option<Timestamp>,
}

/// What is known of a customer.
pub(super) fn known(v: &Visit, profile: &Profile) -> Markup {
    let unknown = || html! { span.muted { (v.t(NOT_SAID)) } };
    let text = |text: String| match text.is_empty() {
        true => unknown(),
        false => html! { (text) },
    };
    let list = |words: &[String]| text(words.join(", "));
    let answer = |answer: Option<bool>| {
        let word = answer.map(|answer| if answer { YES } else { NO });
        word.map_or_else(unknown, |word| html! { (v.t(word)) })
    };
    let kind = profile.kind.as_deref();
    let kind = kind.map(|kind| named("customer", kind, "", v.language()));
    let level = profile.due_diligence.map(|level| level.to_string());
    parts::facts([
        parts::row(KIND, text(kind.unwrap_or_default()), v),
        parts::row(COUNTRIES, list(&profile.countries), v),
        parts::row(INDUSTRIES, list(&profile.industries), v),
        parts::row(PRODUCTS, list(&profile.products), v),
        parts::row(CHANNELS, list(&profile.channels), v),
        parts::row(EXPOSED, answer(profile.politically_exposed), v),
        parts::row(OPAQUE, answer(profile.opaque_ownership), v),
        parts::row(DILIGENCE, text(level.unwrap_or_default()), v),
        parts::row(SINCE, profile.since.map_or_else(unknown, format::time), v),
    ])
}

fn tell(v: &Visit) -> Markup {
    let field = |name, label: Word, hint: Option<Word>| {
        let hint = hint.map(|hint| v.t(hint));
        Field {
            hint,
            required: name == "reference",
            ..Field::new(name, v.t(label))
        }
    };
    let unknown = (String::new(), v.t(KIND_NOT_SAID).to_owned());
    let kind = |name: &str| (name.to_owned(), named("customer", name, "", v.language()));
    let kinds = std::iter::once(unknown).chain(KINDS.map(kind));
    let inside = html! {
        p.muted { (v.t(TELL_WHY)) }
        (field("reference", REFERENCE, Some(REFERENCE_HINT)))
        div.columns {
            div {
                (parts::select("kind", v.t(KIND), "", kinds))
                (field("countries", COUNTRIES, Some(COUNTRIES_HINT)))
                (field("industries", INDUSTRIES, Some(WORDS_HINT)))
                (field("products", PRODUCTS, Some(WORDS_HINT)))
                (field("channels", CHANNELS, Some(WORDS_HINT)))
            }
            div {
                (parts::select("politically_exposed", v.t(EXPOSED), "", answers(v, NOT_SAID)))
                (parts::select("opaque_ownership", v.t(OPAQUE), "", answers(v, NOT_SAID)))
                (field("due_diligence", DILIGENCE, None))
                (field("since", SINCE, Some(SINCE_HINT)))
            }
        }
        (parts::submit(v.t(RATE), terms::Tone::Info))
    };
    parts::form(v, HERE, inside)
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let words = |name: &str| -> Vec<String> {
        let words = form.text(name).split_whitespace();
        words.map(str::to_owned).collect()
    };
    let said = |name: &str| Some(form.text(name).trim()).filter(|text| !text.is_empty());
    let answer = |name: &str| said(name).map(|text| text == "true");
    // What is no number is sent as it is, and refused by the route.
    let diligence =
        said("due_diligence").map(|text| text.parse::<u8>().map_or(json!(text), Value::from));
    let profile = json!({
        "kind": said("kind"),
        "countries": words("countries"),
        "industries": words("industries"),
        "products": words("products"),
        "channels": words("channels"),
        "politically_exposed": answer("politically_exposed"),
        "opaque_ownership": answer("opaque_ownership"),
        "due_diligence": diligence,
        "since": said("since"),
    });
    let body = json!({ "reference": form.text("reference").trim(), "profile": profile });
    let rated = v
        .send(&Method::PUT, "/v1/customer-ratings", Some(&body))
        .await?;
    let rated: Value = serde_json::from_slice(&rated).unwrap_or_default();
    let customer = rated["customer"].as_str().unwrap_or_default();
    Ok(Shown::done(place(customer), v.t(RATED)))
}
