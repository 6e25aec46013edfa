//! The SMTP transport against a real server, and against one that fails by script.
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod faults;
mod real;

use std::time::Duration;

use rekey_core::ids::EventId;
use rekey_mailer::{message::Mail, transport::SmtpTransport};
use rekey_runtime::config::{Smtp, SmtpTls};
use time::OffsetDateTime;

/// A relay on this machine, without encryption and credentials.
fn settings(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        credentials: None,
        helo_name: Some("rekey.example.com".to_owned()),
        timeout: Duration::from_secs(20),
        connections: 2,
        ca_file: None,
    }
}

fn transport(settings: &Smtp) -> SmtpTransport {
    rekey_runtime::install_crypto();
    SmtpTransport::new(settings).unwrap()
}

fn mail(event: &str) -> Mail {
    let event: EventId = event.parse().unwrap();
    let content = format!(
        "From: shop@example.com\r\nTo: john@example.com\r\nSubject: x\r\nMessage-ID: <{event}@example.com>\r\n\r\n\
         one\r\n.\r\n..two\r\nhttps://a.example/?token=T\r\n"
    );
    Mail {
        event,
        written_at: OffsetDateTime::UNIX_EPOCH,
        sender: "shop@example.com".parse().unwrap(),
        recipient: "john@example.com".parse().unwrap(),
        content: content.into_bytes(),
    }
}
