//! AUTH: PLAIN, LOGIN and XOAUTH2.

use std::path::PathBuf;

use rekey_runtime::config::{PasswordMechanism, SmtpLogin};
use rekey_testkit::smtp::RealSmtp;
use tempfile::TempDir;

use super::{pki::Pki, *};

fn password(password: &str, mechanism: Option<PasswordMechanism>) -> SmtpLogin {
    SmtpLogin::Password { username: "rekey".to_owned(), password: password.into(), mechanism }
}

fn token(file: PathBuf) -> SmtpLogin {
    SmtpLogin::Token { username: "rekey".to_owned(), file }
}

#[tokio::test]
async fn smtp_auth_and_starttls_with_a_private_authority() {
    let pki = Pki::make("localhost");
    let options = ["--tls-cert", &pki.certificate, "--tls-key", &pki.key, "--auth", "rekey:correct horse"];
    let server = RealSmtp::start(&options);
    let log_in = |login| {
        let relay = SmtpRelayConfig { login, ..encrypted(server.port, SmtpTls::StartTls) };
        let settings = Smtp { ca_file: Some(pki.authority.clone().into()), ..with_relays(vec![relay]) };
        async move { transport(&settings).send(&mail("EVENTEVEN1")).await }
    };
    let mechanisms = [None, Some(PasswordMechanism::Plain), Some(PasswordMechanism::Login)];
    for mechanism in mechanisms {
        log_in(Some(password("correct horse", mechanism))).await.unwrap();
    }
    let log = server.log();
    let used: Vec<_> = log.iter().map(|entry| entry["auth"].as_str().unwrap()).collect();
    assert_eq!(used, ["PLAIN", "PLAIN", "LOGIN"]);
    assert!(log.iter().all(|entry| entry["tls"] == true));

    // 535: the configuration is wrong, not the mail.
    for mechanism in mechanisms {
        let error = log_in(Some(password("wrong", mechanism))).await.unwrap_err();
        assert!(is_unavailable(&error) && error.reason.contains("535 5.7.8"), "{error:?}");
        assert!(!format!("{error:?}").contains("wrong"));
    }

    // 530: the relay requires credentials, and none are configured.
    let error = log_in(None).await.unwrap_err();
    assert!(is_unavailable(&error) && error.reason.contains("530"), "{error:?}");
    assert_eq!(server.mails().len(), 3);
}

#[tokio::test]
async fn smtp_auth_by_xoauth2_reads_the_token_for_each_connection() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    let server = RealSmtp::start(&["--token", "rekey:second"]);
    let settings =
        with_relays(vec![SmtpRelayConfig { login: Some(token(file.clone())), ..relay(server.port) }]);
    // A new one each time, since a relay that failed is paused.
    let refused = async |reason: &str| {
        let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(is_unavailable(&error) && error.reason.contains(reason), "{error:?}");
        assert!(!error.to_string().contains("first"), "{error}");
    };
    refused("the token file can't be read").await;
    std::fs::write(&file, " \n").unwrap();
    refused("the token file holds no access token").await;
    std::fs::write(&file, "first\r\nQUIT").unwrap();
    refused("the token file holds no access token").await;
    std::fs::write(&file, "first\n").unwrap();
    refused("535 5.7.8").await;

    std::fs::write(&file, "second\n").unwrap();
    transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap();
    assert_eq!(server.log()[0]["auth"], "XOAUTH2");
}

#[tokio::test]
async fn smtp_auth_a_refused_token_is_answered_with_an_empty_line() {
    const CHALLENGE: &str = "334 eyJzdGF0dXMiOiI0MDEifQ==";
    let scene: Scene = &[
        ("EHLO", Act::Reply("250-scripted\r\n250 AUTH PLAIN XOAUTH2")),
        ("AUTH", Act::Reply(CHALLENGE)),
        ("", Act::Reply("535 5.7.8 not accepted")),
    ];
    let server = scripted(&[scene]).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "T0ken").unwrap();
    let settings = with_relays(vec![SmtpRelayConfig { login: Some(token(file)), ..relay(server.port) }]);
    let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
    let reason = format!("127.0.0.1:{}: 535 5.7.8 not accepted", server.port);
    assert_eq!(error, unavailable(reason));
    // "user=rekey^Aauth=Bearer T0ken^A^A"
    let command = "AUTH XOAUTH2 dXNlcj1yZWtleQFhdXRoPUJlYXJlciBUMGtlbgEB";
    assert_eq!(server.commands(), ["EHLO rekey.example.com", command, ""]);
}

#[tokio::test]
async fn smtp_auth_a_way_to_log_in_that_is_not_offered_is_reported() {
    let server = failing("EHLO", Act::Reply("250-scripted\r\n250 AUTH PLAIN")).await;
    for login in [token("/nowhere".into()), password("p", Some(PasswordMechanism::Login))] {
        let settings = with_relays(vec![SmtpRelayConfig { login: Some(login), ..relay(server.port) }]);
        let error = transport(&settings).send(&mail("EVENTEVEN1")).await.unwrap_err();
        assert!(error.kind == SendErrorKind::Unavailable, "{error:?}");
    }
    assert!(!server.commands().iter().any(|command| command.starts_with("AUTH")));
}
