//! One form for what people take to be the same.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The text in lower case and in Unicode Normalization Form KC, in which full-width letters, ligatures and superscripts are
/// plain ones. For comparing only: a password itself keeps its Form C, or `²` and `2` would be one password.
pub(super) fn fold(text: &str) -> Zeroizing<String> {
    // Form KC grows a text to at most eleven times its octets (UAX 15 §9), but hardly any: with room for the usual, no copy of a
    // password is left behind by growing.
    let mut folded = Zeroizing::new(String::with_capacity(text.len() * 3));
    folded.extend(text.nfkc().flat_map(char::to_lowercase));
    folded
}

/// A folded text's letters and digits alone: no spaces and punctuation, and nothing that is not seen.
pub(super) fn squeeze(folded: &str) -> Zeroizing<String> {
    let mut squeezed = Zeroizing::new(String::with_capacity(folded.len()));
    squeezed.extend(folded.chars().filter(|letter| letter.is_alphanumeric()));
    squeezed
}
