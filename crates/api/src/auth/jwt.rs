//! Access tokens: JWTs signed with RS512, and the public key set.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use moka::future::Cache;
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    clock::Clock,
    ids::AccessTokenId,
    random::RandomSource,
    scope::Mode,
    sessions::LiveSession,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::claims::{ApplicationClaim, Claims, OrganizationClaim, OwnerClaim};

/// The fewest bits of a signing key's modulus (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;

/// How long clients may keep the public key set.
pub const KEYS_MAX_AGE: Duration = Duration::from_mins(5);

/// The region of every organization, which the vendor's clients read.
const REGION: &str = "self-hosted";

/// The most tokens that are remembered as valid, about 10 MB, and the most that are remembered as invalid.
const VERIFIED_CAPACITY: u64 = 10_000;
/// How long an unused one is remembered.
const VERIFIED_IDLE: Duration = Duration::from_mins(5);

/// Why the signing keys can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {number} of auth.signing_key or auth.signing_keys {fault}")]
pub struct SigningKeyError {
    /// The place of the key, from 1.
    number: usize,
    fault: KeyFault,
}

/// What is wrong with a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum KeyFault {
    #[error("is not an RSA private key in PEM")]
    Unreadable,
    #[error("has {0} bits; it needs {MIN_BITS} or more")]
    TooShort(usize),
    #[error("is the same as an earlier one: remove it")]
    Duplicate,
}

/// The error for a token that was not issued here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid access token")]
pub struct InvalidToken;

/// Issues and verifies access tokens. Its keys never change, and the claims that it remembers are lost with the process. So a process
/// that was started without a key accepts no token of that key.
pub struct Issuer {
    header: Header,
    signing: EncodingKey,
    /// The keys by `kid`.
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    verified: Cache<[u8; 32], Arc<Claims>>,
    rejected: Cache<[u8; 32], ()>,
    keys: JwkSet,
    /// The `iss` claim.
    iss: String,
    integration_ttl: Duration,
    sales_channel_ttl: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
}

/// An access token and its times, in Unix seconds and seconds.
pub struct Issued {
    pub access_token: String,
    pub created_at: i64,
    pub expires_in: i64,
}

impl Issuer {
    /// Reads the signing keys.
    pub fn new(
        auth: &rekey_runtime::config::Auth,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Result<Self, SigningKeyError> {
        let SigningKeys { signing, verifying, published } = read_keys(&auth.signing_keys)?;
        let kids = key_ids(&published);
        let kid = kids.first().cloned();
        let retire_seconds =
            (auth.integration_token_ttl.max(auth.sales_channel_token_ttl) + KEYS_MAX_AGE).as_secs();
        tracing::info!(
            signing = kid, verifying = ?kids, retire_seconds,
            "signing keys read: a key can be removed retire_seconds after all processes sign with another",
        );
        let issuer = format!("https://auth.{}", auth.domain);
        let mut validation = Validation::new(Algorithm::RS512);
        validation.set_issuer(&[&issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        // `remaining` checks it by our own clock.
        validation.validate_exp = false;
        Ok(Self {
            header: Header { kid, ..Header::new(Algorithm::RS512) },
            signing,
            verifying,
            validation,
            verified: Cache::builder().max_capacity(VERIFIED_CAPACITY).time_to_idle(VERIFIED_IDLE).build(),
            rejected: Cache::builder().max_capacity(VERIFIED_CAPACITY).time_to_idle(VERIFIED_IDLE).build(),
            keys: published,
            iss: issuer,
            integration_ttl: auth.integration_token_ttl,
            sales_channel_ttl: auth.sales_channel_token_ttl,
            clock,
            random,
        })
    }

    /// Returns the public keys, the one that signs first.
    #[must_use]
    pub fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Returns the ids of the keys, that of the one that signs first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        key_ids(&self.keys)
    }

    /// Issues a token for a client, or for a customer's session at that client. Signing takes milliseconds: don't call it on an
    /// async thread.
    pub fn issue(
        &self,
        client: &RegisteredClient,
        scope: String,
        session: Option<&LiveSession>,
    ) -> Result<Issued, jsonwebtoken::errors::Error> {
        let claims = self.claims(client, scope, session);
        let access_token = jsonwebtoken::encode(&self.header, &claims, &self.signing)?;
        Ok(Issued { access_token, created_at: claims.iat, expires_in: claims.exp - claims.iat })
    }

    /// Returns the claims of a token that was issued here, expired or not. Its signature is checked when the token is first seen
    /// (0.4 ms for a key of 2048 bits), and remembered by the token's digest.
    pub async fn read(&self, token: &str) -> Result<Arc<Claims>, InvalidToken> {
        if let Some(remembered) = self.remembered(token).await {
            return remembered;
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        let Some(claims) = self.decode(token).map(Arc::new) else {
            self.rejected.insert(digest, ()).await;
            return Err(InvalidToken);
        };
        self.verified.insert(digest, Arc::clone(&claims)).await;
        Ok(claims)
    }

    /// Returns the result of [`Issuer::read`] for a token that was read a short time ago.
    pub async fn remembered(&self, token: &str) -> Option<Result<Arc<Claims>, InvalidToken>> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        match self.verified.get(&digest).await {
            Some(claims) => Some(Ok(claims)),
            None => self.rejected.get(&digest).await.map(|()| Err(InvalidToken)),
        }
    }

    /// Checks a token's signature, and returns its claims if it was issued here.
    fn decode(&self, token: &str) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let decoded = jsonwebtoken::decode(token, self.verifying.get(&kid)?, &self.validation);
        decoded.ok().map(|decoded| decoded.claims)
    }

    /// Returns how long a token is still valid; `None` when it has expired.
    #[must_use]
    pub fn remaining(&self, claims: &Claims) -> Option<time::Duration> {
        let seconds = claims.exp.saturating_sub(self.clock.now().unix_timestamp());
        (seconds > 0).then(|| time::Duration::seconds(seconds))
    }

    fn claims(&self, client: &RegisteredClient, scope: String, session: Option<&LiveSession>) -> Claims {
        let ttl = match client.kind {
            ClientKind::Integration => self.integration_ttl,
            ClientKind::SalesChannel => self.sales_channel_ttl,
        };
        let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        // A customer's token expires with its session.
        let ttl = session.map_or(ttl, |session| ttl.min(session.ttl.whole_seconds()));
        let iat = self.clock.now().unix_timestamp();
        Claims {
            organization: OrganizationClaim {
                id: client.organization.id.to_string(),
                slug: client.organization.slug.to_string(),
                enterprise: false,
                region: REGION.to_owned(),
            },
            application: ApplicationClaim {
                id: client.id.to_string(),
                client_id: client.client_id.clone(),
                kind: client.kind.as_str().to_owned(),
                public: client.secret.is_none(),
                confidential: client.secret.is_some(),
            },
            scope,
            iat,
            exp: iat.saturating_add(ttl),
            iss: self.iss.clone(),
            test: client.scope.mode == Mode::Test,
            rand: fraction(&*self.random),
            jti: session.map_or_else(
                || AccessTokenId::generate(&*self.random).to_string(),
                |session| session.id.to_string(),
            ),
            owner: session
                .map(|session| OwnerClaim { id: session.customer.to_string(), kind: "Customer".to_owned() }),
        }
    }
}

/// The keys of the configuration, ready for use.
struct SigningKeys {
    signing: EncodingKey,
    /// By `kid`.
    verifying: HashMap<String, DecodingKey>,
    published: JwkSet,
}

/// Reads the keys; the first one signs.
fn read_keys(pems: &[SecretString]) -> Result<SigningKeys, SigningKeyError> {
    let mut keys = Vec::with_capacity(pems.len());
    let mut verifying = HashMap::new();
    let mut signing = None;
    for (pem, number) in pems.iter().zip(1..) {
        let error = |fault| SigningKeyError { number, fault };
        let (private, kid, jwk) = read_key(pem).map_err(error)?;
        let public = DecodingKey::from_jwk(&jwk).map_err(|_| error(KeyFault::Unreadable))?;
        match verifying.entry(kid) {
            Entry::Vacant(entry) => entry.insert(public),
            Entry::Occupied(_) => return Err(error(KeyFault::Duplicate)),
        };
        signing = signing.or(Some(private));
        keys.push(jwk);
    }
    let signing = signing.ok_or(SigningKeyError { number: 1, fault: KeyFault::Unreadable })?;
    Ok(SigningKeys { signing, verifying, published: JwkSet { keys } })
}

/// Returns the private key, its `kid`, and its public half.
fn read_key(pem: &SecretString) -> Result<(EncodingKey, String, Jwk), KeyFault> {
    let signing =
        EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).map_err(|_| KeyFault::Unreadable)?;
    let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::RS512).map_err(|_| KeyFault::Unreadable)?;
    let AlgorithmParameters::RSA(parameters) = &jwk.algorithm else {
        return Err(KeyFault::Unreadable);
    };
    let modulus = URL_SAFE_NO_PAD.decode(&parameters.n).map_err(|_| KeyFault::Unreadable)?;
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    if bits < MIN_BITS {
        return Err(KeyFault::TooShort(bits));
    }
    // RFC 7638: the id follows from the key alone.
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyFault::Unreadable)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((signing, kid, jwk))
}

/// Returns the id of a signing key, an RSA private key in PEM: the thumbprint of its public half.
///
/// # Errors
/// When it is not such a key, or too short.
pub fn signing_key_id(pem: &str) -> Result<String, SigningKeyError> {
    let (_, id, _) = read_key(&pem.into()).map_err(|fault| SigningKeyError { number: 1, fault })?;
    Ok(id)
}

fn key_ids(keys: &JwkSet) -> Vec<String> {
    keys.keys.iter().filter_map(|jwk| jwk.common.key_id.clone()).collect()
}

/// Returns a random number in `0..1` with six digits.
fn fraction(random: &dyn RandomSource) -> f64 {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes) % 1_000_000) / 1e6
}

#[cfg(test)]
mod tests;
