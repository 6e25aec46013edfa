//! How an organization's mails look.

use rekey_runtime::config::{Brand, Color, Support};
use serde::{Serialize, Serializer};

/// The background of a mail's text in the light, as the layout has it.
const LIGHT: Color = Color::WHITE;
/// And in the dark.
const DARK: Color = Color::new(0x1b, 0x21, 0x2a);

/// What templates know as `look`: the colours that follow from the one, so that everything can be read.
#[derive(Debug, Serialize)]
pub struct Palette {
    logo_text: Option<String>,
    support: Option<String>,
    support_link: Option<String>,
    #[serde(flatten)]
    colours: Colours,
}

#[derive(Debug, Serialize)]
struct Colours {
    /// Buttons.
    accent: Hex,
    on_accent: Hex,
    link: Hex,
    /// The same on a dark background.
    dark_accent: Hex,
    on_dark_accent: Hex,
    dark_link: Hex,
}

#[derive(Debug)]
struct Hex(Color);

impl Palette {
    pub fn of(brand: &Brand) -> Self {
        let on = |background| {
            let accent = brand.color.with_contrast(background, Color::SHAPE);
            (Hex(accent), Hex(accent.ink()), Hex(brand.color.with_contrast(background, Color::TEXT)))
        };
        let (accent, on_accent, link) = on(LIGHT);
        let (dark_accent, on_dark_accent, dark_link) = on(DARK);
        let (support, support_link) = match &brand.support {
            Some(Support::Email(address)) => (Some(address.clone()), Some(format!("mailto:{address}"))),
            Some(Support::Page(url)) => (Some(url.clone()), Some(url.clone())),
            None => (None, None),
        };
        let colours = Colours { accent, on_accent, link, dark_accent, on_dark_accent, dark_link };
        Self { logo_text: brand.logo_text.clone(), support, support_link, colours }
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
