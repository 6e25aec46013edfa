//! `rekey mail`: what customers get to read, before they do.

mod dkim;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, Subcommand};
use minijinja::{AutoEscape, Environment, context};
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
    render::{
        Rendered, Renderer,
        samples::{self, Scope},
    },
};
use rekey_runtime::config::{Configuration, Mail, Source};
use rekey_texts::{Language, Texts};

/// What can be done with mails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Render a sample of every mail of an organization, in every language, to .html, .txt and .eml files and an index.html.
    Preview(Preview),
    /// Print the DNS record of the key that signs an organization's mails.
    Dkim(dkim::Dkim),
}

/// Whose mails, and where to.
#[derive(Debug, Args)]
pub struct Preview {
    /// The organization's slug, and so the name of its folder in `organizations.directory`.
    #[arg(long)]
    organization: Slug,
    /// Its name, as customers read it; the slug, if it isn't given.
    #[arg(long)]
    name: Option<DisplayName>,
    /// Where the files go. The folder is made; files of an earlier preview are replaced.
    #[arg(long)]
    output: PathBuf,
    /// A language to render, such as "de" or "pt-BR"; may be repeated. All of them, if none is given.
    #[arg(long = "locale", value_name = "LOCALE", value_parser = language)]
    locales: Vec<Language>,
}

/// Runs a command.
pub fn run(command: MailCommand, source: Source) -> anyhow::Result<()> {
    match command {
        MailCommand::Preview(preview) => preview.run(source),
        MailCommand::Dkim(dkim) => dkim.run(&source),
    }
}

impl Preview {
    fn run(self, source: Source) -> anyhow::Result<()> {
        let source = source.preset("mail.from", "Preview <no-reply@shop.example>");
        let organizations = Configuration::load(&source)?.organization_mail_settings()?;
        let own = organizations.get(&self.organization);
        let renderer = Renderer::for_organization(&Texts::built_in(Language::English)?, &own.organization)?;
        let shop = self.name.as_ref().map_or(self.organization.as_str(), DisplayName::as_str);
        let languages = if self.locales.is_empty() { Language::ALL.to_vec() } else { self.locales };
        let mut index = Vec::new();
        for language in languages {
            let folder = self.output.join(language.tag());
            fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
            let mails = samples::all(&renderer, language, shop, Scope::Full)?;
            for (name, mail) in &mails {
                write(&folder, name, "html", mail.html.as_bytes())?;
                write(&folder, name, "txt", mail.text.as_bytes())?;
                write(&folder, name, "eml", &on_the_wire(&own.mail, mail)?)?;
            }
            let mails: Vec<_> = mails
                .iter()
                .map(|(name, mail)| context! { name => *name, subject => &mail.subject })
                .collect();
            index.push(context! { tag => language.tag(), name => language.name(), mails });
        }
        write(&self.output, "index", "html", page(shop, &index)?.as_bytes())?;
        println!("{}", self.output.join("index.html").display());
        Ok(())
    }
}

/// The mail with its headers. Its Message-ID is that of no event.
fn on_the_wire(sender: &Mail, mail: &Rendered) -> anyhow::Result<Vec<u8>> {
    let event: EventId = "PREVIEWSPL".parse()?;
    let recipient: EmailAddress = "customer@shop.example".parse()?;
    Ok(compose(event, sender, &recipient, mail, SystemClock.now())?.content)
}

fn page(shop: &str, languages: &[minijinja::Value]) -> anyhow::Result<String> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    let source = include_str!("../templates/preview.html");
    let style = include_str!("../templates/mailbox.css");
    Ok(templates.render_str(source, context! { shop, languages, style })?)
}

fn write(folder: &Path, name: &str, extension: &str, content: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.{extension}"));
    fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))
}

fn language(tag: &str) -> Result<Language, String> {
    let locale = tag.parse::<Locale>().map_err(|error| error.to_string())?;
    let known = || Language::ALL.map(Language::tag).join(", ");
    Language::matching(&locale)
        .ok_or_else(|| format!("there are no texts in this language, but in {}", known()))
}

#[cfg(test)]
mod tests;
