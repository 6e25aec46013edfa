use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::prelude::*;
use rsa::{
    RsaPrivateKey,
    pkcs1::EncodeRsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};

use super::*;

fn pem(bits: usize) -> SecretString {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string().into()
}

#[test]
fn a_key_has_2048_bits_or_more() {
    let good = pem(2048);
    let (_, kid, jwk) = read_key(&good).ok().unwrap();
    assert_eq!((jwk.common.key_id.as_deref(), kid.len()), (Some(&*kid), 43));
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    for (bad, fault) in [
        (pem(1024), "has 1024 bits; it needs 2048 or more"),
        (nonsense.into(), "is not an RSA private key in PEM"),
    ] {
        for (keys, number) in [(vec![bad.clone()], 1), (vec![good.clone(), bad.clone()], 2)] {
            let expected = format!("key {number} of auth.signing_key or auth.signing_keys {fault}");
            assert_eq!(read_keys(&keys).err().unwrap().to_string(), expected);
        }
    }
}

/// A12. Also where the files differ: PKCS#1 and PKCS#8 are two forms of a key.
#[test]
fn a12_a_key_is_not_there_twice() {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let pkcs8 = SecretString::from(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string());
    let pkcs1 = SecretString::from(key.to_pkcs1_pem(LineEnding::LF).unwrap().to_string());
    let keys = read_keys(&[pkcs1.clone(), pem(2048)]).ok().unwrap();
    assert_eq!((keys.published.keys.len(), keys.verifying.len()), (2, 2));
    for twice in [[pkcs8.clone(), pkcs8.clone()], [pkcs1, pkcs8]] {
        assert_eq!(
            read_keys(&twice).err().unwrap().to_string(),
            "key 2 of auth.signing_key or auth.signing_keys is the same as an earlier one: remove it"
        );
    }
}

/// RFC 7638 §3.1, "SHA-256 over the lexicographically ordered required members".
#[test]
fn a_key_is_named_by_its_thumbprint() {
    let (_, kid, jwk) = read_key(&pem(2048)).ok().unwrap();
    let AlgorithmParameters::RSA(key) = &jwk.algorithm else { panic!("an RSA key") };
    let members = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, key.e, key.n);
    assert_eq!(kid, URL_SAFE_NO_PAD.encode(Sha256::digest(members)));
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
