//! The mails to customers: their names, and the events that lead to them. What a mail says is in the mailer's `mails/`.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};
use time::{Duration, OffsetDateTime};

use crate::{
    customers::email_change::EMAIL_UNDO_TTL,
    email::EmailAddress,
    events::{Event, EventBody, EventName},
    ids::{CustomerId, EventId, ResetId},
    scope::Scope,
    secrets::KeyRing,
};

/// A mail. Its name in the stores and in the API is that of its templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum MailName {
    /// The link to set a new password. Sent only while the reset can be used.
    ResetRequested,
    /// The notice that the password was changed. Sent whatever happened to the reset.
    PasswordChanged,
    /// The notice that the address was changed, with the link that undoes it. Sent to the old address.
    EmailChanged,
    /// The notice that no customer has the address for which a reset was requested. Sent in place of [`Self::ResetRequested`],
    /// where the organization wants it.
    NoAccount,
}

impl MailName {
    /// Returns the mail that an event of that name leads to, if any. Its delivery is written with the event.
    #[must_use]
    pub fn for_event(event: EventName) -> Option<Self> {
        match event {
            EventName::ResetCreate => Some(Self::ResetRequested),
            EventName::ResetPassword | EventName::CustomerCreatePassword => Some(Self::PasswordChanged),
            EventName::CustomerChangeEmail => Some(Self::EmailChanged),
            EventName::ResetDestroy
            | EventName::ResetReject
            | EventName::CustomerCreate
            | EventName::CustomerRestoreEmail
            | EventName::CustomerAnonymizationStart
            | EventName::CustomerAnonymizationComplete
            | EventName::CustomerAnonymizationCancel
            | EventName::CustomerDestroy => None,
        }
    }

    /// Returns how old the event may be when its mail is sent; `None` where the reset's expiry decides.
    #[must_use]
    pub fn max_age(self) -> Option<Duration> {
        match self {
            Self::ResetRequested | Self::NoAccount => None,
            Self::PasswordChanged => Some(Duration::hours(24)),
            Self::EmailChanged => Some(EMAIL_UNDO_TTL),
        }
    }

    /// Returns the name in the stores and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A mail that is due. Its id is its event's: one event, one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailJob {
    /// The event that leads to it.
    pub event: EventId,
    /// The organization and mode of the data.
    pub scope: Scope,
    /// Which mail.
    pub mail: MailName,
    /// The reset that the event is about, if it is about one.
    pub reset: Option<ResetId>,
    /// The customer, if the event names one; otherwise it is the reset's.
    pub customer: Option<CustomerId>,
    /// The address that it goes to, where the event names one; otherwise it is the customer's.
    pub recipient: Option<EmailAddress>,
    /// When the event occurred: the age of a mail that has no row in the ledger.
    pub occurred_at: OffsetDateTime,
    /// Whether a request for an address without a customer is answered, by [`MailName::NoAccount`]. If not, such a mail is
    /// discarded.
    pub answer_unknown: bool,
}

impl MailJob {
    /// Returns the mail that this event leads to, if any. An address that can't be decrypted is left out: without it the mail can't be
    /// written either, and waits for the key.
    #[must_use]
    pub fn for_event(event: &Event, keys: &KeyRing) -> Option<Self> {
        let (reset, customer) = event.body.records();
        Some(Self {
            event: event.id,
            scope: event.scope,
            mail: MailName::for_event(event.name())?,
            reset,
            customer,
            recipient: event.recipient(keys).unwrap_or_default(),
            occurred_at: event.occurred_at,
            // The event holds the address only where the organization answers.
            answer_unknown: matches!(&event.body, EventBody::ResetCreated(created) if created.address.is_some()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        events::{EmailChanged, ResetCreated},
        random::OsRandom,
        scope::Mode,
        secrets::{SealedAddress, SealedToken, SealedUndoToken},
        testing::ring,
    };

    #[test]
    fn names_are_those_of_the_templates() {
        let mails = <MailName as VariantArray>::VARIANTS;
        let names: Vec<_> = mails.iter().map(|mail| mail.as_str()).collect();
        assert_eq!(names, ["reset_requested", "password_changed", "email_changed", "no_account"]);
    }

    #[test]
    fn an_event_leads_to_the_mail_whose_delivery_is_written_with_it() {
        let (reset, customer) = ("RESETRESE1".parse().unwrap(), "CUSTOMERS1".parse().unwrap());
        let created = ResetCreated {
            reset,
            token: SealedToken::from_bytes(vec![1, 2, 3]),
            client_id: None,
            code: None,
            address: None,
        };
        let answered = ResetCreated { address: Some(SealedAddress::from_bytes(vec![4])), ..created.clone() };
        let (requested, changed) = (Some(MailName::ResetRequested), Some(MailName::PasswordChanged));
        let keys = ring([("a", 1)]);
        let (organization, change) = ("SHOPSHOP01".parse().unwrap(), "EMAILCHNG1".parse().unwrap());
        let john: EmailAddress = "john@example.com".parse().unwrap();
        let moved = EmailChanged {
            customer,
            change,
            token: SealedUndoToken::from_bytes(vec![5]),
            address: SealedAddress::seal(&john, organization, change, &keys, &OsRandom),
        };
        for (body, mail, of_reset, of_customer, answer_unknown) in [
            (EventBody::ResetCreated(created), requested, true, false, false),
            (EventBody::ResetCreated(answered), requested, true, false, true),
            (EventBody::ResetUsed { reset, customer, address: None }, changed, true, true, false),
            (EventBody::ResetDestroyed { reset }, None, false, false, false),
            (EventBody::ResetRejected { reset }, None, false, false, false),
            (EventBody::CustomerCreated { customer }, None, false, false, false),
            (EventBody::CustomerPasswordCreated { customer, address: None }, changed, false, true, false),
            (EventBody::CustomerEmailChanged(moved), Some(MailName::EmailChanged), false, true, false),
            (EventBody::CustomerEmailRestored { customer }, None, false, false, false),
            (EventBody::CustomerDestroyed { customer }, None, false, false, false),
        ] {
            let scope = Scope { organization, mode: Mode::Live };
            let event = Event {
                id: "EVENTEVEN1".parse().unwrap(),
                scope,
                occurred_at: OffsetDateTime::UNIX_EPOCH,
                traceparent: None,
                locales: Vec::new(),
                body,
            };
            let expected = mail.map(|mail| MailJob {
                event: event.id,
                scope,
                mail,
                reset: of_reset.then_some(reset),
                customer: of_customer.then_some(customer),
                recipient: (mail == MailName::EmailChanged).then(|| john.clone()),
                occurred_at: OffsetDateTime::UNIX_EPOCH,
                answer_unknown,
            });
            assert_eq!(MailJob::for_event(&event, &keys), expected, "{event:?}");
            assert_eq!(MailName::for_event(event.name()), mail, "{event:?}");
        }
    }
}
