//! The folded form in which passwords are compared with known words.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Returns the text in lower case and in Unicode Normalization Form KC, which replaces full-width letters, ligatures and superscripts
/// by plain characters. For comparison only: the password itself keeps Form C, in which `²` and `2` differ.
pub(super) fn fold(text: &str) -> Zeroizing<String> {
    // Form KC grows a text to at most eleven times its bytes (UAX 15 §9), but hardly ever. With room for the usual growth the string is
    // not reallocated, which would leave a copy of the password in memory.
    let mut folded = Zeroizing::new(String::with_capacity(text.len() * 3));
    folded.extend(text.nfkc().flat_map(char::to_lowercase));
    folded
}

/// Returns only the letters and digits of a folded text, without spaces, punctuation and invisible characters.
pub(super) fn squeeze(folded: &str) -> Zeroizing<String> {
    let mut squeezed = Zeroizing::new(String::with_capacity(folded.len()));
    squeezed.extend(folded.chars().filter(|letter| letter.is_alphanumeric()));
    squeezed
}
