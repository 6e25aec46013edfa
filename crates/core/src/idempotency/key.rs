use std::str::FromStr;

use crate::{
    caller::{Actor, Caller},
    ids::{ApplicationId, CustomerId},
    newtypes::redacted_debug,
    scope::Scope,
    secrets::KeyDigest,
};

/// The value of an `Idempotency-Key` header.
///
/// The draft's form is a Structured Field string (RFC 9651 §3.3.3): `"8e03978e"`. Without quotes, as most clients send it, it
/// is visible ASCII without `"`, `\`, `,` and `;`. Both are the same key.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A text that is not an [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to {} visible ASCII characters", IdempotencyKey::MAX_LENGTH)]
pub struct InvalidKey;

impl IdempotencyKey {
    /// The maximum length of a key: as many as the best-known API accepts (Stripe), seven times a UUID.
    pub const MAX_LENGTH: usize = 255;
}

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let key = match text.strip_prefix('"') {
            Some(rest) => unquote(rest).ok_or(InvalidKey)?,
            None if text.bytes().all(is_bare) => text.to_owned(),
            None => return Err(InvalidKey),
        };
        if (1..=Self::MAX_LENGTH).contains(&key.len()) { Ok(Self(key)) } else { Err(InvalidKey) }
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte)
}

/// Parses a string after its opening quote; the closing one must end the text.
fn unquote(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next().filter(|escaped| "\"\\".contains(*escaped))?),
            character @ ' '..='~' => key.push(character),
            _ => return None,
        }
    }
}

redacted_debug!(IdempotencyKey);

/// The owner of keys; equal keys of two owners are different. All guests of a sales channel are one owner, since they are one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The scope of the client.
    pub scope: Scope,
    /// The API client.
    pub application: ApplicationId,
    /// The customer, if one is logged in.
    pub customer: Option<CustomerId>,
}

impl Owner {
    /// Returns the owner of a caller's keys; `None` for a caller that does not act through a client.
    #[must_use]
    pub fn from_caller(scope: Scope, caller: &Caller) -> Option<Self> {
        let (application, customer) = match caller.actor {
            Actor::Client(application) => (application, None),
            Actor::Customer(application, customer, _) => (application, Some(customer)),
            Actor::Clients | Actor::TokenHolder | Actor::Operator(_) => return None,
        };
        Some(Self { scope, application, customer })
    }

    /// Returns the digest by which stores identify a key of this owner.
    #[must_use]
    pub fn digest(&self, key: &IdempotencyKey) -> KeyDigest {
        let customer = self.customer.map(|customer| customer.to_string()).unwrap_or_default();
        KeyDigest::from_parts(&[
            self.scope.organization.as_str().as_bytes(),
            self.scope.mode.as_str().as_bytes(),
            self.application.as_str().as_bytes(),
            customer.as_bytes(),
            key.0.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OrganizationId, random::OsRandom, scope::Mode};

    #[test]
    fn a_key_is_quoted_or_bare_and_the_same_either_way() {
        let bare: IdempotencyKey = "8e03978e-40d5-43dd-bc93-6894a57f9324".parse().unwrap();
        assert_eq!("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"".parse(), Ok(bare));
        assert_eq!("\"a \\\"b\\\\, c;\"".parse(), Ok(IdempotencyKey("a \"b\\, c;".to_owned())));
        let longest = "k".repeat(IdempotencyKey::MAX_LENGTH);
        assert!(longest.parse::<IdempotencyKey>().is_ok());
        assert!(format!("\"{longest}\"").parse::<IdempotencyKey>().is_ok());
        for text in [
            "",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "\"a\"b",
            "\"a\";p=1",
            "\"a\\n\"",
            "\"a\\",
            "\"é\"",
            "a b",
            "a,b",
            "a;b",
            "a\\b",
            "é",
            "a\0",
            "\"a\t\"",
            &format!("{longest}k"),
            &format!("\"{longest}k\""),
        ] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(InvalidKey), "{text:?}");
        }
    }

    #[test]
    fn tenant_one_key_of_different_owners_is_different_keys() {
        let scope = Scope { organization: OrganizationId::generate(&OsRandom), mode: Mode::Test };
        let owner = Owner { scope, application: ApplicationId::generate(&OsRandom), customer: None };
        let others = [
            Owner { scope: Scope { mode: Mode::Live, ..scope }, ..owner },
            Owner { scope: Scope { organization: OrganizationId::generate(&OsRandom), ..scope }, ..owner },
            Owner { application: ApplicationId::generate(&OsRandom), ..owner },
            Owner { customer: Some(CustomerId::generate(&OsRandom)), ..owner },
        ];
        let key = "k".parse().unwrap();
        assert_eq!(owner.digest(&key), owner.digest(&key));
        assert_ne!(owner.digest(&key), owner.digest(&"K".parse().unwrap()));
        assert!(others.iter().all(|other| other.digest(&key) != owner.digest(&key)));
    }
}
