use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::transport::SendErrorKind;

fn mail(event: &str, second: i64, subject: &str) -> Mail {
    let content = format!(
        "From: shop@example.com\r\nTo: john@example.com\r\nSubject: {subject}\r\n\
         X-Long: one\r\n two\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
    );
    Mail {
        id: event.to_owned(),
        written_at: OffsetDateTime::from_unix_timestamp(second).unwrap(),
        sender: "shop@example.com".parse().unwrap(),
        recipient: "john@example.com".parse().unwrap(),
        content: content.into_bytes(),
    }
}

#[tokio::test]
async fn mails_are_listed_newest_first_and_one_that_comes_again_replaces_itself() {
    let folder = TempDir::new().unwrap();
    let mailbox = Mailbox::open(&folder.path().join("new/box")).unwrap();
    assert_eq!(mailbox.list().unwrap(), []);
    for (second, event, subject) in
        [(1, "EVENTEVEN1", "first"), (2, "EVENTEVEN2", "second"), (3, "EVENTEVEN1", "again")]
    {
        mailbox.send(&mail(event, second, subject)).await.unwrap();
    }
    let mails = mailbox.list().unwrap();
    assert_eq!(mails.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), ["again", "second"]);
    assert_eq!(mails.iter().map(|mail| mail.id.as_str()).collect::<Vec<_>>(), ["EVENTEVEN1", "EVENTEVEN2"]);
    assert_eq!((mails[0].to.as_str(), mails[0].text.trim()), ("john@example.com", "Hello"));
    assert!(
        mails[0].headers.contains(&("X-Long".to_owned(), "one two".to_owned())),
        "{:?}",
        mails[0].headers
    );
    let seconds: Vec<_> = mails.iter().map(|mail| mail.received_at.unix_timestamp()).collect();
    assert_eq!(seconds, [3, 2]);
}

// C7
#[tokio::test]
async fn email_input_a_quoted_local_part_is_listed() {
    let folder = TempDir::new().unwrap();
    let mailbox = Mailbox::open(folder.path()).unwrap();
    let mut quoted = mail("EVENTEVEN1", 1, "x");
    let content = String::from_utf8(quoted.content).unwrap();
    quoted.content = content.replace("john@example.com", "\"taro..y.\"@docomo.example").into_bytes();
    mailbox.send(&quoted).await.unwrap();
    assert_eq!(mailbox.list().unwrap()[0].to, "\"taro..y.\"@docomo.example");
}

#[tokio::test]
async fn mails_are_their_owners_alone_and_no_half_one_is_left() {
    let folder = TempDir::new().unwrap();
    let directory = folder.path().join("box");
    let mailbox = Mailbox::open(&directory).unwrap();
    // What a crash left behind, with a mode of its own.
    fs::write(directory.join(".EVENTEVEN1.part"), "half").unwrap();
    mailbox.send(&mail("EVENTEVEN1", 1, "whole")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("EVENTEVEN1.eml")), 0o600);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[tokio::test]
async fn a_full_box_shows_the_newest_200() {
    let folder = TempDir::new().unwrap();
    let mailbox = Mailbox::open(folder.path()).unwrap();
    for number in 0..=MAX_LISTED {
        let path = folder.path().join(format!("EVENT{number:05}.eml"));
        fs::write(&path, format!("Subject: {number}\r\n\r\nx")).unwrap();
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number as u64);
        File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    }
    let mails = mailbox.list().unwrap();
    assert_eq!(mails.len(), MAX_LISTED);
    assert_eq!((mails[0].subject.as_str(), mails[MAX_LISTED - 1].subject.as_str()), ("200", "1"));
}

#[tokio::test]
async fn a_box_that_can_not_be_written_defers() {
    let folder = TempDir::new().unwrap();
    let mailbox = Mailbox::open(&folder.path().join("box")).unwrap();
    fs::remove_dir(folder.path().join("box")).unwrap();
    let error = mailbox.send(&mail("EVENTEVEN1", 1, "x")).await.unwrap_err();
    assert!(error.kind == SendErrorKind::Transient, "{error:?}");
}
