//! A real SMTP server that keeps what it takes.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::{
    mail::Mail,
    process::{Program, project},
    wait::eventually,
};

/// A running `scripts/smtp-server.py`.
pub struct SmtpServer {
    /// Where it listens, on loopback.
    pub port: u16,
    folder: PathBuf,
    program: Program,
    counted: Mutex<Counted>,
}

/// The part of the server's log that was read, and the count of its lines.
#[derive(Default)]
struct Counted {
    log: Option<File>,
    lines: usize,
}

impl SmtpServer {
    /// Starts one that keeps its mails in `folder`, with more of its options.
    pub async fn start(folder: PathBuf, options: &[&str]) -> Self {
        let mut command = Command::new(project().join("scripts/smtp-server.py"));
        let program = Program::spawn("smtp-server", command.arg("--dir").arg(&folder).args(options));
        let port = eventually("the SMTP server's port", async || {
            let line = program.stdout();
            line.trim().strip_prefix("listening on ").and_then(|port| port.parse().ok()).ok_or(line)
        });
        Self { port: port.await, folder, program, counted: Mutex::default() }
    }

    /// The mails it took, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let log = fs::read_to_string(self.folder.join("log.jsonl")).unwrap_or_default();
        // A last line without its end is still being written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().map(|line| self.mail(&serde_json::from_str(line).unwrap())).collect()
    }

    /// How many mails it took. Only what is new in its log is read, so that a measurement may ask often.
    #[must_use]
    pub fn taken(&self) -> usize {
        let mut counted = self.counted.lock().unwrap();
        let Counted { log, lines } = &mut *counted;
        if log.is_none() {
            *log = File::open(self.folder.join("log.jsonl")).ok();
        }
        let mut new = Vec::new();
        if let Some(log) = log {
            log.read_to_end(&mut new).unwrap();
        }
        *lines += new.split(|byte| *byte == b'\n').count() - 1;
        *lines
    }

    /// The mails to this address.
    #[must_use]
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.mails().into_iter().filter(|mail| mail.recipients == [address]).collect()
    }

    /// Waits for the `n`th mail, from 1, to this address.
    pub async fn mail_to(&self, address: &str, n: usize) -> Mail {
        eventually(&format!("mail {n} to {address} at the SMTP server"), async || {
            let mails = self.mails_to(address);
            mails
                .get(n - 1)
                .cloned()
                .ok_or_else(|| format!("{} mails, {} to it", self.mails().len(), mails.len()))
        })
        .await
    }

    /// Gives it a fault, in the words of its script; `None` ends it.
    pub fn set_fault(&self, fault: Option<&str>) {
        let file = self.folder.join("fault");
        match fault {
            // The server sees the complete text or none.
            Some(fault) => {
                let half = self.folder.join(".fault");
                fs::write(&half, fault).unwrap();
                fs::rename(half, file).unwrap();
            }
            None => fs::remove_file(file).unwrap(),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    fn mail(&self, entry: &Value) -> Mail {
        let recipients = entry["rcpt_to"].as_array().unwrap().iter();
        Mail {
            sender: entry["mail_from"].as_str().unwrap().to_owned(),
            recipients: recipients.map(|address| address.as_str().unwrap().to_owned()).collect(),
            raw: fs::read(self.folder.join(format!("{:06}.eml", entry["n"].as_u64().unwrap()))).unwrap(),
            received_at: OffsetDateTime::UNIX_EPOCH + Duration::seconds_f64(entry["time"].as_f64().unwrap()),
        }
    }
}

/// Makes a certificate for localhost that is its own authority; returns the paths of certificate and key.
#[must_use]
pub fn self_signed(folder: &Path) -> [String; 2] {
    let files = ["cert.pem", "key.pem"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &files[0], "-keyout", &files[1]])
        .output()
        .unwrap();
    assert!(made.status.success() && fs::metadata(&files[0]).is_ok(), "{made:?}");
    files
}
