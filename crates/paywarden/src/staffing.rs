//! Settings of the staff out of the configuration: roles of one's own, rules of passwords.

mod providers;

use crate::{
    config::Config,
    failure::{Failure, Result},
};
use paywarden_access::staff::{CustomRole, Error, PasswordQuestion, PasswordRules, Settings};
use paywarden_safety::password::{self, Breached, Met, Person, Profile, Question};
use serde::Deserialize;
use std::{fs, sync::Arc};

/// A file of roles.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesFile {
    role: Vec<CustomRole>,
}

/// What the configuration says of staff.
pub fn settings(config: &Config, breached: Option<Arc<Breached>>) -> Result<Settings> {
    let name = &config.password_profile;
    let profile = Profile::find(name).ok_or_else(|| {
        let known: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name).collect();
        let next = format!("write one of {}", known.join(", "));
        Failure::wrong_use(format!("password_profile = {name}: no such profile"), next)
    })?;
    Ok(Settings {
        origin: config.origin.clone(),
        roles: roles(config)?,
        password_rules: rules(profile, breached),
        providers: match &config.providers_file {
            Some(path) => providers::read(path)?,
            None => Vec::new(),
        },
    })
}

/// Why staff could not be opened, by what the operator can do.
pub fn not_opened(error: &Error) -> Failure {
    match error {
        Error::RoleRefused(..) | Error::Limit(_) => {
            Failure::wrong_use(error, "correct the file named by roles_file")
        }
        Error::ProviderSettings(..) => {
            Failure::wrong_use(error, "correct the file named by providers_file")
        }
        Error::Origin(_) => Failure::wrong_use(
            error,
            "write it as origin = \"https://pay.example.com\", with nothing behind it",
        ),
        error => Failure::environment(
            format!("the accounts of staff do not open: {error}"),
            "`paywarden check` looks at each part by itself",
        ),
    }
}

fn roles(config: &Config) -> Result<Vec<CustomRole>> {
    let Some(path) = &config.roles_file else {
        return Ok(Vec::new());
    };
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(
            format!("{}: {error}", path.display()),
            "write each role as [[role]] with name, title and scopes",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let file: RolesFile = toml::from_str(&text).map_err(|error| wrong(&error))?;
    Ok(file.role)
}

/// Rules by a profile; a second factor is always asked for beside a password.
fn rules(profile: &'static Profile, breached: Option<Arc<Breached>>) -> PasswordRules {
    Arc::new(move |asked: PasswordQuestion<'_>| {
        let person = Person {
            name: asked.name.to_owned(),
            email: asked.login.to_owned(),
            ..Person::default()
        };
        let assessment = password::assess(Question {
            password: asked.password,
            person: &person,
            profile,
            with_second_factor: true,
            breached: breached.as_deref(),
        });
        let unmet = assessment
            .rules
            .iter()
            .filter(|checked| checked.met == Met::No);
        unmet.map(|checked| checked.rule.id).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_name_their_owner_or_are_weak_do_not_meet_the_profile() {
        let settings = settings(&Config::default(), None).unwrap();
        let unmet = |password: &str| {
            (settings.password_rules)(PasswordQuestion {
                password,
                login: "liu.wei@example.com",
                name: "Liu Wei",
            })
        };
        assert!(unmet("plum7 harbour quartz").is_empty());
        for weak in ["short1", "Password1234", "liuwei198801", "woaini1314520"] {
            assert!(!unmet(weak).is_empty(), "{weak}");
        }
    }

    #[test]
    fn roles_come_from_a_file_and_mistakes_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roles.toml");
        let config = Config {
            roles_file: Some(path.clone()),
            ..Config::default()
        };
        let role = "[[role]]\nname = 'reader'\ntitle = 'Reader'\nscopes = ['rules:read']\n";
        fs::write(&path, role).unwrap();
        assert_eq!(settings(&config, None).unwrap().roles[0].name, "reader");
        fs::write(&path, role.replace("scopes", "scope")).unwrap();
        assert_eq!(settings(&config, None).err().unwrap().exit_code(), 2);
        let profile = Config {
            password_profile: "mine".to_owned(),
            ..Config::default()
        };
        let failure = settings(&profile, None).err().unwrap();
        assert!(failure.message().contains("nist, pci"), "{failure}");
    }
}
