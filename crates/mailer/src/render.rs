//! From typed contexts to subject, text and HTML, in the reader's language and the shop's look.

mod context;
mod filters;
mod look;
mod markup;
pub mod samples;
mod templates;

use std::path::{Path, PathBuf};

use minijinja::{Environment, Value, context, value::Serde};
use rekey_core::locale::Locale;
use rekey_runtime::config::{Brand, OrganizationSettings};
use rekey_texts::{Direction, Language, Reader, SayError, Texts, TextsError};

pub use self::{
    context::{Context, NoAccount, PasswordChanged, ResetRequested, Words},
    templates::TemplateError,
};
use self::{look::Palette, samples::Scope};

/// A mail's words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub language: Language,
}

/// Why a mail can't be rendered: its template and its context disagree. A `Template`'s details can show the context, and so
/// the token; they are for samples.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(transparent)]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Text(#[from] SayError),
}

/// Why an organization's mails can't be made.
#[derive(Debug, thiserror::Error)]
pub enum UnfitError {
    #[error(transparent)]
    Texts(#[from] TextsError),
    #[error(transparent)]
    Template(TemplateError),
    /// The same, of an organization with a folder of its own.
    #[error("{}: {problem}", folder.display())]
    OwnTemplate { folder: PathBuf, problem: TemplateError },
}

/// One organization's mails: its templates, compiled, its texts and its look. A name that a context does not have is an error,
/// and HTML is escaped by the file's name.
pub struct Renderer {
    templates: Environment<'static>,
    texts: Texts,
    palette: Palette,
}

impl Renderer {
    /// A shop's mails: its texts laid over the built-in ones, its templates instead of those of the same name.
    ///
    /// # Errors
    /// As [`Renderer::new`], for texts, and for a default language that there are no texts in.
    pub fn for_organization(built_in: &Texts, settings: &OrganizationSettings) -> Result<Self, UnfitError> {
        let (folder, languages) = (settings.folder.as_deref(), &settings.languages);
        let texts = built_in.overlaid(folder, &languages.default, &languages.time_zone)?;
        Self::new(texts, &settings.brand, folder)
    }

    /// Compiles the templates of the program and, instead of those with the same name, an organization's own: the `.mjml` and
    /// `.txt` files in `<folder>/templates`. Every sample is rendered in every language, so that what is wrong is wrong now.
    ///
    /// # Errors
    /// With the file's name and what is wrong.
    pub fn new(texts: Texts, brand: &Brand, folder: Option<&Path>) -> Result<Self, UnfitError> {
        let unfit = |problem| match folder {
            Some(folder) => UnfitError::OwnTemplate { folder: folder.to_owned(), problem },
            None => UnfitError::Template(problem),
        };
        let templates = templates::compile(folder).map_err(unfit)?;
        let renderer = Self { templates, texts, palette: Palette::of(brand) };
        for language in Language::ALL {
            for scope in [Scope::Bare, Scope::Full] {
                let all = samples::all(&renderer, language, samples::SHOP, scope);
                let all = all.map_err(|error| unfit(TemplateError::sample(language, &error)))?;
                if scope == Scope::Full {
                    samples::linked(&all).map_err(&unfit)?;
                }
            }
        }
        Ok(renderer)
    }

    /// The organization's texts for somebody with these wishes, the dearest first.
    pub fn reader<'a>(&self, wishes: impl IntoIterator<Item = &'a Locale>) -> Reader {
        self.reader_of(self.texts.choose(wishes))
    }

    /// The organization's texts in that language.
    pub fn reader_of(&self, language: Language) -> Reader {
        self.texts.reader(language)
    }

    /// Renders one mail for somebody who reads that language.
    pub fn render<C: Context>(&self, reader: &Reader, mail: &C) -> Result<Rendered, RenderError> {
        let (subject, context) = self.context(reader, mail)?;
        let part =
            |suffix| self.templates.get_template(&format!("{}.{suffix}", C::NAME))?.render(context.clone());
        Ok(Rendered { text: part("txt")?, html: part("html")?, subject, language: reader.language() })
    }

    /// Fills the MJML itself, of which the HTML was made: what fails there is told with a line that somebody wrote.
    fn rehearse<C: Context>(&self, reader: &Reader, mail: &C) -> Result<(), RenderError> {
        let (_, context) = self.context(reader, mail)?;
        for name in [templates::LAYOUT, &format!("{}.mjml", C::NAME)] {
            self.templates.get_template(name)?.render(context.clone())?;
        }
        Ok(())
    }

    /// The subject, and what the templates are given.
    fn context<C: Context>(&self, reader: &Reader, mail: &C) -> Result<(String, Value), RenderError> {
        let language = reader.language();
        let Words { subject, preview, why } = mail.words(reader)?;
        let (dir, start) = match language.direction() {
            Direction::LeftToRight => ("ltr", "left"),
            Direction::RightToLeft => ("rtl", "right"),
        };
        let context = context! {
            subject => subject.as_str(), preview, why, dir, start,
            lang => language.tag(),
            look => Value::from(Serde(&self.palette)),
            t => reader.function(),
            ..Value::from(Serde(mail))
        };
        Ok((subject, context))
    }
}

#[cfg(test)]
mod tests;
