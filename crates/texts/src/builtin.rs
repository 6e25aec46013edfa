//! The texts that are part of the program.

use crate::language::Language;

/// A file: its part's name and its content.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($language:literal) => {
        [
            ("mail", include_str!(concat!("../locales/", $language, "/mail.ftl"))),
            ("pages", include_str!(concat!("../locales/", $language, "/pages.ftl"))),
            ("policy", include_str!(concat!("../locales/", $language, "/policy.ftl"))),
            ("time", include_str!(concat!("../locales/", $language, "/time.ftl"))),
        ]
    };
}

/// The files of a language. The keys of each start with its part's name.
pub const fn files(language: Language) -> [File; 4] {
    match language {
        Language::English => files!("en"),
        Language::German => files!("de"),
        Language::French => files!("fr"),
        Language::Spanish => files!("es"),
        Language::Italian => files!("it"),
        Language::Portuguese => files!("pt-BR"),
        Language::Dutch => files!("nl"),
        Language::Polish => files!("pl"),
        Language::Japanese => files!("ja"),
        Language::Arabic => files!("ar"),
    }
}
