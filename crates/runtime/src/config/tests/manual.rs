//! The shipped defaults are the manual: they list exactly what the programs know.

use std::collections::BTreeSet;

use super::*;
use crate::config::values::{DEFAULTS, SECRETS, Values};

/// `section.key` of every line that sets one.
fn listed() -> Vec<String> {
    let document: toml::Table = DEFAULTS.parse().unwrap();
    let keys = |(section, keys): (&String, &toml::Value)| {
        keys.as_table().unwrap().keys().map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    document.iter().flat_map(keys).collect()
}

fn read_all(values: &Values) -> Result<(), ConfigError> {
    values.section::<Server>()?;
    values.section::<Auth>()?;
    values.section::<Keys>()?;
    values.section::<Database>()?;
    values.section::<Broker>()?;
    values.section::<Relay>()?;
    values.section::<Passwords>()?;
    values.section::<Resets>()?;
    values.section::<Limits>()?;
    values.section::<Organizations>()?;
    values.section::<Brand>()?;
    values.section::<Languages>()?;
    values.section::<HostedPages>()?;
    values.section::<Links>()?;
    values.section::<Mail>()?;
    MailingShop::read(values, None)?;
    values.section::<TestMail>()?;
    values.section::<Smtp>()?;
    values.section::<Mailer>()?;
    values.section::<Telemetry>().map(drop)
}

#[test]
fn every_listed_key_is_read_and_every_key_read_is_listed() {
    let whole = Values::load(&environment(&REQUIRED)).unwrap();
    read_all(&whole).expect("no section asks for a key that is not listed");
    for key in listed() {
        let mut values = Values::load(&environment(&REQUIRED)).unwrap();
        values.remove(&key);
        let line = read_all(&values).expect_err(&key).to_string();
        assert_eq!(line, format!("configuration: {key} is not listed in default.toml"));
    }
}

#[test]
fn every_listed_key_is_explained() {
    let mut explained = false;
    for line in DEFAULTS.lines() {
        // A comment explains what follows it, up to the next empty line or section.
        match line.chars().next() {
            Some('#') => explained = true,
            Some('[') | None => explained = false,
            Some(_) => assert!(explained, "{line}"),
        }
    }
}

#[test]
fn secret_keys_are_listed_and_called_secret() {
    let listed: BTreeSet<_> = listed().into_iter().collect();
    assert!(SECRETS.iter().all(|key| listed.contains(*key)));
    for line in DEFAULTS.lines().filter(|line| line.starts_with("# Required") && line.contains("secret")) {
        assert!(line.contains("), secret. "), "{line}");
    }
}

#[test]
fn no_variable_means_two_keys() {
    let names: BTreeSet<_> = listed().iter().map(|key| variable(key)).collect();
    assert_eq!(names.len(), listed().len());
    assert!(names.iter().all(|name| !names.contains(&format!("{name}_FILE"))));
}

/// A program's name, how it loads its settings, and what it requires.
type Program = (&'static str, fn(&Source) -> Result<(), ConfigError>, &'static [&'static str]);

#[test]
fn a_missing_required_key_is_told_with_the_ways_to_set_it() {
    let programs: [Program; 4] = [
        (
            "rekey-api",
            |source| ApiSettings::load(source).map(drop),
            &["server.public_url", "auth.signing_key", "keys.sealing", "database.url", "broker.url"],
        ),
        (
            "rekey-mailer",
            |source| MailerSettings::load(source).map(drop),
            &["server.public_url", "keys.sealing", "database.url", "broker.url", "mail.from", "smtp.relays"],
        ),
        ("rekey", |source| ToolSettings::load(source).map(drop), &["database.url"]),
        (
            "rekey dev",
            |source| DevSettings::load(source).map(drop),
            &["server.public_url", "auth.signing_key", "keys.sealing", "mail.from"],
        ),
    ];
    for (program, load, required) in programs {
        let given: Vec<_> = REQUIRED.into_iter().filter(|(key, _)| required.contains(key)).collect();
        load(&environment(&given))
            .unwrap_or_else(|error| panic!("{program} needs no more than it says: {error}"));
        for key in required {
            for blank in [None, Some((*key, " "))] {
                let rest = given.iter().copied().filter(|(given, _)| given != key).chain(blank);
                let line = load(&environment(&rest.collect::<Vec<_>>())).expect_err(key).to_string();
                let variable = variable(key);
                let how = format!("set it in the file, or as {variable} or {variable}_FILE");
                assert_eq!(line, format!("configuration: {key} is missing: {how}"));
            }
        }
    }
}
