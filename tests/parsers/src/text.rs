//! Texts that people and files give: addresses, secrets, hashes, links.

use rekey_core::{
    email::{EmailAddress, MAX_ADDRESS},
    passwords::PasswordHash,
    secrets::{LENGTH, ResetCode, ResetToken},
};
use rekey_runtime::config::{LinkTemplate, LinkValues};
use url::Url;

/// What is stored is read as itself, has no meaning in SMTP or a header, and is the address that the mail goes to.
pub fn email(input: &[u8]) {
    let Ok(email) = String::from_utf8_lossy(input).parse::<EmailAddress>() else { return };
    assert_eq!(email.as_str().parse(), Ok(email.clone()));
    assert!(email.mailbox().len() <= MAX_ADDRESS, "{email}");
    let is_meant = |byte: u8| byte.is_ascii_graphic() && !b" \"(),:;<>[\\]%!".contains(&byte);
    assert!(email.as_str().bytes().all(|byte| is_meant(byte) && !byte.is_ascii_uppercase()), "{email}");
    assert!(!email.as_str().contains("=?") && email.as_str().matches('@').count() == 1, "{email}");
    if let Ok(address) = email.mailbox().parse::<lettre::Address>() {
        assert_eq!(address.to_string(), email.mailbox());
    }
}

/// A token is itself. A code is read from its own form and from what people make of it, and never from a text with two codes.
pub fn secret(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(token) = ResetToken::parse(&text) {
        assert_eq!((token.expose(), text.len()), (&*text, LENGTH));
    }
    let Some(code) = ResetCode::parse(&text) else { return };
    let shown = code.expose();
    let typed = [
        shown.to_string(),
        shown.to_lowercase(),
        shown.replace('-', " - "),
        format!("\u{200b}{}\u{a0}.", shown.replace('-', "")),
    ];
    for typed in typed {
        let read = ResetCode::parse(&typed).map(|code| code.expose().to_string());
        assert_eq!(read.as_deref(), Some(shown.as_str()), "{typed:?}");
    }
    let other = if shown.starts_with('C') { "FDFH-JKMN" } else { "CDFH-JKMN" };
    assert!(ResetCode::parse(&format!("{text} {other}")).is_none(), "{text:?}");
}

/// What is stored of a hash is accepted again, unchanged: it must be verifiable.
pub fn hash(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    match PasswordHash::import(text) {
        Ok(hash) => {
            let again = PasswordHash::import(hash.as_str()).expect("a stored hash is one");
            assert_eq!(again.as_str(), hash.as_str());
            assert!(hash.as_str().is_ascii() && !hash.as_str().contains(char::is_control));
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
}

/// A link is a URL as browsers spell it, encrypted or of this machine, and no value changes where it leads.
pub fn link_template(input: &[u8]) {
    let Ok(template) = LinkTemplate::parse(&String::from_utf8_lossy(input)) else { return };
    let plain = LinkValues {
        id: "ResetRese1",
        token: &"t".repeat(LENGTH),
        locale: "pt-BR",
        organization: "acme",
        client_id: "client",
        scope: "market:all",
        login_url: "https://shop.example/login",
    };
    let hostile =
        LinkValues { scope: "a b\r\n{id}&token=x", login_url: "//evil.example/\\@?#<>\"'%00\u{e9}", ..plain };
    let [plain, hostile] = [plain, hostile].map(|values| {
        let link = template.fill(values);
        let url = Url::parse(&link).expect("a link is a URL");
        assert_eq!(url.as_str(), link);
        assert!(link.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>".contains(&byte)), "{link}");
        assert!(link.contains(values.id) && link.contains(values.token), "{link}");
        url
    });
    assert_eq!(plain.origin(), hostile.origin());
    assert!(plain.username().is_empty() && plain.password().is_none(), "{plain}");
    let host = plain.host_str().expect("a link has a host");
    let is_local =
        host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]";
    assert!(plain.scheme() == "https" || is_local, "{plain}");
}
