use subtle::ConstantTimeEq;

use super::KeyRing;
use crate::ids::{EventId, LENGTH};

/// How an address for bounces begins. Mail servers take what follows a `+` as a detail of the mailbox `b`.
const PREFIX: &str = "b+";
/// The length of the tag in bytes: nobody guesses 128 bits.
const TAG: usize = 16;
/// The length of the part behind the prefix, in hexadecimal: mail servers may write a local part in lower case. With the prefix it is 54
/// characters of the 64 that are allowed (RFC 5321 §4.5.3.1.1).
const DIGITS: usize = 2 * (LENGTH + TAG);

/// Returns the local part of the address to which bounces of this delivery go: its id, and a tag that only we can make. The recipient of a
/// mail sees it, and can report on that mail.
#[must_use]
pub fn bounce_mailbox(delivery: EventId, keys: &KeyRing) -> String {
    let mac = keys.mac(|key| &key.bounces, &[delivery.as_str().as_bytes()]);
    format!("{PREFIX}{}{}", hex::encode(delivery.as_str()), hex::encode(mac.get(..TAG).unwrap_or_default()))
}

/// How many addresses of a text are verified at most: a genuine report has ours a few times, and anybody may send texts full of others.
const MAX_CANDIDATES: usize = 32;

/// Returns the delivery that the first genuine address for bounces in a text names, wherever it is: forwarders wrap it into another one.
#[must_use]
pub fn find_bounced_delivery(text: &[u8], keys: &KeyRing) -> Option<EventId> {
    let candidates = text.windows(PREFIX.len() + DIGITS).filter_map(|window| {
        let (prefix, digits) = window.split_at_checked(PREFIX.len())?;
        let is_one =
            prefix.eq_ignore_ascii_case(PREFIX.as_bytes()) && digits.iter().all(u8::is_ascii_hexdigit);
        is_one.then_some(digits)
    });
    candidates.take(MAX_CANDIDATES).find_map(|digits| {
        let bytes = hex::decode(digits).ok()?;
        let (id, tag) = bytes.split_at_checked(LENGTH)?;
        let macs = keys.macs(|key| &key.bounces, &[id]);
        let is_ours = |mac: &[u8; 32]| mac.get(..TAG).is_some_and(|own| own.ct_eq(tag).into());
        macs.iter().any(is_ours).then(|| str::from_utf8(id).ok()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ring;

    #[test]
    fn only_a_genuine_address_names_its_delivery() {
        let old = ring([("old", 1)]);
        let keys = ring([("new", 2), ("old", 1)]);
        let delivery: EventId = "EventEven1".parse().unwrap();
        let own = bounce_mailbox(delivery, &keys);
        assert_eq!(own.len(), 54);
        let found = |text: &str| find_bounced_delivery(text.as_bytes(), &keys);
        for text in [
            format!("<{own}@bounce.example>"),
            own.to_uppercase(),
            format!("To: SRS0=xK=AB=shop.example={own}@forwarder.example\r\n"),
            format!("b+00 {}1@bounce.example {own}", "b+".repeat(40)),
            bounce_mailbox(delivery, &old),
        ] {
            assert_eq!(found(&text), Some(delivery), "{text}");
        }
        let (id, tag) = own.split_at(22);
        let other = hex::encode("EventEven2");
        for text in ["", "b+", id, &own[..53], &format!("b+{other}{tag}"), &format!("{id}{}", "0".repeat(32))]
        {
            assert_eq!(found(text), None, "{text}");
        }
        let others = format!("b+{}", "0".repeat(52)).repeat(MAX_CANDIDATES);
        assert_eq!(found(&format!("{} {own}", &others[54..])), Some(delivery));
        assert_eq!(found(&format!("{others} {own}")), None, "nobody has all of a text verified");
        assert_eq!(find_bounced_delivery(own.as_bytes(), &old), None, "it does not know the new key");
    }
}
