use proptest::{collection::vec, prelude::*};

use super::*;

/// What was read of each row: its line, and its address and reference or why it was refused.
type Told = (u64, Result<(String, Option<String>), Refusal>);

fn read(input: impl AsRef<[u8]>) -> Vec<Told> {
    let mut rows = CsvRows::new(Lines::new(input.as_ref())).unwrap();
    let mut told = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let content = row.content.map(|customer| (customer.email.to_string(), customer.reference.reference));
        told.push((row.line, content));
    }
    told
}

fn customer(line: u64, email: &str, reference: Option<&str>) -> Told {
    (line, Ok((email.to_owned(), reference.map(str::to_owned))))
}

fn refused(line: u64, reason: Reason) -> Told {
    (line, Err(reason.into()))
}

fn header_error(input: impl AsRef<[u8]>) -> String {
    match CsvRows::new(Lines::new(input.as_ref())) {
        Ok(_) => panic!("the header was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn columns_come_in_any_order_with_any_separator_and_line_end() {
    for text in [
        "email,reference\njohn@example.com,R-1\n\njane@example.com,\n",
        "\u{feff}reference;email\r\nR-1;john@example.com\r\n\r\n;jane@example.com",
        "reference\temail\n\"R-1\"\t\"john@example.com\"\n\n\t\"jane@example.com\"\n",
        "\"email\", reference\njohn@example.com,\"R-1\"\n  \njane@example.com,\"\"\n",
    ] {
        assert_eq!(
            read(text),
            [customer(2, "john@example.com", Some("R-1")), customer(4, "jane@example.com", None)],
            "{text}"
        );
    }
}

#[test]
fn quoted_fields_hold_separators_quotes_and_line_ends() {
    let text = "email,reference\na@example.com,\"1, \"\"one\"\"\r\n\r\nend\"\nb@example.com,5\" disk\nc@example.com,3\n";
    assert_eq!(
        read(text),
        [
            customer(2, "a@example.com", Some("1, \"one\"\n\nend")),
            customer(5, "b@example.com", Some("5\" disk")),
            customer(6, "c@example.com", Some("3")),
        ]
    );
}

#[test]
fn a_quote_that_is_not_closed_spoils_its_own_line_only() {
    let text = "email,reference\na@example.com,\"open\nb@example.com,2\nc@example.com,3\n";
    let rest = [customer(3, "b@example.com", Some("2")), customer(4, "c@example.com", Some("3"))];
    let told = read(text);
    assert_eq!(told[0], refused(2, Reason::OpenQuote));
    assert_eq!(told[1..], rest);

    // The same, where the record would become too long.
    let many: Vec<_> = (0..4_000).map(|n| format!("customer-{n}@example.com,R\n")).collect();
    let told = read(format!("email,reference\na@example.com,\"open\n{}", many.concat()));
    assert_eq!(told[0], refused(2, Reason::OpenQuote));
    assert_eq!(told.len(), 4_001);
    assert!(told[1..].iter().all(|(_, content)| content.is_ok()));
}

#[test]
fn hostile_lines_are_refused_one_by_one() {
    let mut text = b"email,reference\n".to_vec();
    text.extend(b"a@example.com,\xff\n");
    text.extend(b"a\0@example.com,1\n");
    text.extend(b"a@example.com\n");
    text.extend(b"a@example.com,1,2\n");
    text.extend(b"a@example.com,1\rb@example.com,2\n");
    text.extend([b"a@example.com,".as_slice(), &vec![b'x'; MAX_LINE], b"\n"].concat());
    text.extend([vec![b','; 5_000].as_slice(), b"\n"].concat());
    text.extend(b"\"a@example.com\"b,1\n");
    text.extend(b"a@example.com,\"1\" \n");
    text.extend(b"fine@example.com,1\n");
    let told = read(text);
    let reasons = [
        Reason::NotUtf8,
        Reason::Nul,
        Reason::FieldCount,
        Reason::FieldCount,
        Reason::CarriageReturn,
        Reason::LineTooLong,
        Reason::FieldCount,
        Reason::TextAfterQuote,
        Reason::TextAfterQuote,
    ];
    for ((told, reason), line) in told.iter().zip(reasons).zip(2..) {
        assert_eq!(*told, refused(line, reason));
    }
    assert_eq!(told[9..], [customer(11, "fine@example.com", Some("1"))]);
}

#[test]
fn a_header_that_cant_be_used_is_told() {
    for (text, part) in [
        ("", "empty"),
        ("\n\r\n", "empty"),
        ("reference,locale\n", "no column email"),
        ("john@example.com,R-1\n", "column 1 of the header is none of email, reference"),
        ("email,Email\n", "column 2"),
        ("email,reference,email\n", "email twice"),
        ("email,\"reference\n", "not a line of CSV"),
        ("email,\n", "column 2"),
        ("email\rjohn@example.com\r", "not a line of CSV"),
    ] {
        let told = header_error(text);
        assert!(told.contains(part), "{text:?}: {told}");
        assert!(!told.contains("john"), "{told}");
    }
    // UTF-16, with its byte order mark.
    assert!(header_error(b"\xff\xfee\0m\0a\0i\0l\0\n\0").contains("UTF-8"));
    assert!(header_error(vec![b'e'; MAX_LINE + 1]).contains("64 KiB"));
}

/// A field as the standard has it.
fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn what_is_written_by_the_standard_is_read(references in vec("[ -~éß\n\"]{1,40}", 1..20)) {
        let rows = references.iter().enumerate();
        let text: Vec<_> = rows.map(|(n, reference)| format!("{},c{n}@example.com\n", quoted(reference))).collect();
        let told = read(format!("reference,email\n{}", text.concat()));
        prop_assert_eq!(told.len(), references.len());
        for (n, ((_, content), reference)) in told.into_iter().zip(references).enumerate() {
            prop_assert_eq!(content.unwrap(), (format!("c{n}@example.com"), Some(reference)));
        }
    }

    #[test]
    fn no_line_is_lost_or_read_twice_whatever_is_between(noise in vec(any::<u8>(), 0..200)) {
        // A line that is whole, behind whatever comes first, is read: at most the noise's own lines are spoilt.
        let noise: Vec<u8> = noise.into_iter().filter(|octet| *octet != b'"').collect();
        let text = [b"email,reference\n", noise.as_slice(), b"\nlast@example.com,1\n"].concat();
        let told = read(text);
        prop_assert_eq!(&told.last().unwrap().1, &Ok(("last@example.com".to_owned(), Some("1".to_owned()))));
        let lines: Vec<_> = told.iter().map(|(line, _)| *line).collect();
        prop_assert!(lines.is_sorted() && lines.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn nothing_makes_the_reader_panic(noise in vec(any::<u8>(), 0..400)) {
        let told = read([b"email,reference\n", noise.as_slice()].concat());
        prop_assert!(told.len() <= noise.len());
    }
}
