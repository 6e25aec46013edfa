//! What is told of a password that was refused.

use rekey_core::password::{MAX_OCTETS, PolicyViolation};

use super::page::Message;

/// Why the policy refuses it.
pub fn told(violation: PolicyViolation) -> Vec<Message> {
    vec![match violation {
        PolicyViolation::TooShort(count) => Message { key: "policy-too-short", count },
        PolicyViolation::OwnEmail => Message::plain("policy-contains-email"),
    }]
}

/// Of one that is no password at all.
pub fn unusable(is_empty: bool, is_long: bool) -> Message {
    if is_empty {
        Message::plain("pages-reset-missing")
    } else if is_long {
        // Told in characters of the alphabet that needs most octets for one, so that it is true for every password.
        Message { key: "pages-reset-too-long", count: MAX_OCTETS / 4 }
    } else {
        Message::plain("pages-reset-unusable")
    }
}
