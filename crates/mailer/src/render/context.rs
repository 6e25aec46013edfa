//! What each mail is about.

use rekey_texts::{Reader, SayError};
use serde::Serialize;

/// What a template is given: one type for each mail.
pub trait Context: Serialize {
    /// The mail's name, and so its templates'.
    const NAME: &'static str;

    /// What every mail says around its body.
    fn words(&self, reader: &Reader) -> Result<Words, SayError>;
}

/// What every mail says around its body.
pub struct Words {
    pub subject: String,
    /// What lists of mails show beside the subject.
    pub preview: String,
    /// Why the reader gets the mail.
    pub why: String,
}

/// The link to set a new password.
#[derive(Debug, Clone, Serialize)]
pub struct ResetRequested {
    /// The shop's name.
    pub shop: String,
    /// The link, with the token.
    pub link: String,
    /// How long it works, in words: "6 hours".
    pub life: String,
    /// Until when, in words.
    pub until: String,
    /// The short code beside the link, as it is shown: `ABCD-EFGH`.
    pub code: Option<String>,
    /// Where the reader says that it was somebody else.
    pub not_me_link: Option<String>,
}

/// Word that the password was changed.
#[derive(Debug, Clone, Serialize)]
pub struct PasswordChanged {
    /// The shop's name.
    pub shop: String,
    /// When, in words.
    pub changed: String,
    /// Where the reader can ask for a new password.
    pub forgot_link: Option<String>,
}

/// Word that the address has no account.
#[derive(Debug, Clone, Serialize)]
pub struct NoAccount {
    /// The shop's name.
    pub shop: String,
    /// Where the reader can ask again, with another address.
    pub forgot_link: Option<String>,
}

impl Context for ResetRequested {
    const NAME: &'static str = "reset_requested";

    fn words(&self, reader: &Reader) -> Result<Words, SayError> {
        let shop = ("shop", (&self.shop).into());
        Ok(Words {
            subject: reader.say("mail-reset-subject", &[shop])?,
            preview: reader.say("mail-reset-preview", &[("until", (&self.until).into())])?,
            why: reader.say("mail-reset-why", &[shop])?,
        })
    }
}

impl Context for PasswordChanged {
    const NAME: &'static str = "password_changed";

    fn words(&self, reader: &Reader) -> Result<Words, SayError> {
        let shop = ("shop", (&self.shop).into());
        Ok(Words {
            subject: reader.say("mail-changed-subject", &[shop])?,
            preview: reader.say("mail-changed-preview", &[])?,
            why: reader.say("mail-changed-why", &[shop])?,
        })
    }
}

impl Context for NoAccount {
    const NAME: &'static str = "no_account";

    fn words(&self, reader: &Reader) -> Result<Words, SayError> {
        let shop = ("shop", (&self.shop).into());
        Ok(Words {
            subject: reader.say("mail-none-subject", &[shop])?,
            preview: reader.say("mail-none-preview", &[])?,
            why: reader.say("mail-none-why", &[shop])?,
        })
    }
}
