//! With aiosmtpd, as `scripts/smtp-server.py` runs it.

use std::{path::Path, process::Command};

use rekey_mailer::transport::{SendError, SmtpSetupError, Transport};
use rekey_runtime::config::Credentials;
use rekey_testkit::smtp::RealSmtp;
use tempfile::TempDir;

use super::*;

#[tokio::test]
async fn mails_arrive_as_they_were_written_over_one_connection() {
    let server = RealSmtp::start(&[]);
    let transport = transport(&settings(server.port));
    for event in ["EVENTEVEN1", "EVENTEVEN2", "EVENTEVEN3"] {
        let accepted = transport.send(&mail(event)).await.unwrap();
        assert!(accepted.response.starts_with("250 2.0.0 taken as"), "{}", accepted.response);
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 3);
    assert!(mails[0].ends_with("one\r\n.\r\n..two\r\nhttps://a.example/?token=T\r\n\r\n"), "{:?}", mails[0]);
    let log = server.log();
    assert_eq!(log[0]["mail_from"], "shop@example.com");
    assert_eq!(log[0]["rcpt_to"], serde_json::json!(["john@example.com"]));
    assert_eq!(log[0]["message_id"], "<EVENTEVEN1@example.com>");
    assert_eq!(log[0]["tls"], false);
    transport.close().await;
}

#[tokio::test]
async fn smtp_auth_and_starttls_with_a_private_authority() {
    let pki = Pki::make("localhost");
    let options = ["--tls-cert", &pki.certificate, "--tls-key", &pki.key, "--auth", "rekey:correct horse"];
    let server = RealSmtp::start(&options);
    let mut settings = settings(server.port);
    settings.host = "localhost".to_owned();
    settings.tls = SmtpTls::StartTls;
    settings.ca_file = Some(pki.authority.clone().into());
    settings.credentials = Some(credentials("correct horse"));
    transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap();
    assert_eq!(server.log()[0]["tls"], true);

    // 535: nothing about this mail, everything about the configuration.
    settings.credentials = Some(credentials("wrong"));
    let error = transport(&settings).send(&mail("EVENTEVEN2")).await.unwrap_err();
    assert!(matches!(&error, SendError::Lane(reason) if reason.contains("535")), "{error:?}");
    assert!(!format!("{error:?}").contains("wrong"));

    // 530: credentials are asked for, and there are none.
    settings.credentials = None;
    let error = transport(&settings).send(&mail("EVENTEVEN3")).await.unwrap_err();
    assert!(matches!(&error, SendError::Lane(reason) if reason.contains("530")), "{error:?}");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn implicit_tls_with_a_private_authority() {
    let pki = Pki::make("localhost");
    let server = RealSmtp::start(&["--implicit-tls", "--tls-cert", &pki.certificate, "--tls-key", &pki.key]);
    let mut settings = settings(server.port);
    settings.host = "localhost".to_owned();
    settings.tls = SmtpTls::Implicit;
    let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert!(matches!(error, SendError::Lane(_)), "an unknown authority: {error:?}");
    settings.ca_file = Some(pki.authority.clone().into());
    transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap();
    assert_eq!(server.log()[0]["tls"], true);
}

#[tokio::test]
async fn smtp_auth_a_bad_certificate_is_refused() {
    for (name, trusted) in [("localhost", false), ("other.example.com", true)] {
        let pki = Pki::make(name);
        let server = RealSmtp::start(&["--tls-cert", &pki.certificate, "--tls-key", &pki.key]);
        let mut settings = settings(server.port);
        settings.host = "localhost".to_owned();
        settings.tls = SmtpTls::StartTls;
        settings.ca_file = trusted.then(|| pki.authority.clone().into());
        let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(matches!(error, SendError::Lane(_)), "{name}: {error:?}");
        assert_eq!(server.mails(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn smtp_4xx_and_smtp_5xx_after_the_message() {
    for (code, transient) in [("450:1", true), ("421:1", true), ("550:1", false), ("554:1", false)] {
        let server = RealSmtp::start(&["--fail", code]);
        let transport = transport(&settings(server.port));
        let error = transport.send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Transient { .. }), transient, "{code}: {error:?}");
        assert_eq!(matches!(error, SendError::Permanent { .. }), !transient, "{code}: {error:?}");
        transport.send(&mail("EVENTEVEN1")).await.unwrap();
    }
}

#[test]
fn a_ca_file_without_certificates_stops_the_start() {
    rekey_runtime::install_crypto();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ca.pem");
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let settings = Smtp { tls, ca_file: Some(path.clone()), ..settings(25) };
        let _ = std::fs::remove_file(&path);
        assert!(matches!(SmtpTransport::new(&settings), Err(SmtpSetupError::Read { .. })));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(SmtpTransport::new(&settings), Err(SmtpSetupError::NoCertificate { .. })));
    }
}

fn credentials(password: &str) -> Credentials {
    Credentials { username: "rekey".to_owned(), password: password.into() }
}

/// A certificate authority of its own, with one certificate. Paths of PEM files.
struct Pki {
    authority: String,
    certificate: String,
    key: String,
    _folder: TempDir,
}

impl Pki {
    fn make(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (authority, authority_key, certificate, key) =
            (file("ca.pem"), file("ca.key"), file("one.pem"), file("one.key"));
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(
            &format!("{new} -subj /CN=authority -keyout {authority_key} -out {authority}"),
            folder.path(),
        );
        let subject =
            format!("-subj /CN={name} -addext subjectAltName=DNS:{name} -addext basicConstraints=CA:FALSE");
        let signer = format!("-CA {authority} -CAkey {authority_key}");
        openssl(&format!("{new} {subject} {signer} -keyout {key} -out {certificate}"), folder.path());
        Self { authority, certificate, key, _folder: folder }
    }
}

fn openssl(arguments: &str, folder: &Path) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
