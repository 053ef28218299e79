//! The search box: by what an identifier begins with, straight to what it names.

use crate::{
    page::{Door, Page, Shown},
    visit::encoded,
};

pub(crate) const PAGE: Page = Page {
    path: "/find",
    door: Door::Staff,
    needs: &[],
    menu: None,
    show: |v| {
        let to = found(&v.query("q").unwrap_or_default());
        Box::pin(async move { Ok(Shown::at(to)) })
    },
    take: None,
    words: &[],
};

/// Prefixes of identifiers and where what they name is.
const PLACES: &[(&str, &str)] = &[
    ("dec_", "/decisions/"),
    ("apr_", "/approvals/"),
    ("alt_", "/alerts/"),
    ("alr_", "/payment-alerts/"),
    ("cas_", "/cases/"),
    ("stf_", "/staff/"),
    ("sub_", "/subjects/"),
    ("whe_", "/webhooks/"),
    ("key_", "/keys?key="),
];

fn found(text: &str) -> String {
    let mut places = PLACES.iter();
    match places.find(|(prefix, _)| text.starts_with(prefix)) {
        Some((_, place)) => format!("{place}{}", encoded(text)),
        None if text.is_empty() => "/".to_owned(),
        None => format!("/decisions?payment_id={}", encoded(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_to_what_they_name_and_all_else_to_payments() {
        assert_eq!(found("dec_1"), "/decisions/dec_1");
        assert_eq!(found("order 7&x"), "/decisions?payment_id=order%207%26x");
        assert_eq!(found("dec_/../keys"), "/decisions/dec_%2F..%2Fkeys");
        assert_eq!(found(""), "/");
    }
}
