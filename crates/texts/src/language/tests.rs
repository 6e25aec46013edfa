use super::*;

#[test]
fn a_locale_finds_its_language_whatever_its_region() {
    for (locale, found) in [
        ("de", Some(Language::German)),
        ("de-AT", Some(Language::German)),
        ("pt", Some(Language::Portuguese)),
        ("pt-PT", Some(Language::Portuguese)),
        ("pt_br", Some(Language::Portuguese)),
        ("ar-EG", Some(Language::Arabic)),
        ("ja-Jpan-JP", Some(Language::Japanese)),
        ("zh-Hant-TW", None),
        ("es-419", Some(Language::Spanish)),
        ("den", None),
    ] {
        assert_eq!(Language::for_locale(&locale.parse().unwrap()), found, "{locale}");
    }
}

#[test]
fn tags_are_in_canonical_form_and_find_their_language() {
    for language in Language::ALL {
        let locale: Locale = language.tag().parse().unwrap();
        assert_eq!(locale.as_str(), language.tag());
        assert_eq!(Language::from_tag(language.tag()), Some(language));
        assert_eq!(Language::for_locale(&locale), Some(language));
    }
}
