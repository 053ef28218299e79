//! XML read record by record, with every way in which a small file could become large refused.

use super::{Refused, malformed};
use quick_xml::{Reader, events::BytesStart, events::Event};

/// Deepest nesting.
const DEPTH_MAX: usize = 64;
/// Most elements of one record.
const RECORD_ELEMENTS_MAX: usize = 200_000;
/// Longest text of one element, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// An element with what is in it.
#[derive(Debug, Default)]
pub(super) struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// Its name without prefix.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its own text, trimmed.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// An attribute; empty if it is not there.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The text of a child; empty if it is not there.
    pub(super) fn child(&self, name: &str) -> &str {
        self.children
            .iter()
            .find(|child| child.name == name)
            .map_or("", Node::text)
    }

    /// All elements of a name within, at any depth.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> Vec<&'a Node> {
        let mut found = Vec::new();
        self.find(name, &mut found);
        found
    }

    /// The texts of these children that are not empty, with a blank between.
    pub(super) fn joined(&self, names: &[&str]) -> String {
        let texts: Vec<&str> = names
            .iter()
            .map(|name| self.child(name))
            .filter(|text| !text.is_empty())
            .collect();
        texts.join(" ")
    }

    fn find<'a>(&'a self, name: &str, found: &mut Vec<&'a Node>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.find(name, found);
        }
    }

    fn open(start: &BytesStart<'_>) -> Result<Self, Refused> {
        let mut node = Self {
            name: start.local_name().as_ref().to_owned(),
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(malformed)?;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(malformed)?;
            let name = attribute.key.local_name().as_ref().to_owned();
            node.attributes.push((name, value.into_owned()));
        }
        Ok(node)
    }
}

/// Hands each element that has one of these names to `record`, wherever it stands; the root must
/// have the name given, without its children being kept.
pub(super) fn records(
    bytes: &[u8],
    root: &str,
    names: &[&str],
    mut record: impl FnMut(Node) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => return Err(Refused::Truncated { records: 0 }),
        Err(_) => return Err(malformed("text is not UTF-8")),
    };
    let mut reading = Reading {
        root,
        names,
        open: Vec::new(),
        above: 0,
        begun: false,
        elements: 0,
        records: 0,
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) if reading.begun && reading.above == 0 => return Ok(()),
            Ok(Event::Eof) => return Err(reading.cut()),
            Ok(event) => {
                if let Some(node) = reading.event(&event)? {
                    record(node)?;
                }
            }
            Err(quick_xml::Error::Syntax(_)) => return Err(reading.cut()),
            Err(error) => return Err(malformed(error)),
        }
    }
}

/// An attribute of the root element.
pub(super) fn root_attribute(bytes: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let value = Node::open(&start).ok()?.attribute(name).to_owned();
                return (!value.is_empty()).then_some(value);
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

struct Reading<'a> {
    root: &'a str,
    names: &'a [&'a str],
    /// Elements of the record being read, the outermost first.
    open: Vec<Node>,
    /// Open elements above the record.
    above: usize,
    begun: bool,
    elements: usize,
    records: usize,
}

impl Reading<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<Option<Node>, Refused> {
        match event {
            Event::DocType(_) => return Err(Refused::DocumentType),
            Event::Start(start) => self.start(start)?,
            Event::End(_) => return Ok(self.end()),
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(malformed)?;
                match character {
                    Some(character) => self.text(character.encode_utf8(&mut [0; 4]))?,
                    None => self.text(named(&reference.xml10_content())?)?,
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Refused> {
        let local = start.local_name();
        let name: &str = local.as_ref();
        if !self.begun {
            if name != self.root {
                return Err(malformed(format_args!("root element is not {}", self.root)));
            }
            self.begun = true;
        }
        if self.above + self.open.len() >= DEPTH_MAX {
            return Err(Refused::Limit { limit: "nesting" });
        }
        if self.open.is_empty() && !self.names.contains(&name) {
            self.above += 1;
            return Ok(());
        }
        self.elements += 1;
        if self.elements > RECORD_ELEMENTS_MAX {
            return Err(Refused::Limit {
                limit: "elements of one record",
            });
        }
        self.open.push(Node::open(start)?);
        Ok(())
    }

    fn end(&mut self) -> Option<Node> {
        let Some(node) = self.open.pop() else {
            self.above = self.above.saturating_sub(1);
            return None;
        };
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
            return None;
        }
        self.elements = 0;
        self.records += 1;
        Some(node)
    }

    fn text(&mut self, text: &str) -> Result<(), Refused> {
        let Some(node) = self.open.last_mut() else {
            return Ok(());
        };
        if node.text.len() + text.len() > TEXT_BYTES_MAX {
            return Err(Refused::Limit {
                limit: "text of one element",
            });
        }
        node.text.push_str(text);
        Ok(())
    }

    fn cut(&self) -> Refused {
        Refused::Truncated {
            records: self.records,
        }
    }
}

/// The five entities that XML itself knows; without a document type there are no others.
fn named(name: &str) -> Result<&'static str, Refused> {
    quick_xml::escape::resolve_predefined_entity(name)
        .ok_or_else(|| malformed("entity is not known"))
}
