//! The local mailbox: mails as `.eml` files, for test mode and for `rekey dev`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use async_trait::async_trait;
use mail_parser::MessageParser;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use super::{Accepted, SendError, Transport};
use crate::message::Mail;

/// The most mails that are listed.
const MAX_LISTED: usize = 200;

/// A directory with one file for each mail, `EVENT.eml`: a mail that is sent again replaces itself.
#[derive(Debug, Clone)]
pub struct Mailbox {
    directory: PathBuf,
}

/// Why a mailbox can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the mailbox {directory} can't be used")]
pub struct MailboxError {
    directory: PathBuf,
    #[source]
    source: io::Error,
}

/// A mail in the mailbox.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct StoredMail {
    /// The file's name without `.eml`.
    pub id: String,
    /// The recipient's address, as in the header.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Names and values of the headers, in the file's order.
    pub headers: Vec<(String, String)>,
    /// When it was written last.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
}

rekey_core::redacted_debug!(StoredMail);

impl Mailbox {
    /// Opens the mailbox. Its directory is created if necessary, readable by its owner only.
    pub fn open(directory: &Path) -> Result<Self, MailboxError> {
        let mailbox = Self { directory: directory.to_owned() };
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(directory).map_err(|source| mailbox.error(source))?;
        Ok(mailbox)
    }

    /// Returns the newest 200 mails, newest first. Blocks on the disk.
    pub fn list(&self) -> Result<Vec<StoredMail>, MailboxError> {
        let mut files = self.files().map_err(|source| self.error(source))?;
        files.sort_by(|one, other| other.cmp(one));
        files.truncate(MAX_LISTED);
        // A file that was deleted meanwhile or is not a mail is left out: operators may clean the directory up.
        let read = |(at, path): (SystemTime, PathBuf)| parse(&path, at.into());
        Ok(files.into_iter().filter_map(read).collect())
    }

    fn files(&self) -> io::Result<Vec<(SystemTime, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml")
                && let Ok(at) = fs::metadata(&path).and_then(|metadata| metadata.modified())
            {
                files.push((at, path));
            }
        }
        Ok(files)
    }

    /// Writes a mail so that readers see all of it or nothing, also after a power cut.
    fn write(&self, mail: &Mail) -> io::Result<()> {
        let partial = self.directory.join(format!(".{}.part", mail.id));
        // A file that a crash left behind would keep its own mode.
        fs::remove_file(&partial).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(&mail.content)?;
        // The file system's own times are too coarse to put two mails in order.
        file.set_modified(mail.written_at.into())?;
        file.sync_all()?;
        fs::rename(&partial, self.directory.join(format!("{}.eml", mail.id)))?;
        File::open(&self.directory)?.sync_all()
    }

    fn error(&self, source: io::Error) -> MailboxError {
        MailboxError { directory: self.directory.clone(), source }
    }
}

#[async_trait]
impl Transport for Mailbox {
    async fn send(&self, mail: &Mail) -> Result<Accepted, SendError> {
        let (mailbox, mail) = (self.clone(), mail.clone());
        match spawn_blocking(move || mailbox.write(&mail)).await {
            Ok(Ok(())) => Ok(Accepted {
                response: "kept in the local mailbox".to_owned(),
                reply: None,
                relay: "mailbox".to_owned(),
            }),
            Ok(Err(error)) => Err(SendError::transient(format!("the mailbox can't be written: {error}"))),
            Err(_) => Err(SendError::transient("writing to the mailbox was interrupted".to_owned())),
        }
    }
}

fn parse(path: &Path, received_at: OffsetDateTime) -> Option<StoredMail> {
    let content = fs::read(path).ok()?;
    let message = MessageParser::default().parse(&content)?;
    Some(StoredMail {
        id: path.file_stem()?.to_str()?.to_owned(),
        // The header is one address. The parser would drop a quoted local part.
        to: message.header_raw("To").map(unfold).unwrap_or_default(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html: message.body_html(0).unwrap_or_default().into_owned(),
        headers: message.headers_raw().map(|(name, value)| (name.to_owned(), unfold(value))).collect(),
        received_at,
    })
}

/// Joins a header's lines (RFC 5322 §2.2.3).
fn unfold(value: &str) -> String {
    value.replace("\r\n", "").trim().to_owned()
}

#[cfg(test)]
mod tests;
