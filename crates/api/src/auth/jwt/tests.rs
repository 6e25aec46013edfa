use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::prelude::*;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};

use super::*;

fn pem(bits: usize) -> SecretString {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string().into()
}

#[test]
fn a_key_has_2048_bits_or_more() {
    let (_, jwk) = read_key(&pem(2048)).ok().unwrap();
    assert_eq!(jwk.common.key_id.unwrap().len(), 43);
    assert_eq!(read_key(&pem(1024)).err().unwrap(), SigningKeyError::TooShort(1024));
    assert_eq!(
        SigningKeyError::TooShort(1024).to_string(),
        "auth.signing_key has 1024 bits; it needs 2048 or more"
    );
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    assert_eq!(read_key(&nonsense.into()).err().unwrap(), SigningKeyError::Unreadable);
}

/// RFC 7638 §3.1, "SHA-256 over the lexicographically ordered required members".
#[test]
fn a_key_is_named_by_its_thumbprint() {
    let (_, jwk) = read_key(&pem(2048)).ok().unwrap();
    let AlgorithmParameters::RSA(key) = &jwk.algorithm else { panic!("an RSA key") };
    let members = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, key.e, key.n);
    assert_eq!(jwk.common.key_id.unwrap(), URL_SAFE_NO_PAD.encode(Sha256::digest(members)));
}

proptest! {
    /// Base64url differs from base64 in its digits 62 and 63. ASCII makes them only as the low six bits of a third
    /// byte, from `>`, `~`, `?` and DEL: no claim here can hold any of these.
    #[test]
    fn claims_never_need_the_url_safe_alphabet(
        id in "[A-Za-z0-9]{10}", client_id in "[A-Za-z0-9]{43}", slug in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", scope in "[A-Za-z0-9:_ -]{1,255}", rand in 0_u32..1_000_000, iat in 0_i64..9_999_999_999, owner: bool,
    ) {
        let claims = Claims {
            organization: OrganizationClaim { id: id.clone(), slug, enterprise: false, region: REGION.to_owned() },
            application: ApplicationClaim { id: id.clone(), client_id, kind: "sales_channel".to_owned(), public: true, confidential: false },
            scope, iat, exp: iat + 1, iss: "https://auth.shop.example".to_owned(), test: owner, rand: f64::from(rand) / 1e6, jti: id.clone(),
            owner: owner.then(|| OwnerClaim { id, kind: "Customer".to_owned() }),
        };
        let json = serde_json::to_vec(&claims).unwrap();
        prop_assert_eq!(URL_SAFE_NO_PAD.encode(&json), STANDARD_NO_PAD.encode(&json));
    }
}
