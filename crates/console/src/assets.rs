//! Files that pages need, inside the binary, under names that change with their content.

use paywarden_crypto::digest::sha256;
use std::sync::LazyLock;

/// Where they are.
pub(crate) const FOLDER: &str = "/assets/";

/// A file.
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
    address: String,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file, one line each.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files: [(&str, &str, &[u8]); 12] = [
        ("console.css", CSS, include_bytes!("../assets/console.css")),
        ("mark.svg", SVG, include_bytes!("../assets/mark.svg")),
        ("app.js", SCRIPT, include_bytes!("../assets/app.js")),
        ("due.js", SCRIPT, include_bytes!("../assets/due.js")),
        ("live.js", SCRIPT, include_bytes!("../assets/live.js")),
        ("passkey.js", SCRIPT, include_bytes!("../assets/passkey.js")),
        ("stream.js", SCRIPT, include_bytes!("../assets/stream.js")),
        ("reveal.js", SCRIPT, include_bytes!("../assets/reveal.js")),
        ("proof.js", SCRIPT, include_bytes!("../assets/proof.js")),
        ("start.js", SCRIPT, include_bytes!("../assets/start.js")),
        ("studio.js", SCRIPT, include_bytes!("../assets/studio.js")),
        ("wait.js", SCRIPT, include_bytes!("../assets/wait.js")),
    ];
    let asset = |(name, media_type, bytes): (&'static str, &'static str, &'static [u8])| {
        let hash = sha256(bytes);
        let hash = hash
            .iter()
            .take(6)
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Asset {
            name,
            media_type,
            bytes,
            address: format!("{FOLDER}{hash}/{name}"),
        }
    };
    files.into_iter().map(asset).collect()
});

/// The address of a file; empty if there is none of this name.
pub(crate) fn address(name: &str) -> &'static str {
    let mut all = ASSETS.iter();
    let found = all.find(|asset| asset.name == name);
    found
        .map(|asset| asset.address.as_str())
        .unwrap_or_default()
}

/// The file at an address.
pub(crate) fn at(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.address == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_script_together_is_small_and_needs_no_markup_from_text() {
        let scripts = ASSETS.iter().filter(|asset| asset.media_type == SCRIPT);
        let mut total = 0;
        for script in scripts {
            total += script.bytes.len();
            let text = std::str::from_utf8(script.bytes).unwrap();
            for sink in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(sink), "{} {sink}", script.name);
            }
        }
        assert!(total > 0 && total <= crate::SCRIPT_BYTES_MAX, "{total}");
    }

    #[test]
    fn addresses_change_with_the_content_and_others_lead_nowhere() {
        for asset in ASSETS.iter() {
            assert_eq!(at(address(asset.name)).unwrap().name, asset.name);
        }
        assert!(at("/assets/000000000000/app.js").is_none() && address("x").is_empty());
    }
}
