//! XML as we write it: elements in order, one per line, texts escaped.

use std::fmt::Write;

/// An element.
#[derive(Debug, Clone, Default)]
pub struct Node {
    name: String,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The same with an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The same with this text in it.
    #[must_use]
    pub fn holding(self, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, ..self }
    }

    /// Adds an element that holds this text.
    pub fn text(&mut self, name: &str, text: impl Into<String>) {
        self.push(Self::new(name).holding(text));
    }

    /// Adds an element if there is something to hold.
    pub fn some(&mut self, name: &str, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Adds an element.
    pub fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    /// Sets an attribute of this element and of all below, counted from `next` in the order of the
    /// document, on those elements that hold others.
    pub(crate) fn number(&mut self, name: &'static str, next: &mut u32) {
        if !self.children.is_empty() {
            self.attributes.insert(0, (name, next.to_string()));
            *next += 1;
        }
        for child in &mut self.children {
            child.number(name, next);
        }
    }

    /// Gives every element below this one a prefix, and itself.
    pub(crate) fn prefix(&mut self, prefix: &str) {
        self.name.insert_str(0, prefix);
        for child in &mut self.children {
            child.prefix(prefix);
        }
    }

    /// How many elements of this name hold another of that name and text.
    pub(crate) fn count(&self, name: &str, member: &str, text: &str) -> usize {
        let holds = |child: &Self| child.name == member && child.text == text;
        let own = self.name == name && self.children.iter().any(holds);
        let below: usize = self
            .children
            .iter()
            .map(|child| child.count(name, member, text))
            .sum();
        usize::from(own) + below
    }

    /// The document: UTF-8, line feeds, two spaces for each level.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, level: usize) {
        let (name, indent) = (&self.name, level * 2);
        // Writing to a string cannot fail.
        let _ = write!(out, "{:indent$}<{name}", "");
        for (attribute, value) in &self.attributes {
            let _ = write!(out, " {attribute}=\"");
            escape(value, out);
            out.push('"');
        }
        if self.children.is_empty() {
            out.push('>');
            escape(&self.text, out);
            let _ = writeln!(out, "</{name}>");
            return;
        }
        out.push_str(">\n");
        for child in &self.children {
            child.write(out, level + 1);
        }
        let _ = writeln!(out, "{:indent$}</{name}>", "");
    }
}

/// Writes text so that a parser reads it back as it was. What XML 1.0 cannot hold (its section 2.2)
/// becomes U+FFFD; a report with it is refused before it comes here.
fn escape(text: &str, out: &mut String) {
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A parser would turn it into a line feed, or both in attributes into blanks.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(one),
        }
    }
}
