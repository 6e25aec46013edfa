//! What defines a mail, and what its content is made from.

use minijinja::{Value, context, value::Serde};
use rekey_core::{
    deliveries::{ClaimedDelivery, MailName},
    events::Event,
    name::visible,
    secrets::{KeyRing, UnsealError},
};
use rekey_runtime::config::{OrganizationMailSettings, PublicUrl};
use rekey_texts::{Arg, Reader, SayError};
use serde::Serialize;
use time::{OffsetDateTime, macros::datetime};

/// All that the program knows of a mail.
pub(crate) struct MailDefinition {
    /// The template of the HTML part, in MJML.
    pub mjml: &'static str,
    /// The template of the text part.
    pub text: &'static str,
    /// What the mail says about an event.
    pub content: fn(&MailSource<'_>) -> Result<MailContent, ContentError>,
    /// What it says in previews, tests and the check at start, for a shop of this name.
    pub sample: fn(&Reader, &str, Sample) -> Result<MailContent, SayError>,
}

/// What a mail says in its reader's language.
pub(crate) struct MailContent {
    pub mail: MailName,
    pub subject: String,
    /// The values for its templates.
    pub values: Value,
}

/// The keys of the texts around a mail's body.
pub(crate) struct TextKeys {
    pub subject: &'static str,
    /// What a list of mails shows next to the subject.
    pub preview: &'static str,
    /// Why the reader gets the mail.
    pub why: &'static str,
}

/// What a mail's content is made from.
#[derive(Clone, Copy)]
pub(crate) struct MailSource<'a> {
    pub event: &'a Event,
    pub delivery: &'a ClaimedDelivery,
    /// The organization's settings.
    pub settings: &'a OrganizationMailSettings,
    /// Where the hosted pages are.
    pub public_url: &'a PublicUrl,
    pub keys: &'a KeyRing,
    /// The texts in the customer's language.
    pub reader: &'a Reader,
}

/// Which values a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    /// Those that every mail has.
    Minimal,
    /// The optional ones too.
    Complete,
}

/// Why a mail's content can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The key of a secret in the event is gone, or the secret belongs to another reset.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// A text is missing.
    #[error(transparent)]
    Text(#[from] SayError),
    /// The event is about something else.
    #[error("no mail belongs to this event")]
    NoMail,
}

impl MailContent {
    /// Puts a mail's own values and the texts around its body together. `args` are the variables of those texts.
    pub(super) fn new(
        mail: MailName,
        reader: &Reader,
        keys: &TextKeys,
        args: &[(&str, Arg<'_>)],
        values: &impl Serialize,
    ) -> Result<Self, SayError> {
        let subject = reader.say(keys.subject, args)?;
        let values = context! {
            subject => subject.as_str(),
            preview => reader.say(keys.preview, args)?,
            why => reader.say(keys.why, args)?,
            ..Value::from(Serde(values))
        };
        Ok(Self { mail, subject, values })
    }
}

impl MailSource<'_> {
    /// The organization's name as readers see it.
    pub(super) fn shop(&self) -> String {
        visible(&self.delivery.organization.name)
    }

    /// The hosted page for requesting a reset, if the organization has named the client that the page acts as.
    pub(super) fn forgot_link(&self) -> Option<String> {
        self.settings.organization.pages.client_id.as_ref()?;
        let (slug, language) = (&self.delivery.organization.slug, self.reader.language());
        Some(format!("{}/forgot-password?organization={slug}&locale={language}", self.public_url))
    }
}

impl Sample {
    pub(super) fn optional<T>(self, value: T) -> Option<T> {
        (self == Self::Complete).then_some(value)
    }
}

/// The sample of [`MailSource::forgot_link`].
pub(super) const SAMPLE_FORGOT_LINK: &str = "https://shop.example/forgot-password?shop=sample";

/// The time in samples.
pub(super) const SAMPLE_TIME: OffsetDateTime = datetime!(2026-09-30 16:45 UTC);
