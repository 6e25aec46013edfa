//! Isolates values of the other direction from the text around them (Unicode UAX #9 §2.5).

use std::borrow::Cow;

use crate::language::Direction;

/// First strong isolate: the direction follows from the first letter after it, left to right if there is none.
const FSI: char = '\u{2068}';
/// Pop directional isolate: the end of an isolate.
const PDI: char = '\u{2069}';

/// Isolates the value if a part of it has another direction than the text.
pub fn isolated(value: &str, text: Direction) -> Cow<'_, str> {
    let differs = match text {
        Direction::LeftToRight => value.chars().any(is_right_to_left),
        Direction::RightToLeft => {
            let foreign = |c: char| c.is_alphabetic() && !is_right_to_left(c);
            // Without letters, the groups of a telephone number would appear in reverse order.
            let bare = !value.chars().any(char::is_alphabetic) && value.chars().any(char::is_numeric);
            bare || value.chars().any(foreign)
        }
    };
    if differs { Cow::Owned(format!("{FSI}{value}{PDI}")) } else { Cow::Borrowed(value) }
}

/// The blocks that Unicode reserves for scripts written from right to left (`DerivedBidiClass`, defaults R and AL).
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08ff}'
        | '\u{fb1d}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fdff}'
        | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests;
