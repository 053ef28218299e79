//! Forms as browsers send them: fields, and one file where a page asks for one (RFC 7578).

use bytes::Bytes;

/// The media type of a form with a file.
pub(super) const MULTIPART: &str = "multipart/form-data";
/// The most parts of such a form.
const PARTS_MAX: usize = 64;
/// The longest boundary (RFC 2046, 5.1.1), in bytes.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The fields of a form, in their order, and the file that came with them.
#[derive(Debug, Clone, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
    file: Option<FormFile>,
}

/// A file that came with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFile {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub content: Bytes,
}

impl Form {
    /// Reads a body by what it was declared as. What does not read as a form has no fields.
    pub(super) fn read(content_type: &str, body: &Bytes) -> Self {
        match boundary(content_type) {
            Some(boundary) => multipart(boundary, body).unwrap_or_default(),
            None => Self {
                fields: form_urlencoded::parse(body).into_owned().collect(),
                file: None,
            },
        }
    }

    /// A field's text; empty if it is not there.
    pub fn text(&self, name: &str) -> &str {
        let mut all = self.fields.iter();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str()).unwrap_or_default()
    }

    /// The same, if there is anything in it beside white space.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// The texts of all fields of a name.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let named = self.fields.iter().filter(move |(known, _)| known == name);
        named.map(|(_, text)| text.as_str())
    }

    /// Every field that is the page's own: not those whose name begins with `_`.
    pub fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self
            .fields
            .iter()
            .filter(|(name, _)| !name.starts_with('_'));
        own.map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The file that came with it, if somebody chose one.
    pub fn file(&self) -> Option<&FormFile> {
        self.file.as_ref()
    }
}

/// The boundary of a form with a file.
fn boundary(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case(MULTIPART) {
        return None;
    }
    let mut parameters = parameters.split(';').map(str::trim);
    let boundary = parameters.find_map(|one| one.strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (1..=BOUNDARY_BYTES_MAX)
        .contains(&boundary.len())
        .then_some(boundary)
}

fn multipart(boundary: &str, body: &Bytes) -> Option<Form> {
    let delimiter = format!("\r\n--{boundary}");
    let mut form = Form::default();
    let mut at = delimiter.len() - 2;
    if !body.starts_with(&delimiter.as_bytes()[2..]) {
        return None;
    }
    for _ in 0..PARTS_MAX {
        let rest = body.get(at..)?;
        if rest.starts_with(b"--") {
            return Some(form);
        }
        let head = at + 2;
        let head_end = rest
            .starts_with(b"\r\n")
            .then(|| find(body, head, b"\r\n\r\n"))??;
        let end = find(body, head_end + 2, delimiter.as_bytes())?;
        let (name, file_name) = disposition(body.get(head..head_end)?)?;
        // A part without content ends where its head does.
        let content = body.slice((head_end + 4).min(end)..end);
        match file_name {
            Some(called) if called.is_empty() && content.is_empty() => {}
            Some(_) if form.file.is_some() => return None,
            Some(name) => form.file = Some(FormFile { name, content }),
            None => {
                let text = String::from_utf8(content.to_vec()).ok()?;
                form.fields.push((name, text));
            }
        }
        at = end + delimiter.len();
    }
    None
}

/// Where a pattern is found, from a place on.
fn find(bytes: &[u8], from: usize, pattern: &[u8]) -> Option<usize> {
    let (first, _) = pattern.split_first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| byte == first)?;
        if bytes.get(at..)?.starts_with(pattern) {
            return Some(at);
        }
        at += 1;
    }
}

/// The names of a field and of its file, in the head of its part.
fn disposition(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let is_wanted = |name: &str| name.trim().eq_ignore_ascii_case("content-disposition");
    let (_, value) = lines.find(|(name, _)| is_wanted(name))?;
    let mut rest = value.trim().strip_prefix("form-data")?;
    let (mut name, mut file_name) = (None, None);
    while let Some(parameter) = rest.trim_start().strip_prefix(';') {
        let (key, behind) = parameter.trim_start().split_once("=\"")?;
        let (text, behind) = behind.split_once('"')?;
        let text = text
            .replace("%22", "\"")
            .replace("%0D", "\r")
            .replace("%0A", "\n");
        match key {
            "name" => name = Some(text),
            "filename" => file_name = Some(text),
            _ => {}
        }
        rest = behind;
    }
    Some((name?, file_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundaryAbC";

    fn body(parts: &[(&str, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (head, content) in parts {
            body.extend(
                format!(
                    "------WebKitFormBoundaryAbC\r\nContent-Disposition: form-data; {head}\r\n\r\n"
                )
                .into_bytes(),
            );
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"------WebKitFormBoundaryAbC--\r\n");
        body.into()
    }

    #[test]
    fn a_form_with_a_file_reads_as_it_was_sent() {
        let content = b"\x89PNG\r\n--\r\n------WebKitFormBoundaryAb\r\n\0";
        let sent = body(&[
            ("name=\"_token\"", b"abc"),
            ("name=\"empty\"", b""),
            (
                "name=\"file\"; filename=\"身; %22x.png\"\r\nContent-Type: image/png",
                content,
            ),
        ]);
        let form = Form::read(TYPE, &sent);
        assert_eq!(form.text("_token"), "abc");
        assert_eq!((form.text("empty"), form.given("empty")), ("", None));
        let file = form.file().unwrap();
        assert_eq!(
            (file.name.as_str(), &file.content[..]),
            ("身; \"x.png", &content[..])
        );
    }

    #[test]
    fn no_file_was_chosen() {
        let form = Form::read(TYPE, &body(&[("name=\"file\"; filename=\"\"", b"")]));
        assert_eq!(form.file(), None);
    }

    #[test]
    fn what_is_no_form_has_no_fields() {
        let whole = body(&[
            ("name=\"_token\"", b"abc"),
            ("name=\"file\"; filename=\"a\"", b"x"),
        ]);
        for end in 0..whole.len() - 4 {
            let form = Form::read(TYPE, &whole.slice(..end));
            assert!(
                form.own().next().is_none() && form.text("_token").is_empty(),
                "{end}"
            );
        }
        let many = vec![("name=\"a\"", &b"x"[..]); PARTS_MAX + 1];
        let two = [("name=\"f\"; filename=\"a\"", &b"x"[..]); 2];
        let bad = [("name=a", &b"x"[..])];
        let binary = [("name=\"a\"", &b"\xff"[..])];
        for parts in [&many[..], &two, &bad, &binary] {
            let form = Form::read(TYPE, &body(parts));
            assert!(form.own().next().is_none() && form.file().is_none());
        }
        for other in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
        ] {
            assert!(
                Form::read(other, &whole).text("_token").is_empty(),
                "{other}"
            );
        }
    }

    #[test]
    fn a_form_without_a_file_reads_as_ever() {
        let form = Form::read(
            "application/x-www-form-urlencoded",
            &Bytes::from_static(b"a=1&a=2&_b=%E8%BA%AB"),
        );
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((form.text("_b"), form.own().count()), ("身", 2));
    }
}
