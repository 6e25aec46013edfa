//! Colors: how they are read and written, and the contrasts on them.

use proptest::prelude::*;

use super::Color;

#[test]
fn colours_are_read_and_written_alike() {
    for text in ["#000000", "#1f4fd8", "#ffffff"] {
        assert_eq!(Color::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "#", "#fff", "1f4fd8", "#1f4fd8 ", "#+f4fd8", "#1f4fdg", "red", "#ffffff;x:y", "#日本"]
    {
        assert_eq!(Color::parse(text), None, "{text}");
    }
}

#[test]
fn contrasts_are_those_of_wcag() {
    assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
    // The lightest grey with enough contrast on white.
    let grey = Color::new(0x76, 0x76, 0x76);
    assert!((grey.contrast(Color::WHITE) - 4.54).abs() < 0.01);
}

proptest! {
    #[test]
    fn whatever_the_shops_colour_words_on_it_and_in_it_can_be_read(r: u8, g: u8, b: u8) {
        let colour = Color::new(r, g, b);
        prop_assert!(colour.contrast(colour.ink()) >= Color::TEXT);
        for background in [Color::WHITE, Color::new(0x1b, 0x21, 0x2a)] {
            prop_assert!(colour.with_contrast(background, Color::TEXT).contrast(background) >= Color::TEXT);
            prop_assert!(colour.with_contrast(background, Color::SHAPE).contrast(background) >= Color::SHAPE);
        }
    }
}
