//! With aiosmtpd, as `scripts/smtp-server.py` runs it.

use rekey_mailer::transport::{SmtpSetupError, Transport};
use rekey_testkit::smtp::RealSmtp;
use tempfile::TempDir;

use super::{pki::Pki, *};

#[tokio::test]
async fn mails_arrive_as_they_were_written_over_one_connection() {
    let server = RealSmtp::start(&[]);
    let transport = transport(&settings(server.port));
    for event in ["EVENTEVEN1", "EVENTEVEN2", "EVENTEVEN3"] {
        let accepted = transport.send(&mail(event)).await.unwrap();
        assert!(accepted.response.starts_with("250 2.0.0 taken as"), "{}", accepted.response);
        assert_eq!(accepted.reply, Some(reply(250, "2.0.0")));
        assert_eq!(accepted.relay, format!("127.0.0.1:{}", server.port));
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
async fn implicit_tls_with_a_private_authority() {
    let pki = Pki::make("localhost");
    let server = RealSmtp::start(&["--implicit-tls", "--tls-cert", &pki.certificate, "--tls-key", &pki.key]);
    let mut settings = settings(server.port);
    settings.relays = vec![encrypted(server.port, SmtpTls::Implicit)];
    let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
    assert!(error.kind == SendErrorKind::Unavailable, "an unknown authority: {error:?}");
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
        settings.relays = vec![encrypted(server.port, SmtpTls::StartTls)];
        settings.ca_file = trusted.then(|| pki.authority.clone().into());
        let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(error.kind == SendErrorKind::Unavailable, "{name}: {error:?}");
        assert_eq!(server.mails(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn smtp_4xx_and_smtp_5xx_after_the_message() {
    for (code, transient) in [("450:1", true), ("421:1", true), ("550:1", false), ("554:1", false)] {
        let server = RealSmtp::start(&["--fail", code]);
        let transport = transport(&settings(server.port));
        let error = transport.send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert_eq!(is_transient(&error), transient, "{code}: {error:?}");
        let is_refused = error.kind == SendErrorKind::Refused;
        assert_eq!(is_refused, !transient, "{code}: {error:?}");
        transport.send(&mail("EVENTEVEN1")).await.unwrap();
    }
}

#[test]
fn a_ca_file_without_certificates_stops_the_start() {
    rekey_runtime::install_crypto();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ca.pem");
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let settings = Smtp { ca_file: Some(path.clone()), ..with_relays(vec![encrypted(25, tls)]) };
        let _ = std::fs::remove_file(&path);
        assert!(matches!(SmtpTransport::new(&settings, &random()), Err(SmtpSetupError::Read { .. })));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(
            SmtpTransport::new(&settings, &random()),
            Err(SmtpSetupError::NoCertificate { .. })
        ));
    }
}
