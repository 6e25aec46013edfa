//! Logging in (RFC 4954).

use std::path::Path;

use lettre::transport::smtp::{
    authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism},
    commands::Auth,
};
use rekey_runtime::config::{PasswordMechanism, SmtpLogin};
use secrecy::{ExposeSecret, SecretString};

use super::{dialogue::Connection, failure::Unusable};

/// The empty answer to a challenge.
const EMPTY_LINE: &str = "\r\n";

/// Logs in as configured. The error says why that failed.
pub(super) async fn log_in(connection: &mut Connection, login: &SmtpLogin) -> Result<(), Unusable> {
    match login {
        SmtpLogin::Password { username, password, mechanism } => {
            let mechanisms: &[_] = match mechanism {
                Some(PasswordMechanism::Plain) => &[Mechanism::Plain],
                Some(PasswordMechanism::Login) => &[Mechanism::Login],
                None => DEFAULT_MECHANISMS,
            };
            with_password(connection, mechanisms, username, password).await
        }
        SmtpLogin::Token { username, file } => with_token(connection, username, &token(file).await?).await,
    }
}

async fn with_password(
    connection: &mut Connection,
    mechanisms: &[Mechanism],
    username: &str,
    password: &SecretString,
) -> Result<(), Unusable> {
    if connection.server_info().get_auth_mechanism(mechanisms).is_none() {
        return Err(Unusable::denied(
            "the relay offers no way to log in that the configuration allows".to_owned(),
        ));
    }
    let credentials = Credentials::new(username.to_owned(), password.expose_secret().to_owned());
    let answer = connection.auth(mechanisms, &credentials).await;
    answer.map(drop).map_err(|error| Unusable::from_error(&error))
}

/// A refused token is first answered with a challenge (334), and only after an empty line with the refusal itself
/// (developers.google.com/workspace/gmail/imap/xoauth2-protocol). lettre's own dialogue does not handle that.
async fn with_token(
    connection: &mut Connection,
    username: &str,
    token: &SecretString,
) -> Result<(), Unusable> {
    if !connection.server_info().supports_auth_mechanism(Mechanism::Xoauth2) {
        return Err(Unusable::denied("the relay offers no XOAUTH2".to_owned()));
    }
    let credentials = Credentials::new(username.to_owned(), token.expose_secret().to_owned());
    let command =
        Auth::new(Mechanism::Xoauth2, credentials, None).map_err(|error| Unusable::from_error(&error))?;
    let answer = connection.command(command).await.map_err(|error| Unusable::from_error(&error))?;
    if answer.has_code(334) {
        let refusal = connection.command(EMPTY_LINE).await.map_err(|error| Unusable::from_error(&error))?;
        let reason = format!("the access token was refused, then answered with {}", refusal.code());
        return Err(Unusable::denied(reason));
    }
    Ok(())
}

/// Reads the access token, each time again, because another program renews it.
async fn token(file: &Path) -> Result<SecretString, String> {
    let text = tokio::fs::read_to_string(file).await;
    let text: SecretString = text.map_err(|error| format!("the token file can't be read: {error}"))?.into();
    let token = text.expose_secret().trim();
    // RFC 6750 §2.1: visible ASCII. Anything else could end the line.
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("the token file holds no access token".to_owned());
    }
    Ok(token.into())
}
