//! Renders a mail's content to subject, text and HTML, with the organization's templates, texts and look.

mod filters;
mod mjml;
mod palette;
mod templates;

use std::path::{Path, PathBuf};

use minijinja::{Environment, Value, context, value::Serde};
use rekey_core::{deliveries::MailName, locale::Locale, organizations::PerOrganization};
use rekey_runtime::config::{Brand, OrganizationMailSettings, OrganizationSettings};
use rekey_texts::{Direction, Language, Reader, SayError, Texts, TextsError, template_problem};
use strum::VariantArray;

use self::palette::Palette;
pub use self::templates::TemplateError;
use crate::mails::{self, MailContent, Sample, reset_requested::SAMPLE_TOKEN};

/// The shop's name in the samples that are rendered at the start.
const SAMPLE_SHOP: &str = "Shop";

/// A rendered mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub language: Language,
}

/// Why an organization's mails can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RendererError {
    #[error(transparent)]
    Texts(#[from] TextsError),
    #[error(transparent)]
    Template(TemplateError),
    /// The same, in an organization with a folder of its own.
    #[error("{}: {problem}", folder.display())]
    OwnTemplate { folder: PathBuf, problem: TemplateError },
}

/// Why a sample can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error(transparent)]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Text(#[from] SayError),
}

/// Renders one organization's mails. A name that a mail's values lack is an error, and HTML is escaped by the file's name.
pub struct Renderer {
    templates: Environment<'static>,
    texts: Texts,
    palette: Palette,
}

impl Renderer {
    /// Makes the renderers of all organizations.
    ///
    /// # Errors
    /// As [`Renderer::for_organization`], for the first mistake.
    pub fn for_all(
        organizations: &PerOrganization<OrganizationMailSettings>,
    ) -> Result<PerOrganization<Self>, RendererError> {
        let texts = Texts::built_in(Language::English)?;
        organizations.try_map(|own| Self::for_organization(&texts, &own.organization))
    }

    /// Makes an organization's renderer: its texts override the built-in ones, its templates those of the same name.
    ///
    /// # Errors
    /// As [`Renderer::new`], for texts, and for a default language without texts.
    pub fn for_organization(
        built_in: &Texts,
        settings: &OrganizationSettings,
    ) -> Result<Self, RendererError> {
        let (folder, languages) = (settings.folder.as_deref(), &settings.languages);
        let texts = built_in.overlaid(folder, &languages.default, &languages.time_zone)?;
        Self::new(texts, &settings.brand, folder)
    }

    /// Compiles the built-in templates, or in their place an organization's own of the same name: the `.mjml` and `.txt` files
    /// in `<folder>/templates`. Renders every sample in every language, so that a mistake is found at the start.
    ///
    /// # Errors
    /// [`RendererError`] with the file's name and what is wrong with it.
    pub fn new(texts: Texts, brand: &Brand, folder: Option<&Path>) -> Result<Self, RendererError> {
        let with_folder = |problem| match folder {
            Some(folder) => RendererError::OwnTemplate { folder: folder.to_owned(), problem },
            None => RendererError::Template(problem),
        };
        let templates = templates::compile(folder).map_err(with_folder)?;
        let renderer = Self { templates, texts, palette: Palette::from_brand(brand) };
        for language in Language::ALL {
            for sample in [Sample::Minimal, Sample::Complete] {
                renderer.check(language, sample).map_err(with_folder)?;
            }
        }
        Ok(renderer)
    }

    /// Returns the organization's texts in the first of these languages that there are texts in.
    pub fn reader<'a>(&self, locales: impl IntoIterator<Item = &'a Locale>) -> Reader {
        self.reader_in(self.texts.choose(locales))
    }

    /// Returns the organization's texts in that language.
    fn reader_in(&self, language: Language) -> Reader {
        self.texts.reader(language)
    }

    /// Renders a sample of every mail, with all optional values, in this language and for a shop of this name.
    ///
    /// # Errors
    /// [`SampleError`], which is improbable: [`Renderer::new`] has rendered every sample.
    pub fn samples(&self, language: Language, shop: &str) -> Result<Vec<(MailName, Rendered)>, SampleError> {
        let sample = |mail: &MailName| Ok((*mail, self.sample(*mail, language, shop, Sample::Complete)?));
        MailName::VARIANTS.iter().map(sample).collect()
    }

    /// Checks that every mail can be rendered, and that both parts of the mails with a token contain it.
    fn check(&self, language: Language, sample: Sample) -> Result<(), TemplateError> {
        for mail in MailName::VARIANTS {
            let parts = self.sample(*mail, language, SAMPLE_SHOP, sample).map_err(|error| {
                let problem = match &error {
                    SampleError::Template(error) => template_problem(error),
                    SampleError::Text(error) => error.to_string(),
                };
                TemplateError::Template(format!("{problem} (in `{language}`)"))
            })?;
            for (extension, part) in [("txt", &parts.text), ("mjml", &parts.html)] {
                let has_link = matches!(mail, MailName::ResetRequested | MailName::EmailChanged);
                let needs_link = has_link && sample == Sample::Complete;
                if needs_link && !part.contains(SAMPLE_TOKEN) {
                    return Err(TemplateError::Linkless(format!("{}.{extension}", mail.as_str())));
                }
            }
        }
        Ok(())
    }

    fn sample(
        &self,
        mail: MailName,
        language: Language,
        shop: &str,
        sample: Sample,
    ) -> Result<Rendered, SampleError> {
        let reader = self.reader_in(language);
        let content = (mails::definition(mail).sample)(&reader, shop, sample)?;
        self.check_mjml(&reader, &content)?;
        Ok(self.render(&reader, content)?)
    }

    /// Renders one mail.
    pub(crate) fn render(&self, reader: &Reader, content: MailContent) -> Result<Rendered, minijinja::Error> {
        let values = self.values(reader, &content);
        let text = self.part(content.mail, "txt", &values)?;
        let html = self.part(content.mail, "html", &values)?;
        Ok(Rendered { subject: content.subject, text, html, language: reader.language() })
    }

    /// Renders the MJML that the HTML was compiled from, so that an error names a line that somebody wrote.
    fn check_mjml(&self, reader: &Reader, content: &MailContent) -> Result<(), minijinja::Error> {
        let values = self.values(reader, content);
        self.templates.get_template(templates::LAYOUT)?.render(&values)?;
        self.part(content.mail, "mjml", &values).map(drop)
    }

    fn part(&self, mail: MailName, extension: &str, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(&format!("{}.{extension}", mail.as_str()))?.render(values)
    }

    /// The values for the templates: the mail's own and those that all mails have.
    fn values(&self, reader: &Reader, content: &MailContent) -> Value {
        let (dir, start) = match reader.language().direction() {
            Direction::LeftToRight => ("ltr", "left"),
            Direction::RightToLeft => ("rtl", "right"),
        };
        context! {
            dir, start,
            lang => reader.language().tag(),
            look => Value::from(Serde(&self.palette)),
            t => reader.function(),
            ..content.values.clone()
        }
    }
}

#[cfg(test)]
mod tests;
