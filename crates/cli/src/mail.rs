//! `rekey mail`: previews of the mails, their DKIM record, and those that wait.

mod dkim;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, Subcommand};
use minijinja::{Environment, context};
use rekey_core::{
    clock::{Clock, SystemClock},
    email::EmailAddress,
    ids::EventId,
    locale::Locale,
    name::DisplayName,
    organizations::Slug,
};
use rekey_mailer::{
    message::compose,
    render::{Rendered, Renderer},
};
use rekey_runtime::config::{Configuration, Mail, Source};
use rekey_texts::{Language, Texts};
use serde_json::json;

use crate::{delivery, output::Output};

/// The commands on mails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Render a sample of every mail of an organization, in every language, to .html, .txt and .eml files and an index.html.
    Preview(Preview),
    /// Print the DNS record of the key that signs an organization's mails.
    Dkim(dkim::Dkim),
    /// List the mails that have waited for long, why, and what to do.
    Stuck(delivery::Stuck),
}

/// The arguments of a preview.
#[derive(Debug, Args)]
pub struct Preview {
    /// The organization's slug, which is the name of its folder in `organizations.directory`.
    #[arg(long)]
    organization: Slug,
    /// The organization's name, as customers read it; by default the slug.
    #[arg(long)]
    name: Option<DisplayName>,
    /// The folder to write to. It is created if needed; files of an earlier preview are replaced.
    #[arg(long)]
    output: PathBuf,
    /// A language to render, such as "de" or "pt-BR"; may be repeated. By default all of them.
    #[arg(long = "locale", value_name = "LOCALE", value_parser = language)]
    locales: Vec<Language>,
}

/// Runs a command on mails.
pub async fn run(command: MailCommand, source: Source, output: Output) -> anyhow::Result<()> {
    match command {
        MailCommand::Preview(preview) => preview.run(source, output),
        MailCommand::Dkim(dkim) => dkim.run(&source, output),
        MailCommand::Stuck(stuck) => delivery::stuck(&stuck, &source, output).await,
    }
}

impl Preview {
    fn run(self, source: Source, output: Output) -> anyhow::Result<()> {
        let source = source.preset("mail.from", "Preview <no-reply@shop.example>");
        let organizations = Configuration::load(&source)?.organization_mail_settings()?;
        let organization = organizations.get(&self.organization);
        let renderer =
            Renderer::for_organization(&Texts::built_in(Language::English)?, &organization.organization)?;
        let shop = self.name.as_ref().map_or(self.organization.as_str(), DisplayName::as_str);
        let languages = if self.locales.is_empty() { Language::ALL.to_vec() } else { self.locales };
        let mut index = Vec::new();
        for language in languages {
            let folder = self.output.join(language.tag());
            fs::create_dir_all(&folder).with_context(|| format!("{} can't be created", folder.display()))?;
            let mails = renderer.samples(language, shop)?;
            for (name, mail) in &mails {
                let name = name.as_str();
                write(&folder, name, "html", mail.html.as_bytes())?;
                write(&folder, name, "txt", mail.text.as_bytes())?;
                write(&folder, name, "eml", &message(&organization.mail, mail)?)?;
            }
            let mails: Vec<_> = mails
                .iter()
                .map(|(name, mail)| context! { name => name.as_str(), subject => &mail.subject })
                .collect();
            index.push(context! { tag => language.tag(), name => language.name(), mails });
        }
        write(&self.output, "index", "html", page(shop, &index)?.as_bytes())?;
        let index = self.output.join("index.html");
        output.record(&json!({ "index": index }), &format!("{}\n", index.display()))
    }
}

/// Composes the mail with its headers. No event has the id in its Message-ID.
fn message(sender: &Mail, mail: &Rendered) -> anyhow::Result<Vec<u8>> {
    let event: EventId = "PREVIEWSPL".parse()?;
    let recipient: EmailAddress = "customer@shop.example".parse()?;
    Ok(compose(event, sender, &recipient, mail, SystemClock.now())?.content)
}

fn page(shop: &str, languages: &[minijinja::Value]) -> anyhow::Result<String> {
    let template = include_str!("../templates/preview.html");
    let style = include_str!("../templates/mailbox.css");
    Ok(Environment::new().render_named_str("preview.html", template, context! { shop, languages, style })?)
}

fn write(folder: &Path, name: &str, extension: &str, content: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.{extension}"));
    fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))
}

fn language(tag: &str) -> Result<Language, String> {
    let locale = tag.parse::<Locale>().map_err(|error| error.to_string())?;
    let known = || Language::ALL.map(Language::tag).join(", ");
    Language::for_locale(&locale)
        .ok_or_else(|| format!("there are no texts in this language; there are in {}", known()))
}

#[cfg(test)]
mod tests;
