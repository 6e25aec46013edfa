//! Characters in settings that nobody sees, such as those that an editor or a copied web page leaves.

use std::fmt;

use rekey_core::name::is_invisible;

/// A character that can't be seen, or looks like a space and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invisible(char);

/// Returns the first such character of a text. Spaces, tabs and line breaks are not counted between visible ones, as in a PEM file or a list.
pub(super) fn find_invisible(text: &str) -> Option<Invisible> {
    let is_break =
        |at, c| matches!(c, '\t' | '\n') || text.get(at..).is_some_and(|rest| rest.starts_with("\r\n"));
    text.char_indices()
        .find(|&(at, c)| is_invisible(c) && !is_break(at, c) || c.is_whitespace() && !c.is_ascii())
        .map(|(_, c)| Invisible(c))
}

impl fmt::Display for Invisible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            '\u{feff}' => "a byte order mark",
            '\u{a0}' | '\u{202f}' => "a no-break space",
            '\r' => "a carriage return",
            _ => "an invisible character",
        };
        write!(f, "{name} (U+{:04X})", u32::from(self.0))
    }
}
