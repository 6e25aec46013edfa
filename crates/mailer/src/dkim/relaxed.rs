//! The "relaxed" canonical form, which survives what mail servers do to white space (RFC 6376 §3.4.2 and §3.4.4).

/// Returns the name of each header in lower case, and the header in relaxed form with its line end.
pub(super) fn fields(head: &str) -> Vec<(String, String)> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let fields = unfolded.split("\r\n").filter_map(|line| line.split_once(':'));
    fields
        .map(|(name, value)| {
            let name = name.trim_end().to_ascii_lowercase();
            let line = format!("{name}:{}\r\n", squeeze(value.trim_matches(is_blank)));
            (name, line)
        })
        .collect()
}

/// Returns a body in relaxed form: without blanks at the ends of lines and empty lines at its end.
pub(super) fn body(body: &str) -> String {
    let lines = body.split("\r\n").map(|line| squeeze(line.trim_end_matches(is_blank)));
    let whole = lines.collect::<Vec<_>>().join("\r\n");
    match whole.trim_end_matches("\r\n") {
        "" => String::new(),
        text => format!("{text}\r\n"),
    }
}

/// Replaces each run of blanks by one space.
fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\t' if squeezed.ends_with(' ') => {}
            ' ' | '\t' => squeezed.push(' '),
            _ => squeezed.push(c),
        }
    }
    squeezed
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §3.4.5.
    #[test]
    fn the_rfcs_examples() {
        let fields: String = fields("A: X\r\nB : Y\t\r\n\tZ  ").into_iter().map(|(_, line)| line).collect();
        assert_eq!(fields, "a:X\r\nb:Y Z\r\n");
        assert_eq!(body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
    }

    #[test]
    fn a_body_ends_with_one_line_end_or_is_empty() {
        for (given, relaxed) in [
            ("", ""),
            ("\r\n", ""),
            (" \r\n\t\r\n", ""),
            ("a", "a\r\n"),
            ("\r\na\r\n.\r\n", "\r\na\r\n.\r\n"),
        ] {
            assert_eq!(body(given), relaxed, "{given:?}");
        }
    }
}
