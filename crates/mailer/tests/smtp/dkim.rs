//! headers: DKIM verifies, as another implementation sees it (dkimpy), on what a real server received.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use rekey_mailer::{
    dkim::{DnsRecord, Signer},
    message::compose,
    render::Rendered,
    transport::Transport,
};
use rekey_runtime::config::{self, Dkim, DkimKey};
use rekey_testkit::smtp::RealSmtp;

use super::{pki::openssl, *};

#[tokio::test]
async fn headers_dkim_verifies_as_the_mail_arrived() {
    let server = RealSmtp::start(&[]);
    let transport = transport(&settings(server.port));
    for (number, key) in ["genrsa 2048", "genrsa 4096", "genpkey -algorithm ed25519"].into_iter().enumerate()
    {
        let signer = signer(key);
        transport.send(&signer.sign(written()).await.unwrap()).await.unwrap();
        let arrived = server.mails().remove(number);
        let record = signer.record();
        let (verdict, covered) = verify(&arrived, &record);
        assert_eq!(verdict, "good", "{key}: {arrived}");
        for name in
            ["from", "to", "subject", "date", "message-id", "reply-to", "content-type", "mime-version"]
        {
            assert!(covered.contains(&name.to_owned()), "{name} in {covered:?}");
        }

        // What a server on the way may do: fold, and end the body with empty lines.
        let refolded = arrived.replacen("Subject: ", "Subject:\r\n \t", 1) + "\r\n\r\n";
        assert_eq!(verify(&refolded, &record).0, "good", "{key}");
        for (from, to) in [
            ("one\r\n.\r\n", "one\r\n..\r\n"),
            ("https://a.example/", "https://b.example/"),
            ("Subject: ", "Subject: x"),
            ("Content-Type: multipart/alternative", "Content-Type: multipart/mixed"),
            ("From: ", "From: a@evil.example\r\nFrom: "),
            ("Subject: ", "Reply-To: a@evil.example\r\nSubject: "),
        ] {
            let changed = arrived.replacen(from, to, 1);
            assert_ne!(changed, arrived, "{from} is in it");
            assert_eq!(verify(&changed, &record).0, "bad", "{key}: {from}");
        }
        let other = DnsRecord { text: self::signer(key).record().text, ..record };
        assert_eq!(verify(&arrived, &other).0, "bad", "{key}: another key");
    }
}

fn signer(key: &str) -> Signer {
    let pem = openssl(key, &std::env::temp_dir());
    let key = DkimKey { pem: pem.into(), origin: "dkim.private_key".to_owned() };
    let settings = Dkim { key: Some(key), selector: "rekey".to_owned(), domain: "example.com".to_owned() };
    Signer::new(&settings).unwrap().unwrap()
}

/// A mail with lines that begin with dots, a subject that is not ASCII, and blanks where canonicalization meets them.
fn written() -> Mail {
    let rendered = Rendered {
        subject: "Passwort zurücksetzen  für Söhne & Co.".to_owned(),
        text: "Grüße\none\n.\n..two \n\n\nhttps://a.example/?token=T\n\n\n".to_owned(),
        html: "<p>Grüße \t </p>\n".to_owned(),
        language: rekey_texts::Language::German,
    };
    let sender = config::Mail {
        from: config::Mailbox {
            name: Some("Söhne & Co".to_owned()),
            address: "shop@mail.example.com".parse().unwrap(),
        },
        reply_to: Some(config::Mailbox { name: None, address: "help@example.com".parse().unwrap() }),
        envelope_from: Some("bounces@example.com".parse().unwrap()),
        bounce_domain: None,
    };
    compose(
        "EVENTEVEN1",
        &sender,
        &"john@example.com".parse().unwrap(),
        &rendered,
        OffsetDateTime::UNIX_EPOCH,
    )
    .unwrap()
}

/// dkimpy's verdict, and the headers it found signed.
fn verify(mail: &str, record: &DnsRecord) -> (String, Vec<String>) {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut python = Command::new(format!("{root}/../../target/dkimpy/bin/python"))
        .arg(format!("{root}/tests/dkimpy/verify.py"))
        .args([&record.name, &record.text])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{error}: scripts/setup.sh installs dkimpy"));
    python.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let line = String::from_utf8(output.stdout).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.collect())
}
