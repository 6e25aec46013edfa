//! The forms in which other systems write their hashes, and those that are refused by name.

use super::{
    HashRefusal, Scheme,
    argon2::Argon2Hash,
    bcrypt::{BcryptHash, Before},
    digest::{Digest, decode, number, parameters},
    pbkdf2::{Function, Pbkdf2Hash},
    scrypt::ScryptHash,
};

/// Octets of a hash at most: twice of the longest that anybody writes.
const MAX_LENGTH: usize = 512;

/// What Spring Security and LDAP put before a hash that says by itself what it is.
const LABELS: [&str; 5] = ["{bcrypt}", "{argon2}", "{argon2@SpringSecurity_v5_8}", "{CRYPT}", "{BCRYPT}"];

/// How a form begins, what it is called, and how what follows is read.
type Form = (&'static str, &'static str, fn(&str) -> Option<Scheme>);

const FORMS: [Form; 16] = [
    ("$argon2", "argon2", |rest| argon2(&format!("$argon2{rest}"))),
    ("argon2$", "Django's argon2", |rest| argon2(&format!("${rest}"))),
    ("$2a$", "bcrypt", |rest| bcrypt(&format!("$2a${rest}"))),
    ("$2b$", "bcrypt", |rest| bcrypt(&format!("$2b${rest}"))),
    ("$2y$", "bcrypt", |rest| bcrypt(&format!("$2y${rest}"))),
    ("$wp$2y$", "WordPress's bcrypt", |rest| bcrypt(&format!("$wp$2y${rest}"))),
    ("$wp$2b$", "WordPress's bcrypt", |rest| bcrypt(&format!("$wp$2b${rest}"))),
    ("bcrypt$", "Django's bcrypt", bcrypt),
    ("bcrypt_sha256$", "Django's bcrypt", |rest| bcrypt(&format!("bcrypt_sha256${rest}"))),
    ("$pbkdf2-", "PBKDF2", |rest| pbkdf2(rest.split_once('$')?)),
    ("$pbkdf2$", "PBKDF2", |rest| pbkdf2(("sha1", rest))),
    ("pbkdf2_", "Django's PBKDF2", django_pbkdf2),
    ("pbkdf2:", "Werkzeug's PBKDF2", werkzeug_pbkdf2),
    ("$scrypt$", "scrypt", scrypt),
    ("scrypt$", "Django's scrypt", django_scrypt),
    ("scrypt:", "Werkzeug's scrypt", werkzeug_scrypt),
];

/// How forms begin that are not verified here, and what they are.
const REFUSED: [(&str, &str); 15] = [
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
];

pub(super) fn recognise(text: &str) -> Result<Scheme, HashRefusal> {
    if text.len() > MAX_LENGTH {
        return Err(HashRefusal::Unknown);
    }
    let text = LABELS.iter().find_map(|label| text.strip_prefix(label)).unwrap_or(text);
    for (prefix, name, read) in FORMS {
        if let Some(rest) = text.strip_prefix(prefix) {
            return read(rest).ok_or(HashRefusal::Damaged(name));
        }
    }
    if let Some((_, name)) = REFUSED.iter().find(|(prefix, _)| text.starts_with(prefix)) {
        return Err(HashRefusal::Unsupported(name));
    }
    // MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512 in hexadecimal.
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && [32, 40, 56, 64, 96, 128].contains(&text.len()) {
        return Err(HashRefusal::Unsupported("a bare digest such as MD5 or SHA, which is no password hash"));
    }
    asp_net(text).ok_or(HashRefusal::Unknown)
}

fn argon2(text: &str) -> Option<Scheme> {
    Argon2Hash::parse(text).map(Scheme::Argon2)
}

fn bcrypt(text: &str) -> Option<Scheme> {
    let begins =
        |(prefix, before)| Some((before, text.strip_prefix(prefix).filter(|hash| hash.starts_with("$2"))?));
    let (before, hash) = Before::ALL.into_iter().find_map(begins)?;
    BcryptHash::parse(before, hash).map(Scheme::Bcrypt)
}

/// The PHC string format's `i=…[,l=…]$salt$output`, and passlib's with bare rounds.
fn pbkdf2((function, rest): (&str, &str)) -> Option<Scheme> {
    let [costs, salt, output] = fields(rest, '$')?;
    let digest = Digest::parse(salt, output)?;
    let length = u32::try_from(digest.output.len()).ok()?;
    let rounds = number(costs)
        .or_else(|| parameters(costs, ["i"]).map(|[rounds]| rounds))
        .or_else(|| parameters(costs, ["i", "l"]).and_then(|[rounds, l]| (l == length).then_some(rounds)))?;
    Pbkdf2Hash::new(Function::parse(function)?, rounds, digest).map(Scheme::Pbkdf2)
}

/// `pbkdf2_sha256$rounds$salt$output`, the salt as it is.
fn django_pbkdf2(rest: &str) -> Option<Scheme> {
    let [function, rounds, salt, output] = fields(rest, '$')?;
    let digest = Digest::new(salt.into(), decode(output)?)?;
    Pbkdf2Hash::new(Function::parse(function)?, number(rounds)?, digest).map(Scheme::Pbkdf2)
}

/// `pbkdf2:sha256:rounds$salt$output`, the salt as it is, the output in hexadecimal.
fn werkzeug_pbkdf2(rest: &str) -> Option<Scheme> {
    let [method, salt, output] = fields(rest, '$')?;
    let [function, rounds] = fields(method, ':')?;
    let digest = Digest::new(salt.into(), from_hex(output)?)?;
    Pbkdf2Hash::new(Function::parse(function)?, number(rounds)?, digest).map(Scheme::Pbkdf2)
}

fn scrypt(rest: &str) -> Option<Scheme> {
    let [costs, salt, output] = fields(rest, '$')?;
    let [log_n, r, p] = parameters(costs, ["ln", "r", "p"])?;
    ScryptHash::new(log_n, r, p, Digest::parse(salt, output)?).map(Scheme::Scrypt)
}

/// `scrypt$N$salt$r$p$output`, the salt as it is.
fn django_scrypt(rest: &str) -> Option<Scheme> {
    let [n, salt, r, p, output] = fields(rest, '$')?;
    let digest = Digest::new(salt.into(), decode(output)?)?;
    ScryptHash::new(log2(n)?, number(r)?, number(p)?, digest).map(Scheme::Scrypt)
}

/// `scrypt:N:r:p$salt$output`, the salt as it is, the output in hexadecimal.
fn werkzeug_scrypt(rest: &str) -> Option<Scheme> {
    let [method, salt, output] = fields(rest, '$')?;
    let [n, r, p] = fields(method, ':')?;
    let digest = Digest::new(salt.into(), from_hex(output)?)?;
    ScryptHash::new(log2(n)?, number(r)?, number(p)?, digest).map(Scheme::Scrypt)
}

/// ASP.NET Core Identity, in Base64. Version 2: 0, salt (16 octets), output (32), by SHA-1 and 1,000 rounds. Version 3:
/// 1, function, rounds, length of the salt (each 4 octets, most significant first), salt, output.
fn asp_net(text: &str) -> Option<Scheme> {
    let octets = decode(text)?;
    let (version, rest) = octets.split_first()?;
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

fn big_endian(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// Exactly that many fields.
fn fields<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut fields = text.split(separator);
    let mut found = [""; N];
    for slot in &mut found {
        *slot = fields.next()?;
    }
    fields.next().is_none().then_some(found)
}

/// The logarithm of a power of two.
fn log2(text: &str) -> Option<u32> {
    let number = number(text)?;
    number.is_power_of_two().then(|| number.ilog2())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks();
    let octet = |&[high, low]: &[u8; 2]| Some(nibble(high)? << 4 | nibble(low)?);
    if rest.is_empty() { pairs.iter().map(octet).collect() } else { None }
}
