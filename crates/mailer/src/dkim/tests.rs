use std::process::Command;

use rekey_runtime::config::{Dkim, DkimKey};
use time::OffsetDateTime;

use super::*;

fn signer(pem: &str) -> Result<Signer, DkimError> {
    let key = DkimKey { pem: pem.into(), origin: "dkim.private_key".to_owned() };
    let settings = Dkim { key: Some(key), selector: "rekey".to_owned(), domain: "example.com".to_owned() };
    Ok(Signer::new(&settings)?.unwrap())
}

/// What openssl prints.
fn openssl(arguments: &str) -> String {
    let output = Command::new("openssl").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// RFC 8463 §A.1 and §A.2: a secret key, and its record.
#[test]
fn the_record_of_the_rfcs_ed25519_key() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
               -----END PRIVATE KEY-----\n";
    let record = signer(pem).unwrap().record();
    assert_eq!(record.name, "rekey._domainkey.example.com");
    assert_eq!(record.text, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    assert_eq!(record.to_string(), format!("{}. IN TXT ( {:?} )", record.name, record.text));
}

#[test]
fn the_record_of_an_rsa_key_is_what_openssl_says_in_pieces_that_dns_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem").display().to_string();
    for traditional in ["", " -traditional"] {
        std::fs::write(&file, openssl(&format!("genrsa{traditional} 2048"))).unwrap();
        let signer = signer(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let public: String = openssl(&format!("rsa -pubout -in {file}"))
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let record = signer.record();
        assert_eq!(record.text, format!("v=DKIM1; k=rsa; p={public}"));
        let pieces: Vec<_> = record.to_string().split('"').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(pieces.concat(), record.text);
        assert!(pieces.len() == 2 && pieces.iter().all(|piece| piece.len() <= 255));
    }
}

#[test]
fn weak_and_foreign_keys_are_refused_in_one_line() {
    for (pem, expected) in [
        (openssl("genrsa 1024"), "expected a private key in PEM"),
        (
            openssl("genrsa -traditional -aes128 -passout pass:x 2048"),
            "expected a private key in PEM, not encrypted",
        ),
        (
            openssl("genpkey -algorithm ec -pkeyopt ec_paramgen_curve:prime256v1"),
            "expected a private key in PEM",
        ),
        (openssl("genpkey -algorithm x25519"), "expected a private key in PEM"),
        (
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n".to_owned(),
            "expected a private key",
        ),
        ("secret".to_owned(), "expected a private key in PEM"),
    ] {
        let line = signer(&pem).err().unwrap().to_string();
        assert!(line.starts_with(&format!("dkim.private_key is not usable: {expected}")), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[tokio::test]
async fn headers_the_signature_stands_in_front_in_short_lines_and_covers_each_header_once_more_than_it_is_there()
 {
    let head = "From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\nX-Other: y";
    let mail = Mail {
        id: "EVENTEVEN1".to_owned(),
        written_at: OffsetDateTime::from_unix_timestamp(1_730_126_165).unwrap(),
        sender: "a@example.com".parse().unwrap(),
        recipient: "b@example.org".parse().unwrap(),
        content: format!("{head}\r\n\r\ntext\r\n").into_bytes(),
    };
    let signer = signer(&openssl("genrsa 2048")).unwrap();
    let content = String::from_utf8(signer.sign(mail).await.unwrap().content).unwrap();
    let (field, rest) = content.split_once("\r\nFrom: ").unwrap();
    assert!(rest.ends_with("X-Other: y\r\n\r\ntext\r\n"));
    assert!(
        field.starts_with(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com;\r\n\ts=rekey;"
        )
    );
    assert!(field.lines().all(|line| line.len() <= 78), "{field}");
    let field: String = field.split_whitespace().collect();
    assert!(
        field.contains(";t=1730126165;h=from:from:to:to:subject:subject:date:message-id:reply-to:"),
        "{field}"
    );
    assert!(!field.contains("x-other"));
}
