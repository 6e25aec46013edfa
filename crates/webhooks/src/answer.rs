//! What a receiver answered.

use std::time::Duration;

use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use time::OffsetDateTime;

/// The longest wait that a receiver can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);
/// How much of a body is kept, in bytes.
const MAX_KEPT: usize = 1 << 10;
/// How much of a body is read, in bytes. What is longer costs the connection, which can't be used again.
const MAX_READ: usize = 16 << 10;
/// The length of the longest character in UTF-8, in bytes.
const MAX_CHARACTER: usize = 4;

/// A receiver's answer, of whatever status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. A redirection is not followed, so it is one of these.
    pub status: u16,
    /// The beginning of the body, 1 KiB at most. What is not UTF-8 or is a control character is replaced.
    pub body: String,
    /// The wait that `Retry-After` asks for, at most 24 hours (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Reads an answer to a request that was sent at that time.
    pub(crate) async fn read(
        mut response: Response,
        sent_at: OffsetDateTime,
    ) -> Result<Self, reqwest::Error> {
        let retry_after = retry_after(response.headers(), sent_at);
        let (mut kept, mut read_count) = (Vec::new(), 0);
        while read_count < MAX_READ
            && let Some(chunk) = response.chunk().await?
        {
            read_count += chunk.len();
            kept.extend(chunk.iter().take((MAX_KEPT + MAX_CHARACTER).saturating_sub(kept.len())));
        }
        Ok(Self { status: response.status().as_u16(), body: printable(&kept), retry_after })
    }
}

fn retry_after(headers: &HeaderMap, sent_at: OffsetDateTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let wait = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = OffsetDateTime::from(httpdate::parse_http_date(value).ok()?);
        Duration::try_from(at - sent_at).unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Returns the characters that fit into [`MAX_KEPT`] bytes.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        let shown = match character {
            '\t' | '\n' | '\r' => ' ',
            control if control.is_control() => char::REPLACEMENT_CHARACTER,
            other => other,
        };
        if text.len() + shown.len_utf8() > MAX_KEPT {
            break;
        }
        text.push(shown);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let sent_at = OffsetDateTime::from_unix_timestamp(784_111_717).unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("90000", Some(86_400)),
            ("18446744073709551615", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:47:37 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers, sent_at), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_body_is_cut_between_characters_and_has_no_control_characters() {
        assert_eq!(printable(b"{\r\n\t\"a\": 1}"), "{   \"a\": 1}");
        assert_eq!(printable(b"a\0b\x1b[31m\xffc\xc2\x85"), "a\u{fffd}b\u{fffd}[31m\u{fffd}c\u{fffd}");
        for (character, count) in [("a", 1024), ("ä", 512), ("€", 341), ("😀", 256), ("\0", 341)] {
            let kept: Vec<_> = character.bytes().cycle().take(MAX_KEPT + MAX_CHARACTER).collect();
            let text = printable(&kept);
            assert_eq!((text.chars().count(), text.len() <= MAX_KEPT), (count, true), "{character}");
        }
    }
}
