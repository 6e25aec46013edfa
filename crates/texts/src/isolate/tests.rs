use super::*;

#[test]
fn only_values_of_another_direction_are_isolated() {
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
