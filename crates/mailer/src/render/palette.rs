//! The colours of an organization's mails.

use rekey_runtime::config::{Brand, Color, Support};
use serde::Serialize;

/// The background of a mail's text in light mode, as the layout has it.
const LIGHT: Color = Color::WHITE;
/// The background in dark mode.
const DARK: Color = Color::new(0x1b, 0x21, 0x2a);

/// What templates know as `look`. All colours follow from the brand's, so that everything is readable.
#[derive(Debug, Serialize)]
pub struct Palette {
    logo_text: Option<String>,
    support: Option<String>,
    support_link: Option<String>,
    /// The background of buttons.
    accent: String,
    on_accent: String,
    link: String,
    dark_accent: String,
    on_dark_accent: String,
    dark_link: String,
}

impl Palette {
    pub fn from_brand(brand: &Brand) -> Self {
        let colours = |background| {
            let accent = brand.color.with_contrast(background, Color::SHAPE);
            let link = brand.color.with_contrast(background, Color::TEXT);
            (accent.to_string(), accent.ink().to_string(), link.to_string())
        };
        let (accent, on_accent, link) = colours(LIGHT);
        let (dark_accent, on_dark_accent, dark_link) = colours(DARK);
        let (support, support_link) = match &brand.support {
            Some(Support::Email(address)) => (Some(address.clone()), Some(format!("mailto:{address}"))),
            Some(Support::Page(url)) => (Some(url.clone()), Some(url.clone())),
            None => (None, None),
        };
        let logo_text = brand.logo_text.clone();
        Self {
            logo_text,
            support,
            support_link,
            accent,
            on_accent,
            link,
            dark_accent,
            on_dark_accent,
            dark_link,
        }
    }
}
