//! A form that was refused: it comes back as it was filled in, with what is wrong beside it.
//!
//! *Invariant*: what must not be shown again is not: passwords and codes, files, card numbers.

use crate::{parts, terms::Tone, visit::Visit, word::words};
use maud::{Markup, PreEscaped, html};
use paywarden_domain::Pan;
use paywarden_server::{edge::ProblemDocument, pages::Form};

words! {
    CODE_OF = "{}, request {}", "{}，请求编号 {}";
}

/// The class of what says why, by which a page knows whether it is said.
const MARK: &str = "refused";
/// Kinds of inputs whose text is never given back.
const SECRET: [&str; 2] = ["password", "file"];
/// What those say who ask for one-time secrets.
const ONE_TIME: &str = "one-time-code";
/// A hidden field that says what somebody has seen: it may have changed, and the form shows what is
/// there now.
const SEEN: &str = "version";

/// What was sent, and why it was refused.
pub(crate) struct Refused {
    fields: Vec<(String, String)>,
    why: Box<ProblemDocument>,
}

impl Refused {
    pub(crate) fn of(form: &Form, why: Box<ProblemDocument>) -> Self {
        let own = form.own();
        let fields = own.map(|(name, text)| (name.to_owned(), escaped(text)));
        Self {
            fields: fields.collect(),
            why,
        }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        self.why.status
    }

    /// Why, for a page on which the form is not there.
    pub(crate) fn into_why(self) -> Box<ProblemDocument> {
        self.why
    }

    fn texts<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let named = self.fields.iter().filter(move |(known, _)| known == name);
        named.map(|(_, text)| text.as_str())
    }

    /// The field that the refusal is about.
    fn field(&self) -> Option<&str> {
        let mut steps = self.why.pointer.as_deref()?.rsplit('/');
        steps.find(|step| !step.is_empty() && step.parse::<usize>().is_err())
    }

    /// Whether a form is the one that was sent: all that was sent has a place in it.
    fn is_of(&self, pieces: &[Piece<'_>]) -> bool {
        let fits = |(name, text): &(String, String)| {
            let named = pieces.iter().filter(|piece| piece.name() == Some(name));
            let mut places = named.peekable();
            places.peek().is_some()
                && places.any(|piece| match piece.is_fixed() {
                    true => name == SEEN || piece.attribute("value").unwrap_or_default() == text,
                    false => !piece.is("select") || has_option(pieces, name, text),
                })
        };
        !self.fields.is_empty() && self.fields.iter().all(fits)
    }
}

/// Whether the form that was refused is in here.
pub(crate) fn is_said(markup: &Markup) -> bool {
    markup.0.contains("<div class=\"note bad refused\"")
}

/// The inside of a form; filled in as it was sent, if it is the one that was refused.
pub(crate) fn again(v: &Visit, action: &str, inside: Markup) -> Markup {
    let path = action.split('?').next();
    let refused = v.refused.as_ref().filter(|_| path == Some(v.desk.path()));
    let Some(refused) = refused else {
        return inside;
    };
    let pieces = pieces(&inside.0);
    match refused.is_of(&pieces) {
        true => html! {
            (why(v, &refused.why))
            (PreEscaped(filled(&pieces, refused)))
        },
        false => inside,
    }
}

/// Why what was sent was refused, for a form that fills itself in; nothing if nothing was.
pub(crate) fn said(v: &Visit) -> Markup {
    html! { @if let Some(refused) = &v.refused { (why(v, &refused.why)) } }
}

fn why(v: &Visit, why: &ProblemDocument) -> Markup {
    let class = format!("note {} {MARK}", Tone::Bad.name());
    html! {
        div class=(class) id="refused" role="alert" tabindex="-1" autofocus {
            div {
                (parts::refusal(why, v))
                p.muted { (CODE_OF.with(v.language(), &[&why.code, &why.request_id])) }
            }
        }
    }
}

/// A tag with the text behind it, up to the next one. Markup is our own: attributes stand in double
/// quotes and hold neither `<` nor `>`.
struct Piece<'h> {
    tag: &'h str,
    text: &'h str,
}

fn pieces(html: &str) -> Vec<Piece<'_>> {
    let piece = |part| match Some(part).and_then(|part: &str| part.split_once('>')) {
        Some((tag, text)) => Piece { tag, text },
        None => Piece {
            tag: "",
            text: part,
        },
    };
    html.split('<').map(piece).collect()
}

impl<'h> Piece<'h> {
    fn is(&self, name: &str) -> bool {
        self.tag.split(' ').next() == Some(name)
    }

    fn attribute(&self, name: &str) -> Option<&'h str> {
        let mut parts = self.tag.split('"');
        // What stands before a quote ends with the name of what is in it.
        while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
            if before
                .trim_start()
                .strip_suffix('=')
                .and_then(|all| all.split(' ').next_back())
                == Some(name)
            {
                return Some(value);
            }
        }
        None
    }

    fn name(&self) -> Option<&'h str> {
        let names = ["input", "select", "textarea", "button"];
        names
            .iter()
            .any(|name| self.is(name))
            .then(|| self.attribute("name"))?
    }

    fn kind(&self) -> &'h str {
        self.attribute("type").unwrap_or("text")
    }

    /// Whether it sends what it says, whatever somebody types.
    fn is_fixed(&self) -> bool {
        self.is("button") || matches!(self.kind(), "hidden" | "checkbox" | "radio")
    }

    fn is_secret(&self) -> bool {
        SECRET.contains(&self.kind()) || self.attribute("autocomplete") == Some(ONE_TIME)
    }

    fn as_it_is(&self) -> String {
        match self.tag {
            "" => self.text.to_owned(),
            tag => format!("<{tag}>{}", self.text),
        }
    }

    /// The same without an attribute, and with others behind.
    fn with(&self, gone: &str, more: &str) -> String {
        let mut kept = String::new();
        let mut parts = self.tag.split('"');
        while let Some(outside) = parts.next() {
            let mut words = outside.split(' ').filter(|word| *word != gone);
            let (is_gone, value) = match outside.strip_suffix('=') {
                Some(names) => (names.split(' ').next_back() == Some(gone), parts.next()),
                None => (false, None),
            };
            if is_gone {
                words.next_back();
            }
            kept.push_str(&words.collect::<Vec<_>>().join(" "));
            if let Some(value) = value.filter(|_| !is_gone) {
                kept.push_str(&format!("\"{value}\""));
            }
        }
        format!("<{}{more}>{}", kept, self.text)
    }
}

/// Whether the choice of a name offers a text.
fn has_option(pieces: &[Piece<'_>], name: &str, text: &str) -> bool {
    let from = pieces
        .iter()
        .position(|piece| piece.is("select") && piece.name() == Some(name));
    let within = pieces
        .iter()
        .skip(from.map_or(pieces.len(), |from| from + 1));
    let mut options = within.take_while(|piece| !piece.is("/select"));
    options.any(|piece| piece.attribute("value") == Some(text))
}

fn filled(pieces: &[Piece<'_>], refused: &Refused) -> String {
    let mut choice: Option<&str> = None;
    let mut whole = String::new();
    for piece in pieces {
        if piece.is("select") {
            choice = piece.name();
        } else if piece.is("/select") {
            choice = None;
        }
        let is_wrong = piece
            .name()
            .is_some_and(|name| refused.field() == Some(name));
        let wrong = match is_wrong && !piece.is_fixed() {
            true => " aria-invalid=\"true\" aria-errormessage=\"refused\"",
            false => "",
        };
        whole.push_str(&filled_piece(piece, choice, refused, wrong));
    }
    whole
}

fn filled_piece(piece: &Piece<'_>, choice: Option<&str>, refused: &Refused, wrong: &str) -> String {
    let name = piece.name().unwrap_or_default();
    let text = refused.texts(name).find(|text| Pan::parse(text).is_err());
    match (piece.tag, piece.kind()) {
        _ if piece.is("option") => {
            let chosen = choice.map(|name| refused.texts(name).collect::<Vec<_>>());
            let value = piece.attribute("value").unwrap_or_default();
            let is_chosen = chosen.is_some_and(|chosen| chosen.contains(&value));
            piece.with("selected", if is_chosen { " selected" } else { "" })
        }
        _ if piece.is("input") && !name.is_empty() && !piece.is_secret() => match piece.kind() {
            "hidden" => piece.as_it_is(),
            "checkbox" | "radio" => {
                let value = piece.attribute("value").unwrap_or_default();
                let is_set = refused.texts(name).any(|text| text == value);
                piece.with("checked", if is_set { " checked" } else { "" })
            }
            _ => {
                let text = text.unwrap_or_default();
                piece.with("value", &format!(" value=\"{text}\"{wrong}"))
            }
        },
        _ if piece.is("textarea") => {
            // The first line break behind the tag is none of the text.
            let text = text.unwrap_or_default();
            format!("<{}{wrong}>\n{text}", piece.tag)
        }
        _ if piece.is("select") => piece.with("autofocus", wrong),
        // Nobody looks for what was refused behind something folded.
        _ if piece.is("details") => piece.with("open", " open"),
        _ => piece.as_it_is(),
    }
}

fn escaped(text: &str) -> String {
    html! { (text) }.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = concat!(
        r#"<input type="hidden" name="version" value="3">"#,
        r#"<input id="f-a" name="a" type="text" value="was &lt;b&gt;" placeholder="a value" required>"#,
        r#"<input name="p" type="password"><input name="c" type="checkbox" value="1" checked aria-label="all checked">"#,
        r#"<select name="s"><option value="x" selected>X</option><option value="y">Y</option></select>"#,
        r#"<details class="fold"><textarea name="t" rows="3">was</textarea></details>"#,
        r#"<button type="submit" name="do" value="add">Add</button>"#,
    );

    fn refused(fields: &[(&str, &str)], pointer: Option<&str>) -> Refused {
        let why = serde_json::json!({
            "type": "urn:paywarden:error:body_invalid", "title": "", "status": 422,
            "code": "body_invalid", "detail": "", "request_id": "req_1", "pointer": pointer,
        });
        Refused {
            fields: fields
                .iter()
                .map(|(name, text)| ((*name).to_owned(), escaped(text)))
                .collect(),
            why: serde_json::from_value(why).unwrap(),
        }
    }

    #[test]
    fn a_form_comes_back_as_it_was_filled_in_without_what_is_secret() {
        let sent = [
            ("version", "2"),
            ("a", "\"><script>&"),
            ("p", "geheim"),
            ("s", "y"),
            ("t", "\n<b>"),
            ("do", "add"),
        ];
        let refused = refused(&sent, Some("/command/list_change/values/0/a"));
        let pieces = pieces(FORM);
        assert!(refused.is_of(&pieces));
        assert_eq!(
            filled(&pieces, &refused),
            concat!(
                r#"<input type="hidden" name="version" value="3">"#,
                r#"<input id="f-a" name="a" type="text" placeholder="a value" required value="&quot;&gt;&lt;script&gt;&amp;" aria-invalid="true" aria-errormessage="refused">"#,
                r#"<input name="p" type="password"><input name="c" type="checkbox" value="1" aria-label="all checked">"#,
                r#"<select name="s"><option value="x">X</option><option value="y" selected>Y</option></select>"#,
                r#"<details class="fold" open><textarea name="t" rows="3">"#,
                "\n\n&lt;b&gt;</textarea></details>",
                r#"<button type="submit" name="do" value="add">Add</button>"#,
            )
        );
    }

    #[test]
    fn a_card_number_is_not_shown_again() {
        let refused = refused(
            &[("a", "4012 8888 8888 1881"), ("t", "4012888888881881")],
            None,
        );
        let filled = filled(&pieces(FORM), &refused);
        assert!(!filled.contains("1881"), "{filled}");
    }

    #[test]
    fn of_several_forms_it_is_the_one_that_was_sent() {
        let pieces = pieces(FORM);
        for (sent, is_it) in [
            (vec![("a", "x"), ("do", "add")], true),
            (vec![("a", "x"), ("do", "remove")], false),
            (vec![("a", "x"), ("s", "z")], false),
            (vec![("a", "x"), ("other", "")], false),
            (vec![("c", "2")], false),
            (vec![], false),
        ] {
            assert_eq!(refused(&sent, None).is_of(&pieces), is_it, "{sent:?}");
        }
    }
}
