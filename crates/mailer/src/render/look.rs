//! How an organization's mails look.

use serde::{Serialize, Serializer};

use super::colour::{Colour, SHAPE, TEXT};

/// What an organization says of its look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What stands at the top; the shop's name if there is nothing else.
    pub logo_text: Option<String>,
    /// The colour of buttons and links.
    pub colour: Colour,
    /// Where customers get help: an e-mail address, a URL or a telephone number.
    pub support: Option<String>,
}

/// The background of a mail's text in the light, as the layout has it.
const LIGHT: Colour = Colour::WHITE;
/// And in the dark.
const DARK: Colour = Colour::new(0x1b, 0x21, 0x2a);

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
struct Hex(Colour);

impl Palette {
    pub fn of(look: &Look) -> Self {
        let dark_accent = look.colour.standing_out(DARK, SHAPE);
        let accent = look.colour.standing_out(LIGHT, SHAPE);
        Self {
            logo_text: look.logo_text.clone(),
            support: look.support.clone(),
            support_link: look.support.as_deref().and_then(link),
            colours: Colours {
                accent: Hex(accent),
                on_accent: Hex(accent.ink()),
                link: Hex(look.colour.standing_out(LIGHT, TEXT)),
                dark_accent: Hex(dark_accent),
                on_dark_accent: Hex(dark_accent.ink()),
                dark_link: Hex(look.colour.standing_out(DARK, TEXT)),
            },
        }
    }
}

/// Where an address leads; a telephone number and the like have no link.
fn link(support: &str) -> Option<String> {
    if support.starts_with("https://") {
        Some(support.to_owned())
    } else {
        support.contains('@').then(|| format!("mailto:{support}"))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
