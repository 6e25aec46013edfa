//! What other servers send: events of the broker, replies of relays, reports of mail servers.

use std::io::Cursor;

use prost::Message;
use rekey_core::{events::Event, ids::EventId, secrets::bounce_mailbox};
use rekey_events::v1;
use rekey_mailer::{
    bounces::{IngestError, read_report},
    message::Mail,
    transport::send_over,
};
use time::OffsetDateTime;

use crate::{KEYS, OTHER_KEYS, assert_is_clean};

/// The delivery that mails and reports are about.
fn delivery() -> EventId {
    "EVENTEVEN1".parse().unwrap()
}

/// An event is read when one of our keys has signed it, and is the same when it is sent again.
pub fn event(input: &[u8]) {
    let (key_id, tag) = KEYS.sign(input);
    let signed = v1::SignedEvent { event: input.to_vec(), key_id, tag: tag.to_vec() }.encode_to_vec();
    for message in [input, &signed] {
        assert!(Event::verify(message, &OTHER_KEYS).is_err(), "nobody else can sign");
    }
    let Ok(event) = Event::verify(&signed, &KEYS) else { return };
    let message = event.sign(&KEYS);
    assert_eq!(message.name, event.name());
    assert_eq!(Event::verify(&message.payload, &KEYS), Ok(event));
}

/// Whatever a relay sends, a mail has been accepted with a reply of success or has failed, and its record is fit to be shown.
pub fn smtp_reply(input: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mail = Mail {
        id: "vkNQwzehdR".to_owned(),
        written_at: OffsetDateTime::UNIX_EPOCH,
        sender: "shop@example.com".parse().unwrap(),
        recipient: "anna@example.com".parse().unwrap(),
        content: b"Subject: x\r\n\r\nx\r\n".to_vec(),
    };
    let stream = tokio::io::join(Cursor::new(input.to_vec()), tokio::io::sink());
    let (text, reply) = match runtime.block_on(send_over(stream, &mail)) {
        Ok((text, reply)) => {
            assert_eq!(reply.code / 100, 2, "{reply:?}");
            (text, Some(reply))
        }
        Err(error) => (error.reason, error.reply),
    };
    assert_is_clean(&text);
    if let Some(reply) = reply {
        assert!((200..600).contains(&reply.code), "{reply:?}");
        let class = reply.enhanced.iter().all(|code| code.starts_with(&(reply.code / 100).to_string()));
        assert!(class && reply.enhanced.iter().all(|code| code.len() <= "5.999.999".len()), "{reply:?}");
    }
}

/// A report names its delivery by our own address only, and its record is fit to be shown.
pub fn bounce_report(input: &[u8]) {
    // Behind a mail's last part nothing is read, and the address may be anywhere.
    let own = [input, b"\n", bounce_mailbox(delivery(), &KEYS).as_bytes(), b"@bounces.example\n"].concat();
    assert!(matches!(read_report(&own, &OTHER_KEYS), Err(IngestError::Forged)), "nobody else can sign");
    let new = match read_report(&own, &KEYS) {
        Ok(new) => new,
        Err(IngestError::NotReported(_)) => return,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(new.delivery, delivery());
    new.report.detail.iter().chain(&new.report.reporter).for_each(|text| {
        assert_is_clean(text);
        assert!(!text.is_empty());
    });
    if let Some(reply) = new.report.reply {
        assert!((400..600).contains(&reply.code), "{reply:?}");
    }
}
