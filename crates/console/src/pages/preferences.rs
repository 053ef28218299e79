//! Language, theme, keys: set by forms in the bar, which come back to where they were.

use crate::{
    look::{Look, Theme},
    page::{Door, Fault, Page, Shown},
    visit::Visit,
    word::Language,
};
use paywarden_server::pages::Form;

pub(crate) const PAGE: Page = Page {
    path: "/preferences",
    door: Door::Anybody,
    needs: &[],
    menu: None,
    show: |_| Box::pin(async { Ok(Shown::at("/")) }),
    take: Some(|v, form| Box::pin(async move { take(v, form) })),
    words: &[],
};

fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let look = v.look;
    v.look = Look {
        language: Language::parse(form.text("language")).unwrap_or(look.language),
        theme: Theme::parse(form.text("theme")).unwrap_or(look.theme),
        keys: match form.text("keys") {
            "on" => true,
            "off" => false,
            _ => look.keys,
        },
    };
    v.cookies.extend(v.look.cookie());
    Ok(Shown::at(within(form.text("back"))))
}

/// An address of ours, or the first page.
pub(crate) fn within(address: &str) -> &str {
    let is_path = address.starts_with('/') && !address.starts_with("//");
    let is_plain = address
        .bytes()
        .all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
    if is_path && is_plain { address } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for address in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "/a\r\nb",
            "/\t/x",
        ] {
            assert_eq!(within(address), "/", "{address:?}");
        }
        assert_eq!(within("/decisions?outcome=hold"), "/decisions?outcome=hold");
    }
}
