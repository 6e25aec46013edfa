use rekey_core::passwords::{Hint, Hints};
use serde_json::{Value, json};
use strum::EnumIter;

/// Why an attribute's value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum ValidationError {
    Blank,
    Taken,
    Invalid,
    /// No record has this value.
    Unknown,
    NotAString,
    NotAnObject,
    NotABoolean,
    NotAnArrayOfStrings,
    /// It names no relationships of the topic's resource.
    NotIncludable,
    /// No topic of an event.
    UnknownTopic,
    /// There are as many webhooks as there may be.
    TooManyWebhooks(u32),
    /// Two triggers that undo each other.
    Contradictory,
    /// The customer is anonymized already.
    Anonymized,
    /// There is no request that waits.
    NotRequested,
    TooLong(usize),
    /// Passwords are counted in bytes.
    TooManyBytes(usize),
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

/// Further members of `meta`.
enum Details {
    None,
    /// The least or the most that is allowed.
    Count(usize),
    /// What would make a better password.
    Hints(Hints),
}

impl ValidationError {
    /// Returns a sentence that begins with the attribute's name, without that name.
    #[must_use]
    pub fn title(self) -> String {
        self.parts().1
    }

    /// Returns the error's `meta`.
    #[must_use]
    pub fn meta(self) -> Value {
        let (name, _, details) = self.parts();
        match details {
            Details::Count(count) => json!({ "error": name, "count": count }),
            Details::Hints(hints) if hints.iter().next().is_some() => {
                json!({ "error": name, "hints": hints.iter().map(Hint::name).collect::<Vec<_>>() })
            }
            Details::Hints(_) | Details::None => json!({ "error": name }),
        }
    }

    fn parts(self) -> (&'static str, String, Details) {
        let plain = |name, title: &str| (name, title.to_owned(), Details::None);
        let password = |name, title: &str, hints| (name, title.to_owned(), Details::Hints(hints));
        match self {
            Self::Blank => plain("blank", "can't be blank"),
            Self::Taken => plain("taken", "has already been taken"),
            Self::Invalid => plain("invalid", "is invalid"),
            Self::Unknown => plain("not_found", "doesn't belong to a customer"),
            Self::NotAString => plain("invalid", "is not a string"),
            Self::NotAnObject => plain("invalid", "is not an object"),
            Self::NotABoolean => plain("invalid", "is not a boolean"),
            Self::NotAnArrayOfStrings => plain("invalid", "is not an array of strings"),
            Self::NotIncludable => plain("invalid", "are not relationships of the topic's resource"),
            Self::UnknownTopic => plain("inclusion", "is not the name of an event"),
            Self::TooManyWebhooks(most) => (
                "too_many",
                format!("is one too many (maximum is {most} webhooks)"),
                Details::Count(usize::try_from(most).unwrap_or(usize::MAX)),
            ),
            Self::Contradictory => plain("invalid", "can't be sent together with its opposite"),
            Self::Anonymized => plain("invalid", "can't be true: the customer is anonymized already"),
            Self::NotRequested => plain("invalid", "can't be true: no request is waiting"),
            Self::TooLong(most) => {
                ("too_long", format!("is too long (maximum is {most} characters)"), Details::Count(most))
            }
            Self::TooManyBytes(most) => {
                ("too_long", format!("is too long (maximum is {most} bytes)"), Details::Count(most))
            }
            Self::TooShort(least) => {
                ("too_short", format!("is too short (minimum is {least} characters)"), Details::Count(least))
            }
            Self::MadeOfEmail(hints) => {
                password("contains_email", "can't be the e-mail address, or little more", hints)
            }
            Self::MadeOfShopName(hints) => {
                password("contains_shop_name", "can't be the shop's name, or little more", hints)
            }
            Self::TooSimple(hints) => password("too_simple", "can't be a repetition or a sequence", hints),
            Self::TooCommon(hints) => password("too_common", "is too common", hints),
        }
    }
}
