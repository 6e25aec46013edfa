//! The mails to customers, one file for each. docs/ARCHITECTURE.md says how to add one.

mod definition;
pub(crate) mod email_changed;
pub(crate) mod no_account;
pub(crate) mod password_changed;
pub(crate) mod reset_requested;

use rekey_core::deliveries::MailName;

use self::definition::MailDefinition;
pub(crate) use self::definition::{ContentError, MailContent, MailSource, Sample};

/// Returns a mail's definition.
pub(crate) fn definition(mail: MailName) -> &'static MailDefinition {
    match mail {
        MailName::ResetRequested => &reset_requested::DEFINITION,
        MailName::PasswordChanged => &password_changed::DEFINITION,
        MailName::EmailChanged => &email_changed::DEFINITION,
        MailName::NoAccount => &no_account::DEFINITION,
    }
}
