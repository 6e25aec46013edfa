//! The mail with the link to set a new password.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rekey_core::{
    deliveries::MailName,
    events::EventBody,
    ids::ResetId,
    secrets::{KeyRing, RejectionProof},
    sessions::TokenScope,
};
use rekey_runtime::config::LinkValues;
use rekey_texts::{Reader, SayError};
use serde::Serialize;
use time::Duration;

use super::definition::{
    ContentError, MailContent, MailDefinition, MailSource, SAMPLE_TIME, Sample, TextKeys,
};

pub(super) const DEFINITION: MailDefinition = MailDefinition {
    mjml: include_str!("../../templates/reset_requested.mjml"),
    text: include_str!("../../templates/reset_requested.txt"),
    content: |source| Ok(ResetRequested::from_source(source)?.content(source.reader)?),
    sample: |reader, shop, sample| ResetRequested::sample(reader, shop, sample)?.content(reader),
};

const TEXTS: TextKeys =
    TextKeys { subject: "mail-reset-subject", preview: "mail-reset-preview", why: "mail-reset-why" };

/// The token in the sample's link, as long as a real one. Both parts of the mail must contain it.
pub(crate) const SAMPLE_TOKEN: &str = "sampleSampleSampleSampleSampleSampleSample1";

#[derive(Serialize)]
pub(crate) struct ResetRequested {
    /// The shop's name.
    shop: String,
    /// The link, with the token.
    link: String,
    /// When the reset was requested, in words. Mail programs fold what they have shown before, so two mails must differ.
    requested: String,
    /// How long it works, in words: "6 hours".
    life: String,
    /// Until when it works, in words.
    until: String,
    /// The short code that works as well as the link, as it is shown: `ABCD-EFGH`.
    code: Option<String>,
    /// Where the reader rejects a reset that somebody else requested.
    not_me_link: Option<String>,
}

impl ResetRequested {
    fn content(&self, reader: &Reader) -> Result<MailContent, SayError> {
        let args = [
            ("shop", (&self.shop).into()),
            ("requested", (&self.requested).into()),
            ("until", (&self.until).into()),
        ];
        MailContent::new(MailName::ResetRequested, reader, &TEXTS, &args, self)
    }

    fn from_source(source: &MailSource<'_>) -> Result<Self, ContentError> {
        let MailSource { event, delivery, settings, public_url, keys, reader } = *source;
        let EventBody::ResetCreated(created) = &event.body else { return Err(ContentError::NoMail) };
        let organization = event.scope.organization;
        let token = created.token.unseal(organization, created.reset, keys)?;
        // The code may have stopped working before its mail is sent.
        let code = created.code.as_ref().filter(|_| delivery.has_code);
        let code = code.map(|sealed| sealed.unseal(organization, created.reset, keys)).transpose()?;
        let expiry = delivery.expiry.ok_or(ContentError::NoMail)?;
        let (pages, client_id) = (&settings.organization.pages, created.client_id.as_deref());
        let template = settings.organization.links.reset_template(public_url, client_id);
        Ok(Self {
            shop: source.shop(),
            link: template.fill(LinkValues {
                id: created.reset.as_str(),
                token: token.expose(),
                locale: reader.language().tag(),
                organization: delivery.organization.slug.as_str(),
                client_id: pages.client_id.as_deref().or(client_id).unwrap_or_default(),
                scope: TokenScope::default().as_str(),
                login_url: pages.login_url.as_deref().unwrap_or_default(),
            }),
            requested: reader.moment(event.occurred_at)?,
            life: reader.span(expiry.remaining)?,
            until: reader.moment(expiry.at)?,
            code: code.map(|code| code.expose().to_string()),
            not_me_link: Some(format!(
                "{public_url}/not-me?id={}&proof={}&locale={}",
                created.reset,
                proof(created.reset, keys),
                reader.language()
            )),
        })
    }

    fn sample(reader: &Reader, shop: &str, sample: Sample) -> Result<Self, SayError> {
        let proof = "k1.sampleSampleSampleSampleSampleSampleSample1";
        Ok(Self {
            shop: shop.to_owned(),
            link: format!("https://shop.example/reset-password?id=RESETRESE1&token={SAMPLE_TOKEN}"),
            requested: reader.moment(SAMPLE_TIME)?,
            life: reader.span(Duration::hours(6))?,
            until: reader.moment(SAMPLE_TIME + Duration::hours(6))?,
            code: sample.optional("K7PM-3XQT".to_owned()),
            not_me_link: sample.optional(format!("https://shop.example/not-me?id=RESETRESE1&proof={proof}")),
        })
    }
}

/// The proof that its bearer got the mail. It can end this one reset and do nothing else.
fn proof(reset: ResetId, keys: &KeyRing) -> String {
    utf8_percent_encode(&RejectionProof::for_reset(reset, keys).expose(), NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests;
