//! What can be wrong with an attribute, and how it is told.

use rekey_core::passwords::{Hint, Hints};
use serde_json::{Value, json};
use strum::EnumIter;

/// What is wrong with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum Fault {
    Blank,
    Taken,
    Invalid,
    /// No record has this value.
    Unknown,
    NotAString,
    NotAnObject,
    TooLong(usize),
    /// The octets of a password are counted.
    TooManyOctets(usize),
    TooShort(usize),
    /// A password that is the customer's own address, or little more.
    MadeOfEmail(Hints),
    /// A password that is the shop's name, or little more.
    MadeOfShopName(Hints),
    /// A password that is a repetition or a sequence.
    TooSimple(Hints),
    /// A password that many people have.
    TooCommon(Hints),
}

impl Fault {
    /// The fault's name in `meta.error`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Taken => "taken",
            Self::Invalid | Self::NotAString | Self::NotAnObject => "invalid",
            Self::Unknown => "not_found",
            Self::TooLong(_) | Self::TooManyOctets(_) => "too_long",
            Self::TooShort(_) => "too_short",
            Self::MadeOfEmail(_) => "contains_email",
            Self::MadeOfShopName(_) => "contains_shop_name",
            Self::TooSimple(_) => "too_simple",
            Self::TooCommon(_) => "too_common",
        }
    }

    /// What would be better.
    fn hints(self) -> Hints {
        match self {
            Self::MadeOfEmail(hints)
            | Self::MadeOfShopName(hints)
            | Self::TooSimple(hints)
            | Self::TooCommon(hints) => hints,
            Self::Blank
            | Self::Taken
            | Self::Invalid
            | Self::Unknown
            | Self::NotAString
            | Self::NotAnObject
            | Self::TooLong(_)
            | Self::TooManyOctets(_)
            | Self::TooShort(_) => Hints::default(),
        }
    }

    /// What programs are told of it.
    #[must_use]
    pub fn meta(self) -> Value {
        let hints: Vec<&str> = self.hints().iter().map(Hint::name).collect();
        match self.bound() {
            Some(bound) => json!({ "error": self.name(), "count": bound }),
            None if hints.is_empty() => json!({ "error": self.name() }),
            None => json!({ "error": self.name(), "hints": hints }),
        }
    }

    /// How much it has to be, at least or at most.
    fn bound(self) -> Option<usize> {
        match self {
            Self::TooLong(bound) | Self::TooManyOctets(bound) | Self::TooShort(bound) => Some(bound),
            Self::Blank
            | Self::Taken
            | Self::Invalid
            | Self::Unknown
            | Self::NotAString
            | Self::NotAnObject
            | Self::MadeOfEmail(_)
            | Self::MadeOfShopName(_)
            | Self::TooSimple(_)
            | Self::TooCommon(_) => None,
        }
    }

    /// What is wrong, to be read after the attribute's name.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Blank => "can't be blank".to_owned(),
            Self::Taken => "has already been taken".to_owned(),
            Self::Invalid => "is invalid".to_owned(),
            Self::Unknown => "doesn't belong to a customer".to_owned(),
            Self::NotAString => "is not a string".to_owned(),
            Self::NotAnObject => "is not an object".to_owned(),
            Self::TooLong(most) => format!("is too long (maximum is {most} characters)"),
            Self::TooManyOctets(most) => format!("is too long (maximum is {most} bytes)"),
            Self::TooShort(least) => format!("is too short (minimum is {least} characters)"),
            Self::MadeOfEmail(_) => "can't be the e-mail address, or little more".to_owned(),
            Self::MadeOfShopName(_) => "can't be the shop's name, or little more".to_owned(),
            Self::TooSimple(_) => "can't be a repetition or a sequence".to_owned(),
            Self::TooCommon(_) => "is too common".to_owned(),
        }
    }
}
