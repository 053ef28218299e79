//! Messages of syslog (RFC 5424), each with its length in front (RFC 6587 section 3.4.1, RFC 5425
//! section 4.3).

use super::event::{Event, Format};
use std::fs;

/// Facility "log audit".
const FACILITY: u8 = 13;

/// What every message of this process says.
#[derive(Debug, Clone)]
pub struct Syslog {
    host: String,
    enterprise: Option<u32>,
}

impl Syslog {
    /// Messages of this machine. Names of structured data that are not registered end in the
    /// enterprise number of whoever gave them; without one there are none.
    pub fn new(enterprise: Option<u32>) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self::of_host(&host, enterprise)
    }

    fn of_host(host: &str, enterprise: Option<u32>) -> Self {
        let host = name(host, 255);
        Self { host, enterprise }
    }

    /// Writes the message of an event behind what is there.
    pub fn append(&self, to: &mut Vec<u8>, event: &Event, format: Format) {
        let message = self.message(event, format);
        to.extend_from_slice(format!("{} ", message.len()).as_bytes());
        to.extend_from_slice(message.as_bytes());
    }

    fn message(&self, event: &Event, format: Format) -> String {
        // Syslog has 6 informational, 5 notice, 4 warning, 1 alert.
        let severity = match event.meaning.severity {
            0 | 1 => 6,
            2 => 5,
            3 => 4,
            _ => 1,
        };
        let priority = 8 * FACILITY + severity;
        let Self { host, .. } = self;
        let (time, action) = (event.time, name(&event.action, 32));
        let data = self.structured(event);
        let text = event.text(format);
        format!("<{priority}>1 {time} {host} paywarden - {action} {data} {text}")
    }

    fn structured(&self, event: &Event) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let origin = format!(r#"[origin software="paywarden" swVersion="{version}"]"#);
        let Some(number) = self.enterprise else {
            return origin;
        };
        let Event { index, hash, .. } = event;
        let tenant = value(&event.tenant);
        format!(r#"{origin}[leaf@{number} tenant="{tenant}" index="{index}" hash="{hash}"]"#)
    }
}

/// A name in the header: printable ASCII without blanks, `-` if nothing of it is left.
fn name(text: &str, length_max: usize) -> String {
    let printable = text.chars().filter(char::is_ascii_graphic);
    let name: String = printable.take(length_max).collect();
    match name.is_empty() {
        true => "-".to_owned(),
        false => name,
    }
}

/// A value of structured data: `"`, `\` and `]` are escaped (section 6.3.3). Line ends may stand
/// in it, but some receivers end a message there.
fn value(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\\' | ']' => written.extend(['\\', char]),
            char if char.is_control() => written.push(' '),
            char => written.push(char),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a value of structured data as section 6.3.3 says.
    fn unescaped(text: &str) -> Option<String> {
        let mut chars = text.chars();
        let mut read = String::new();
        while let Some(char) = chars.next() {
            match char {
                '"' | ']' => return None,
                '\\' => read.push(chars.next().filter(|next| "\"\\]".contains(*next))?),
                char => read.push(char),
            }
        }
        Some(read)
    }

    proptest! {
        #[test]
        fn a_value_reads_back(text in r#"([\[\]"\\=| ]|\PC){0,80}"#) {
            prop_assert_eq!(unescaped(&value(&text)), Some(text));
        }

        #[test]
        fn a_name_is_printable_and_short(text: String) {
            let name = name(&text, 32);
            prop_assert!((1..=32).contains(&name.len()));
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn no_line_ends_in_a_value() {
        assert_eq!(value("a\nb\r\0c"), "a b  c");
        assert_eq!(Syslog::of_host("pay\n", None).host, "pay");
        assert_eq!(Syslog::of_host("支付", None).host, "-");
    }
}
