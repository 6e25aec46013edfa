//! `rekey mail dkim`: the DNS record by which others verify the signatures of an organization's mails.

use clap::Args;
use rekey_core::organizations::Slug;
use rekey_mailer::dkim::Signer;
use rekey_runtime::config::{Configuration, Source};
use serde_json::json;

use crate::output::Output;

/// The arguments of `rekey mail dkim`.
#[derive(Debug, Args)]
pub struct Dkim {
    /// The organization's slug. The key is dkim.pem in its folder, else the deployment's.
    #[arg(long)]
    organization: Slug,
}

impl Dkim {
    /// Prints the record in a zone file's form, after a comment that names the key.
    pub(super) fn run(&self, source: &Source, output: Output) -> anyhow::Result<()> {
        let organizations = Configuration::load(source)?.organization_mail_settings()?;
        let dkim = &organizations.get(&self.organization).dkim;
        let (Some(key), Some(signer)) = (&dkim.key, Signer::new(dkim)?) else {
            anyhow::bail!(
                "the mails of {} are not signed: there is no dkim.pem in its folder, and no dkim.private_key",
                self.organization
            );
        };
        let (organization, record) = (&self.organization, signer.record());
        let text = format!("; {organization}, signed with {}\n{record}\n", key.origin);
        let json =
            json!({ "organization": organization.as_str(), "key": key.origin, "record": record.to_string() });
        output.record(&json, &text)
    }
}
