//! The shipped defaults are the manual: they list exactly what the programs know.

use std::collections::BTreeSet;

use config::{Config, File, FileFormat, Map, Value};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor, value},
    forward_to_deserialize_any,
};

use super::*;
use crate::config::{configuration::DEFAULTS, error::SECRETS, organizations, sections};

/// The keys of each section of `default.toml`.
fn sections() -> Map<String, Map<String, Value>> {
    let defaults = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    defaults.build().unwrap().try_deserialize().unwrap()
}

/// `section.key` of every line that sets one.
fn listed() -> Vec<String> {
    let sections = sections();
    let keys = sections.iter().map(|(section, keys)| keys.keys().map(move |key| format!("{section}.{key}")));
    keys.flatten().collect()
}

/// A deserializer that records the names of a type's fields, and has no values.
struct FieldNames<'a>(&'a mut BTreeSet<String>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        self.0.extend(fields.iter().map(|field| (*field).to_owned()));
        Err(value::Error::custom("only the names are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        panic!("a section is a struct")
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<'de, S: Deserialize<'de>>() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    assert!(S::deserialize(FieldNames(&mut names)).is_err());
    names
}

#[test]
fn every_listed_key_is_read_and_every_key_read_is_listed() {
    let read = [
        ("server", fields::<Server>()),
        ("organizations", fields::<organizations::Section>()),
        ("brand", fields::<Brand>()),
        ("languages", fields::<Languages>()),
        ("pages", fields::<HostedPages>()),
        ("auth", fields::<Auth>()),
        ("keys", fields::<Keys>()),
        ("database", fields::<Database>()),
        ("broker", fields::<Broker>()),
        ("relay", fields::<OutboxRelayConfig>()),
        ("passwords", fields::<Passwords>()),
        ("resets", fields::<sections::Resets>()),
        ("limits", fields::<Limits>()),
        ("retention", fields::<Retention>()),
        ("links", fields::<Links>()),
        ("mail", fields::<Mail>()),
        ("mailbox", fields::<TestMailbox>()),
        ("dkim", fields::<sections::DkimSection>()),
        ("smtp", fields::<Smtp>()),
        ("mailer", fields::<Mailer>()),
        ("bounces", fields::<Bounces>()),
        ("admin", fields::<Admin>()),
        ("telemetry", fields::<Telemetry>()),
        ("webhooks", fields::<Webhooks>()),
    ];
    let read: BTreeSet<_> = read.map(|(section, fields)| (section.to_owned(), fields)).into();
    let listed = sections().into_iter().map(|(section, keys)| (section, keys.into_keys().collect()));
    assert_eq!(read, listed.collect());
}

/// Each section is a field of one of these, so that a program reads all keys of the sections that it needs.
#[test]
fn every_section_is_read_by_a_program() {
    let programs = [
        fields::<ApiSettings>(),
        fields::<MailerSettings>(),
        fields::<WebhookSettings>(),
        fields::<OrganizationSettings>(),
        fields::<sections::MailSections>(),
        fields::<organizations::Sections>(),
    ];
    let read: BTreeSet<_> = programs.into_iter().flatten().collect();
    assert_eq!(read, sections().into_keys().collect());
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
type Program = (&'static str, fn(&Configuration) -> Result<(), ConfigError>, &'static [&'static str]);

#[test]
fn a_missing_required_key_is_named_with_the_ways_to_set_it() {
    let programs: [Program; 5] = [
        (
            "rekey-api",
            |configuration| {
                configuration.organization_settings().and(configuration.settings::<ApiSettings>()).map(drop)
            },
            &["server.public_url", "auth.signing_key", "keys.sealing", "database.url", "broker.url"],
        ),
        (
            "rekey-mailer",
            |configuration| {
                configuration
                    .organization_mail_settings()
                    .and(configuration.settings::<MailerSettings>())
                    .map(drop)
            },
            &["server.public_url", "keys.sealing", "database.url", "broker.url", "mail.from", "smtp.relays"],
        ),
        (
            "rekey-webhooks",
            |configuration| configuration.settings::<WebhookSettings>().map(drop),
            &["server.public_url", "keys.sealing", "database.url", "broker.url"],
        ),
        ("rekey", |configuration| configuration.settings::<ToolSettings>().map(drop), &["database.url"]),
        (
            "rekey dev",
            |configuration| {
                configuration
                    .organization_mail_settings()
                    .and(configuration.settings::<DevSettings>())
                    .map(drop)
            },
            &["server.public_url", "auth.signing_key", "keys.sealing", "mail.from"],
        ),
    ];
    for (program, read, required) in programs {
        let load = |source: &Source| read(&Configuration::load(source)?);
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
