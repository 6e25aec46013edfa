//! Values of the other direction are set apart from the text around them (Unicode UAX #9 §2.5).

use std::borrow::Cow;

use crate::language::Direction;

/// First strong isolate: what follows has the direction of its own first letter, left to right if it has none.
const FSI: char = '\u{2068}';
/// Ends it.
const PDI: char = '\u{2069}';

/// The value, isolated if some of it runs against the text's direction.
pub fn isolated(value: &str, text: Direction) -> Cow<'_, str> {
    let crosses = match text {
        Direction::LeftToRight => value.chars().any(is_right_to_left),
        Direction::RightToLeft => {
            let foreign = |c: char| c.is_alphabetic() && !is_right_to_left(c);
            // Without letters, the groups of a telephone number would come in reverse order.
            let bare = !value.chars().any(char::is_alphabetic) && value.chars().any(char::is_numeric);
            bare || value.chars().any(foreign)
        }
    };
    if crosses { Cow::Owned(format!("{FSI}{value}{PDI}")) } else { Cow::Borrowed(value) }
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
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_against_the_text_is_isolated() {
        use Direction::{LeftToRight, RightToLeft};
        assert_eq!(isolated("Café & Söhne 24", LeftToRight), "Café & Söhne 24");
        assert_eq!(isolated("日本", LeftToRight), "日本");
        assert_eq!(isolated("متجر", LeftToRight), "\u{2068}متجر\u{2069}");
        assert_eq!(isolated("חנות!", LeftToRight), "\u{2068}חנות!\u{2069}");
        assert_eq!(isolated("متجر", RightToLeft), "متجر");
        assert_eq!(isolated("Shop!", RightToLeft), "\u{2068}Shop!\u{2069}");
        assert_eq!(isolated("+49 30 12", RightToLeft), "\u{2068}+49 30 12\u{2069}");
        assert_eq!(isolated("متجر 24", RightToLeft), "متجر 24");
        assert_eq!(isolated("...", RightToLeft), "...");
    }
}
