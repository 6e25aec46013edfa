use proptest::{collection::vec, prelude::*};
use rekey_core::customers::import::ImportedCustomer;
use serde_json::Value;

use crate::{
    names::{Column, Names},
    row::{ImportRowError, Reason, Row},
    source::{Format, Rows},
};

fn read(input: impl AsRef<[u8]>) -> Vec<Row> {
    read_with(input, Names::default())
}

fn read_with(input: impl AsRef<[u8]>, names: Names) -> Vec<Row> {
    let mut rows = Rows::new(input.as_ref(), Format::Jsonl, names, false).unwrap();
    let mut read = Vec::new();
    while let Some(row) = rows.read_row().unwrap() {
        read.push(row);
    }
    read
}

fn one(line: &str) -> Result<ImportedCustomer, ImportRowError> {
    let [row] = read(line).try_into().unwrap();
    row.content
}

#[test]
fn an_object_a_line_is_a_customer() {
    let text = "\u{feff}{\"email\": \"John@Example.com\", \"reference\": \"R-1\", \"reference_origin\": \"shop\", \
                \"metadata\": {\"a\": [1, null]}, \"locale\": \"pt_br\", \
                \"password_hash\": \"$2y$05$KoiKWsrACi.76nAAfe9fpu.xXWZ91yQIMCYgp6jbvTqdmnxx9Jgi6\"}\r\n\n\
                {\"email\":\"jane@example.com\",\"reference\":null,\"locale\":\"\",\"metadata\":null}";
    let [john, jane] = read(text).try_into().unwrap();
    assert_eq!((john.line, jane.line), (1, 3));
    let john = john.content.unwrap();
    assert_eq!((john.line, john.email.as_str()), (1, "john@example.com"));
    assert_eq!(john.reference.reference.as_deref(), Some("R-1"));
    assert_eq!(john.reference.reference_origin.as_deref(), Some("shop"));
    assert_eq!(Value::Object(john.reference.metadata), serde_json::json!({"a": [1, null]}));
    assert_eq!(john.locale.unwrap().as_str(), "pt-BR");
    assert!(john.password.unwrap().as_str().starts_with("$2b$05$"));
    let jane = jane.content.unwrap();
    assert!(jane.password.is_none() && jane.locale.is_none() && jane.reference.metadata.is_empty());
}

#[test]
fn email_array_and_other_wrong_types_are_refused() {
    for value in ["[\"a@x.com\",\"b@x.com\"]", "{\"a\":1}", "1", "true", "[]"] {
        assert_eq!(
            one(&format!("{{\"email\":{value}}}")).unwrap_err(),
            Column::Email.error(Reason::NotAText)
        );
    }
    for value in ["null", "\"\""] {
        assert_eq!(one(&format!("{{\"email\":{value}}}")).unwrap_err(), Column::Email.error(Reason::Missing));
    }
    assert_eq!(one("{}").unwrap_err(), Column::Email.error(Reason::Missing));
    for value in ["a@x.com,b@x.com", "a@x.com\\r\\nBcc: b@x.com", "a\\u0000@x.com", "\\u212a@x.com", "a"] {
        let refused = one(&format!("{{\"email\":\"{value}\"}}")).unwrap_err();
        assert_eq!(refused, Column::Email.error(Reason::NotAnAddress), "{value}");
    }
}

#[test]
fn the_fault_of_each_member_is_named() {
    let with = |member: &str| one(&format!("{{\"email\":\"a@example.com\",{member}}}")).unwrap_err();
    let long = "x".repeat(256);
    for (member, column, reason) in [
        ("\"reference\":7", Column::Reference, Reason::NotAText),
        (&*format!("\"reference\":\"{long}\""), Column::Reference, Reason::TextTooLong),
        ("\"reference_origin\":\"a\\u0000\"", Column::ReferenceOrigin, Reason::NulWithin),
        ("\"metadata\":[]", Column::Metadata, Reason::MetadataNotAnObject),
        ("\"metadata\":\"[1]\"", Column::Metadata, Reason::MetadataNotAnObject),
        ("\"metadata\":{\"a\":[{\"\\u0000\":1}]}", Column::Metadata, Reason::NulWithin),
        ("\"locale\":\"German\"", Column::Locale, Reason::NotALocale),
        ("\"email\":\"b@example.com\"", Column::Email, Reason::Twice),
    ] {
        assert_eq!(with(member), column.error(reason), "{member}");
    }
    let unknown = with("\"password\":\"hunter2\"").to_string();
    assert!(unknown.starts_with("the member \"password\" is none of email"), "{unknown}");
    let value = with("\"b@example.com\":1").to_string();
    assert!(value.starts_with("the member is none of email"), "{value}");
}

/// C4.
#[test]
fn c4_members_are_renamed_and_others_passed_over() {
    let names =
        Names { renamed: vec!["mail=email".parse().unwrap()], ignores_unknown: true, ..Names::default() };
    let [row] = read_with("{\"mail\":\"a@example.com\",\"tags\":[1]}", names).try_into().unwrap();
    assert_eq!(row.content.unwrap().email.as_str(), "a@example.com");
}

/// C4. Phpass is that of WordPress before 6.8.
#[test]
fn c4_a_hash_that_cant_be_used_is_a_warning_that_names_it() {
    for (hash, name) in [
        ("5f4dcc3b5aa765d61d8327deb882cf99", "a bare digest"),
        ("$P$BAb12Cd34DuCf5VLzHnVRchYwWxuaj1", "phpass of MD5"),
        ("pbkdf2_sha256$0$seasalt2seasalt$JLsQ", "malformed Django PBKDF2"),
        ("$2b$15$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEkG", "too many rounds"),
        ("hunter2", "no known format"),
    ] {
        let line =
            format!("{{\"email\":\"a@example.com\",\"reference\":\"R\",\"password_hash\":\"{hash}\"}}");
        let [row] = read(line).try_into().unwrap();
        let customer = row.content.unwrap();
        assert_eq!((customer.password, customer.reference.reference.as_deref()), (None, Some("R")));
        let warning = row.warning.unwrap();
        assert_eq!(warning.column, Some(Column::PasswordHash));
        let text = warning.reason.to_string();
        assert!(text.contains(name) && text.contains("imported without a password"), "{text}");
        assert!(!text.contains(&hash[..6]), "{text}");
    }
}

#[test]
fn an_array_is_named_as_such() {
    let array = b"[\n{\"email\":\"a@example.com\"}]".as_slice();
    let error = Rows::new(array, Format::Jsonl, Names::default(), false).err().unwrap().to_string();
    assert!(error.contains("JSON array"), "{error}");
}

#[test]
fn lines_that_are_no_object_are_refused_one_by_one() {
    let deep =
        format!("{{\"email\":\"a@example.com\",\"metadata\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = "{\"email\":\"a@example.com\",\"metadata\":{\"n\":1e999}}";
    let hostile = [
        "{]",
        "[1]",
        "null",
        "{",
        "{}{}",
        "{\"email\":\"a@x.com\"} x",
        "email",
        "{\"email\" \"a\"}",
        &deep,
        huge,
    ];
    let text = format!("{}\n{{\"email\":\"fine@example.com\"}}\n", hostile.join("\n"));
    let read = read(text);
    assert_eq!(read.len(), hostile.len() + 1);
    for (row, line) in read.iter().zip(&hostile) {
        assert_eq!(row.content.as_ref().unwrap_err(), &Reason::NotAnObject.into(), "{line}");
    }
    assert_eq!(read.last().unwrap().content.as_ref().unwrap().email.as_str(), "fine@example.com");
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic_and_the_next_line_is_read(noise in vec(any::<u8>(), 0..300)) {
        let rows = read([b"{}\n", noise.as_slice(), b"\n{\"email\":\"last@example.com\"}"].concat());
        prop_assert_eq!(rows.last().unwrap().content.as_ref().unwrap().email.as_str(), "last@example.com");
    }
}
