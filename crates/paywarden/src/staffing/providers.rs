//! OpenID providers out of their file. A secret stands in a file of its own or in the environment,
//! never in the text.

use crate::failure::{Failure, Result};
use paywarden_access::factor::provider::ProviderSettings;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// A file of providers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvidersFile {
    provider: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    id: String,
    title: String,
    issuer: String,
    client_id: String,
    #[serde(default)]
    secret_file: Option<PathBuf>,
    #[serde(default)]
    secret_env: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    ca_file: Option<PathBuf>,
    #[serde(default)]
    cryptographic_amr: Vec<String>,
    #[serde(default)]
    cryptographic_acr: Vec<String>,
}

/// The providers of a file; paths in it are taken from its folder.
pub(super) fn read(path: &Path) -> Result<Vec<ProviderSettings>> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(
            format!("{}: {error}", path.display()),
            "write each provider as [[provider]] with id, title, issuer and client_id",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let file: ProvidersFile = toml::from_str(&text).map_err(|error| wrong(&error))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let providers = file.provider.into_iter();
    providers
        .map(|provider| settings(provider, folder))
        .collect()
}

fn settings(provider: Provider, folder: &Path) -> Result<ProviderSettings> {
    let read = |path: &PathBuf| {
        fs::read(folder.join(path)).map_err(|error| {
            let what = format!("provider {}: {}: {error}", provider.id, path.display());
            Failure::environment(what, "put it there, readable by the server alone")
        })
    };
    let secret = match (&provider.secret_file, &provider.secret_env) {
        (None, None) => None,
        (Some(path), None) => Some(String::from_utf8_lossy(&read(path)?).into_owned()),
        (None, Some(name)) => Some(std::env::var(name).map_err(|error| {
            let what = format!("provider {}: {name}: {error}", provider.id);
            Failure::environment(what, "set it in the environment of the server")
        })?),
        (Some(_), Some(_)) => {
            let what = format!("provider {}: it has two secrets", provider.id);
            return Err(Failure::wrong_use(what, "write secret_file or secret_env"));
        }
    };
    Ok(ProviderSettings {
        ca_pem: provider.ca_file.as_ref().map(read).transpose()?,
        secret: secret.map(|text| Zeroizing::new(text.trim().to_owned())),
        id: provider.id,
        title: provider.title,
        issuer: provider.issuer,
        client_id: provider.client_id,
        scopes: provider.scopes,
        cryptographic_amr: provider.cryptographic_amr,
        cryptographic_acr: provider.cryptographic_acr,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "[[provider]]\nid = 'corp'\ntitle = 'Corporate'\nclient_id = 'paywarden'\n\
        issuer = 'https://login.example.com'\n";

    #[test]
    fn a_secret_comes_from_its_file_and_never_from_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("providers.toml");
        let given = |more: &str| {
            fs::write(&path, format!("{PLAIN}{more}")).unwrap();
            read(&path)
        };
        fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
        let one = given("secret_file = 'secret'\ncryptographic_amr = ['hwk']").unwrap();
        assert_eq!(one[0].secret.as_ref().unwrap().as_str(), "s3cret");
        assert_eq!(one[0].cryptographic_amr, ["hwk"]);
        assert!(given("").unwrap()[0].secret.is_none());
        for (wrong, code) in [
            ("secret = 's3cret'", 2),
            ("secret_file = 'secret'\nsecret_env = 'HOME'", 2),
            ("secret_file = 'missing'", 3),
            ("secret_env = 'PAYWARDEN_TEST_NOT_SET'", 3),
            ("ca_file = 'missing'", 3),
            ("secret_file =", 2),
        ] {
            assert_eq!(given(wrong).err().unwrap().exit_code(), code, "{wrong}");
        }
    }
}
