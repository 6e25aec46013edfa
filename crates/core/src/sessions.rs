//! Sessions of logged-in customers, and the port for what becomes of tokens once they were issued.

pub mod sign_in;

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use time::Duration;

use crate::{
    customers::Credentials,
    email::EmailAddress,
    error::StoreError,
    ids::{AccessTokenId, ApplicationId, CustomerId, SessionId},
    passwords::PasswordHash,
    scope::Scope,
    secrets::RefreshTokenDigest,
};

/// The store of sessions, of the credentials that they are opened with, and of revoked access tokens. One method is one whole business fact, in one transaction; what is
/// expired is decided by the store's clock.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// What a log-in with that address is checked against.
    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError>;

    /// Replaces a password's hash by another of the same password; does nothing when `old` is not the current one.
    async fn rehash_password(
        &self,
        scope: Scope,
        customer: CustomerId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Records a log-in; false when the password changed since it was verified. Clears away a few sessions that have
    /// expired, so that their number stays in proportion to the log-ins.
    async fn open_session(&self, scope: Scope, session: &NewSession<'_>) -> Result<bool, StoreError>;

    /// Whether that session is neither ended nor expired, and its customer's password still the one it was opened with.
    async fn session_is_live(&self, scope: Scope, session: SessionId) -> Result<bool, StoreError>;

    /// Uses a refresh token: the session gets the next one, and lives on for another `life`. Of any number of simultaneous
    /// calls with one token exactly one is [`Refreshed::Rotated`].
    async fn refresh_session(&self, scope: Scope, refresh: &Refresh<'_>) -> Result<Refreshed, StoreError>;

    /// Ends that session; does nothing when there is none.
    async fn end_session(&self, scope: Scope, session: SessionId) -> Result<(), StoreError>;

    /// Ends the session that a refresh token, used or not, belongs to, if it was opened through `application`. The digest
    /// is the capability, so a session of another scope is found, too, and is [`Ending::WrongClient`].
    async fn end_session_of_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: &RefreshTokenDigest,
    ) -> Result<Ending, StoreError>;

    /// Revokes an access token of a client's own that would have lived for `remaining`, and is forgotten after that.
    async fn revoke_access_token(
        &self,
        scope: Scope,
        application: ApplicationId,
        token: AccessTokenId,
        remaining: Duration,
    ) -> Result<(), StoreError>;

    /// The revoked access tokens of a client that have not expired.
    async fn revoked_access_tokens(
        &self,
        scope: Scope,
        application: ApplicationId,
    ) -> Result<Vec<AccessTokenId>, StoreError>;
}

/// A log-in to record.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its id, carried in its access tokens.
    pub id: SessionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The client through which it was opened.
    pub application: ApplicationId,
    /// The scope of its access tokens.
    pub token_scope: &'a TokenScope,
    /// The refresh token's digest.
    pub refresh_token: &'a RefreshTokenDigest,
    /// The hash that was verified: the session is opened only while it is still the customer's.
    pub password: &'a PasswordHash,
    /// How long it lives unrefreshed, from the store's present on.
    pub life: Duration,
}

/// A use of a refresh token.
#[derive(Debug)]
pub struct Refresh<'a> {
    /// The client that presents it: the session must have been opened through this one.
    pub application: ApplicationId,
    /// What is presented.
    pub presented: &'a RefreshTokenDigest,
    /// What takes its place.
    pub next: &'a RefreshTokenDigest,
    /// How long the session lives from now on, unless it is refreshed again.
    pub life: Duration,
    /// For how long after its use a token may come again without ending its session. It is refused all the same.
    pub leeway: Duration,
}

/// What came of the use of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The session goes on.
    Rotated(LiveSession),
    /// The token had been used before, longer ago than the leeway: one of the two who used it has no right to it, so
    /// that session was ended (RFC 9700 §4.14.2).
    Reused(SessionId),
    /// Nobody's token, one of another client or scope, an expired one, one from before the customer's password changed, or
    /// one that was used within the leeway. Nothing was changed.
    Refused,
}

/// A session that was prolonged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub id: SessionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The scope of its access tokens.
    pub token_scope: TokenScope,
}

/// What came of ending a session by its refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The session was ended.
    Ended,
    /// The token is of no session that there is (any more).
    Unknown,
    /// The session was opened through another client: it goes on.
    WrongClient,
}

/// What an access token is good for, in the vendor's terms: words such as `market:all` or `market:id:xYZkjABcde`.
///
/// It is carried and handed back, nothing more: no resource of this service belongs to a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenScope(String);

/// A text that is not a [`TokenScope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is at most {MAX_SCOPE} letters, digits, ':', '_', '-', and spaces between words")]
pub struct InvalidTokenScope;

/// Characters of a scope, at most: several times what the vendor's longest takes.
const MAX_SCOPE: usize = 255;

impl TokenScope {
    /// The words, with one space between two.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every market: what a client gets that asks for nothing.
impl Default for TokenScope {
    fn default() -> Self {
        Self("market:all".to_owned())
    }
}

impl FromStr for TokenScope {
    type Err = InvalidTokenScope;

    /// Reads words that are separated by spaces; none at all are the default. The characters are enough for the vendor's
    /// scopes, and none of them puts a `-` or `_` into a token's base64url, which clients that decode with plain
    /// `atob` can't read.
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

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
