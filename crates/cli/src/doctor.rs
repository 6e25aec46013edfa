//! `rekey doctor`: checks an installation, part by part. It changes nothing, and sends a mail only on request.

mod broker;
mod configuration;
mod database;
mod dns;
mod finding;
mod hashing;
mod keys;
mod links;
mod relays;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use rekey_core::{email::EmailAddress, organizations::Slug};
use rekey_runtime::config::{ConfigError, Configuration, Source};
use serde::de::DeserializeOwned;

use self::finding::{Finding, Status};
use crate::{
    config::Program,
    output::{Output, spinner},
};

/// The time for each step over the network.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The arguments of `rekey doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The program that starts with these settings; may be repeated. What it needs and lacks is a failure. By default rekey-api and
    /// rekey-mailer, as far as what they need is set, else the operator's commands.
    #[arg(long = "for", value_name = "PROGRAM")]
    programs: Vec<Program>,
    /// Also send a test mail to this address as rekey-mailer does: a sample of the mail with the link, rendered, signed, and handed over to
    /// the first relay that takes it.
    #[arg(long, value_name = "ADDRESS")]
    test_mail: Option<EmailAddress>,
    /// The organization that the test mail is from, by its slug. By default its sender and look are the deployment's.
    #[arg(long, value_name = "SLUG", requires = "test_mail")]
    organization: Option<Slug>,
    /// The DNS server to ask, such as 192.0.2.53 or 192.0.2.53:5353. By default those in /etc/resolv.conf.
    #[arg(long, value_name = "ADDRESS", value_parser = dns::server_address)]
    dns_server: Option<SocketAddr>,
    /// The file with the memory limit, in bytes or "max". By default memory.max of this process's cgroup (version 2).
    #[arg(long, value_name = "FILE")]
    memory_limit_file: Option<PathBuf>,
}

/// Runs the checks, prints what they found, and fails if one of them failed.
pub async fn run(options: Doctor, source: &Source, output: Output) -> anyhow::Result<()> {
    let progress = spinner("checking");
    let findings = options.examine(source).await;
    progress.finish_and_clear();
    for finding in &findings {
        output.record(finding, &finding.text())?;
    }
    let failed = findings.iter().filter(|finding| finding.status == Status::Fail).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

impl Doctor {
    /// Checks all parts. Those that do not need each other's results run at the same time.
    async fn examine(&self, source: &Source) -> Vec<Finding> {
        let configuration = match Configuration::load(source) {
            Ok(configuration) => configuration,
            Err(error) => return vec![configuration::fault("configuration", &error)],
        };
        let configuration = &configuration;
        let programs = self.programs(configuration);
        let settings = configuration::check(configuration, &programs, self.programs.is_empty());
        let stored = async {
            let (mut findings, store) = database::check(configuration, &programs).await;
            if let Some(store) = store {
                let (keys, clients) =
                    tokio::join!(keys::check(configuration, &store), links::clients(configuration, &store));
                findings.extend(keys.into_iter().chain(clients));
                store.close().await;
            }
            findings
        };
        let (stored, broker, relays, dns, links) = tokio::join!(
            stored,
            broker::check(configuration, &programs),
            relays::check(configuration),
            dns::check(configuration, self.dns_server),
            links::check(configuration)
        );
        let mut findings = [settings, stored, broker, relays, dns, links].concat();
        if programs.contains(&Program::Api) {
            findings.push(hashing::check(configuration, self.memory_limit_file.as_deref()));
        }
        if let Some(recipient) = &self.test_mail {
            findings.push(relays::send_test_mail(configuration, self.organization.as_ref(), recipient).await);
        }
        findings
    }

    fn programs(&self, configuration: &Configuration) -> Vec<Program> {
        if !self.programs.is_empty() {
            return self.programs.clone();
        }
        let is_complete =
            |program: &Program| !matches!(program.problem(configuration), Some(ConfigError::Missing { .. }));
        let complete: Vec<_> = [Program::Api, Program::Mailer].into_iter().filter(is_complete).collect();
        if complete.is_empty() { vec![Program::Tool] } else { complete }
    }
}

/// Reads the settings of a part, or says why the part is skipped.
fn settings<S: DeserializeOwned>(configuration: &Configuration, check: &str) -> Result<S, Finding> {
    configuration.settings().map_err(|error| not_configured(check, &error))
}

/// Skips a check because its settings are missing, or have a mistake that the check of the configuration names.
fn not_configured(check: &str, error: &ConfigError) -> Finding {
    Finding::skipped(
        check,
        match error {
            ConfigError::Missing { key, .. } => format!("{key} is not set here"),
            _ => "the configuration has a mistake".to_owned(),
        },
    )
}
