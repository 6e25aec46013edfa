use super::*;
use crate::{Language, Texts};

#[test]
fn a_refusal_comes_with_its_hints() {
    let texts = Texts::built_in(Language::English).unwrap();
    let hints = [Hint::CommonPassword, Hint::AddWords].into_iter().collect();
    let refusal = PasswordRejected { violation: PolicyViolation::TooCommon, hints };
    assert_eq!(
        texts.reader(Language::French).explain(&refusal).unwrap(),
        [
            "Beaucoup de personnes utilisent ce mot de passe\u{a0}: c’est l’un des premiers que l’on essaie. Veuillez en choisir un autre.",
            "Ce mot de passe est très courant.",
            "Ajoutez un ou deux mots, si possible peu courants.",
        ]
    );
}

#[test]
fn the_number_in_a_policy_has_the_form_of_the_language() {
    let texts = Texts::built_in(Language::English).unwrap();
    let length = |language, min_length| {
        let sentences = texts.reader(language).policy(PasswordPolicy { min_length }).unwrap();
        sentences[0].split(['.', '。']).next().unwrap().to_owned()
    };
    assert_eq!(length(Language::English, 8), "At least 8 characters");
    assert_eq!(length(Language::Polish, 15), "Co najmniej 15 znaków");
    assert_eq!(length(Language::Polish, 22), "Co najmniej 22 znaki");
    assert_eq!(length(Language::Arabic, 8), "8 أحرف على الأقل");
    assert_eq!(length(Language::Arabic, 15), "15 حرفًا على الأقل");
}
