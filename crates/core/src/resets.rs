//! Password resets.

mod new_reset;
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
    secrets::{
        AccountDigest, AddressDigest, CodeDigest, ResetCode, ResetToken, SealedCode, SealedToken, TokenDigest,
    },
};

/// A reset to create.
#[derive(Debug, Clone)]
pub struct NewReset {
    /// Its id.
    pub id: ResetId,
    /// The address whose customer is looked up by the store, in the same statement.
    pub customer_email: EmailAddress,
    /// Who requests it. This decides what happens when no customer has the address.
    pub origin: ResetOrigin,
    /// The digest by which the token is recognised.
    pub token_digest: TokenDigest,
    /// The token, for those who may read it.
    pub sealed_token: SealedToken,
    /// The short code, where the organization has them.
    pub code: Option<NewCode>,
    /// How long the token can be used, by the store's clock.
    pub token_ttl: Duration,
    /// The digests of the address, one for each key of the ring, the current one's first.
    pub address_digests: Vec<AddressDigest>,
    /// The account's digest.
    pub account_digest: AccountDigest,
    /// The quota of self-service; the resets of integration clients have none.
    pub quota: ResetQuota,
    /// The attributes that are set.
    pub attributes: CommonAttributes,
}

/// How often self-service resets are created and mailed. Requests beyond it get the same response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetQuota {
    /// The time between two resets for an address, at least.
    pub cooldown: Duration,
    /// How many mails an address is sent in a window, at most; then one in each [`EXTRA_MAIL_INTERVAL`]. The addresses of an account that
    /// differ only after a `+` share one budget, except those that were confirmed: anybody can sign up with another suffix, and must not
    /// use up what the owner needs.
    pub budget: u32,
    /// How long a window lasts, from its first mail on.
    pub window: Duration,
}

/// How long after the last mail the next one is sent beyond the budget, so that nobody can use up all that the owner needs.
pub const EXTRA_MAIL_INTERVAL: Duration = Duration::hours(1);

/// A short code to keep with its reset.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// The digest by which the code is recognised.
    pub digest: CodeDigest,
    /// The code, for the mail; no store keeps it.
    pub sealed: SealedCode,
    /// How often it may be guessed.
    pub rules: CodeRules,
}

/// How often the short codes of an account may be guessed, all of them together. Further guesses are refused without a comparison,
/// and the codes of the account's pending resets end, while their links go on working. Resets made before the window ends have no
/// code that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeRules {
    /// Guesses in a window, including right ones: NIST SP 800-63B-4 §3.2.2 allows at most 100.
    pub budget: u32,
    /// How long a window lasts, from its first guess on.
    pub window: Duration,
}

/// The reset of a correct code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The reset whose code it is.
    pub reset: ResetId,
    /// The reset's scope.
    pub scope: Scope,
    /// The reset's token.
    pub sealed_token: SealedToken,
}

/// The proof that is presented to use a reset.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The token of the link.
    Token(ResetToken),
    /// The short code in the same mail.
    Code(ResetCode),
}

impl Proof {
    /// Parses a token or a code; `None` when the text has the form of neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ResetToken::parse(text).map(Self::Token).or_else(|| ResetCode::parse(text).map(Self::Code))
    }
}

/// Who requests a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ResetOrigin {
    /// An integration client, for a customer it knows. An unknown address is an error; older tokens stay valid.
    Integration,
    /// A customer's browser. An unknown address makes a decoy with the same rows, which no mail follows and nobody can
    /// read; the customer's older self-service tokens are superseded.
    SelfService,
}

impl ResetOrigin {
    /// Returns the origin's name in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A reset that the store created.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedReset {
    /// The reset, for an integration client. A self-service request gets nothing, whether the address is known or not.
    pub record: Option<Record>,
    /// When it was created, by the store's clock.
    pub created_at: OffsetDateTime,
}

/// The customer whose password a pending token sets. Returned only for the right token.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The reset's scope.
    pub scope: Scope,
    /// The organization that it belongs to, and that sets its rules.
    pub organization: Organization,
    /// The reset.
    pub reset: ResetId,
    /// The customer that gets the new password.
    pub customer: CustomerId,
    /// That customer's address, which the new password must not be.
    pub email: EmailAddress,
}

impl TokenHolder {
    /// Returns what the new password must not be made of.
    #[must_use]
    pub fn person(&self) -> Person<'_> {
        Person { email: &self.email, shop: &self.organization.name }
    }
}

/// A reset that the recipient of its mail may reject.
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
    /// The state of its token.
    pub state: TokenState,
}

/// The state of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It can be used.
    Pending,
    /// It has set a password.
    Used,
    /// It is expired or superseded.
    Dead,
}
