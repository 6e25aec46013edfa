use proptest::{collection::vec, prelude::*};

use crate::{
    lines::MAX_LINE,
    names::{Names, Renamed},
    row::{ImportRowError, Reason},
    source::{Format, Rows},
};

/// The line of a row, and its address and reference or why it was refused.
type ReadRow = (u64, Result<(String, Option<String>), ImportRowError>);

fn read(input: impl AsRef<[u8]>) -> Vec<ReadRow> {
    read_with(input, Names::default())
}

fn read_with(input: impl AsRef<[u8]>, names: Names) -> Vec<ReadRow> {
    let mut rows = Rows::new(input.as_ref(), Format::Csv, names, false).unwrap();
    let mut read = Vec::new();
    while let Some(row) = rows.read_row().unwrap() {
        let content = row.content.map(|customer| (customer.email.to_string(), customer.reference.reference));
        read.push((row.line, content));
    }
    read
}

fn customer(line: u64, email: &str, reference: Option<&str>) -> ReadRow {
    (line, Ok((email.to_owned(), reference.map(str::to_owned))))
}

fn refused(line: u64, reason: Reason) -> ReadRow {
    (line, Err(reason.into()))
}

fn header_error(input: impl AsRef<[u8]>) -> String {
    match Rows::new(input.as_ref(), Format::Csv, Names::default(), false) {
        Ok(_) => panic!("the header was accepted"),
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

// C2, C7
#[test]
fn email_input_addresses_are_read_as_shops_have_them() {
    let text = "email,reference\nanna@example.com ,1\n\tbert@example.com,2\n\"carla@example.com\u{a0}\",3\n\
                dora@example.com\u{200b},4\ntaro..yamada@docomo.example,5\nhanako.@ezweb.example,6\n\
                .jiro@docomo.example,7\nx@m\u{fc}nchen.de,8\n";
    let addresses: Vec<_> = read(text).into_iter().map(|(_, content)| content.unwrap().0).collect();
    assert_eq!(
        addresses,
        [
            "anna@example.com",
            "bert@example.com",
            "carla@example.com",
            "dora@example.com",
            "taro..yamada@docomo.example",
            "hanako.@ezweb.example",
            ".jiro@docomo.example",
            "x@xn--mnchen-3ya.de"
        ]
    );
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
fn a_quote_that_is_not_closed_affects_its_own_line_only() {
    let text = "email,reference\na@example.com,\"open\nb@example.com,2\nc@example.com,3\n";
    let rest = [customer(3, "b@example.com", Some("2")), customer(4, "c@example.com", Some("3"))];
    let rows = read(text);
    assert_eq!(rows[0], refused(2, Reason::OpenQuote));
    assert_eq!(rows[1..], rest);

    // The same, where the record would become too long.
    let many: Vec<_> = (0..4_000).map(|n| format!("customer-{n}@example.com,R\n")).collect();
    let rows = read(format!("email,reference\na@example.com,\"open\n{}", many.concat()));
    assert_eq!(rows[0], refused(2, Reason::OpenQuote));
    assert_eq!(rows.len(), 4_001);
    assert!(rows[1..].iter().all(|(_, content)| content.is_ok()));
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
    text.extend([b"a".as_slice(), &vec![b','; 5_000], b"\n"].concat());
    text.extend(b"\"a@example.com\"b,1\n");
    text.extend(b"a@example.com,\"1\" \n");
    text.extend(b"fine@example.com,1\n");
    let rows = read(text);
    let reasons = [
        Reason::NotUtf8,
        Reason::Nul,
        Reason::FieldCount { found: 1, expected: 2 },
        Reason::FieldCount { found: 3, expected: 2 },
        Reason::CarriageReturn,
        Reason::LineTooLong,
        Reason::FieldCount { found: 5_001, expected: 2 },
        Reason::TextAfterQuote,
        Reason::TextAfterQuote,
    ];
    for ((row, reason), line) in rows.iter().zip(reasons).zip(2..) {
        assert_eq!(*row, refused(line, reason));
    }
    assert_eq!(rows[9..], [customer(11, "fine@example.com", Some("1"))]);
}

#[test]
fn a_header_that_cant_be_used_is_an_error() {
    for (text, part) in [
        ("", "empty"),
        ("\n\r\n", "empty"),
        ("reference,locale\n", "no column email"),
        ("john@example.com,R-1\n", "column 1 of the header is none of email, reference"),
        ("email,Customer Group (new)\n", "column 2 of the header \"Customer Group (new)\" is none of email"),
        ("email,Email\n", "column 2"),
        ("email,reference,email\n", "two columns for email"),
        ("email,\"reference\n", "not a line of CSV"),
        ("email,\n", "column 2"),
    ] {
        let error = header_error(text);
        assert!(error.contains(part), "{text:?}: {error}");
        assert!(!error.contains("john"), "{error}");
    }
    assert_eq!(header_error("sep=;\n"), "the file is empty: its first line names the columns");
    assert!(header_error(vec![b'e'; MAX_LINE + 1]).contains("64 KiB"));
}

/// What spreadsheet programs write. The names are those of the cases.
#[test]
fn the_variants_of_excel_are_read_or_name_their_cause() {
    const ROWS: &str = "anna@example.com;Müller, Köln\r\nbert@example.com;\"said \"\"hi\"\"\"\r\n";
    let two_rows = |line| {
        [
            customer(line, "anna@example.com", Some("Müller, Köln")),
            customer(line + 1, "bert@example.com", Some("said \"hi\"")),
        ]
    };
    let commas = ROWS.replace("Müller, Köln", "\"Müller, Köln\"").replace(';', ",");

    assert_eq!(read(format!("\u{feff}email;reference\r\n{ROWS}")), two_rows(2), "1-utf8-bom-semicolon");
    assert_eq!(read(format!("\u{feff}sep=;\r\nemail;reference\r\n{ROWS}")), two_rows(3), "2-sep-line");
    assert_eq!(read(format!("\u{feff}\u{feff}email,reference\r\n{commas}")), two_rows(2), "6-double-bom");
    assert_eq!(
        read("email,reference\r\nanna@example.com,\"first line\nsecond line\"\r\nbert@example.com,b-2\r\n"),
        [
            customer(2, "anna@example.com", Some("first line\nsecond line")),
            customer(4, "bert@example.com", Some("b-2"))
        ],
        "9-quoted-newline"
    );

    let cp1252: Vec<u8> =
        format!("email;reference\r\n{ROWS}").chars().map(|c| u8::try_from(c).unwrap()).collect();
    let [anna, bert] = read(cp1252).try_into().unwrap();
    assert_eq!(anna, refused(2, Reason::NotUtf8), "4-cp1252");
    assert_eq!(bert, two_rows(2)[1]);
    assert!(Reason::NotUtf8.to_string().contains("not UTF-8: save the file as CSV UTF-8"));
}

/// C4. What other programs and other countries write.
#[test]
fn c4_the_relatives_of_excels_variants_are_read() {
    let rows = [customer(2, "anna@example.com", Some("1")), customer(3, "bert@example.com", Some("2"))];
    for text in [
        "email|reference\nanna@example.com|1\nbert@example.com|2\n",
        "email,reference\ranna@example.com,1\rbert@example.com,2\r",
        "email;reference\ranna@example.com;1\rbert@example.com;2",
        "email,reference\r\r\nanna@example.com,1\r\r\nbert@example.com,2\r\r\n",
        "\"email\",\"reference\"\n\"anna@example.com\",\"1\"\nbert@example.com,2\n,\n\"\", \n\t\n",
        "email,reference\nanna@example.com,1\nbert@example.com,2\n,,,,,\n",
    ] {
        assert_eq!(read(text), rows, "{text:?}");
    }
    let after_sep = [customer(3, "anna@example.com", Some("1,5;x")), customer(4, "bert@example.com", None)];
    for sep in ["sep=|", "SEP=|", "\"sep=|\""] {
        let text = format!("{sep}\r\nemail|reference\r\nanna@example.com|1,5;x\r\nbert@example.com|\r\n");
        assert_eq!(read(text), after_sep, "{sep}");
    }
    let names = "\"Name, first\";email;\"a,b,c\"\nx;anna@example.com;y\n";
    let ignoring = Names { ignores_unknown: true, ..Names::default() };
    assert_eq!(read_with(names, ignoring), [customer(2, "anna@example.com", None)]);
}

/// C4.
#[test]
fn c4_columns_are_renamed_and_others_passed_over() {
    let text = "Customer Email,Tags,Id=No\nanna@example.com,new,7\n";
    let renamed = || ["Customer Email=email", "Id=No=reference"].map(|map| map.parse().unwrap()).to_vec();
    let names = Names { renamed: renamed(), ignores_unknown: true, ..Names::default() };
    assert_eq!(read_with(text, names), [customer(2, "anna@example.com", Some("7"))]);
    let error = |text: &str, ignores_unknown| {
        let names = Names { renamed: renamed(), ignores_unknown, ..Names::default() };
        Rows::new(text.as_bytes(), Format::Csv, names, false).err().unwrap().to_string()
    };
    assert!(error(text, false).starts_with("column 2 of the header \"Tags\" is none of email"));
    assert!(error("Customer Email\n", true).contains("no column \"Id=No\", which --map names"));
    assert!(error("Customer Email,Id=No,email\n", true).contains("two columns for email"));
    for map in ["email", "Name=name", "="] {
        assert!(map.parse::<Renamed>().is_err(), "{map}");
    }
}

/// A closing quotation mark in the wrong place affects its own line only, also where it closes what another line opened.
#[test]
fn a_line_that_closes_an_earlier_quote_wrongly_is_read_by_itself() {
    let text = "email,reference\na@example.com,\"open\nb@example.com,\"2\"\nc@example.com,3\n";
    assert_eq!(
        read(text),
        [
            refused(2, Reason::TextAfterQuote),
            customer(3, "b@example.com", Some("2")),
            customer(4, "c@example.com", Some("3"))
        ]
    );
}

/// Quotes a field as RFC 4180 has it.
fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn what_is_written_by_the_standard_is_read(references in vec("[ -~éß\n\"]{1,40}", 1..20)) {
        let rows = references.iter().enumerate();
        let text: Vec<_> = rows.map(|(n, reference)| format!("{},c{n}@example.com\n", quoted(reference))).collect();
        let rows = read(format!("reference,email\n{}", text.concat()));
        prop_assert_eq!(rows.len(), references.len());
        for (n, ((_, content), reference)) in rows.into_iter().zip(references).enumerate() {
            prop_assert_eq!(content.unwrap(), (format!("c{n}@example.com"), Some(reference)));
        }
    }

    #[test]
    fn no_line_is_lost_or_read_twice_whatever_is_between(
        noise in prop_oneof![
            vec(any::<u8>(), 0..200),
            "[\",\r\na]{0,60}".prop_map(String::into_bytes),
        ]
    ) {
        // A whole line is read after whatever comes first: only the noise's own lines may be refused.
        let text = [b"email,reference\n", noise.as_slice(), b"\nlast@example.com,1\n"].concat();
        let rows = read(text);
        prop_assert_eq!(&rows.last().unwrap().1, &Ok(("last@example.com".to_owned(), Some("1".to_owned()))));
        let lines: Vec<_> = rows.iter().map(|(line, _)| *line).collect();
        prop_assert!(lines.is_sorted() && lines.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn nothing_makes_the_reader_panic(noise in vec(any::<u8>(), 0..400)) {
        let rows = read([b"email,reference\n", noise.as_slice()].concat());
        prop_assert!(rows.len() <= noise.len());
    }
}
