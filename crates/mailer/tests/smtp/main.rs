//! The SMTP transport against a real server, and against a scripted one that fails.
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod dkim;
mod failover;
mod faults;
mod login;
mod pki;
mod real;

use std::{sync::Arc, time::Duration};

use rekey_core::{
    deliveries::Reply,
    random::{OsRandom, RandomSource},
};
use rekey_mailer::{
    message::Mail,
    transport::{Accepted, SendError, SendErrorKind, SmtpTransport, Transport},
};
use rekey_runtime::config::{Smtp, SmtpRelayConfig, SmtpTls};
use rekey_testkit::smtp::{Act, Scene, ScriptedSmtp};
use time::OffsetDateTime;

/// The timeout of a mail: far more than one takes, unless the script hangs.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The script of an ordinary server.
const FINE: Scene = &[];

/// Returns a relay on this machine, without encryption and credentials.
fn relay(port: u16) -> SmtpRelayConfig {
    SmtpRelayConfig { host: "127.0.0.1".to_owned(), port, tls: SmtpTls::None, login: None }
}

/// Returns a relay whose certificate names localhost.
fn encrypted(port: u16, tls: SmtpTls) -> SmtpRelayConfig {
    SmtpRelayConfig { host: "localhost".to_owned(), tls, ..relay(port) }
}

/// Returns the settings of a transport with this relay.
fn settings(port: u16) -> Smtp {
    with_relays(vec![relay(port)])
}

fn with_relays(relays: Vec<SmtpRelayConfig>) -> Smtp {
    Smtp {
        relays,
        allow_unencrypted: false,
        helo_name: Some("rekey.example.com".to_owned()),
        timeout: TIMEOUT,
        connections: 2,
        ca_file: None,
    }
}

fn transport(settings: &Smtp) -> SmtpTransport {
    rekey_runtime::install_crypto();
    SmtpTransport::new(settings, &random()).unwrap()
}

fn random() -> Arc<dyn RandomSource> {
    Arc::new(OsRandom)
}

/// Starts a server with this script.
async fn scripted(scenes: &[Scene]) -> ScriptedSmtp {
    ScriptedSmtp::start(scenes.to_vec().leak()).await
}

/// Starts a server that differs from an ordinary one in one step, on every connection.
async fn failing(step: &'static str, act: Act) -> ScriptedSmtp {
    scripted(&[vec![(step, act)].leak()]).await
}

fn reply(code: u16, enhanced: &str) -> Reply {
    Reply { code, enhanced: Some(enhanced.to_owned()) }
}

/// Returns a port of this machine where nobody listens.
const NOBODY: u16 = 1;

/// Advances the timers' clock at once. Before and after, it runs in real time, since connections need it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Sends a mail whose transport times out once the server has reached this step.
async fn send_until(
    transport: &SmtpTransport,
    server: &ScriptedSmtp,
    step: &str,
) -> Result<Accepted, SendError> {
    let mail = mail("EVENTEVEN1");
    let waiting = async {
        server.reached(step).await;
        pass(TIMEOUT).await;
    };
    tokio::join!(transport.send(&mail), waiting).0
}

/// Asserts that it is unknown whether the mail was accepted.
fn is_in_doubt(error: &SendError) -> bool {
    error.kind == SendErrorKind::InDoubt
}

fn is_unavailable(error: &SendError) -> bool {
    error.kind == SendErrorKind::Unavailable
}

fn unavailable(reason: String) -> SendError {
    SendError { kind: SendErrorKind::Unavailable, reason, reply: None }
}

fn is_transient(error: &SendError) -> bool {
    error.kind == SendErrorKind::Transient
}

fn mail(event: &str) -> Mail {
    let content = format!(
        "From: shop@example.com\r\nTo: john@example.com\r\nSubject: x\r\nMessage-ID: <{event}@example.com>\r\n\r\n\
         one\r\n.\r\n..two\r\nhttps://a.example/?token=T\r\n"
    );
    Mail {
        id: event.to_owned(),
        written_at: OffsetDateTime::UNIX_EPOCH,
        sender: "shop@example.com".parse().unwrap(),
        recipient: "john@example.com".parse().unwrap(),
        content: content.into_bytes(),
    }
}

/// The interval between two checks of something that must happen.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until a condition holds, at most a minute.
async fn until(condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(TIMEOUT, reached).await.unwrap();
}
