//! Access tokens: JWTs signed with RS512, and the key set that others verify them with.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use moka::future::Cache;
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    clock::Clock,
    ids::{AccessTokenId, CustomerId, SessionId},
    random::RandomSource,
    scope::Mode,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bits of the signing key's modulus, at least (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;

/// What the vendor's clients read as where an organization is kept.
const REGION: &str = "self-hosted";

/// Tokens whose signature was checked and is remembered, at most: about 10 MB.
const VERIFIED: u64 = 10_000;
/// How long one that nobody uses is remembered.
const VERIFIED_IDLE: Duration = Duration::from_mins(5);

/// A signing key that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    #[error("auth.signing_key is not an RSA private key in PEM")]
    Unreadable,
    #[error("auth.signing_key has {0} bits; it needs {MIN_BITS} or more")]
    TooShort(usize),
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub organization: OrganizationClaim,
    pub application: ApplicationClaim,
    pub scope: String,
    pub exp: i64,
    pub iat: i64,
    pub iss: String,
    /// Whether it is of the test mode.
    pub test: bool,
    /// Varies the payload, as the vendor's clients expect.
    pub rand: f64,
    /// The session of a customer's token; in others an id of its own, by which it can be revoked.
    pub jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerClaim>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrganizationClaim {
    pub id: String,
    pub slug: String,
    pub enterprise: bool,
    pub region: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplicationClaim {
    pub id: String,
    pub client_id: String,
    pub kind: String,
    pub public: bool,
    pub confidential: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnerClaim {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// A token that is not ours, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid access token")]
pub struct InvalidToken;

/// Issues and verifies access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    verified: Cache<[u8; 32], Arc<Claims>>,
    keys: JwkSet,
    issuer: String,
    integration_life: Duration,
    sales_channel_life: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
}

/// A token that was just issued.
pub struct Issued {
    pub access_token: String,
    pub created_at: i64,
    pub expires_in: i64,
}

impl Issuer {
    /// Reads the key and fixes what every token has in common.
    pub fn new(
        auth: &rekey_runtime::config::Auth,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Result<Self, SigningKeyError> {
        let (signing, jwk) = read_key(&auth.signing_key)?;
        let kid = jwk.common.key_id.clone();
        let issuer = format!("https://auth.{}", auth.domain);
        let mut validation = Validation::new(Algorithm::RS512);
        validation.set_issuer(&[&issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        // Our clock decides, in `read`.
        validation.validate_exp = false;
        Ok(Self(Arc::new(Inner {
            header: Header { kid, ..Header::new(Algorithm::RS512) },
            signing,
            verifying: DecodingKey::from_jwk(&jwk).map_err(|_| SigningKeyError::Unreadable)?,
            validation,
            verified: Cache::builder().max_capacity(VERIFIED).time_to_idle(VERIFIED_IDLE).build(),
            keys: JwkSet { keys: vec![jwk] },
            issuer,
            integration_life: auth.integration_token_life,
            sales_channel_life: auth.sales_channel_token_life,
            clock,
            random,
        })))
    }

    /// The public keys, for whoever verifies tokens.
    #[must_use]
    pub fn keys(&self) -> &JwkSet {
        &self.0.keys
    }

    /// Issues a token for a client, or for a customer's session through it. Signing takes milliseconds: not for the async threads.
    pub fn issue(
        &self,
        registration: &RegisteredClient,
        scope: String,
        owner: Option<(CustomerId, SessionId)>,
    ) -> Result<Issued, jsonwebtoken::errors::Error> {
        let inner = &*self.0;
        let claims = self.claims(registration, scope, owner);
        let access_token = jsonwebtoken::encode(&inner.header, &claims, &inner.signing)?;
        Ok(Issued { access_token, created_at: claims.iat, expires_in: claims.exp - claims.iat })
    }

    /// What a token of ours says, expired or not. Its signature is checked when it is first seen (0.4 ms for a key of
    /// 2048 bits); after that it is known by its digest.
    pub async fn read(&self, token: &str) -> Result<Arc<Claims>, InvalidToken> {
        let inner = &*self.0;
        let digest = Sha256::digest(token).into();
        if let Some(claims) = inner.verified.get(&digest).await {
            return Ok(claims);
        }
        let decoded = jsonwebtoken::decode::<Claims>(token, &inner.verifying, &inner.validation);
        let decoded = decoded.map_err(|_| InvalidToken)?;
        if decoded.header.kid != inner.header.kid {
            return Err(InvalidToken);
        }
        let claims = Arc::new(decoded.claims);
        inner.verified.insert(digest, Arc::clone(&claims)).await;
        Ok(claims)
    }

    /// How long a token is still good; `None` when it has expired.
    #[must_use]
    pub fn remaining(&self, claims: &Claims) -> Option<time::Duration> {
        let seconds = claims.exp.saturating_sub(self.0.clock.now().unix_timestamp());
        (seconds > 0).then(|| time::Duration::seconds(seconds))
    }

    fn claims(
        &self,
        RegisteredClient { client, organization }: &RegisteredClient,
        scope: String,
        owner: Option<(CustomerId, SessionId)>,
    ) -> Claims {
        let inner = &*self.0;
        let life = match client.kind {
            ClientKind::Integration => inner.integration_life,
            ClientKind::SalesChannel => inner.sales_channel_life,
        };
        let iat = inner.clock.now().unix_timestamp();
        Claims {
            organization: OrganizationClaim {
                id: organization.id.to_string(),
                slug: organization.slug.to_string(),
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
            exp: iat.saturating_add_unsigned(life.as_secs()),
            iss: inner.issuer.clone(),
            test: client.scope.mode == Mode::Test,
            rand: fraction(&*inner.random),
            jti: owner.map_or_else(
                || AccessTokenId::generate(&*inner.random).to_string(),
                |(_, session)| session.to_string(),
            ),
            owner: owner
                .map(|(customer, _)| OwnerClaim { id: customer.to_string(), kind: "Customer".to_owned() }),
        }
    }
}

fn read_key(pem: &SecretString) -> Result<(EncodingKey, Jwk), SigningKeyError> {
    let signing =
        EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).map_err(|_| SigningKeyError::Unreadable)?;
    let mut jwk =
        Jwk::from_encoding_key(&signing, Algorithm::RS512).map_err(|_| SigningKeyError::Unreadable)?;
    let AlgorithmParameters::RSA(parameters) = &jwk.algorithm else {
        return Err(SigningKeyError::Unreadable);
    };
    let modulus = URL_SAFE_NO_PAD.decode(&parameters.n).map_err(|_| SigningKeyError::Unreadable)?;
    let unused = modulus.first().map_or(0, |octet| octet.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    if bits < MIN_BITS {
        return Err(SigningKeyError::TooShort(bits));
    }
    // RFC 7638: whoever has the key finds the same id.
    jwk.common.key_id =
        Some(jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| SigningKeyError::Unreadable)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((signing, jwk))
}

/// A number from 0 up to, but not, 1, with six digits.
fn fraction(random: &dyn RandomSource) -> f64 {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes) % 1_000_000) / 1e6
}

#[cfg(test)]
mod tests;
