//! The only place that writes to the terminal: results on stdout, everything else on stderr.

use std::{io::Write, path::Path};

const NAME: &str = "paywarden";

/// Prints a result. A closed pipe is no failure: whoever read it has read enough.
pub fn result(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// How this program was called, so that a printed call works when it is copied.
pub fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    let is_ours = |called: &String| {
        let name = Path::new(called).file_name();
        name.is_some_and(|name| name == NAME)
    };
    Some(called)
        .filter(is_ours)
        .unwrap_or_else(|| NAME.to_owned())
}

/// Prints a note beside the result: progress, hints, errors.
pub fn note(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
