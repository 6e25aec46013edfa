use super::*;

#[test]
fn an_enhanced_code_is_one_of_the_replys_own_class() {
    for (code, text, enhanced) in [
        (250, "2.0.0 Ok: queued as 4F", Some("2.0.0")),
        (550, "5.1.10 null MX", Some("5.1.10")),
        (450, "4.2.1", Some("4.2.1")),
        (550, "4.2.1 of another class", None),
        (550, "No such user", None),
        (550, "5.1 short", None),
        (550, "5.1.1.1 long", None),
        (550, "5.01.1 zero", None),
        (550, "5.1.1000 many", None),
        (550, "", None),
    ] {
        let expected = Reply { code, enhanced: enhanced.map(str::to_owned) };
        assert_eq!(reply(code, text), expected, "{code} {text}");
    }
}

#[test]
fn smtp_5xx_only_codes_about_the_address_make_it_bad() {
    for (code, text, bad) in [
        (550, "5.1.1 no such user", true),
        (550, "5.1.2 no such domain", true),
        (501, "5.1.3 bad syntax", true),
        (551, "5.1.6 moved", true),
        (556, "5.1.10 null MX", true),
        (550, "5.2.1 disabled", true),
        (550, "no such user", false),
        (550, "relay not permitted", false),
        (551, "not here", false),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", false),
        (552, "5.2.2 full", false),
        (550, "5.7.1 policy", false),
        (554, "5.7.1 relay access denied", false),
        (550, "5.1.0 vague", false),
        (550, "5.4.1 no route", false),
        (554, "5.6.0 contents", false),
    ] {
        assert_eq!(address_is_bad(&reply(code, text)), bad, "{code} {text}");
    }
}
