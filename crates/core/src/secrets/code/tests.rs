use proptest::prelude::*;

use super::*;
use crate::{
    ids::OrganizationId,
    random::OsRandom,
    secrets::{ResetToken, SealedCode},
    testing::ring,
};

#[test]
fn a_code_is_read_as_people_type_it() {
    let (keys, reset) = (ring([("a", 1)]), ResetId::generate(&OsRandom));
    let code = ResetCode::parse("CDFH-JK34").unwrap();
    assert_eq!(code.expose().as_str(), "CDFH-JK34");
    for typed in [
        "cdfhjk34",
        " cdfh jk34 ",
        "C-D-F-H-J-K-3-4",
        "cdfh\u{2013}jk34",
        "ＣＤＦＨＪＫ３４\n",
        "ｃｄｆｈーｊｋ３４",
        "\u{2068}CDFH-JK34\u{2069}\u{200f}",
        "cdfh-jk\u{663}\u{664}",
        "cdfh-jk\u{6f3}\u{6f4}",
    ] {
        let read = ResetCode::parse(typed).unwrap_or_else(|| panic!("{typed}"));
        assert_eq!(read.digest(reset, &keys), code.digest(reset, &keys), "{typed}");
    }
}

// C9
#[test]
fn c9_a_code_is_found_among_punctuation_and_words() {
    for typed in [
        "CDFH-JK34.",
        "Code: CDFH-JK34",
        "code:CDFH-JK34",
        "\u{201c}CDFH-JK34\u{201d}",
        "\u{201e}CDFH-JK34\u{201c},",
        "'CDFH-JK34'",
        "\u{ab}\u{a0}CDFH-JK34\u{a0}\u{bb}",
        "(CDFH-JK34)",
        "[cdfh jk34]",
        "CDFH\u{2013}JK34",
        "CDFH\u{2014}JK34",
        "CDFH\u{2212}JK34",
        "CDFH\u{a0}JK34",
        "CDFH\u{202f}-\u{202f}JK34",
        "CDFH_JK34",
        "CDFH.JK34",
        "CDFH\u{ad}JK\u{200b}34",
        "> CDFH-JK34",
        "*CDFH-JK34*",
        "My code is CDFH-JK34!",
        "Ihr Code lautet CDFH-JK34 (6 Stunden).",
        "Codice: CD FH JK 34;",
        "\u{30b3}\u{30fc}\u{30c9}\u{ff1a}CDFH-JK34\u{3002}",
        "\u{627}\u{644}\u{631}\u{645}\u{632}: CDFH-JK\u{663}\u{664}",
    ] {
        let code = ResetCode::parse(typed).unwrap_or_else(|| panic!("{typed}"));
        assert_eq!(code.expose().as_str(), "CDFH-JK34", "{typed}");
    }
    // Two different codes, or a part of a longer word.
    for typed in [
        "CDFH-JK34 CDFH-JK36",
        "CDFHJK34CDFHJK34",
        "XCDFH-JK34",
        "CDFH-JK34X",
        "CD FH JK 34 67",
        "CDFH JK3 code 4",
    ] {
        assert!(ResetCode::parse(typed).is_none(), "{typed}");
    }
}

#[test]
fn a_look_alike_is_read_as_what_was_shown() {
    for (typed, meant) in [("cufh-jk3g", "CVFH-JK36"), ("ＧＵ３４ＣＤＦＨ", "6V34-CDFH")] {
        assert_eq!(ResetCode::parse(typed).unwrap().expose().as_str(), meant);
    }
}

#[test]
fn the_pattern_has_every_character_in_both_cases() {
    for &letter in ALPHABET {
        for letter in [letter, letter.to_ascii_lowercase()] {
            assert!(CODE_PATTERN.contains(char::from(letter)));
        }
    }
    assert_eq!(CODE_PATTERN.len(), "([][ -]?){8}".len() + 2 * ALPHABET.len() - 5);
}

#[test]
fn token_type_other_shapes_are_no_codes() {
    let token = ResetToken::generate(&OsRandom);
    let long = format!("CDFHJK34{}", " ".repeat(MAX_TYPED_LENGTH));
    for text in [
        "",
        "CDFHJK3",
        "CDFHJK345",
        "CDFHJK30",
        "CDFHJK3\0",
        "CDFHJK3%",
        "CDFH%2DJK34",
        "--------",
        token.expose(),
        &long,
    ] {
        assert!(ResetCode::parse(text).is_none(), "{text:?}");
    }
    assert!(ResetToken::parse("CDFHJK34").is_none());
}

#[test]
fn a_digest_is_of_the_code_the_reset_and_the_key_and_survives_a_rotation() {
    let (old, new) = (ring([("old", 1)]), ring([("new", 2), ("old", 1)]));
    let (reset, code) = (ResetId::generate(&OsRandom), ResetCode::generate(&OsRandom));
    let digest = code.digest(reset, &old);
    assert!(code.digests(reset, &new).contains(&digest));
    assert!(!code.digests(ResetId::generate(&OsRandom), &new).contains(&digest));
    assert!(!code.digests(reset, &ring([("new", 2)])).contains(&digest));
    assert!(!ResetCode::generate(&OsRandom).digests(reset, &new).contains(&digest));
}

#[test]
fn a_sealed_code_opens_for_its_reset_only_and_shows_nothing() {
    let (keys, organization, reset) =
        (ring([("a", 1)]), OrganizationId::generate(&OsRandom), ResetId::generate(&OsRandom));
    let code = ResetCode::generate(&OsRandom);
    let sealed = SealedCode::seal(&code, organization, reset, &keys, &OsRandom);
    assert_eq!(sealed.unseal(organization, reset, &keys).unwrap().expose(), code.expose());
    assert!(sealed.unseal(organization, ResetId::generate(&OsRandom), &keys).is_err());
    assert!(!sealed.as_bytes().windows(LENGTH).any(|part| part == code.0.as_bytes()));
    assert_eq!(format!("{code:?} {:?}", code.digest(reset, &keys)), "ResetCode(…) CodeDigest(…)");
}

proptest! {
    #[test]
    fn every_generated_code_reads_back(seed in prop::array::uniform32(any::<u8>())) {
        let code = ResetCode::generate(&Repeated(seed, 0.into()));
        prop_assert_eq!(ResetCode::parse(&code.expose()).unwrap().expose(), code.expose());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        let _ = ResetCode::parse(&text);
    }
}

/// Some bytes, then all there are.
struct Repeated([u8; 32], std::sync::atomic::AtomicUsize);

impl RandomSource for Repeated {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let at = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            *byte = self.0.get(at).copied().unwrap_or(u8::try_from(at % 256).unwrap());
        }
    }
}
