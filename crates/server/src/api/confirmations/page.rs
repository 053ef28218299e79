//! The page behind a link: shows what is asked, takes one answer. Plain HTML without script; looking
//! at it answers nothing, because mail programs look at links too.

use super::{holds, settle, words::Language, words::Words};
use crate::{
    edge::{Problem, reply::Reply},
    state::State,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
        X_FRAME_OPTIONS,
    },
    request::Parts,
};
use paywarden_access::masking::{self, Channel as Shown, Form, HIDDEN, PAYER};
use paywarden_crypto::digest::sha256;
use paywarden_domain::Money;
use paywarden_notify::confirmation::{self, Answer, Channel, Detail, Question};
use paywarden_risk::Sketch;
use paywarden_store::Actor;
use std::{fmt::Write, sync::LazyLock};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = include_str!("page.css");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A request for a page.
pub(crate) struct Visit<'v> {
    pub(crate) state: &'v State,
    pub(crate) head: &'v Parts,
    /// What the link holds.
    pub(crate) token: &'v str,
    /// The form, of an answer.
    pub(crate) form: Option<Bytes>,
}

/// Shows the question behind a link, or what was answered. What was made up, was sent again or has
/// expired looks alike. Looking answers nothing.
#[utoipa::path(
    get, path = "/confirm/{token}", tag = "confirmations",
    operation_id = "show_confirmation", security(()),
    params(
        ("token" = String, Path, description = "What the link holds"),
        ("lang" = Option<String>, Query, description = "`en` or `zh`; what the browser likes if not given"),
    ),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 404, description = "The link cannot be used", content_type = "text/html", body = String),
        (status = "default", description = "A page that asks to try again", content_type = "text/html",
            body = String),
    )
)]
pub(crate) async fn handle(visit: &Visit<'_>) -> Result<Reply, Problem> {
    let Visit { state, token, .. } = visit;
    let language = language(visit.head, visit.form.as_ref());
    let over = || Ok(over(language));
    let Some(question) = state.notify.confirmations.behind(token).await? else {
        return over();
    };
    match question.state(state.clock.now()) {
        confirmation::State::Expired => over(),
        confirmation::State::Answered => Ok(answered(language, &question)),
        confirmation::State::Open => match &visit.form {
            None => asked(state, language, &question, false).await,
            Some(form) => submit(state, language, question, form).await,
        },
    }
}

/// The page in the place of a refusal.
pub(crate) fn refused(head: &Parts, problem: Problem, request_id: &str) -> Reply {
    let language = language(head, None);
    let words = language.words();
    let told = problem.into_reply(request_id);
    let text = paragraph(words.not_now_why, words.somebody);
    let mut reply = page(language, told.status, words.somebody, words.not_now, &text);
    reply.headers.extend(told.headers);
    reply
}

/// Takes the answer of a payer, once. Repeating it shows the answer that stands.
#[utoipa::path(
    post, path = "/confirm/{token}", tag = "confirmations",
    operation_id = "submit_confirmation", security(()),
    params(("token" = String, Path, description = "What the link holds")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`answer` is `yes`, `no` or `tricked`; `lang` the language of the page"),
    responses(
        (status = 200, description = "The answer that stands", content_type = "text/html", body = String),
        (status = 404, description = "The link cannot be used", content_type = "text/html", body = String),
        (status = 422, description = "No answer was chosen", content_type = "text/html", body = String),
        (status = "default", description = "A page that asks to try again", content_type = "text/html",
            body = String),
    )
)]
pub(crate) async fn submit(
    state: &State,
    language: Language,
    question: Question,
    form: &[u8],
) -> Result<Reply, Problem> {
    let given = form_urlencoded::parse(form).find(|(name, _)| name == "answer");
    let Some(answer) = given.and_then(|(_, value)| Answer::parse(&value)) else {
        return asked(state, language, &question, true).await;
    };
    let said = (answer, Channel::Link, Actor::System("payer"));
    let stands = settle(state, question, said).await?;
    Ok(answered(language, &stands))
}

/// The question. `again` is for whoever has chosen nothing.
async fn asked(
    state: &State,
    language: Language,
    question: &Question,
    again: bool,
) -> Result<Reply, Problem> {
    let words = language.words();
    let sketch = holds(state)
        .sketch(&question.tenant, &question.payment_id)
        .await?;
    let name = name(words, question);
    let mut body = paragraph(words.asks, name);
    body += &facts(words, &sketch, &question.terms.shows);
    if again {
        let _ = write!(body, "<p class=error role=alert>{}</p>", words.choose);
    }
    let _ = write!(
        body,
        "<form method=post><input type=hidden name=lang value={}>",
        words.tag
    );
    for answer in Answer::ALL {
        let (value, text) = (answer.name(), words.answer(answer));
        let _ = write!(body, "<button name=answer value={value}>{text}</button>");
    }
    body += "</form>";
    for note in [words.once, words.never] {
        let _ = write!(body, "<p class=note>{}</p>", filled(note, name));
    }
    let status = match again {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    Ok(page(language, status, name, words.title, &body))
}

/// The answer that stands, and what to do now.
fn answered(language: Language, question: &Question) -> Reply {
    let words = language.words();
    let name = name(words, question);
    let mut body = String::new();
    if let Some(given) = question.answered {
        let (said, next) = (words.answer(given.answer), words.next(given.answer));
        let _ = write!(
            body,
            "<p>{} <strong>{said}</strong></p><ol>",
            words.you_said
        );
        for step in next {
            let _ = write!(body, "<li>{}</li>", filled(step, name));
        }
        body += "</ol>";
    }
    page(language, StatusCode::OK, name, words.thanks, &body)
}

fn over(language: Language) -> Reply {
    let words = language.words();
    let body = paragraph(words.over_why, words.somebody);
    page(
        language,
        StatusCode::NOT_FOUND,
        words.somebody,
        words.over,
        &body,
    )
}

/// When it was, and what else is shown: what was asked for, as far as the table of masks goes.
fn facts(words: &Words, sketch: &Sketch, shows: &[Detail]) -> String {
    let mut list = String::from("<dl>");
    let mut fact = |name: &str, value: String| {
        let _ = write!(
            list,
            "<div><dt>{name}</dt><dd>{}</dd></div>",
            escaped(&value)
        );
    };
    let time = sketch.occurred_at.to_string();
    let minute = time.get(..16).unwrap_or(&time).replace('T', " ");
    fact(words.when, format!("{minute} UTC"));
    let shown = |field: &str, value: &str| {
        let form = masking::form([PAYER], "*", field, Shown::Link);
        (form > Form::Hash).then(|| form.of(value))
    };
    for detail in [Detail::Amount, Detail::Payee, Detail::Card] {
        if !shows.contains(&detail) {
            continue;
        }
        let (name, value) = match detail {
            Detail::Amount => {
                let amount = sketch.amount.map(|amount| written(&amount));
                (words.amount, amount.and_then(|text| shown("amount", &text)))
            }
            Detail::Payee => {
                let merchant = sketch.merchant.as_deref();
                let merchant = merchant.and_then(|name| shown("merchant_name", name));
                let person = sketch.payee.as_deref().and_then(|name| shown("name", name));
                (words.payee, merchant.or(person))
            }
            Detail::Card => {
                let form = masking::form([PAYER], "*", "card_number", Shown::Link);
                let card = sketch.card.as_ref().filter(|_| form.shows_last_four());
                (words.card, card.map(|four| format!("{HIDDEN} {four}")))
            }
        };
        if let Some(value) = value {
            fact(name, value);
        }
    }
    list + "</dl>"
}

/// `USD 1,234.50`
fn written(amount: &Money) -> String {
    let decimal = amount.decimal();
    let (whole, rest) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{} {grouped}{rest}", amount.currency)
}

fn name<'q>(words: &'q Words, question: &'q Question) -> &'q str {
    question.terms.asked_as.as_deref().unwrap_or(words.somebody)
}

fn paragraph(text: &str, name: &str) -> String {
    format!("<p>{}</p>", filled(text, name))
}

fn filled(text: &str, name: &str) -> String {
    text.replace("{}", &escaped(name))
}

/// Text that HTML takes as text, also within quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Marks that turn the direction of a text could show another name.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            plain => safe.push(plain),
        }
    }
    safe
}

fn page(language: Language, status: StatusCode, name: &str, title: &str, body: &str) -> Reply {
    let words = language.words();
    let (tag, other, code, name) = (words.tag, words.other, words.other_code, escaped(name));
    let html = format!(
        "<!doctype html><html lang={tag}><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <meta name=robots content=noindex><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><header><span class=who>{name}</span>\
         <a class=lang href=\"?lang={code}\" lang={code} hreflang={code}>{other}</a></header>\
         <h1>{title}</h1>{body}</main></body></html>"
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        // The link is a secret: no other server hears of it.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (VARY, "accept-language"),
        (ROBOTS, "noindex, nofollow"),
    ];
    let value = |(name, text): (HeaderName, &str)| Some((name, HeaderValue::from_str(text).ok()?));
    Reply {
        headers: headers.into_iter().filter_map(value).collect(),
        ..Reply::new(status, HTML, html)
    }
}

/// Nothing is loaded, and forms go nowhere else; the one style is named by its hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
});

/// By `lang`, of the form or the query, or else as the browser likes it.
fn language(head: &Parts, form: Option<&Bytes>) -> Language {
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let said = |text: &[u8]| {
        let mut pairs = form_urlencoded::parse(text);
        let found = pairs.find(|(name, _)| name == "lang");
        found.and_then(|(_, tag)| Language::of(&tag))
    };
    let accept = head.headers.get(ACCEPT_LANGUAGE);
    let accept = accept.and_then(|value| value.to_str().ok());
    let chosen = form.and_then(|form| said(form)).or_else(|| said(query));
    chosen.unwrap_or_else(|| Language::liked(accept.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::Currency;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (value, currency, expected) in [
            ("0.05", "USD", "USD 0.05"),
            ("999.00", "CNY", "CNY 999.00"),
            ("1234.50", "USD", "USD 1,234.50"),
            ("1234567", "JPY", "JPY 1,234,567"),
            ("12345678.90", "USD", "USD 12,345,678.90"),
        ] {
            let money = Money::parse(value, Currency::parse(currency).unwrap()).unwrap();
            assert_eq!(written(&money), expected);
        }
    }

    #[test]
    fn what_somebody_is_called_is_text_and_nothing_else() {
        let name = "<b>\u{202e}\"x\" & 'y'";
        assert_eq!(escaped(name), "&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;");
        assert_eq!(filled("a {} b {}", "<"), "a &lt; b &lt;");
    }
}
