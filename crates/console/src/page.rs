//! What a page is: one value, which its file gives and the table of pages lists.

use crate::{icon::Icon, visit::Visit, word::Word};
use maud::Markup;
use paywarden_access::Scope;
use paywarden_server::{
    edge::{Code, ProblemDocument},
    pages::Form,
};
use std::pin::Pin;

/// One page.
pub(crate) struct Page {
    /// Where it is; `{…}` stands for one segment.
    pub(crate) path: &'static str,
    /// Who may come in.
    pub(crate) door: Door,
    /// Scopes of which a person needs one to see it; none if everybody may.
    pub(crate) needs: &'static [Scope],
    /// Its place in the menu.
    pub(crate) menu: Option<Menu>,
    /// What it shows.
    pub(crate) show: Show,
    /// What its forms do.
    pub(crate) take: Option<Take>,
    /// Its words.
    pub(crate) words: &'static [Word],
}

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Everybody.
    Anybody,
    /// Whoever has a session, also one in which factors are set up and nothing else.
    Own,
    /// Whoever is signed in.
    Staff,
}

/// A place in the menu.
pub(crate) struct Menu {
    pub(crate) group: Group,
    pub(crate) word: Word,
    pub(crate) icon: Icon,
    /// The letter that goes there after `g`.
    pub(crate) key: char,
}

/// A part of the menu, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Watch,
    Decide,
    Prove,
    Run,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Watch, Self::Decide, Self::Prove, Self::Run];
}

/// What comes of a request.
pub(crate) enum Shown {
    /// A page.
    Page(Body),
    /// Another page, and what is said on it once.
    Elsewhere(String, Option<String>),
}

/// The inside of a page.
pub(crate) struct Body {
    /// Its heading.
    pub(crate) title: String,
    /// The pages above it: address and name.
    pub(crate) above: Vec<(String, String)>,
    /// What it shows.
    pub(crate) main: Markup,
    /// Modules that it needs beside the usual one.
    pub(crate) scripts: &'static [&'static str],
    /// Where a browser without script goes on by itself.
    pub(crate) renewal: Option<Renewal>,
}

/// What a page comes to after a while.
pub(crate) struct Renewal {
    /// After how many seconds.
    pub(crate) after_s: u32,
    /// The address.
    pub(crate) to: String,
}

impl Body {
    pub(crate) fn new(title: impl Into<String>, main: Markup) -> Self {
        Self {
            title: title.into(),
            above: Vec::new(),
            main,
            scripts: &[],
            renewal: None,
        }
    }

    /// Below another page.
    pub(crate) fn below(mut self, address: impl Into<String>, name: impl Into<String>) -> Self {
        self.above.push((address.into(), name.into()));
        self
    }

    /// With modules of its own.
    pub(crate) fn with(self, scripts: &'static [&'static str]) -> Self {
        Self { scripts, ..self }
    }
}

impl From<Body> for Shown {
    fn from(body: Body) -> Self {
        Self::Page(body)
    }
}

impl Shown {
    /// Another page.
    pub(crate) fn at(address: impl Into<String>) -> Self {
        Self::Elsewhere(address.into(), None)
    }

    /// Another page, with a word about what was done.
    pub(crate) fn done(address: impl Into<String>, told: impl Into<String>) -> Self {
        Self::Elsewhere(address.into(), Some(told.into()))
    }
}

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Box<ProblemDocument>);

impl From<Box<ProblemDocument>> for Fault {
    fn from(document: Box<ProblemDocument>) -> Self {
        Self(document)
    }
}

impl Fault {
    /// Whether something else comes first, after which the form goes on or is lost with its session.
    pub(crate) fn is_kept(&self) -> bool {
        let first = [Code::SessionRequired, Code::FreshFactorRequired];
        first.iter().any(|code| self.0.code == code.name())
    }
}

/// A page under way.
pub(crate) type Later<'v> = Pin<Box<dyn Future<Output = Result<Shown, Fault>> + Send + 'v>>;
/// Shows a page.
pub(crate) type Show = for<'v> fn(&'v mut Visit) -> Later<'v>;
/// Does what a form says.
pub(crate) type Take = for<'v> fn(&'v mut Visit, &'v Form) -> Later<'v>;

impl Page {
    /// The segments at the places of `{…}`, decoded, with `/` between them, if the path is the page's.
    pub(crate) fn parameter(&self, path: &str) -> Option<String> {
        let mut given = path.split('/');
        let mut found: Vec<String> = Vec::new();
        for wanted in self.path.split('/') {
            let segment = given.next()?;
            match wanted.starts_with('{') {
                true if segment.is_empty() => return None,
                true => {
                    let decoded = percent_encoding::percent_decode_str(segment);
                    found.push(decoded.decode_utf8().ok()?.into_owned());
                }
                false if wanted != segment => return None,
                false => {}
            }
        }
        given.next().is_none().then(|| found.join("/"))
    }
}
