use minijinja::{Environment, context};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;

fn built_in() -> Texts {
    Texts::built_in(Language::English).unwrap()
}

/// An organization's folder with these files in `texts/`.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("texts")).unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join("texts").join(name), content).unwrap();
    }
    folder
}

/// The error of these overrides, without the folder's path.
fn error(name: &str, content: &str) -> String {
    let folder = folder(&[(name, content)]);
    let error = built_in()
        .overlaid(Some(folder.path()), &"en".parse().unwrap(), &TimeZone::UTC)
        .err()
        .unwrap()
        .to_string();
    error.replace(&folder.path().join("texts/").display().to_string(), "")
}

// Fluent's plurals for Arabic are wrong from 103 on, where they look at the number instead of its last two digits.
#[test]
fn counts_take_the_plural_of_their_language() {
    let texts = built_in();
    let days = |language, count| texts.reader(language).span(Duration::days(count)).unwrap();
    let minutes = |language, count| texts.reader(language).span(Duration::minutes(count)).unwrap();
    for (count, text) in
        [(1, "1 minuta"), (2, "2 minuty"), (5, "5 minut"), (12, "12 minut"), (22, "22 minuty")]
    {
        assert_eq!(minutes(Language::Polish, count), text);
    }
    let texts_by_count = [(1, "دقيقة واحدة"), (2, "دقيقتان"), (3, "3 دقائق"), (11, "11 دقيقة")];
    for (count, text) in texts_by_count {
        assert_eq!(minutes(Language::Arabic, count), text);
    }
    for (count, text) in [(2, "يومان"), (7, "7 أيام"), (11, "11 يومًا"), (99, "99 يومًا"), (100, "100 يوم")]
    {
        assert_eq!(days(Language::Arabic, count), text);
    }
    assert_eq!(days(Language::Portuguese, 7), "7 dias");
    assert_eq!(days(Language::Japanese, 7), "7日");
    assert_eq!(minutes(Language::French, 60), "1 heure");
}

#[test]
fn moments_are_written_as_readers_do_and_name_their_time_zone() {
    let texts = built_in();
    let at = OffsetDateTime::from_unix_timestamp(1_730_126_165).unwrap();
    let written = Language::ALL
        .map(|language| texts.reader(language).moment(at).unwrap().replace(['\u{202f}', '\u{a0}'], " "));
    assert_eq!(
        written,
        [
            "October 28, 2024 at 2:36 PM UTC",
            "28. Oktober 2024 um 14:36 Uhr UTC",
            "28 octobre 2024 à 14:36 UTC",
            "28 de octubre de 2024 a las 14:36 UTC",
            "28 ottobre 2024 alle ore 14:36 UTC",
            "28 de outubro de 2024 às 14:36 UTC",
            "28 oktober 2024 om 14:36 UTC",
            "28 października 2024 14:36 UTC",
            "2024年10月28日 14:36（UTC）",
            "28 أكتوبر 2024 في 2:36 م \u{2068}UTC\u{2069}",
        ]
    );
}

#[test]
fn moments_are_in_the_organization_s_time_zone_and_name_it() {
    let in_zone =
        |zone: &str| built_in().overlaid(None, &"en".parse().unwrap(), &zone.parse().unwrap()).unwrap();
    let written = |texts: &Texts, language, at: OffsetDateTime| {
        texts.reader(language).moment(at).unwrap().replace(['\u{202f}', '\u{a0}'], " ")
    };
    let berlin = in_zone("Europe/Berlin");
    let summer = datetime!(2026-10-25 00:59 UTC);
    for (language, before, after) in [
        (Language::German, "25. Oktober 2026 um 02:59 Uhr MESZ", "25. Oktober 2026 um 02:00 Uhr MEZ"),
        (Language::English, "October 25, 2026 at 2:59 AM GMT+2", "October 25, 2026 at 2:00 AM GMT+1"),
        (Language::French, "25 octobre 2026 à 02:59 UTC+2", "25 octobre 2026 à 02:00 UTC+1"),
        (Language::Polish, "25 października 2026 02:59 CEST", "25 października 2026 02:00 CET"),
        (Language::Japanese, "2026年10月25日 2:59（GMT+2）", "2026年10月25日 2:00（GMT+1）"),
    ] {
        assert_eq!(written(&berlin, language, summer), before);
        assert_eq!(written(&berlin, language, summer + Duration::minutes(1)), after);
    }
    let late = datetime!(2026-12-31 23:30 UTC);
    assert_eq!(written(&berlin, Language::French, late), "1er janvier 2027 à 00:30 UTC+1");
    assert_eq!(written(&berlin, Language::Portuguese, late), "1º de janeiro de 2027 às 00:30 +1 GMT");
    assert_eq!(
        written(&berlin, Language::Portuguese, datetime!(2026-11-11 11:11 UTC)),
        "11 de novembro de 2026 às 12:11 +1 GMT"
    );
    assert_eq!(written(&in_zone("Asia/Tokyo"), Language::Japanese, late), "2027年1月1日 8:30（JST）");
    assert_eq!(
        written(&in_zone("America/New_York"), Language::English, late),
        "December 31, 2026 at 6:30 PM EST"
    );
    assert!(written(&in_zone("Asia/Riyadh"), Language::Arabic, late).ends_with("غرينتش\u{200e}+3"));
}

#[test]
fn the_first_supported_preference_is_chosen_or_else_the_organizations_language() {
    let texts = Texts::built_in(Language::Dutch).unwrap();
    let preferences: Vec<Locale> = ["zh-TW", "de-AT", "fr"].map(|tag| tag.parse().unwrap()).into();
    assert_eq!(texts.choose(&preferences), Language::German);
    assert_eq!(texts.choose(&preferences[..1]), Language::Dutch);
    assert_eq!(texts.choose(&[]), Language::Dutch);
}

#[test]
fn an_organizations_texts_replace_those_of_their_key_and_no_other() {
    let folder =
        folder(&[("de.ftl", "\u{feff}# Unsere Worte\ntime-moment = am { $moment }\n"), (".keep", "")]);
    let texts = built_in().overlaid(Some(folder.path()), &"de".parse().unwrap(), &TimeZone::UTC).unwrap();
    let say = |language, key, arg| texts.say(language, key, &[arg, ("zone", "UTC".into())]);
    assert_eq!(say(Language::German, "time-moment", ("moment", "1. Mai".into())).unwrap(), "am 1. Mai");
    assert_eq!(say(Language::German, "time-days", ("count", 2.into())).unwrap(), "2 Tage");
    assert_eq!(say(Language::English, "time-moment", ("moment", "May 1".into())).unwrap(), "May 1\u{a0}UTC");
    assert_eq!(texts.choose(&[]), Language::German);
    let without = TempDir::new().unwrap();
    assert!(built_in().overlaid(Some(without.path()), &"en".parse().unwrap(), &TimeZone::UTC).is_ok());
}

#[test]
fn a_link_to_a_missing_folder_is_an_error() {
    let own = TempDir::new().unwrap();
    let link = own.path().join("texts");
    std::os::unix::fs::symlink("/nowhere", &link).unwrap();
    let error = built_in().overlaid(Some(own.path()), &"en".parse().unwrap(), &TimeZone::UTC).err().unwrap();
    assert!(error.to_string().starts_with(&format!("{} can't be read: ", link.display())), "{error}");
    // As the pages' templates are below those of mails.
    assert!(custom_files(&link.join("pages")).is_err());
    assert!(custom_files(&own.path().join("templates")).unwrap().is_empty());
}

#[test]
fn an_error_in_a_file_is_named_with_its_line_and_key() {
    let cases = [
        ("en.ftl", "\ntime-momnet = x\n", "en.ftl:2: there is no text `time-momnet`"),
        ("en.ftl", "time-moment = { $when }", "en.ftl:1: `time-moment` has no variable `$when`"),
        ("en.ftl", "time-moment = a\n# b\ntime-moment = c", "en.ftl:3: `time-moment` is defined twice"),
        ("en.ftl", "-brand = Acme", "en.ftl:1: `brand` uses more than variables and selections"),
        ("en.ftl", "a = { time-days }", "en.ftl:1: `a` uses more than variables and selections"),
        ("en.ftl", "a = { NUMBER($n) }", "en.ftl:1: `a` uses more than variables and selections"),
        ("en.ftl", "a = b\n    .c = d", "en.ftl:1: `a` uses more than variables and selections"),
        (
            "en.ftl",
            "time-moment = x\ntime-days = { $count",
            "en.ftl:2: `time-days`: Expected a token starting with \"}\"",
        ),
        (
            "en.ftl",
            "time-days = { $count ->\n [one] x\n}",
            "en.ftl:3: `time-days`: The select expression must have a default variant",
        ),
    ];
    for (name, content, message) in cases {
        assert_eq!(error(name, content), message);
    }
    assert_eq!(error("en.ftl", "  = x"), "en.ftl:1: Expected one of \"a-zA-Z\"");
    for name in ["zh.ftl", "pt.ftl", "DE.ftl", "de.txt", "de"] {
        let message = error(name, "");
        let rest = "is not named after a supported language: en, de, fr, es, it, pt-BR, nl, pl, ja, ar";
        assert_eq!(message, format!("{name} {rest}"));
    }
}

#[test]
fn a_text_without_its_variables_or_at_all_is_an_error() {
    let (texts, key) = (built_in(), "time-days".to_owned());
    assert_eq!(texts.say(Language::German, "time-days", &[]), Err(SayError::MissingVariable(key)));
    assert_eq!(texts.say(Language::German, "time", &[]), Err(SayError::UnknownKey("time".to_owned())));
}

#[test]
fn names_of_another_direction_are_isolated() {
    let texts = built_in();
    let say =
        |language, shop: &str| texts.say(language, "mail-reset-subject", &[("shop", shop.into())]).unwrap();
    assert_eq!(say(Language::English, "Acme!"), "Set a new password for Acme!");
    assert!(say(Language::English, "متجر").ends_with("for \u{2068}متجر\u{2069}"));
    assert!(say(Language::Arabic, "Acme!").ends_with(" \u{2068}Acme!\u{2069}"));
}

#[test]
fn texts_in_templates_are_escaped() {
    let mut environment = Environment::new();
    let source = r#"{{ t("time-moment", moment=name, zone="MEZ") }}, {{ t("time-days", count=2) }}"#;
    environment.add_template("page.html", source).unwrap();
    let render = |source: &str, name| {
        let t = built_in().reader(Language::German).function();
        environment.render_named_str("page.html", source, context! { t, name })
    };
    assert_eq!(
        render(source, "<b>Q&A</b>").unwrap(),
        "&lt;b&gt;Q&amp;A&lt;&#x2f;b&gt;\u{a0}Uhr\u{a0}MEZ, 2 Tage"
    );
    for (source, message) in [
        (r#"{{ t("time-moments") }}"#, "there is no text `time-moments`"),
        (r#"{{ t("time-moment") }}"#, "a variable of the text `time-moment` is missing"),
        (r#"{{ t("time-moment", moment=nothing) }}"#, "a variable of the text `time-moment` is missing"),
    ] {
        assert!(render(source, "").unwrap_err().to_string().contains(message), "{source}");
    }
}

#[test]
fn texts_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&built_in());
}
