//! One relay of `[smtp] relays`, as its URL tells.

use std::{fmt, net::IpAddr, path::PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::{Host, Url};

use super::is_host_name;

/// An SMTP relay. Shown, it is `host:port`, which holds nothing secret.
#[derive(Debug, Clone)]
pub struct SmtpRelay {
    /// A host name in lower case or an IP address.
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// How to log in, if at all.
    pub login: Option<SmtpLogin>,
}

/// How the connection is encrypted: what is set is demanded, never merely tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Begins readable, and is encrypted before anything of worth is said (RFC 3207).
    StartTls,
    /// Encrypted from its first byte (RFC 8314 §3.3).
    Implicit,
    /// Readable: to this machine, or where `allow_unencrypted` says so.
    None,
}

/// A user of the relay (RFC 4954).
#[derive(Debug, Clone)]
pub enum SmtpLogin {
    /// By a password.
    Password {
        username: String,
        password: SecretString,
        /// Which of the two to use; without one, what the relay offers, PLAIN first.
        mechanism: Option<PasswordMechanism>,
    },
    /// By XOAUTH2, with an access token that somebody else keeps fresh in this file.
    Token { username: String, file: PathBuf },
}

/// How a password is given; both are readable, so that TLS must hide them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMechanism {
    /// RFC 4616.
    Plain,
    /// Obsolete, and all that some relays know (draft-murchison-sasl-login).
    Login,
}

/// What is wrong with a relay's URL, to be read after "expected relay 2". It holds nothing of the URL.
type Mistake = &'static str;

impl SmtpRelay {
    /// `smtp://` or `smtps://`, `user:password@` if need be, the host, `:port`, and a query of `tls`, `auth`, `token_file`.
    pub(super) fn parse(text: &str, allow_unencrypted: bool) -> Result<Self, Mistake> {
        let url =
            Url::parse(text).map_err(|_| "to be a URL such as smtp://user:password@mail.example:587")?;
        let (tls, port) = match url.scheme() {
            "smtp" => (SmtpTls::StartTls, 587),
            "smtps" => (SmtpTls::Implicit, 465),
            _ => return Err("to begin with smtp:// or smtps://"),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("to have no path and no fragment: in a password write / as %2F, # as %23, ? as %3F");
        }
        let query = Query::parse(&url)?;
        let relay = Self {
            host: host(&url).ok_or("to name a host in lower case or an IP address")?,
            port: url.port().unwrap_or(port),
            tls: query.tls.unwrap_or(tls),
            login: login(&url, query.auth, query.token_file)?,
        };
        match relay.tls {
            SmtpTls::None if !relay.is_this_machine() && !allow_unencrypted => {
                Err("to be encrypted, as its host is not this machine and smtp.allow_unencrypted is false")
            }
            SmtpTls::None | SmtpTls::StartTls | SmtpTls::Implicit => Ok(relay),
        }
    }

    fn is_this_machine(&self) -> bool {
        let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
        self.host == "localhost" || self.host.parse().is_ok_and(is_loopback)
    }
}

impl fmt::Display for SmtpRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[derive(Default)]
struct Query {
    tls: Option<SmtpTls>,
    auth: Option<Auth>,
    token_file: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Auth {
    Password(PasswordMechanism),
    Xoauth2,
}

impl Query {
    fn parse(url: &Url) -> Result<Self, Mistake> {
        let mut query = Self::default();
        for (name, value) in url.query_pairs() {
            let is_new = match &*name {
                "tls" => query.tls.replace(tls(url, &value)?).is_none(),
                "auth" => query.auth.replace(auth(&value)?).is_none(),
                "token_file" => query.token_file.replace(token_file(&value)?).is_none(),
                _ => return Err("to have no other query than tls, auth and token_file"),
            };
            if !is_new {
                return Err("to have each of tls, auth and token_file once");
            }
        }
        Ok(query)
    }
}

fn tls(url: &Url, value: &str) -> Result<SmtpTls, Mistake> {
    match (url.scheme(), value) {
        ("smtp", "starttls") => Ok(SmtpTls::StartTls),
        ("smtp", "none") => Ok(SmtpTls::None),
        _ => Err("to have tls=starttls or tls=none behind smtp://, and no tls behind smtps://"),
    }
}

fn auth(value: &str) -> Result<Auth, Mistake> {
    match value {
        "plain" => Ok(Auth::Password(PasswordMechanism::Plain)),
        "login" => Ok(Auth::Password(PasswordMechanism::Login)),
        "xoauth2" => Ok(Auth::Xoauth2),
        _ => Err("to have auth=plain, auth=login or auth=xoauth2"),
    }
}

fn token_file(value: &str) -> Result<PathBuf, Mistake> {
    let path = PathBuf::from(value);
    path.is_absolute().then_some(path).ok_or("to have an absolute path as token_file")
}

fn login(url: &Url, auth: Option<Auth>, file: Option<PathBuf>) -> Result<Option<SmtpLogin>, Mistake> {
    let username = decode(url.username())?;
    let password = url.password().map(decode).transpose()?.filter(|password| !password.is_empty());
    let mechanism = match auth {
        Some(Auth::Xoauth2) => {
            return match (file, password) {
                (Some(file), None) if !username.is_empty() => Ok(Some(SmtpLogin::Token { username, file })),
                _ => Err("to have, with auth=xoauth2, a user, a token_file and no password"),
            };
        }
        Some(Auth::Password(mechanism)) => Some(mechanism),
        None => None,
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
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// What stands in a URL's user or password. A control character would end a line or a field of AUTH.
fn decode(encoded: &str) -> Result<String, Mistake> {
    let is_code = |rest: &str| rest.get(..2).is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    let decoded =
        percent_decode_str(encoded).decode_utf8().ok().filter(|text| !text.contains(char::is_control));
    match decoded {
        Some(text) if encoded.split('%').skip(1).all(is_code) => Ok(text.into_owned()),
        _ => Err("to have user and password percent-encoded, as UTF-8 and without control characters"),
    }
}
