//! The notice that no customer has the address for which a reset was requested.

use rekey_core::deliveries::MailName;
use rekey_texts::{Reader, SayError};
use serde::Serialize;

use super::definition::{MailContent, MailDefinition, SAMPLE_FORGOT_LINK, SAMPLE_TIME, TextKeys};

pub(super) const DEFINITION: MailDefinition = MailDefinition {
    mjml: include_str!("../../templates/no_account.mjml"),
    text: include_str!("../../templates/no_account.txt"),
    content: |source| {
        let requested = source.reader.moment(source.event.occurred_at)?;
        let mail = NoAccount { shop: source.shop(), requested, forgot_link: source.forgot_link() };
        Ok(mail.content(source.reader)?)
    },
    sample: |reader, shop, sample| {
        let forgot_link = sample.optional(SAMPLE_FORGOT_LINK.to_owned());
        let requested = reader.moment(SAMPLE_TIME)?;
        NoAccount { shop: shop.to_owned(), requested, forgot_link }.content(reader)
    },
};

const TEXTS: TextKeys =
    TextKeys { subject: "mail-none-subject", preview: "mail-none-preview", why: "mail-none-why" };

#[derive(Serialize)]
pub(crate) struct NoAccount {
    /// The shop's name.
    pub(crate) shop: String,
    /// When the reset was requested, in words.
    pub(crate) requested: String,
    /// Where the reader can try another address.
    pub(crate) forgot_link: Option<String>,
}

impl NoAccount {
    pub(crate) fn content(&self, reader: &Reader) -> Result<MailContent, SayError> {
        let args = [("shop", (&self.shop).into()), ("requested", (&self.requested).into())];
        MailContent::new(MailName::NoAccount, reader, &TEXTS, &args, self)
    }
}
