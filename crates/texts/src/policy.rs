//! What passwords must be, in a reader's words: told before one is chosen, and after one was refused.

use rekey_core::passwords::{Hint, PasswordPolicy, PasswordRejected, PolicyViolation};

use crate::{
    reader::Reader,
    texts::{Arg, SayError},
};

impl Reader {
    /// What the policy asks for, in sentences.
    pub fn policy(&self, policy: PasswordPolicy) -> Result<Vec<String>, SayError> {
        Ok(vec![self.say("policy-length", &[count(policy.min_length)])?, self.say("policy-rules", &[])?])
    }

    /// Why a password was refused, and then what would be better, in sentences.
    pub fn refusal(&self, refusal: &PasswordRejected) -> Result<Vec<String>, SayError> {
        let mut said = vec![self.violation(refusal.violation)?];
        for hint in refusal.hints.iter() {
            said.push(self.say(key(hint), &[])?);
        }
        Ok(said)
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
mod tests {
    use super::*;
    use crate::{Language, Texts};

    #[test]
    fn a_refusal_is_told_with_its_hints() {
        let texts = Texts::built_in(Language::English).unwrap();
        let hints = [Hint::CommonPassword, Hint::AddWords].into_iter().collect();
        let refusal = PasswordRejected { violation: PolicyViolation::TooCommon, hints };
        assert_eq!(
            texts.reader(Language::French).refusal(&refusal).unwrap(),
            [
                "Beaucoup de personnes utilisent ce mot de passe\u{a0}: c’est l’un des premiers que l’on essaie. Veuillez en choisir un autre.",
                "Ce mot de passe est très courant.",
                "Ajoutez un ou deux mots, si possible peu courants.",
            ]
        );
    }

    #[test]
    fn a_policy_is_told_with_its_number_in_the_language_s_form() {
        let texts = Texts::built_in(Language::English).unwrap();
        let told = |language, min_length| {
            let sentences = texts.reader(language).policy(PasswordPolicy { min_length }).unwrap();
            sentences[0].split(['.', '。']).next().unwrap().to_owned()
        };
        assert_eq!(told(Language::English, 8), "At least 8 characters");
        assert_eq!(told(Language::Polish, 15), "Co najmniej 15 znaków");
        assert_eq!(told(Language::Polish, 22), "Co najmniej 22 znaki");
        assert_eq!(told(Language::Arabic, 8), "8 أحرف على الأقل");
        assert_eq!(told(Language::Arabic, 15), "15 حرفًا على الأقل");
    }
}
