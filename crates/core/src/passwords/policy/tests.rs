use proptest::prelude::*;

use super::*;

fn check(password: &str) -> Result<CheckedPassword, PasswordRejected> {
    check_with(PasswordPolicy { min_length: 8 }, password)
}

fn check_with(policy: PasswordPolicy, password: &str) -> Result<CheckedPassword, PasswordRejected> {
    let email = "john.smith@example.com".parse().unwrap();
    let person = Person { email: &email, shop: "Demo Shop" };
    let password = PlainPassword::parse(password.to_owned()).unwrap();
    policy.check(password, &person).map_err(|refused| refused.with_hints(&person))
}

fn violation(password: &str) -> PolicyViolation {
    check(password).unwrap_err().violation
}

#[test]
fn password_policy_counts_code_points_after_normalization() {
    assert!(check("1234567é").is_ok());
    assert_eq!(violation("123456e\u{301}"), PolicyViolation::TooShort(8));
    assert!(check(" 🦀 and 🦑 ").is_ok());
    let alone = PasswordPolicy { min_length: Profile::SingleFactor.min_length() };
    let refused = check_with(alone, "fourteen marks").unwrap_err();
    assert_eq!((refused.violation, refused.hints), (PolicyViolation::TooShort(15), Hints::default()));
    assert!(check_with(alone, "fifteen letters").is_ok());
}

#[test]
fn password_policy_refuses_what_is_guessed_first() {
    for (password, why) in [
        ("John.Smith@Example.com", PolicyViolation::MadeOfEmail),
        ("john.smith1985", PolicyViolation::MadeOfEmail),
        ("example2026!", PolicyViolation::MadeOfEmail),
        ("Demo Shop", PolicyViolation::MadeOfShopName),
        ("demoshop1!", PolicyViolation::MadeOfShopName),
        ("Password", PolicyViolation::TooCommon),
        ("PASSWORD1", PolicyViolation::TooCommon),
        ("passwordpassword", PolicyViolation::TooCommon),
        ("ｐａｓｓｗｏｒｄ", PolicyViolation::TooCommon),
        ("iloveyou1", PolicyViolation::TooCommon),
        ("trustno1trustno1", PolicyViolation::TooCommon),
        ("Password123!", PolicyViolation::TooCommon),
        ("P@ssw0rd!", PolicyViolation::TooCommon),
        ("Qwerty123!?", PolicyViolation::TooCommon),
        ("Passwort2026", PolicyViolation::TooCommon),
        ("password password", PolicyViolation::TooCommon),
        ("P.a.s.s.w.o.r.d", PolicyViolation::TooCommon),
        ("pass\u{200b}word", PolicyViolation::TooCommon),
        ("12345678", PolicyViolation::TooSimple),
        ("aaaaaaaaaaaaaaaa", PolicyViolation::TooSimple),
        ("        ", PolicyViolation::TooSimple),
        ("abcdefghijklmnopqr", PolicyViolation::TooSimple),
        ("🦀🦀🦀🦀🦀🦀🦀🦀", PolicyViolation::TooSimple),
    ] {
        assert_eq!(violation(password), why, "{password}");
    }
}

#[test]
fn password_policy_lets_ordinary_passphrases_be() {
    for password in [
        "correct horse battery staple",
        "Liebe Grüße aus München",
        "le chat noir dort ici",
        "mi perro come manzanas",
        "il gatto sul tetto",
        "café com leite e pão",
        "de kat zit op de mat",
        "zażółć gęślą jaźń",
        "吾輩は猫である。名前",
        "السماء زرقاء اليوم",
        "my demo shop password is long",
        "john.smith wrote this one",
        "password of the lighthouse",
        "password31415926!",
        "sunshine, 4 bells",
        "tea-at-four-o'clock",
        "xK9$mQ2vLp7R",
        "hgtqwmzk",
        "the the the the end",
        "  spaces around it  ",
        "🦀 walks 🦑 swims 🐢 sleeps",
    ] {
        assert!(check(password).is_ok(), "{password}: {:?}", check(password));
    }
}

#[test]
fn password_policy_says_what_would_be_better() {
    let hints = |password: &str| check(password).unwrap_err().hints.iter().collect::<Vec<_>>();
    assert_eq!(hints("Password"), [Hint::CommonPassword, Hint::AddWords, Hint::Capitals]);
    assert_eq!(hints("aaaaaaaaaaaaaaaa"), [Hint::RepeatedCharacter, Hint::AddWords, Hint::UseSeveralWords]);
    assert_eq!(hints("john.smith1985"), [Hint::UseSeveralWords, Hint::NoSymbolsNeeded]);
    assert_eq!(hints("qwertyuiop"), [Hint::CommonPassword, Hint::AddWords, Hint::UseSeveralWords]);
    // What zxcvbn would take long for.
    assert!(!hints(&format!("{}demoshop", "4@8({[<369&#1!/|0$57%2".repeat(45))).is_empty());
}

#[test]
fn password_policy_refuses_nul_and_what_is_too_long() {
    assert!(PlainPassword::parse("long enough\0".to_owned()).is_err());
    assert!(PlainPassword::parse("a".repeat(1025)).is_err());
    assert!(PlainPassword::parse("a".repeat(1024)).is_ok());
}

proptest! {
    #[test]
    fn password_policy_refuses_the_person_in_any_dress(before in "[0-9 !.*_-]{0,6}", after in "[0-9 !.*_-]{0,6}", times in 1..4_usize) {
        for (word, why) in [("johnsmith", PolicyViolation::MadeOfEmail), ("DEMOSHOP", PolicyViolation::MadeOfShopName)] {
            let password = format!("{before}{}{after}", word.repeat(times));
            prop_assert_eq!(violation(&password), why, "{}", password);
        }
    }

    #[test]
    fn password_policy_has_no_composition_rules(words in prop::collection::vec("[a-zà-ÿぁ-ん]{4,9}", 4..8)) {
        let password = words.join(" ");
        prop_assert!(check(&password).is_ok(), "{}", password);
    }

    #[test]
    fn password_policy_takes_any_text_in_bounded_time(password in "\\PC{1,300}") {
        if let Ok(password) = PlainPassword::parse(password) {
            let email = "john.smith@example.com".parse().unwrap();
            let person = Person { email: &email, shop: "Demo Shop" };
            let _ = PasswordPolicy { min_length: 8 }.check(password, &person).map_err(|refused| refused.with_hints(&person));
        }
    }
}
