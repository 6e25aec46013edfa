//! A sample of each mail, for tests, previews, and the check at start.

use rekey_core::deliveries::MailName;
use rekey_texts::{Language, SayError};
use strum::VariantArray;

use super::{Rendered, Renderer, TemplateError};
use crate::mails::{self, Sample, reset_requested::SAMPLE_TOKEN};

/// A shop's name in samples.
pub const SHOP: &str = "Shop";

/// Why a sample can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error(transparent)]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Text(#[from] SayError),
}

/// Renders a sample of every mail, with all optional values, in this language and for a shop of this name.
///
/// # Errors
/// [`SampleError`], which is improbable: [`Renderer::new`] has rendered every sample.
pub fn all(
    renderer: &Renderer,
    language: Language,
    shop: &str,
) -> Result<Vec<(MailName, Rendered)>, SampleError> {
    let mails = MailName::VARIANTS.iter();
    mails.map(|mail| Ok((*mail, render(renderer, language, *mail, shop, Sample::Complete)?))).collect()
}

/// Checks that every mail can be rendered, and that both parts of the mail with the link contain it.
pub(super) fn check(renderer: &Renderer, language: Language, sample: Sample) -> Result<(), TemplateError> {
    for mail in MailName::VARIANTS {
        let parts = render(renderer, language, *mail, SHOP, sample);
        let parts = parts.map_err(|error| TemplateError::sample(language, &error))?;
        for (extension, part) in [("txt", &parts.text), ("mjml", &parts.html)] {
            let needs_link = *mail == MailName::ResetRequested && sample == Sample::Complete;
            if needs_link && !part.contains(SAMPLE_TOKEN) {
                return Err(TemplateError::Linkless(format!("{}.{extension}", mail.as_str())));
            }
        }
    }
    Ok(())
}

pub(super) fn render(
    renderer: &Renderer,
    language: Language,
    mail: MailName,
    shop: &str,
    sample: Sample,
) -> Result<Rendered, SampleError> {
    let reader = renderer.reader_in(language);
    let content = (mails::definition(mail).sample)(&reader, shop, sample)?;
    renderer.check_mjml(&reader, &content)?;
    Ok(renderer.render(&reader, content)?)
}
