//! What a PATCH says of token and password.

use rekey_core::{
    passwords::PlainPassword,
    resets::Proof,
    resources::customer_password_resets::{CUSTOMER_PASSWORD, TOKEN},
};
use serde_json::Value;

use crate::jsonapi::{body::Attributes, error::Fault};

/// A token, or the short code that stands for one, and what it is to do.
pub enum TokenUse {
    /// Set this password.
    Password(Proof, PlainPassword),
    /// Nothing.
    Proof(Proof),
    /// There is no token, and no password either.
    None,
}

impl TokenUse {
    /// Reads both attributes. Whatever is presented as a token but can't be one is refused as a wrong one is.
    pub fn read(attributes: &mut Attributes) -> Option<Self> {
        let sets_password = attributes.has(&CUSTOMER_PASSWORD);
        let proof = match attributes.take(&TOKEN) {
            None | Some(Value::Null) if !sets_password => return Some(Self::None),
            Some(Value::String(text)) => Proof::parse(&text),
            _ => None,
        };
        let Some(proof) = proof else {
            attributes.refuse(&TOKEN, Fault::Invalid);
            return None;
        };
        if sets_password {
            attributes.password(&CUSTOMER_PASSWORD).map(|password| Self::Password(proof, password))
        } else {
            Some(Self::Proof(proof))
        }
    }
}
