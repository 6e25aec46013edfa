//! The colours that follow from an organization's colour, so that everything is readable in light and dark mode.

use rekey_runtime::config::Color;

/// The darkest background of text in light mode, as in the stylesheet.
const LIGHT: Color = Color::new(0xf3, 0xf4, 0xf6);
/// The lightest background of text in dark mode.
const DARK: Color = Color::new(0x1f, 0x22, 0x27);

/// Returns the beginning of the stylesheet: custom properties.
pub fn css(brand: Color) -> String {
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        properties(brand, LIGHT),
        properties(brand, DARK)
    )
}

fn properties(brand: Color, background: Color) -> String {
    let accent = brand.with_contrast(background, Color::SHAPE);
    let link = brand.with_contrast(background, Color::TEXT);
    format!("--accent:{accent};--on-accent:{};--link:{link}", accent.ink())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backgrounds_are_those_of_the_stylesheet() {
        let sheet = include_str!("templates/hosted/style.css");
        assert!(sheet.contains(&format!("--ground: {LIGHT}")), "in the light");
        assert!(sheet.contains(&format!("--paper: {DARK}")), "in the dark");
    }

    #[test]
    fn a_colour_that_nothing_can_be_read_in_is_darkened_or_lightened() {
        assert_eq!(css(Color::parse("#1f5fbf").unwrap()).matches("#1f5fbf").count(), 2);
        let yellow = css(Color::parse("#ffee00").unwrap());
        assert!(yellow.contains("--on-accent:#000000") && yellow.contains("--link:#ffee00"), "{yellow}");
        assert!(!yellow.split('\n').next().unwrap().contains("#ffee00"), "{yellow}");
    }
}
