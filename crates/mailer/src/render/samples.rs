//! A sample of each mail, for tests, previews, and the check at start.

use rekey_texts::{Language, Reader, SayError};
use time::{Duration, OffsetDateTime};

use super::{
    Context, NoAccount, PasswordChanged, RenderError, Rendered, Renderer, ResetRequested, TemplateError,
};

/// The name of no shop in particular.
pub const SHOP: &str = "Shop";

/// The token in the link.
const TOKEN: &str = "sampleSampleSampleSampleSampleSampleSample1";

/// How much a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What no mail goes without.
    Bare,
    /// All that there can be.
    Full,
}

/// Every mail's name and sample, for this language and shop.
pub fn all(
    renderer: &Renderer,
    language: Language,
    shop: &str,
    scope: Scope,
) -> Result<Vec<(&'static str, Rendered)>, RenderError> {
    let reader = renderer.reader_of(language);
    let (reset, changed, none) = (
        reset_requested(&reader, shop, scope)?,
        password_changed(&reader, shop, scope)?,
        no_account(shop, scope),
    );
    Ok(vec![
        (ResetRequested::NAME, sample(renderer, &reader, &reset)?),
        (PasswordChanged::NAME, sample(renderer, &reader, &changed)?),
        (NoAccount::NAME, sample(renderer, &reader, &none)?),
    ])
}

fn sample<C: Context>(renderer: &Renderer, reader: &Reader, mail: &C) -> Result<Rendered, RenderError> {
    renderer.rehearse(reader, mail)?;
    renderer.render(reader, mail)
}

/// Whether the mails with a link to set a new password have it in both parts: without it, nobody could.
pub(super) fn linked(samples: &[(&'static str, Rendered)]) -> Result<(), TemplateError> {
    for (name, mail) in samples.iter().filter(|(name, _)| *name == ResetRequested::NAME) {
        for (suffix, part) in [("txt", &mail.text), ("mjml", &mail.html)] {
            if !part.contains(TOKEN) {
                return Err(TemplateError::Linkless(format!("{name}.{suffix}")));
            }
        }
    }
    Ok(())
}

fn reset_requested(reader: &Reader, shop: &str, scope: Scope) -> Result<ResetRequested, SayError> {
    Ok(ResetRequested {
        shop: shop.to_owned(),
        // As long as a real one.
        link: link("reset-password", &format!("id=RESETRESE1&token={TOKEN}")),
        life: reader.span(Duration::hours(6))?,
        until: reader.moment(moment() + Duration::hours(6))?,
        code: scope.full("K7PM-3XQT".to_owned()),
        not_me_link: scope
            .full(link("not-me", "id=RESETRESE1&proof=k1.sampleSampleSampleSampleSampleSampleSample1")),
    })
}

fn password_changed(reader: &Reader, shop: &str, scope: Scope) -> Result<PasswordChanged, SayError> {
    Ok(PasswordChanged {
        shop: shop.to_owned(),
        changed: reader.moment(moment())?,
        forgot_link: scope.full(link("forgot-password", "shop=sample")),
    })
}

fn no_account(shop: &str, scope: Scope) -> NoAccount {
    NoAccount { shop: shop.to_owned(), forgot_link: scope.full(link("forgot-password", "shop=sample")) }
}

fn link(page: &str, query: &str) -> String {
    format!("https://shop.example/{page}?{query}")
}

/// 2026-09-30 16:45 UTC.
fn moment() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_790_786_700)
}

impl Scope {
    fn full<T>(self, value: T) -> Option<T> {
        match self {
            Self::Bare => None,
            Self::Full => Some(value),
        }
    }
}
