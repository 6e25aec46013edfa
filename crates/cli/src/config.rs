//! `rekey config`: what the programs would start with.

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use rekey_api::check_pages;
use rekey_core::organizations::Slug;
use rekey_mailer::{dkim::Signer, render::Renderer};
use rekey_runtime::config::{
    ApiSettings, ConfigError, Configuration, ConsoleSettings, Mail, MailerSettings, OrganizationMailSettings,
    ShownValue, Source, ToolSettings, WebhookSettings,
};
use rekey_texts::{Language, Texts};
use serde::{Deserialize, Serialize};

use crate::output::{Output, Row};

/// The commands on the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the settings of programs, and each organization's with its texts, templates and key. Nothing is started, and no server is
    /// asked. Exit code 2 if something is wrong.
    Check {
        /// The program that starts with these settings; may be repeated. By default only the operator's commands.
        #[arg(long = "for", value_name = "PROGRAM", default_value = "tool")]
        programs: Vec<Program>,
    },
    /// Print every key with its value and where it is set. Secrets are masked.
    Show {
        /// As it is for this organization, by its slug.
        #[arg(long)]
        organization: Option<Slug>,
        /// Only what is not the default.
        #[arg(long)]
        changed: bool,
        /// Only keys that begin with this, such as `mail` or `mail.from`.
        #[arg(default_value = "")]
        prefix: String,
    },
}

/// A program with settings of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// `rekey-api`.
    Api,
    /// `rekey-mailer`.
    Mailer,
    /// `rekey-webhooks`.
    Webhooks,
    /// `rekey console`.
    Console,
    /// The operator's commands and `rekey maintain`.
    Tool,
}

/// The configuration has mistakes, which were printed. Exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0} of {1} can't be used")]
pub struct Rejected(usize, usize);

/// Runs a command on the configuration.
pub fn run(command: ConfigCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let configuration = Configuration::load(source)?;
    match command {
        ConfigCommand::Check { programs } => check(&programs, &configuration, output),
        ConfigCommand::Show { organization, changed, prefix } => {
            let own = organization.map(|slug| configuration.for_organization(&slug)).transpose()?;
            let mut values = own.as_ref().unwrap_or(&configuration).values();
            let defaults = Configuration::load(&Source::default())?.values();
            values.retain(|value| value.key.starts_with(&prefix) && !(changed && defaults.contains(value)));
            output.list(&values)
        }
    }
}

fn check(programs: &[Program], configuration: &Configuration, output: Output) -> anyhow::Result<()> {
    let mut checked: Vec<_> = programs.iter().map(|program| program.check(configuration)).collect();
    let texts = Texts::built_in(Language::English)?;
    for (slug, settings) in configuration.check_organizations()? {
        let problem = settings.map_err(Into::into).and_then(|own| check_organization(&own, &texts)).err();
        checked.push(Checked::new(format!("organization {slug}"), problem.as_ref()));
    }
    output.list(&checked)?;
    let rejected = checked.iter().filter(|one| one.problem.is_some()).count();
    if rejected == 0 { Ok(()) } else { Err(Rejected(rejected, checked.len()).into()) }
}

/// Checks what an organization's pages and mails are made of.
pub fn check_organization(own: &OrganizationMailSettings, texts: &Texts) -> anyhow::Result<()> {
    check_pages(&own.organization)?;
    Renderer::for_organization(texts, &own.organization)?;
    Signer::new(&own.dkim).context("dkim.private_key can't be used")?;
    Ok(())
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Api, Self::Mailer, Self::Webhooks, Self::Console, Self::Tool];

    /// Returns the name of its executable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "rekey-api",
            Self::Mailer => "rekey-mailer",
            Self::Webhooks => "rekey-webhooks",
            Self::Console => "rekey console",
            Self::Tool => "rekey",
        }
    }

    /// Returns the database role that is made for it; the operator's commands need the owner of the schema.
    pub fn database_role(self) -> Option<&'static str> {
        match self {
            Self::Api => Some("rekey_api"),
            Self::Mailer => Some("rekey_mailer"),
            Self::Webhooks => Some("rekey_webhooks"),
            Self::Console => Some("rekey_console"),
            Self::Tool => None,
        }
    }

    /// Returns what is wrong with its settings.
    pub fn problem(self, configuration: &Configuration) -> Option<ConfigError> {
        match self {
            Self::Api => configuration.settings::<ApiSettings>().err(),
            Self::Mailer => {
                let problem = configuration.settings::<MailerSettings>().err();
                problem.or_else(|| configuration.settings::<Sender>().err())
            }
            Self::Webhooks => configuration.settings::<WebhookSettings>().err(),
            Self::Console => configuration.settings::<ConsoleSettings>().err(),
            Self::Tool => configuration.settings::<ToolSettings>().err(),
        }
    }

    fn check(self, configuration: &Configuration) -> Checked {
        Checked::new(self.name().to_owned(), self.problem(configuration).map(Into::into).as_ref())
    }
}

/// The sender of organizations without their own, which the mailer needs.
#[derive(Deserialize)]
struct Sender {
    #[serde(rename = "mail")]
    _mail: Mail,
}

/// A part of the configuration that was checked.
#[derive(Serialize)]
struct Checked {
    subject: String,
    problem: Option<String>,
}

impl Checked {
    fn new(subject: String, problem: Option<&anyhow::Error>) -> Self {
        let line =
            |problem: &anyhow::Error| format!("{problem:#}").trim_start_matches("configuration: ").to_owned();
        Self { subject, problem: problem.map(line) }
    }
}

impl Row for Checked {
    const COLUMNS: &'static [&'static str] = &["CHECKED", "RESULT"];

    fn cells(&self) -> Vec<String> {
        vec![self.subject.clone(), self.problem.clone().unwrap_or_else(|| "ok".to_owned())]
    }
}

impl Row for ShownValue {
    const COLUMNS: &'static [&'static str] = &["KEY", "VALUE", "FROM"];

    fn cells(&self) -> Vec<String> {
        vec![self.key.clone(), self.value.clone(), self.origin.clone()]
    }
}
