//! Public identifiers: 10 letters, like the vendor's, which can't be guessed (57 bits), with one type for each kind of record. Versions up
//! to 0.1.0 also used digits, so these are accepted wherever an id is read.

use std::{fmt, str::FromStr};

use crate::random::{LETTERS, RandomSource, fill_from};

/// A text that is not an id: not exactly [`LENGTH`] ASCII letters or digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {LENGTH} letters or digits")]
pub struct InvalidId;

/// The length of an id.
pub const LENGTH: usize = 10;

macro_rules! public_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// Generates an id, of letters only.
            #[must_use]
            pub fn generate(random: &dyn RandomSource) -> Self {
                let mut id = [0; LENGTH];
                fill_from(LETTERS, random, &mut id);
                Self(id)
            }

            /// Returns the id's characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match <[u8; LENGTH]>::try_from(text.as_bytes()) {
                    Ok(id) if id.iter().all(u8::is_ascii_alphanumeric) => Ok(Self(id)),
                    _ => Err(InvalidId),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    )+};
}

public_ids! {
    /// An organization.
    OrganizationId;
    /// An API client (the vendor's "application").
    ApplicationId;
    /// A customer.
    CustomerId;
    /// A password reset.
    ResetId;
    /// A webhook.
    WebhookId;
    /// An event that a webhook is sent.
    CallbackId;
    /// A change of a customer's address.
    EmailChangeId;
    /// An event and its mail, if it leads to one.
    EventId;
    /// An entry of the audit log.
    AuditId;
    /// A customer's session, with all its access and refresh tokens.
    SessionId;
    /// A record of any resource; also one that a request will create, before its resource is known.
    RecordId;
    /// An access token of a client; a customer's access token is identified by its session.
    AccessTokenId;
}

macro_rules! records {
    ($($name:ident)+) => {$(
        impl From<$name> for RecordId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )+};
}

records! { OrganizationId CustomerId ResetId EmailChangeId EventId AuditId WebhookId CallbackId }

macro_rules! created_under_a_record_id {
    ($($name:ident)+) => {$(
        impl From<RecordId> for $name {
            fn from(RecordId(id): RecordId) -> Self {
                Self(id)
            }
        }
    )+};
}

created_under_a_record_id! { CustomerId ResetId EventId WebhookId }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn c10_new_ids_are_ten_letters_and_those_with_digits_stay_ids() {
        for _ in 0..1_000 {
            let id = ResetId::generate(&OsRandom).to_string();
            assert!(id.len() == LENGTH && id.bytes().all(|b| b.is_ascii_alphabetic()), "{id}");
        }
        for (text, is_id) in
            [("a1B2c3D4e5", true), ("0123456789", true), ("abc", false), ("a-b-c-d-e-", false)]
        {
            assert_eq!(text.parse::<ResetId>().is_ok(), is_id, "{text}");
        }
    }
}
