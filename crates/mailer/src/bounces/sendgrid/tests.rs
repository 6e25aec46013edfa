//! The signature of the sample was made by `openssl dgst -sha256 -sign`.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

use super::*;

const SAMPLE: &[u8] = include_bytes!("../../../tests/reports/sendgrid.json");
const KEY: &str = "0402eb3977889ff76c22556949b6451b36ae638e3f35b1bb00eb284fd1aba77752fd146258efd1579f97b3cfb4a7d6fbf6bfd60d71147008ac41b08bb5\
                   d4daa91a";
const SIGNED_AT: &str = "1795947345";
const SIGNED: &str =
    "MEQCIAcqy0mOyRFZlLURzd+UIIXLAi7Cj84X5C5lN5mTmWCoAiBG/zSSfxEdXvqenfc1OOlnRwEu3K+Dlvf/xb1yUSRUVw==";

#[test]
fn signed_events_are_read_and_others_are_refused() {
    let key = hex::decode(KEY).unwrap();
    let found = webhooks(&key, SIGNED_AT, SIGNED, SAMPLE).unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|Webhook { ids, notice, .. }| {
            format!(
                "{} {} {}: {}",
                notice.kind.as_str(),
                notice.addresses.join(","),
                ids.join(","),
                notice.text
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "bounced anna@example.com <EVENTEVENT@shop.example>: 550 5.1.1 <anna@example.com>: no such user",
            "bounced bob@example.com CCCCCCCCCC,<BBBBBBBBBB@shop.example>: Bounced Address",
            "delayed anna@example.com <EVENTEVENT@shop.example>: 400 try again later",
            "complained anna@example.com EVENTEVENT: complaint",
        ]
    );
    let mut other = key.clone();
    other[40] ^= 1;
    let mut body = SAMPLE.to_vec();
    body[20] ^= 1;
    for (key, timestamp, signature, body) in [
        (&other, SIGNED_AT, SIGNED, SAMPLE),
        (&key, "1795947346", SIGNED, SAMPLE),
        (&key, SIGNED_AT, "MEQC", SAMPLE),
        (&key, "", "", SAMPLE),
        (&key, SIGNED_AT, SIGNED, &body),
    ] {
        let result = webhooks(key, timestamp, signature, body);
        assert!(matches!(result, Err(FeedError::Refused(_))), "{result:?}");
    }
}

/// Other programs may send mails through the same account.
#[test]
fn events_of_other_forms_are_passed_over() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let read = |body: &str| {
        let signature = pair.sign(&random, format!("{SIGNED_AT}{body}").as_bytes()).unwrap();
        let key = pair.public_key().as_ref();
        webhooks(key, SIGNED_AT, &STANDARD.encode(signature), body.as_bytes())
    };
    let own = r#"{"event":"bounce","email":"anna@example.com","rekey":"EVENTEVENT"}"#;
    let foreign = r#"{"event":"bounce","rekey":{"campaign":7}},{"event":7},{},"bounce",null"#;
    let found = read(&format!("[{foreign},{own}]")).unwrap();
    assert_eq!(found.iter().map(|webhook| webhook.ids.join(",")).collect::<Vec<_>>(), ["EVENTEVENT"]);
    assert_eq!(read(&format!("[{foreign}]")), Ok(Vec::new()));
    assert!(matches!(read(own), Err(FeedError::Malformed(_))), "no list");
}
