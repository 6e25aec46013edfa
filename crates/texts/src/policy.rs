//! The texts about the password policy: before a password is chosen, and after one was rejected.

use rekey_core::passwords::{Hint, PasswordPolicy, PasswordRejected, PolicyViolation};

use crate::{
    reader::Reader,
    texts::{Arg, SayError},
};

impl Reader {
    /// Returns the policy's requirements, in sentences.
    pub fn policy(&self, policy: PasswordPolicy) -> Result<Vec<String>, SayError> {
        Ok(vec![self.say("policy-length", &[count(policy.min_length)])?, self.say("policy-rules", &[])?])
    }

    /// Explains in sentences why a password was rejected, with hints for a better one.
    pub fn explain(&self, rejected: &PasswordRejected) -> Result<Vec<String>, SayError> {
        let mut sentences = vec![self.violation(rejected.violation)?];
        for hint in rejected.hints.iter() {
            sentences.push(self.say(key(hint), &[])?);
        }
        Ok(sentences)
    }

    fn violation(&self, violation: PolicyViolation) -> Result<String, SayError> {
        match violation {
            PolicyViolation::TooShort(least) => self.say("policy-too-short", &[count(least)]),
            PolicyViolation::MadeOfEmail => self.say("policy-contains-email", &[]),
            PolicyViolation::MadeOfShopName => self.say("policy-contains-shop-name", &[]),
            PolicyViolation::TooSimple => self.say("policy-too-simple", &[]),
            PolicyViolation::TooCommon => self.say("policy-too-common", &[]),
        }
    }
}

fn count(number: usize) -> (&'static str, Arg<'static>) {
    ("count", Arg::Number(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn key(hint: Hint) -> &'static str {
    match hint {
        Hint::CommonPassword => "policy-hint-common-password",
        Hint::LikeCommonPassword => "policy-hint-like-common-password",
        Hint::SingleWord => "policy-hint-single-word",
        Hint::Names => "policy-hint-names",
        Hint::Dates => "policy-hint-dates",
        Hint::RepeatedCharacter => "policy-hint-repeated-character",
        Hint::RepeatedWord => "policy-hint-repeated-word",
        Hint::Sequence => "policy-hint-sequence",
        Hint::Keyboard => "policy-hint-keyboard",
        Hint::UseSeveralWords => "policy-hint-use-several-words",
        Hint::AddWords => "policy-hint-add-words",
        Hint::NoSymbolsNeeded => "policy-hint-no-symbols-needed",
        Hint::Capitals => "policy-hint-capitals",
        Hint::Backwards => "policy-hint-backwards",
        Hint::Substitutions => "policy-hint-substitutions",
    }
}

#[cfg(test)]
mod tests;
