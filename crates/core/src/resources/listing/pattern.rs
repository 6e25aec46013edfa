/// A pattern for texts. ASCII letters match in either case, on every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

/// A part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These characters.
    Literal(String),
    /// Any one character.
    One,
    /// Any characters, or none.
    Many,
}

impl Pattern {
    /// Matches texts that begin with this one.
    #[must_use]
    pub fn starts_with(text: &str) -> Self {
        Self(vec![Part::Literal(text.to_owned()), Part::Many])
    }

    /// Matches texts that end with this one.
    #[must_use]
    pub fn ends_with(text: &str) -> Self {
        Self(vec![Part::Many, Part::Literal(text.to_owned())])
    }

    /// Matches texts that contain this one.
    #[must_use]
    pub fn contains(text: &str) -> Self {
        Self(vec![Part::Many, Part::Literal(text.to_owned()), Part::Many])
    }

    /// Parses a pattern of SQL's LIKE: `%` is any characters, `_` any one, and a backslash escapes the next character; at the end it is a
    /// backslash.
    #[must_use]
    pub fn parse(pattern: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '%' => {
                    parts.push(Part::Many);
                    continue;
                }
                '_' => {
                    parts.push(Part::One);
                    continue;
                }
                '\\' => characters.next().unwrap_or('\\'),
                other => other,
            };
            match parts.last_mut() {
                Some(Part::Literal(text)) => text.push(literal),
                _ => parts.push(Part::Literal(literal.into())),
            }
        }
        Self(parts)
    }

    /// Returns its parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Returns the pattern for SQL's LIKE with a backslash as the escape character.
    #[must_use]
    pub fn to_like(&self) -> String {
        let mut like = String::new();
        for part in &self.0 {
            match part {
                Part::One => like.push('_'),
                Part::Many => like.push('%'),
                Part::Literal(text) => {
                    for character in text.chars() {
                        if matches!(character, '%' | '_' | '\\') {
                            like.push('\\');
                        }
                        like.push(character);
                    }
                }
            }
        }
        like
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_and_written_as_like_has_it() {
        for (typed, like) in [
            ("%@example.com", "%@example.com"),
            (r"50\%_", r"50\%_"),
            (r"a\bc", "abc"),
            (r"end\", r"end\\"),
            (r"\\", r"\\"),
            ("", ""),
        ] {
            assert_eq!(Pattern::parse(typed).to_like(), like, "{typed}");
            assert_eq!(Pattern::parse(like), Pattern::parse(typed));
        }
        assert_eq!(Pattern::parse(r"a\%b%"), Pattern::starts_with("a%b"));
        assert_eq!(Pattern::contains("a%_\\").to_like(), r"%a\%\_\\%");
        assert_eq!(Pattern::starts_with("a").to_like(), "a%");
        assert_eq!(Pattern::ends_with("a").to_like(), "%a");
    }
}
