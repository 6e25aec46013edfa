//! The notice that the password was changed.

use rekey_core::deliveries::MailName;
use rekey_texts::{Reader, SayError};
use serde::Serialize;

use super::definition::{MailContent, MailDefinition, SAMPLE_FORGOT_LINK, SAMPLE_TIME, TextKeys};

pub(super) const DEFINITION: MailDefinition = MailDefinition {
    mjml: include_str!("../../templates/password_changed.mjml"),
    text: include_str!("../../templates/password_changed.txt"),
    content: |source| {
        let changed = source.reader.moment(source.event.occurred_at)?;
        let mail = PasswordChanged { shop: source.shop(), changed, forgot_link: source.forgot_link() };
        Ok(mail.content(source.reader)?)
    },
    sample: |reader, shop, sample| {
        let forgot_link = sample.optional(SAMPLE_FORGOT_LINK.to_owned());
        let changed = reader.moment(SAMPLE_TIME)?;
        PasswordChanged { shop: shop.to_owned(), changed, forgot_link }.content(reader)
    },
};

const TEXTS: TextKeys =
    TextKeys { subject: "mail-changed-subject", preview: "mail-changed-preview", why: "mail-changed-why" };

#[derive(Serialize)]
struct PasswordChanged {
    /// The shop's name.
    shop: String,
    /// When, in words.
    changed: String,
    /// Where the reader can request a new password.
    forgot_link: Option<String>,
}

impl PasswordChanged {
    fn content(&self, reader: &Reader) -> Result<MailContent, SayError> {
        let args = [("shop", (&self.shop).into()), ("changed", (&self.changed).into())];
        MailContent::new(MailName::PasswordChanged, reader, &TEXTS, &args, self)
    }
}
