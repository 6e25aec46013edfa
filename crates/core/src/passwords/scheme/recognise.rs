//! The formats in which other systems write their hashes, and those that are rejected by name.

use super::{
    HashImportError, Scheme,
    argon2::Argon2Hash,
    bcrypt::{BcryptHash, Preparation},
    digest::{Digest, decode, number, parameters},
    pbkdf2::{Function, Pbkdf2Hash},
    scrypt::ScryptHash,
};

/// The maximum length of a hash in bytes: twice the longest that any system writes.
const MAX_LENGTH: usize = 512;

/// What Spring Security and LDAP put before a hash that names its own format.
const LABELS: [&str; 5] = ["{bcrypt}", "{argon2}", "{argon2@SpringSecurity_v5_8}", "{CRYPT}", "{BCRYPT}"];

/// How a format begins, what it is called, and its parser, which gets the text and what follows the beginning.
type Format = (&'static str, &'static str, fn(&str, &str) -> Option<Scheme>);

const FORMATS: [Format; 16] = [
    ("$argon2", "argon2", |text, _| argon2(text)),
    ("argon2$", "Django argon2", |_, rest| argon2(&format!("${rest}"))),
    ("$2a$", "bcrypt", |text, _| bcrypt(text)),
    ("$2b$", "bcrypt", |text, _| bcrypt(text)),
    ("$2y$", "bcrypt", |text, _| bcrypt(text)),
    ("$wp$2y$", "WordPress bcrypt", |text, _| bcrypt(text)),
    ("$wp$2b$", "WordPress bcrypt", |text, _| bcrypt(text)),
    ("bcrypt$", "Django bcrypt", |_, rest| bcrypt(rest)),
    ("bcrypt_sha256$", "Django bcrypt", |text, _| bcrypt(text)),
    ("$pbkdf2-", "PBKDF2", |_, rest| pbkdf2(rest.split_once('$')?)),
    ("$pbkdf2$", "PBKDF2", |_, rest| pbkdf2(("sha1", rest))),
    ("pbkdf2_", "Django PBKDF2", |_, rest| django_pbkdf2(rest)),
    ("pbkdf2:", "Werkzeug PBKDF2", |_, rest| werkzeug_pbkdf2(rest)),
    ("$scrypt$", "scrypt", |_, rest| scrypt(rest)),
    ("scrypt$", "Django scrypt", |_, rest| django_scrypt(rest)),
    ("scrypt:", "Werkzeug scrypt", |_, rest| werkzeug_scrypt(rest)),
];

/// How formats begin that can't be verified here, and what they are.
const UNSUPPORTED: [(&str, &str); 25] = [
    ("$P$", "phpass of MD5, as of WordPress before 6.8"),
    ("$H$", "phpass of MD5, as of phpBB"),
    ("$S$", "Drupal's salted SHA-512"),
    ("$1$", "MD5-crypt"),
    ("$apr1$", "Apache's MD5-crypt"),
    ("$2x$", "bcrypt by an implementation that was broken ($2x$)"),
    ("$5$", "SHA-256-crypt"),
    ("$6$", "SHA-512-crypt"),
    ("$7$", "scrypt in the form of crypt(3)"),
    ("$y$", "yescrypt"),
    ("sha1$", "Django's salted SHA-1"),
    ("md5$", "Django's salted MD5"),
    ("{SSHA", "a salted SHA of LDAP's"),
    ("{SHA", "an unsalted SHA of LDAP's"),
    ("{MD5", "an unsalted MD5 of LDAP's"),
    ("{SMD5", "a salted MD5 of LDAP's"),
    ("{noop}", "a password in clear"),
    ("{pbkdf2", "PBKDF2 in a form without its parameters, as of Spring Security"),
    ("{PBKDF2", "PBKDF2 in a form of LDAP's"),
    ("{scrypt", "scrypt in a form of Spring Security's"),
    ("{sha256}", "a salted SHA-256 of Spring Security's"),
    ("$fbscrypt$", "Firebase's scrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$sha1$", "SHA-1-crypt"),
    ("$3$", "an NT hash"),
];

pub(super) fn recognise(text: &str) -> Result<Scheme, HashImportError> {
    if text.len() > MAX_LENGTH {
        return Err(HashImportError::Unknown);
    }
    let text = LABELS.iter().find_map(|label| text.strip_prefix(label)).unwrap_or(text);
    for (prefix, name, parse) in FORMATS {
        if let Some(rest) = text.strip_prefix(prefix) {
            return parse(text, rest).ok_or(HashImportError::Malformed(name));
        }
    }
    if let Some((_, name)) = UNSUPPORTED.iter().find(|(prefix, _)| text.starts_with(prefix)) {
        return Err(HashImportError::Unsupported(name));
    }
    // MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512 in hexadecimal.
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && [32, 40, 56, 64, 96, 128].contains(&text.len()) {
        return Err(HashImportError::Unsupported(
            "a bare digest such as MD5 or SHA, which is no password hash",
        ));
    }
    asp_net(text).ok_or_else(|| shape(text).map_or(HashImportError::Unknown, HashImportError::Unsupported))
}

/// Names what has no beginning of its own, by its shape.
fn shape(text: &str) -> Option<&'static str> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((digest, salt)) =
        text.split_once(':').filter(|(digest, salt)| is_hex(digest) && !salt.is_empty())
    {
        let version = salt.split_once(':').map(|(_, version)| version);
        return match (digest.len(), version) {
            (32, _) => Some("a salted MD5, as of Magento 1, Joomla or osCommerce"),
            (40, _) => Some("a salted SHA-1"),
            (64, Some(version)) if version.starts_with(['2', '3']) => Some("Magento's Argon2id"),
            (64, _) => Some("Magento's salted SHA-256"),
            _ => None,
        };
    }
    match (text.len(), decode(text).map(|bytes| bytes.len())) {
        (41, _) if text.strip_prefix('*').is_some_and(is_hex) => Some("MySQL's PASSWORD(), a bare digest"),
        (41, _) if text.starts_with('!') => Some("Django's mark for no password"),
        (13, _) if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte)) => {
            Some("DES-crypt")
        }
        (_, Some(64)) => Some("64 bytes in Base64, such as Firebase's scrypt"),
        (_, Some(20)) => Some("20 bytes in Base64, such as SHA-1 of ASP.NET Membership"),
        _ => None,
    }
}

fn argon2(text: &str) -> Option<Scheme> {
    Argon2Hash::parse(text).map(Scheme::Argon2)
}

fn bcrypt(text: &str) -> Option<Scheme> {
    let strip = |(prefix, preparation)| {
        Some((preparation, text.strip_prefix(prefix).filter(|hash| hash.starts_with("$2"))?))
    };
    let (preparation, hash) = Preparation::ALL.into_iter().find_map(strip)?;
    BcryptHash::parse(preparation, hash).map(Scheme::Bcrypt)
}

/// The PHC string format's `i=…[,l=…]$salt$output`, and passlib's with bare rounds.
fn pbkdf2((function, rest): (&str, &str)) -> Option<Scheme> {
    let [costs, salt, output] = fields(rest, '$')?;
    let digest = Digest::parse(salt, output)?;
    let length = u32::try_from(digest.output.len()).ok()?;
    let rounds = number(costs)
        .or_else(|| parameters(costs, ["i"]).map(|[rounds]| rounds))
        .or_else(|| parameters(costs, ["i", "l"]).and_then(|[rounds, l]| (l == length).then_some(rounds)))?;
    Pbkdf2Hash::new(function.parse().ok()?, rounds, digest).map(Scheme::Pbkdf2)
}

/// `pbkdf2_sha256$rounds$salt$output`, the salt not encoded.
fn django_pbkdf2(rest: &str) -> Option<Scheme> {
    let [function, rounds, salt, output] = fields(rest, '$')?;
    let digest = Digest::new(salt.into(), decode(output)?)?;
    Pbkdf2Hash::new(function.parse().ok()?, number(rounds)?, digest).map(Scheme::Pbkdf2)
}

/// `pbkdf2:sha256:rounds$salt$output`, the salt not encoded, the output in hexadecimal.
fn werkzeug_pbkdf2(rest: &str) -> Option<Scheme> {
    let [method, salt, output] = fields(rest, '$')?;
    let [function, rounds] = fields(method, ':')?;
    let digest = Digest::new(salt.into(), hex::decode(output).ok()?)?;
    Pbkdf2Hash::new(function.parse().ok()?, number(rounds)?, digest).map(Scheme::Pbkdf2)
}

fn scrypt(rest: &str) -> Option<Scheme> {
    let [costs, salt, output] = fields(rest, '$')?;
    let [log_n, r, p] = parameters(costs, ["ln", "r", "p"])?;
    ScryptHash::new(log_n, r, p, Digest::parse(salt, output)?).map(Scheme::Scrypt)
}

/// `scrypt$N$salt$r$p$output`, the salt not encoded.
fn django_scrypt(rest: &str) -> Option<Scheme> {
    let [n, salt, r, p, output] = fields(rest, '$')?;
    let digest = Digest::new(salt.into(), decode(output)?)?;
    ScryptHash::new(log2(n)?, number(r)?, number(p)?, digest).map(Scheme::Scrypt)
}

/// `scrypt:N:r:p$salt$output`, the salt not encoded, the output in hexadecimal.
fn werkzeug_scrypt(rest: &str) -> Option<Scheme> {
    let [method, salt, output] = fields(rest, '$')?;
    let [n, r, p] = fields(method, ':')?;
    let digest = Digest::new(salt.into(), hex::decode(output).ok()?)?;
    ScryptHash::new(log2(n)?, number(r)?, number(p)?, digest).map(Scheme::Scrypt)
}

/// ASP.NET Core Identity, in Base64. Version 2: 0, salt (16 bytes), output (32), by SHA-1 and 1,000 rounds. Version 3:
/// 1, function, rounds, length of the salt (4 bytes each, most significant first), salt, output.
fn asp_net(text: &str) -> Option<Scheme> {
    let bytes = decode(text)?;
    let (version, rest) = bytes.split_first()?;
    let (function, rounds, salt, output) = match version {
        0 if rest.len() == 48 => {
            let (salt, output) = rest.split_at_checked(16)?;
            (Function::Sha1, 1_000, salt, output)
        }
        1 => {
            let (function, rest) = big_endian(rest)?;
            let (rounds, rest) = big_endian(rest)?;
            let (length, rest) = big_endian(rest)?;
            let function = match function {
                0 => Function::Sha1,
                1 => Function::Sha256,
                2 => Function::Sha512,
                _ => return None,
            };
            let (salt, output) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (function, rounds, salt, output)
        }
        _ => return None,
    };
    let digest = Digest::new(salt.to_vec(), output.to_vec())?;
    Pbkdf2Hash::new(function, rounds, digest).map(Scheme::Pbkdf2)
}

fn big_endian(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// Splits the text into exactly that many fields.
fn fields<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut fields = text.split(separator);
    let mut found = [""; N];
    for slot in &mut found {
        *slot = fields.next()?;
    }
    fields.next().is_none().then_some(found)
}

/// Returns the logarithm of a power of two.
fn log2(text: &str) -> Option<u32> {
    let number = number(text)?;
    number.is_power_of_two().then(|| number.ilog2())
}
