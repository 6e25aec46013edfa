//! The filters of templates.

use minijinja::Value;
use textwrap::{Options, WordSplitter};

/// Columns of a line of text, as RFC 3676 §4.2 advises: a quoted line still fits in 80.
const COLUMNS: usize = 72;

/// Escapes a URL for HTML, in attributes and text. minijinja's own escaping also replaces each slash, which is correct but makes
/// a link that no reader of the source can check.
pub fn escape_url(url: &str) -> Value {
    let escaped = url.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Value::from_safe_string(escaped.replace('"', "&quot;").replace('\'', "&#39;"))
}

/// Breaks a paragraph into lines where its script allows it (Unicode UAX #14); longer words stay whole. Not for links, which it
/// would break behind a slash.
pub fn wrap(paragraph: &str) -> String {
    let options = Options::new(COLUMNS).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(paragraph, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_stays_readable_and_can_not_leave_its_attribute() {
        assert_eq!(escape_url("https://a.example/?b=1&c=2").as_str(), Some("https://a.example/?b=1&amp;c=2"));
        assert_eq!(
            escape_url(r#"x" onclick='y'><b>"#).as_str(),
            Some("x&quot; onclick=&#39;y&#39;&gt;&lt;b&gt;")
        );
    }

    #[test]
    fn paragraphs_are_broken_between_words_and_words_are_not() {
        let wrapped = wrap(&"wort ".repeat(40));
        assert!(wrapped.lines().all(|line| line.len() <= COLUMNS), "{wrapped}");
        let long = "Donaudampfschifffahrt".repeat(5);
        assert_eq!(wrap(&format!("{long} {long}")), format!("{long}\n{long}"));
        let japanese = wrap(&"新しいパスワードを設定する。".repeat(6));
        assert!(japanese.lines().all(|line| line.chars().count() <= COLUMNS / 2 && !line.starts_with('。')));
    }
}
