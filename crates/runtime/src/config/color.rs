//! What can be read on a colour, and what in it (WCAG 2.2).

use std::fmt;

use super::Color;

impl Color {
    pub const BLACK: Self = Self { red: 0, green: 0, blue: 0 };
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };
    /// The contrast that text needs at least (success criterion 1.4.3).
    pub const TEXT_CONTRAST: f64 = 4.5;
    /// The contrast that a button or a field needs against what is around it (success criterion 1.4.11).
    pub const SHAPE_CONTRAST: f64 = 3.0;

    /// The contrast of two colours, 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Black or white, whichever is read more easily on this colour. The contrast is never below 4.58.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::BLACK) > self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }

    /// This colour, mixed with so much black or white that it has that contrast, of at most 4.5, on the background.
    #[must_use]
    pub fn standing_out(self, background: Self, contrast: f64) -> Self {
        let ink = background.ink();
        let mixed = (0..=STEPS).map(|step| self.mixed(ink, step));
        mixed.into_iter().find(|mixed| mixed.contrast(background) >= contrast).unwrap_or(ink)
    }

    fn mixed(self, ink: Self, step: u16) -> Self {
        let mix = |own: u8, other: u8| {
            let sum = u16::from(own) * (STEPS - step) + u16::from(other) * step;
            u8::try_from(sum / STEPS).unwrap_or(u8::MAX)
        };
        Self {
            red: mix(self.red, ink.red),
            green: mix(self.green, ink.green),
            blue: mix(self.blue, ink.blue),
        }
    }

    /// Relative luminance, as WCAG defines it.
    fn luminance(self) -> f64 {
        let [red, green, blue] = [self.red, self.green, self.blue].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// Steps from a colour to black or white.
const STEPS: u16 = 32;

/// `#rrggbb`.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_and_written_alike() {
        for text in ["#000000", "#1f4fd8", "#ffffff"] {
            assert_eq!(Color::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "#", "#fff", "1f4fd8", "#1f4fd8 ", "#+f4fd8", "#1f4fdg", "red", "#ffffff;x:y", "#日本"]
        {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrasts_are_those_of_wcag() {
        assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
        // The grey that is known as the lightest to pass on white.
        let grey = Color::parse("#767676").unwrap();
        assert!((grey.contrast(Color::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn whatever_the_shops_color_words_on_it_and_in_it_can_be_read() {
        let steps = [0, 0x33, 0x66, 0x80, 0x99, 0xcc, 0xff];
        let all = steps
            .iter()
            .flat_map(|red| steps.iter().flat_map(move |green| steps.map(|blue| (*red, *green, blue))));
        for (red, green, blue) in all {
            let color = Color { red, green, blue };
            assert!(color.contrast(color.ink()) >= Color::TEXT_CONTRAST, "{color}");
            for background in [Color::WHITE, Color::parse("#202327").unwrap()] {
                for contrast in [Color::TEXT_CONTRAST, Color::SHAPE_CONTRAST] {
                    let shown = color.standing_out(background, contrast);
                    assert!(shown.contrast(background) >= contrast, "{color} on {background}: {shown}");
                }
            }
        }
    }
}
