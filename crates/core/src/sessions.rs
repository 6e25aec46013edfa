//! The sessions of logged-in customers, and the port to their refresh tokens and to revoked access tokens.

mod failure_floor;
pub mod guesses;
mod log_ins;
pub mod sign_in;

use std::str::FromStr;

use async_trait::async_trait;
use time::Duration;

use crate::{
    customers::Credentials,
    email::EmailAddress,
    error::StoreError,
    events::audit::AuditEntry,
    ids::{AccessTokenId, ApplicationId, CustomerId, OrganizationId, SessionId},
    newtypes::text_newtype,
    passwords::{PasswordHash, SchemeName},
    scope::Scope,
    secrets::{AddressDigest, RefreshTokenDigest},
};

/// The port to sessions, to the credentials that they are opened with, and to revoked access tokens. Each method is one business
/// fact in one transaction; the store's clock decides what has expired.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Returns what a log-in with that address is checked against.
    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError>;

    /// Returns the organization's next scheme of password hashes after `after`, in the order of their keys; the first one after `None`.
    async fn next_scheme(
        &self,
        organization: OrganizationId,
        after: Option<&SchemeName>,
    ) -> Result<Option<StoredScheme>, StoreError>;

    /// Replaces a password's hash by another of the same password; does nothing when `old` is not the current one.
    async fn rehash_password(
        &self,
        scope: Scope,
        customer: CustomerId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Records the outcome of a log-in: counts it for the account and the hour, and writes its audit entry if it is among the first
    /// [`MAX_SIGN_IN_ENTRIES`] of its action. An unknown account gets the same row in a table of decoys, so it costs the same.
    async fn record_sign_in(&self, scope: Scope, record: &SignInRecord<'_>) -> Result<(), StoreError>;

    /// Opens a session; false when the password changed since it was verified. Deletes a few expired sessions, so that their number stays
    /// in proportion to the log-ins.
    async fn open_session(&self, scope: Scope, session: &NewSession<'_>) -> Result<bool, StoreError>;

    /// Whether the session is neither ended nor expired, the customer's password has not changed since it was opened, and it was opened,
    /// by a sign-in, less than `max_age` ago: refreshes don't count.
    async fn session_is_live(
        &self,
        scope: Scope,
        session: SessionId,
        max_age: Duration,
    ) -> Result<bool, StoreError>;

    /// Uses a refresh token: the session gets the next one, and is extended by `ttl`, but not beyond its `max_age`. Exactly one of several simultaneous calls with a
    /// token gets [`RefreshOutcome::Rotated`], and exactly one [`RefreshOutcome::Reused`], with the audit entry.
    async fn refresh_session(
        &self,
        scope: Scope,
        refresh: &Refresh<'_>,
    ) -> Result<RefreshOutcome, StoreError>;

    /// Ends a session; does nothing when there is none.
    async fn end_session(&self, scope: Scope, session: SessionId) -> Result<(), StoreError>;

    /// Ends the session of a refresh token, used or not, if it was opened through `application`. The digest is the capability, so a
    /// session of another scope is found, too, and is [`EndSessionOutcome::WrongClient`].
    async fn end_session_of_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: &RefreshTokenDigest,
    ) -> Result<EndSessionOutcome, StoreError>;

    /// Revokes an access token of the client itself. The revocation is deleted after `remaining`, when the token has expired.
    async fn revoke_access_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: AccessTokenId,
        remaining: Duration,
    ) -> Result<(), StoreError>;

    /// Returns the revoked access tokens of a client that have not expired.
    async fn revoked_access_tokens(
        &self,
        scope: Scope,
        application: ApplicationId,
    ) -> Result<Vec<AccessTokenId>, StoreError>;
}

/// A scheme that hashes of an organization have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredScheme {
    /// Its name.
    pub name: SchemeName,
    /// One of these hashes.
    pub sample: PasswordHash,
}

/// How many log-ins of an account with the same outcome have an audit entry of their own in an hour. The others have one together.
pub const MAX_SIGN_IN_ENTRIES: u32 = 10;

/// The outcome of a log-in, for the audit log.
#[derive(Debug)]
pub struct SignInRecord<'a> {
    /// The typed address.
    pub email: &'a EmailAddress,
    /// Its digest, by which log-ins are counted.
    pub account: &'a AddressDigest,
    /// The audit entry; the store finds its customer.
    pub audit: &'a AuditEntry,
}

/// A session to open.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its id, which its access tokens contain.
    pub id: SessionId,
    /// Its customer.
    pub customer: CustomerId,
    /// The client through which it was opened.
    pub application: ApplicationId,
    /// The scope of its access tokens.
    pub token_scope: &'a TokenScope,
    /// The refresh token's digest.
    pub refresh_token: &'a RefreshTokenDigest,
    /// The hash that was verified: the session is only opened if it is still the customer's.
    pub password: &'a PasswordHash,
    /// When it expires, from now, unless it is refreshed.
    pub ttl: Duration,
}

/// A use of a refresh token.
#[derive(Debug)]
pub struct Refresh<'a> {
    /// The client that sent it, through which the session must have been opened.
    pub application: ApplicationId,
    /// The digest of the token.
    pub presented: &'a RefreshTokenDigest,
    /// The digest of the next token.
    pub next: &'a RefreshTokenDigest,
    /// When the session expires, from now, unless it is refreshed again.
    pub ttl: Duration,
    /// When the session ends, from its opening.
    pub max_age: Duration,
    /// How long after its use a token may be sent again without ending its session. It is rejected all the same.
    pub leeway: Duration,
    /// The audit entry of a session that is ended because its token was used again.
    pub reuse: &'a AuditEntry,
}

/// The result of [`Sessions::refresh_session`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The session was extended.
    Rotated(LiveSession),
    /// The token was used before, longer ago than the leeway. One of its two users may have stolen it, so the session was ended (RFC 9700
    /// §4.14.2).
    Reused(SessionId),
    /// The token is unknown, expired, of another client or scope, of a session that is too old or from before the customer's password
    /// changed, or was used within the leeway. Nothing was changed.
    Refused,
}

/// A session that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// Its id.
    pub id: SessionId,
    /// Its customer.
    pub customer: CustomerId,
    /// The scope of its access tokens.
    pub token_scope: TokenScope,
    /// When it expires, from now, unless it is refreshed; in whole seconds, at least one.
    pub ttl: Duration,
}

/// The result of [`Sessions::end_session_of_token`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndSessionOutcome {
    /// The session was ended.
    Ended,
    /// There is no session of that token (any more).
    Unknown,
    /// The session was opened through another client, and was not ended.
    WrongClient,
}

/// The scope of an access token, in the vendor's terms: words such as `market:all` or `market:id:xYZkjABcde`.
///
/// It is only stored and returned: no resource of this service belongs to a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenScope(String);

/// A text that is not a [`TokenScope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is at most {MAX_SCOPE} letters, digits, ':', '_', '-', and spaces between words")]
pub struct InvalidTokenScope;

/// The maximum length of a scope: several times the vendor's longest.
const MAX_SCOPE: usize = 255;

text_newtype!(TokenScope);

/// Every market, for a client that requests no scope.
impl Default for TokenScope {
    fn default() -> Self {
        Self("market:all".to_owned())
    }
}

impl FromStr for TokenScope {
    type Err = InvalidTokenScope;

    /// Parses words separated by spaces; no word is the default. The allowed characters are those of the vendor's scopes. None of them
    /// puts a `-` or `_` into a token's base64url, which clients that decode with plain `atob` can't read.
    fn from_str(text: &str) -> Result<Self, InvalidTokenScope> {
        let fits = text.len() <= MAX_SCOPE
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_- ".contains(&byte));
        if !fits {
            return Err(InvalidTokenScope);
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        Ok(if words.is_empty() { Self::default() } else { Self(words.join(" ")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<TokenScope>().ok().map(|scope| scope.to_string())
    }

    #[test]
    fn a_scope_is_words_with_one_space_between_them() {
        assert_eq!(read("market:id:xYZkjABcde").as_deref(), Some("market:id:xYZkjABcde"));
        assert_eq!(
            read(" market:code:eu_1  stock_location:id:a-b ").as_deref(),
            Some("market:code:eu_1 stock_location:id:a-b")
        );
        assert_eq!(read("").as_deref(), Some("market:all"));
        assert_eq!(read("  ").as_deref(), Some("market:all"));
        assert_eq!(read(&"m".repeat(255)), Some("m".repeat(255)));
    }

    #[test]
    fn other_characters_and_longer_texts_are_no_scope() {
        for text in [
            "market:>",
            "market:?",
            "market:~",
            "market:\u{7f}",
            "a\tb",
            "a\nb",
            "\"",
            "märkte",
            &"m".repeat(256),
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
