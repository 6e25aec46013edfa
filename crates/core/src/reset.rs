//! Password resets.

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::{
    access::Scope,
    email::EmailAddress,
    ids::{CustomerId, ResetId},
    secret::{SealedToken, TokenDigest},
};

/// A password reset of a known customer, as an integration client sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PasswordReset {
    /// Its id.
    pub id: ResetId,
    /// Whose password it resets.
    pub customer: CustomerId,
    /// That customer's address.
    pub customer_email: EmailAddress,
    /// The token, while it can still be used: not used, superseded or expired by the store's clock.
    pub token: Option<SealedToken>,
    /// When it was used.
    pub reset_password_at: Option<OffsetDateTime>,
    /// When its token expires, or expired.
    pub expires_at: OffsetDateTime,
    /// The shop's own identifiers and data.
    pub reference: Reference,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// What integrators attach to any resource: their own identifier, where it is from, and free data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reference {
    /// The identifier in another system.
    pub reference: Option<String>,
    /// Which system that is.
    pub reference_origin: Option<String>,
    /// Free key-value pairs.
    pub metadata: Map<String, Value>,
}

/// A change to a [`Reference`]: `None` leaves a part as it is, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceChange {
    /// The new reference.
    pub reference: Option<Option<String>>,
    /// The new origin.
    pub reference_origin: Option<Option<String>>,
    /// The new metadata; replaces the old as a whole.
    pub metadata: Option<Map<String, Value>>,
}

impl ReferenceChange {
    /// The attributes that are written, by their names on the wire.
    #[must_use]
    pub fn attributes(&self) -> Vec<&'static str> {
        let written = [
            ("reference", self.reference.is_some()),
            ("reference_origin", self.reference_origin.is_some()),
            ("metadata", self.metadata.is_some()),
        ];
        written.into_iter().filter_map(|(name, is)| is.then_some(name)).collect()
    }
}

/// A reset to create.
#[derive(Debug, Clone)]
pub struct NewReset {
    /// Its id.
    pub id: ResetId,
    /// The address whose customer is looked up by the store, in the same statement.
    pub customer_email: EmailAddress,
    /// Who asks, and so what happens when no customer has the address.
    pub origin: ResetOrigin,
    /// What the token is matched on.
    pub token_digest: TokenDigest,
    /// The token, for those who may read it.
    pub sealed_token: SealedToken,
    /// How long the token lives, from the store's present on.
    pub token_life: Duration,
    /// The shop's own identifiers and data.
    pub reference: Reference,
}

/// Who asks for a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetOrigin {
    /// An integration client, for a customer it knows. An unknown address is an error; older tokens stay alive.
    Integration,
    /// A customer's browser. An unknown address makes a decoy with the same rows, which no mail follows and nobody can
    /// read; the customer's older self-service tokens die.
    SelfService,
}

impl ResetOrigin {
    /// The origin's name in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::SelfService => "self_service",
        }
    }
}

/// What the store says of a reset it created. For self-service it says nothing of the customer, known or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedReset {
    /// The customer, if the address is known. Self-service answers must not depend on it.
    pub customer: Option<CustomerId>,
    /// When it was created, by the store's clock.
    pub created_at: OffsetDateTime,
    /// When its token expires, by the store's clock.
    pub expires_at: OffsetDateTime,
}

/// Whom a usable token speaks for. Only whoever presents the right token gets one.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The reset's scope.
    pub scope: Scope,
    /// The reset.
    pub reset: ResetId,
    /// Whose password it sets.
    pub customer: CustomerId,
    /// That customer's address, which the new password must not be.
    pub email: EmailAddress,
}
