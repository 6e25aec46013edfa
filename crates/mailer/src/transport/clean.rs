//! Makes replies of other servers safe to log and store.

/// Characters kept, at most: as many as a delivery's record holds.
const MAX_LENGTH: usize = 512;

/// Returns one line without control characters, and without whatever may be an address: servers repeat the recipient's.
pub(crate) fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let shown: Vec<_> = words.map(|word| if is_address(word) { "(address)" } else { word }).collect();
    shown.join(" ").chars().take(MAX_LENGTH).collect()
}

/// `=40` and `%40` are how an `@` is written in bounce addresses and URLs.
fn is_address(word: &str) -> bool {
    ["@", "=40", "%40"].iter().any(|at| word.contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_replies_lose_addresses_line_breaks_and_length() {
        let reply =
            "5.1.1 <john@example.com>:\r\nRecipient\u{7}rejected, see http://r.example/?a=john%40example.com";
        assert_eq!(clean(reply), "5.1.1 (address) Recipient rejected, see (address)");
        assert_eq!(clean(&"x".repeat(10_000)).len(), MAX_LENGTH);
    }
}
