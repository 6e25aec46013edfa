use std::fmt;

use zeroize::Zeroizing;

/// A response as the client got it. It may contain a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// The names and values of its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Encodes it for encryption: a line of JSON with status and headers, then the body.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let head = serde_json::json!([self.status, self.headers]).to_string();
        Zeroizing::new([head.as_bytes(), b"\n", &self.body].concat())
    }

    /// Decodes [`Answer::encode`]'s form.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        // JSON escapes line breaks in strings, so the first one ends the head.
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, body) = bytes.split_at_checked(end)?;
        let (status, headers) = serde_json::from_slice(head).ok()?;
        Some(Self { status, headers, body: body.get(1..)?.to_vec() })
    }
}

/// Shows only what may be logged.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_back_byte_for_byte() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for body in [&b""[..], b"{\"data\":1}", b"\n\n\xff\0\r\n"] {
            let headers = vec![header("location", "https://shop.test/x"), header("x", "a\nb\"c")];
            let answer = Answer { status: 201, headers, body: body.to_vec() };
            assert_eq!(Answer::decode(&answer.encode()), Some(answer));
        }
        for broken in [&b""[..], b"{}", b"[201,[]]", b"\n[201,[]]"] {
            assert_eq!(Answer::decode(broken), None, "{broken:?}");
        }
    }
}
