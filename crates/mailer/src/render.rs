//! From typed contexts to subject, text and HTML, in the reader's language and the shop's look.

mod colour;
mod context;
mod filters;
mod look;
pub mod samples;
mod templates;

use std::path::Path;

use minijinja::{Environment, Value, context, value::Serde};
use rekey_texts::{Direction, Language, Reader, SayError, Texts};

pub use self::{
    colour::{Colour, InvalidColour},
    context::{Context, NoAccount, PasswordChanged, ResetRequested, Words},
    look::Look,
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

/// One organization's mails: its templates, compiled, its texts and its look. A name that a context does not have is an error,
/// and HTML is escaped by the file's name.
pub struct Renderer {
    templates: Environment<'static>,
    texts: Texts,
    palette: Palette,
}

impl Renderer {
    /// Compiles the templates of the program and, instead of those with the same name, an organization's own: the `.mjml` and
    /// `.txt` files in `<folder>/templates`. Every sample is rendered in every language, so that what is wrong is wrong now.
    ///
    /// # Errors
    /// With the file's name and what is wrong.
    pub fn new(texts: Texts, look: &Look, folder: Option<&Path>) -> Result<Self, TemplateError> {
        let templates = templates::compile(folder)?;
        let renderer = Self { templates, texts, palette: Palette::of(look) };
        for language in Language::ALL {
            for scope in [Scope::Bare, Scope::Full] {
                let rendered = samples::all(&renderer, language, samples::SHOP, scope);
                rendered.map_err(|error| TemplateError::sample(language, &error))?;
            }
        }
        Ok(renderer)
    }

    /// The organization's texts.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Renders one mail for somebody who reads that language.
    pub fn render<C: Context>(&self, reader: &Reader, mail: &C) -> Result<Rendered, RenderError> {
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
        let part =
            |suffix| self.templates.get_template(&format!("{}.{suffix}", C::NAME))?.render(context.clone());
        Ok(Rendered { text: part("txt")?, html: part("html")?, subject, language })
    }
}

#[cfg(test)]
mod tests;
