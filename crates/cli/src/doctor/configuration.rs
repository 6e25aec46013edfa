//! The settings of the programs and of organizations.

use rekey_core::organizations::Slug;
use rekey_runtime::config::{ConfigError, Configuration};
use rekey_texts::{Language, Texts};

use super::finding::Finding;
use crate::config::{Program, check_organization};

/// Checks the settings of these programs. Without `--for`, says what another one would need.
pub fn check(configuration: &Configuration, programs: &[Program], is_default: bool) -> Vec<Finding> {
    let checked = Program::ALL.into_iter().filter_map(|program| {
        let check = format!("configuration.{}", program.name());
        match program.problem(configuration) {
            Some(error) if programs.contains(&program) => Some(fault(&check, &error)),
            None if programs.contains(&program) => Some(Finding::ok(&check, "complete")),
            Some(ConfigError::Missing { key, .. }) if is_default => {
                Some(Finding::skipped(&check, format!("{key} is not set here")))
            }
            Some(_) | None => None,
        }
    });
    checked.chain(organizations(configuration, programs)).collect()
}

fn organizations(configuration: &Configuration, programs: &[Program]) -> Vec<Finding> {
    const CHECK: &str = "configuration.organization";
    let checked = match configuration.check_organizations() {
        Ok(checked) => checked,
        Err(error) => return vec![fault(CHECK, &error)],
    };
    let Ok(texts) = Texts::built_in(Language::English) else { return Vec::new() };
    let check = |(slug, settings): (Slug, _)| {
        let named = |finding: Finding| Finding { found: format!("{slug}: {}", finding.found), ..finding };
        named(match settings {
            // rekey-api has no mails, and so needs no sender.
            Err(ConfigError::Missing { key, .. }) if !programs.contains(&Program::Mailer) => {
                Finding::skipped(CHECK, format!("{key} is not set here"))
            }
            Err(error) => fault(CHECK, &error),
            Ok(own) => match check_organization(&own, &texts) {
                Ok(()) => Finding::ok(CHECK, "settings, texts, templates and key can be used"),
                Err(error) => {
                    Finding::fail(CHECK, format!("{error:#}"), "correct it in the organization's folder")
                }
            },
        })
    };
    checked.into_iter().map(check).collect()
}

/// Reports a mistake in the configuration.
pub fn fault(check: &str, error: &ConfigError) -> Finding {
    let (found, fix) = match error {
        ConfigError::Missing { key, variable } => {
            (format!("{key} is missing"), format!("set it in the file, or as {variable} or {variable}_FILE"))
        }
        ConfigError::Invalid { key, found, origin, expected } => {
            (format!("{key} is {found} (from {origin})"), format!("expected {expected}"))
        }
        ConfigError::Unknown { key, origin } => (
            format!("unknown key {key} (from {origin})"),
            "correct its name, or remove it: `rekey config show` has all keys".to_owned(),
        ),
        error => {
            let text = error.to_string();
            (text.trim_start_matches("configuration: ").to_owned(), "correct it there".to_owned())
        }
    };
    Finding::fail(check, found, fix)
}
