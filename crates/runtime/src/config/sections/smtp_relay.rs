//! One relay of `[smtp] relays`, parsed from its URL.

use std::{collections::HashMap, fmt, net::IpAddr, path::PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::{Host, Url};

use crate::config::{
    fields::is_host_name,
    server_url::{self, Expected},
};

/// An SMTP relay. It is displayed as `host:port`, which holds nothing secret.
#[derive(Debug, Clone)]
pub struct SmtpRelayConfig {
    /// A host name in lower case or an IP address.
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// How to log in, if at all.
    pub login: Option<SmtpLogin>,
}

/// How the connection is encrypted: the mode that is set is required, never merely tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Starts unencrypted, and is encrypted before anything of value is sent (RFC 3207).
    StartTls,
    /// Encrypted from its first byte (RFC 8314 §3.3).
    Implicit,
    /// Not encrypted: to this machine, or where `allow_unencrypted` is set.
    None,
}

/// A user of the relay (RFC 4954).
#[derive(Debug, Clone)]
pub enum SmtpLogin {
    /// By a password.
    Password {
        username: String,
        password: SecretString,
        /// The mechanism to use; without one, the first that the relay offers, PLAIN before LOGIN.
        mechanism: Option<PasswordMechanism>,
    },
    /// By XOAUTH2, with an access token that another program keeps fresh in this file.
    Token { username: String, file: PathBuf },
}

/// The SASL mechanism for a password. Both send it as it is, so that TLS must protect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMechanism {
    /// RFC 4616.
    Plain,
    /// Obsolete, and all that some relays know (draft-murchison-sasl-login).
    Login,
}

impl SmtpRelayConfig {
    /// Parses `smtp://` or `smtps://`, `user:password@` if need be, the host, `:port`, and a query of `tls`, `auth`, `token_file`.
    pub(super) fn parse(text: &str) -> Result<Self, Expected> {
        let url = server_url::parse(text)?;
        let default_port = match url.scheme() {
            "smtp" => 587,
            "smtps" => 465,
            _ => return Err("to begin with smtp:// or smtps://"),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("to have no path and no fragment");
        }
        let query = query(&url)?;
        let tls = match (url.scheme(), query.get("tls").map(String::as_str)) {
            ("smtps", None) => SmtpTls::Implicit,
            ("smtp", None | Some("starttls")) => SmtpTls::StartTls,
            ("smtp", Some("none")) => SmtpTls::None,
            _ => return Err("to have tls=starttls or tls=none behind smtp://, and no tls behind smtps://"),
        };
        Ok(Self {
            host: host(&url).ok_or("to name a host in lower case or an IP address")?,
            port: url.port().unwrap_or(default_port),
            tls,
            login: login(&url, &query)?,
        })
    }

    /// Whether a connection to it stays on this machine.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
        self.host == "localhost" || self.host.parse().is_ok_and(is_loopback)
    }
}

impl fmt::Display for SmtpRelayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

type Query = HashMap<String, String>;

fn query(url: &Url) -> Result<Query, Expected> {
    let mut query = Query::new();
    for (name, value) in url.query_pairs() {
        if !["tls", "auth", "token_file"].contains(&&*name) {
            return Err("to have no other query than tls, auth and token_file");
        }
        if query.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err("to have each of tls, auth and token_file once");
        }
    }
    Ok(query)
}

fn login(url: &Url, query: &Query) -> Result<Option<SmtpLogin>, Expected> {
    let username = decode(url.username())?;
    let password = url.password().map(decode).transpose()?.filter(|password| !password.is_empty());
    let file = query.get("token_file").map(PathBuf::from);
    if file.as_ref().is_some_and(|file| !file.is_absolute()) {
        return Err("to have an absolute path as token_file");
    }
    let mechanism = match query.get("auth").map(String::as_str) {
        None => None,
        Some("plain") => Some(PasswordMechanism::Plain),
        Some("login") => Some(PasswordMechanism::Login),
        Some("xoauth2") => {
            return match (file, password) {
                (Some(file), None) if !username.is_empty() => Ok(Some(SmtpLogin::Token { username, file })),
                _ => Err("to have, with auth=xoauth2, a user, a token_file and no password"),
            };
        }
        Some(_) => return Err("to have auth=plain, auth=login or auth=xoauth2"),
    };
    match (file, password) {
        (Some(_), _) => Err("to have auth=xoauth2 with a token_file"),
        (None, Some(password)) if !username.is_empty() => {
            Ok(Some(SmtpLogin::Password { username, password: password.into(), mechanism }))
        }
        (None, None) if username.is_empty() && mechanism.is_none() => Ok(None),
        (None, Some(_) | None) => Err("to have a user and a password, or neither of them and no auth"),
    }
}

fn host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => (is_host_name(name) || name.parse::<IpAddr>().is_ok()).then(|| name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(IpAddr::from(address).to_canonical().to_string()),
    }
}

/// Decodes a URL's user or password. A control character would end a line or a field of AUTH.
fn decode(encoded: &str) -> Result<String, Expected> {
    let is_code = |rest: &str| rest.get(..2).is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    let decoded =
        percent_decode_str(encoded).decode_utf8().ok().filter(|text| !text.contains(char::is_control));
    match decoded {
        Some(text) if encoded.split('%').skip(1).all(is_code) => Ok(text.into_owned()),
        _ => Err("to have user and password percent-encoded, as UTF-8 and without control characters"),
    }
}
