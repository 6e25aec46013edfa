//! Password resets.

pub mod rules;
pub mod service;
pub mod store;

use time::{Duration, OffsetDateTime};

use crate::{
    attributes::CommonAttributes,
    email::EmailAddress,
    ids::{CustomerId, ResetId},
    organizations::Organization,
    passwords::Person,
    resources::record::Record,
    scope::Scope,
    secrets::{CodeDigest, ResetCode, ResetToken, SealedCode, SealedToken, TokenDigest},
};

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
    /// The short code beside the token, where the organization has them.
    pub code: Option<NewCode>,
    /// How long the token lives, from the store's present on.
    pub token_ttl: Duration,
    /// What bounds self-service; an integration client's resets are not bounded.
    pub quota: ResetQuota,
    /// The attributes that are set.
    pub attributes: CommonAttributes,
}

/// How many self-service resets an account gets. What goes beyond makes nothing and is answered alike. Addresses that differ in
/// what follows a `+` share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetQuota {
    /// How long after one the next is made.
    pub cooldown: Duration,
    /// How many are made in a window.
    pub budget: u32,
    /// How long a window lasts, from its first reset on.
    pub window: Duration,
}

/// A short code to keep with its reset.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// What the code is matched on.
    pub digest: CodeDigest,
    /// The code, for the mail; no store keeps it.
    pub sealed: SealedCode,
    /// How often it may be guessed.
    pub rules: CodeRules,
}

/// How often short codes may be guessed, all of an account's together. Guesses beyond are refused unseen, and the codes of the
/// account's pending resets die, while their links go on working; resets made before the window ends have no code that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeRules {
    /// Guesses in a window, right ones too: NIST SP 800-63B-4 §3.2.2 wants no more than 100.
    pub budget: u32,
    /// How long a window lasts, from its first guess on.
    pub window: Duration,
}

/// What a right code leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The reset whose code it is.
    pub reset: ResetId,
    /// The reset's scope.
    pub scope: Scope,
    /// The reset's token.
    pub sealed_token: SealedToken,
}

/// What somebody presents to use a reset.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The token of the link.
    Token(ResetToken),
    /// The short code beside it.
    Code(ResetCode),
}

impl Proof {
    /// Reads what is presented; `None` when it has the shape of neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ResetToken::parse(text).map(Self::Token).or_else(|| ResetCode::parse(text).map(Self::Code))
    }
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

/// What the store says of a reset it was asked to create.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedReset {
    /// The reset, for an integration client. A self-service one learns nothing, whether the address is known or not.
    pub record: Option<Record>,
    /// When it was created, by the store's clock.
    pub created_at: OffsetDateTime,
}

/// Whom a usable token speaks for. Only whoever presents the right token gets one.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The reset's scope.
    pub scope: Scope,
    /// Its organization, whose rules hold.
    pub organization: Organization,
    /// The reset.
    pub reset: ResetId,
    /// Whose password it sets.
    pub customer: CustomerId,
    /// That customer's address, which the new password must not be.
    pub email: EmailAddress,
}

impl TokenHolder {
    /// What the new password must not be made of.
    #[must_use]
    pub fn person(&self) -> Person<'_> {
        Person { email: &self.email, shop: &self.organization.name }
    }
}

/// A reset that whoever has its mail may disavow.
#[derive(Debug, Clone)]
pub struct RejectableReset {
    /// The reset's scope.
    pub scope: Scope,
    /// Its organization.
    pub organization: Organization,
    /// The reset.
    pub reset: ResetId,
    /// The customer's address.
    pub email: EmailAddress,
    /// What has become of its token.
    pub state: TokenState,
}

/// What has become of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It can be used.
    Pending,
    /// It has set a password.
    Used,
    /// It is expired or superseded.
    Dead,
}
