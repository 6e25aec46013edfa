//! The notice that the address was changed, with the link that undoes it. It goes to the old address.

use rekey_core::{
    customers::email_change::EMAIL_UNDO_TTL, deliveries::MailName, events::EventBody, ids::EmailChangeId,
};
use rekey_runtime::config::PublicUrl;
use rekey_texts::{Reader, SayError};
use serde::Serialize;

use super::{
    definition::{ContentError, MailContent, MailDefinition, MailSource, SAMPLE_TIME, TextKeys},
    reset_requested::SAMPLE_TOKEN,
};

pub(super) const DEFINITION: MailDefinition = MailDefinition {
    mjml: include_str!("../../templates/email_changed.mjml"),
    text: include_str!("../../templates/email_changed.txt"),
    content: |source| Ok(EmailChanged::from_source(source)?.content(source.reader)?),
    sample: |reader, shop, _| EmailChanged::sample(reader, shop)?.content(reader),
};

const TEXTS: TextKeys =
    TextKeys { subject: "mail-moved-subject", preview: "mail-moved-preview", why: "mail-changed-why" };

#[derive(Serialize)]
struct EmailChanged {
    /// The shop's name.
    shop: String,
    /// When, in words.
    changed: String,
    /// Until when it can be undone, in words.
    until: String,
    /// The page that undoes it, with the token.
    link: String,
}

impl EmailChanged {
    fn content(&self, reader: &Reader) -> Result<MailContent, SayError> {
        let args = [("shop", (&self.shop).into()), ("until", (&self.until).into())];
        MailContent::new(MailName::EmailChanged, reader, &TEXTS, &args, self)
    }

    fn from_source(source: &MailSource<'_>) -> Result<Self, ContentError> {
        let MailSource { event, public_url, keys, reader, .. } = *source;
        let EventBody::CustomerEmailChanged(changed) = &event.body else { return Err(ContentError::NoMail) };
        let token = changed.token.unseal(event.scope.organization, changed.change, keys)?;
        Ok(Self {
            shop: source.shop(),
            changed: reader.moment(event.occurred_at)?,
            until: reader.moment(event.occurred_at + EMAIL_UNDO_TTL)?,
            link: link(public_url, changed.change, token.expose(), reader),
        })
    }

    fn sample(reader: &Reader, shop: &str) -> Result<Self, SayError> {
        Ok(Self {
            shop: shop.to_owned(),
            changed: reader.moment(SAMPLE_TIME)?,
            until: reader.moment(SAMPLE_TIME + EMAIL_UNDO_TTL)?,
            link: format!("https://shop.example/restore-email?id=EMAILCHNG1&token={SAMPLE_TOKEN}"),
        })
    }
}

fn link(public_url: &PublicUrl, change: EmailChangeId, token: &str, reader: &Reader) -> String {
    format!("{public_url}/restore-email?id={change}&token={token}&locale={}", reader.language())
}
