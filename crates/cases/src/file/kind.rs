//! What a file is: by what is in it, and its name has to say the same.

use crate::{Error, text::is_hidden};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// An ending is not longer.
const ENDING_BYTES_MAX: usize = 5;

/// What a file is. Nothing that runs by being opened is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseFileKind)]
pub enum FileKind {
    /// A document (ISO 32000).
    Pdf,
    /// A picture (PNG).
    Png,
    /// A picture (JPEG).
    Jpeg,
    /// A picture (WebP).
    Webp,
    /// Text in UTF-8.
    Text,
    /// Text in UTF-8, as rows.
    Csv,
}

struct Known {
    kind: FileKind,
    endings: &'static [&'static str],
    media_type: &'static str,
    fits: fn(&[u8]) -> bool,
}

#[rustfmt::skip]
const KNOWN: [Known; 6] = [
    Known { kind: FileKind::Pdf, endings: &["pdf"], media_type: "application/pdf", fits: is_pdf },
    Known { kind: FileKind::Png, endings: &["png"], media_type: "image/png", fits: is_png },
    Known { kind: FileKind::Jpeg, endings: &["jpg", "jpeg"], media_type: "image/jpeg", fits: is_jpeg },
    Known { kind: FileKind::Webp, endings: &["webp"], media_type: "image/webp", fits: is_webp },
    Known { kind: FileKind::Text, endings: &["txt"], media_type: "text/plain; charset=utf-8", fits: is_text },
    Known { kind: FileKind::Csv, endings: &["csv"], media_type: "text/csv; charset=utf-8", fits: is_text },
];

impl FileKind {
    /// What a file with this name and content is.
    pub(super) fn of(name: &str, content: &[u8]) -> Result<Self, Error> {
        let parts = checked_name(name)?;
        let ending = parts.last().copied().unwrap_or_default();
        let is_named = |known: &&Known| {
            let mut endings = known.endings.iter();
            endings.any(|one| one.eq_ignore_ascii_case(ending))
        };
        let known = KNOWN.iter().find(is_named);
        let known = known.ok_or(Error::File(
            "a name ends with .pdf, .png, .jpg, .webp, .txt or .csv",
        ))?;
        match (known.fits)(content) {
            true => Ok(known.kind),
            false => Err(Error::File(
                "the content is not what the ending of the name says",
            )),
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        let mut known = KNOWN.iter();
        known
            .find(|known| known.kind == self)
            .map_or("application/octet-stream", |known| known.media_type)
    }

    /// Whether it can be read as text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Csv)
    }
}

/// The parts of a name, with the dots between them left out.
fn checked_name(name: &str) -> Result<Vec<&str>, Error> {
    let is_hidden =
        |one: char| one.is_control() || is_hidden(one) || matches!(one, '\u{200c}'..='\u{200f}');
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Err(Error::File("a name has 1 to 200 bytes"));
    }
    if name.contains(['/', '\\']) || name.contains(is_hidden) || name != name.trim() {
        return Err(Error::File(
            "a name has no slashes, no signs that cannot be seen, no blanks around it",
        ));
    }
    let parts: Vec<&str> = name.split('.').collect();
    let inner = parts.get(1..parts.len().saturating_sub(1));
    match parts.first().is_some_and(|stem| !stem.is_empty())
        && !inner.unwrap_or_default().iter().any(|part| is_ending(part))
    {
        true => Ok(parts),
        false => Err(Error::File("a name has one ending")),
    }
}

/// Whether a part of a name between dots may be meant as an ending: `exe` is, `2026` is not.
fn is_ending(part: &str) -> bool {
    part.len() <= ENDING_BYTES_MAX
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_pdf(content: &[u8]) -> bool {
    let tail = content
        .get(content.len().saturating_sub(1_024)..)
        .unwrap_or_default();
    let starts = content.starts_with(b"%PDF-1.") || content.starts_with(b"%PDF-2.");
    starts && tail.windows(5).any(|part| part == b"%%EOF")
}

/// Chunk by chunk, to the last one, which is the end of the file: nothing hides behind it.
fn is_png(content: &[u8]) -> bool {
    let Some(mut rest) = content.strip_prefix(b"\x89PNG\r\n\x1a\n") else {
        return false;
    };
    let mut is_first = true;
    while let Some((head, behind)) = rest.split_at_checked(8) {
        let (length, name) = head.split_at(4);
        let length = length
            .try_into()
            .map_or(usize::MAX, |bytes| u32::from_be_bytes(bytes) as usize);
        let Some(next) = length
            .checked_add(4)
            .and_then(|length| behind.get(length..))
        else {
            return false;
        };
        match name {
            b"IEND" => return length == 0 && next.is_empty() && !is_first,
            b"IHDR" if is_first && length == 13 => is_first = false,
            _ if is_first => return false,
            _ => {}
        }
        rest = next;
    }
    false
}

fn is_jpeg(content: &[u8]) -> bool {
    content.starts_with(b"\xff\xd8\xff") && content.ends_with(b"\xff\xd9")
}

fn is_webp(content: &[u8]) -> bool {
    let length = content.get(4..8).and_then(|bytes| bytes.try_into().ok());
    let length = length.map(u32::from_le_bytes).map(|length| length as usize);
    content.starts_with(b"RIFF")
        && content.get(8..12) == Some(b"WEBP")
        && length.is_some_and(|length| length.checked_add(8) == Some(content.len()))
}

fn is_text(content: &[u8]) -> bool {
    let is_plain = |one: char| !one.is_control() || matches!(one, '\n' | '\r' | '\t');
    let text = std::str::from_utf8(content);
    text.is_ok_and(|text| !text.trim().is_empty() && text.chars().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9";

    fn png(behind: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend([0; 17]);
        bytes.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
        bytes.extend(behind);
        bytes
    }

    fn webp(length: u32) -> Vec<u8> {
        [&b"RIFF"[..], &length.to_le_bytes(), b"WEBPVP8 ", &[0; 4]].concat()
    }

    #[test]
    fn a_file_is_what_is_in_it_and_its_name_says_so() {
        for (name, content, kind) in [
            ("statement.pdf", PDF, FileKind::Pdf),
            ("Statement 2026.11.PDF", PDF, FileKind::Pdf),
            ("身份证.png", &*png(b""), FileKind::Png),
            ("face.jpeg", JPEG, FileKind::Jpeg),
            ("face.webp", &*webp(12), FileKind::Webp),
            ("chat.txt", "转账给王先生\r\n".as_bytes(), FileKind::Text),
            ("rows.csv", b"a,b\n1,2\n", FileKind::Csv),
        ] {
            assert_eq!(FileKind::of(name, content).unwrap(), kind, "{name}");
            assert!(!kind.media_type().contains("octet"));
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for (name, content) in [
            ("virus.exe", &b"MZ\x90\0"[..]),
            ("statement.pdf", b"MZ\x90\0"),
            ("statement.pdf", b"%PDF-1.7\nwithout an end"),
            ("face.png", JPEG),
            ("face.png", &png(b"PK\x03\x04 behind the end")),
            ("face.png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR"),
            ("face.png", b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82"),
            ("face.jpg", b"\xff\xd8\xff\xe0 JFIF PK\x03\x04"),
            ("face.webp", &webp(11)),
            ("chat.txt", b"\xff\xfe\0a"),
            ("chat.txt", b"bell\x07"),
            ("chat.txt", b" \n"),
            ("page.html", b"<html>"),
            ("page.svg", b"<svg/>"),
            ("archive.zip", b"PK\x03\x04"),
            ("none", b"text"),
            ("chat.txt", b""),
        ] {
            assert!(
                matches!(FileKind::of(name, content), Err(Error::File(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_hides_nothing() {
        for name in [
            "",
            ".pdf",
            "invoice.exe.pdf",
            "invoice.7z.pdf",
            "invoice.pdf.pdf",
            "../etc/invoice.pdf",
            "a\\invoice.pdf",
            "invoice\u{202e}fdp.pdf",
            "in\u{200b}voice.pdf",
            "invoice\n.pdf",
            " invoice.pdf",
            "invoice.pdf ",
            "invoice.pdf.",
            &("x".repeat(197) + ".pdf"),
        ] {
            assert!(FileKind::of(name, PDF).is_err(), "{name:?}");
        }
    }
}
