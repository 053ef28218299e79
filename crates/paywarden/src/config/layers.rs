//! Settings layer by layer: the file, the environment, the flags.

use super::{Config, ENVIRONMENT_PREFIX, ENVIRONMENT_TEST_DATA, FILE_DEFAULT};
use crate::failure::{Failure, Result};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Flags of every command that needs the settings.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SettingFlags {
    /// Configuration file [default: paywarden.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Any setting, as it would stand in the file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Flags of every command that works on a data folder.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigFlags {
    /// Folder of keys, certificates and the database [default: data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingFlags,
}

/// The effective settings and where each that is not a default came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Key to the place where it was set.
    pub origins: BTreeMap<String, String>,
}

impl ConfigFlags {
    /// Reads the file, the environment of this process and the flags.
    pub fn load(&self) -> Result<Loaded> {
        let mut settings = self.settings.clone();
        let folder = self
            .data_dir
            .as_ref()
            .map(|path| format!("data_dir={}", path.display()));
        settings.set.extend(folder);
        settings.load()
    }
}

impl SettingFlags {
    /// Reads the file, the environment of this process and the flags.
    pub fn load(&self) -> Result<Loaded> {
        self.load_with(std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        }))
    }

    /// Reads the file, the given environment and the flags.
    pub fn load_with(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded> {
        let mut layers = Layers::new()?;
        layers.file(self.config.as_deref())?;
        for (name, value) in environment {
            let setting = name
                .strip_prefix(ENVIRONMENT_PREFIX)
                .map(str::to_ascii_lowercase);
            if let Some(key) = setting.filter(|_| name != ENVIRONMENT_TEST_DATA) {
                layers.text(&key, &value, &name)?;
            }
        }
        for setting in &self.set {
            let (key, value) = setting.split_once('=').ok_or_else(|| {
                Failure::wrong_use(
                    format!("--set {setting} has no value"),
                    "write --set key=value",
                )
            })?;
            layers.text(key, value, &format!("--set {key}"))?;
        }
        layers.finish()
    }
}

struct Layers {
    defaults: toml::Table,
    values: toml::Table,
    origins: BTreeMap<String, String>,
}

impl Layers {
    fn new() -> Result<Self> {
        let defaults = toml::Table::try_from(Config::default()).map_err(|error| {
            Failure::environment(
                format!("the defaults do not write: {error}"),
                "report this bug",
            )
        })?;
        Ok(Self {
            defaults,
            values: toml::Table::new(),
            origins: BTreeMap::new(),
        })
    }

    fn file(&mut self, named: Option<&Path>) -> Result<()> {
        let path = named.unwrap_or(Path::new(FILE_DEFAULT));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(());
            }
            Err(error) => {
                return Err(Failure::wrong_use(
                    format!("cannot read {}: {error}", path.display()),
                    "give the path of your configuration with --config",
                ));
            }
        };
        // Read as settings first: only then does a mistake come with its line.
        let checked = toml::from_str::<Config>(&text).map(drop);
        let table = checked.and_then(|()| toml::from_str::<toml::Table>(&text));
        let table = table.map_err(|error| {
            let what = format!("{}: {}", path.display(), error.to_string().trim_end());
            Failure::wrong_use(
                what,
                "correct the line; `paywarden check` prints every setting",
            )
        })?;
        for (key, value) in table {
            self.origins.insert(key.clone(), path.display().to_string());
            self.values.insert(key, value);
        }
        Ok(())
    }

    /// Sets one key from text; what the default is not text for is read as TOML.
    fn text(&mut self, key: &str, text: &str, origin: &str) -> Result<()> {
        let is_text = self.defaults.get(key).is_none_or(toml::Value::is_str);
        let value = match is_text {
            true => Ok(toml::Value::String(text.to_owned())),
            false => toml::from_str::<toml::Table>(&format!("{key} = {text}"))
                .map(|mut table| table.remove(key).unwrap_or(toml::Value::Boolean(false))),
        };
        let table = value.map(|value| toml::Table::from_iter([(key.to_owned(), value)]));
        let table = table.and_then(|table| table.clone().try_into::<Config>().map(|_| table));
        let table = table.map_err(|error| {
            let what = format!("{origin}: {}", error.message());
            Failure::wrong_use(what, "`paywarden check` prints every setting and its value")
        })?;
        self.origins.insert(key.to_owned(), origin.to_owned());
        self.values.extend(table);
        Ok(())
    }

    fn finish(self) -> Result<Loaded> {
        let config: Config = self.values.try_into().map_err(|error: toml::de::Error| {
            Failure::wrong_use(error.message(), "`paywarden check` prints every setting")
        })?;
        config.check()?;
        Ok(Loaded {
            config,
            origins: self.origins,
        })
    }
}
