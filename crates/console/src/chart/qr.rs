//! A QR code (ISO/IEC 18004) as a picture: dark on light in every theme, because readers want it so.

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// How much is left free around it, in modules.
const QUIET: i32 = 4;

/// The code of a text; nothing where it is too long for one.
pub(crate) fn code(text: &str, said: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return Markup::default();
    };
    let size = code.size();
    let whole = size + 2 * QUIET;
    html! {
        svg.qr viewBox=(format!("0 0 {whole} {whole}")) width="196" height="196" role="img" aria-label=(said) shape-rendering="crispEdges" {
            rect width=(whole) height=(whole) fill="#fff" {}
            path d=(dark(&code)) fill="#000" {}
        }
    }
}

/// The dark modules, row by row, runs together.
fn dark(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size())
                .take_while(|x| code.get_module(*x, y))
                .count() as i32;
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_runs_cover_all_that_is_dark() {
        let code = QrCode::encode_text("otpauth://totp/x?secret=ABC", QrCodeEcc::Medium).unwrap();
        let path = dark(&code);
        assert!(path.starts_with("M4 4h7v1h-7z"));
        let covered: i32 = path
            .split('h')
            .skip(1)
            .filter(|part| part.contains("v1"))
            .map(|part| part.split('v').next().unwrap().parse::<i32>().unwrap())
            .sum();
        let modules = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let all = modules.filter(|(x, y)| code.get_module(*x, *y)).count() as i32;
        assert_eq!(covered, all);
    }
}
