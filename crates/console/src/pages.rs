//! Every page, one line each. A new page is a file beside these and a line here.

mod access_review;
mod account;
mod alert;
mod alerts;
mod approval;
mod approvals;
mod backtest;
pub(crate) mod case;
mod cases;
mod coverage;
mod customer_rating;
mod customer_ratings;
mod decision;
mod decisions;
mod entity;
pub(crate) mod exports;
mod find;
mod gallery;
mod invitation;
mod keys;
mod library;
mod list;
mod list_import;
mod lists;
pub(crate) mod live;
mod model;
mod models;
mod overview;
mod payment_alert;
mod payment_alerts;
mod preferences;
mod prevention;
mod reveals;
mod rule_set;
mod rules;
mod screening;
mod screening_list;
mod sign_in;
mod sign_on;
mod sign_out;
mod staff;
mod staff_member;
mod start;
mod studio;
mod subject;
mod subjects;
mod system;
mod trail;
mod trail_leaf;
pub(crate) mod views;
mod webhook;
mod webhooks;
mod work;

use crate::{page::Page, word::Word};

/// Words of parts of pages, and those that several pages share.
pub(crate) const SHARED_WORDS: [&[Word]; 13] = {
    let [form, problems, effect] = studio::MORE_WORDS;
    let (version, test) = (rule_set::MORE_WORDS, backtest::MORE_WORDS);
    let (first, [what_if, models]) = (start::MORE_WORDS, decision::MORE_WORDS);
    [
        work::WORDS,
        approval::PAYLOAD_WORDS,
        approval::REVEAL_WORDS,
        case::REPORTED_WORDS,
        case::FILE_WORDS,
        form,
        problems,
        effect,
        version,
        test,
        first,
        what_if,
        models,
    ]
};

/// Every page.
pub(crate) static PAGES: &[Page] = &[
    overview::PAGE,
    prevention::PAGE,
    live::PAGE,
    decisions::PAGE,
    decision::PAGE,
    entity::PAGE,
    payment_alerts::PAGE,
    payment_alert::PAGE,
    cases::PAGE,
    case::PAGE,
    screening::PAGE,
    screening_list::PAGE,
    customer_ratings::PAGE,
    customer_rating::PAGE,
    alerts::PAGE,
    alert::PAGE,
    approvals::PAGE,
    approval::PAGE,
    rules::PAGE,
    rule_set::PAGE,
    backtest::PAGE,
    studio::PAGE,
    library::PAGE,
    coverage::PAGE,
    models::PAGE,
    model::PAGE,
    lists::PAGE,
    list::PAGE,
    list_import::PAGE,
    trail::PAGE,
    trail_leaf::PAGE,
    access_review::PAGE,
    subjects::PAGE,
    subject::PAGE,
    start::PAGE,
    keys::PAGE,
    webhooks::PAGE,
    webhook::PAGE,
    staff::PAGE,
    staff_member::PAGE,
    system::PAGE,
    account::PAGE,
    find::PAGE,
    exports::PAGE,
    reveals::PAGE,
    views::PAGE,
    gallery::PAGE,
    invitation::PAGE,
    preferences::PAGE,
    sign_in::PAGE,
    sign_on::PAGE,
    sign_out::PAGE,
];

/// The page at a path, with what stands for `{…}` in it. Where two fit, the one without a parameter.
pub(crate) fn find(path: &str) -> Option<(&'static Page, String)> {
    let fitting = PAGES
        .iter()
        .filter_map(|page| Some((page, page.parameter(path)?)));
    fitting.min_by_key(|(page, _)| page.path.contains('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_every_key_is_one_page_and_no_path_is_the_api_s() {
        for (place, page) in PAGES.iter().enumerate() {
            let others = PAGES.iter().skip(place + 1);
            assert!(
                others.clone().all(|other| other.path != page.path),
                "{}",
                page.path
            );
            assert!(!page.path.starts_with(paywarden_server::pages::API));
            if let Some(menu) = &page.menu {
                assert!(menu.key.is_ascii_lowercase() && !page.path.contains('{'));
                let keys = others.filter_map(|other| other.menu.as_ref());
                assert!(
                    keys.map(|other| other.key).all(|key| key != menu.key),
                    "{}",
                    menu.key
                );
            }
        }
    }

    #[test]
    fn pages_are_found_with_their_parameter() {
        assert_eq!(find("/").map(|(page, _)| page.path), Some("/"));
        assert!(find("/nowhere").is_none() && find("").is_none());
    }
}
