use proptest::{collection::vec, prelude::*};
use serde_json::json;

use crate::{
    lines::MAX_LINE,
    names::{Column, Names},
    row::{ImportRowError, Reason},
    source::{Format, Rows},
};

/// The number of a row, and its address and reference or why it was refused.
type ReadRow = (u64, Result<(String, Option<String>), ImportRowError>);

fn read_with(input: impl AsRef<[u8]>, renamed: &[&str]) -> anyhow::Result<(&'static str, Vec<ReadRow>)> {
    let renamed = renamed.iter().map(|renamed| renamed.parse().unwrap()).collect();
    let names = Names { renamed, is_export: true, ..Names::default() };
    let mut rows = Rows::new(input.as_ref(), Format::CommerceLayer, names, false)?;
    let mut read = Vec::new();
    while let Some(row) = rows.read_row()? {
        let content = row.content.map(|customer| (customer.email.to_string(), customer.reference.reference));
        read.push((row.line, content));
    }
    assert!(rows.position() <= input.as_ref().len() as u64);
    Ok((rows.unit(), read))
}

fn read(input: impl AsRef<[u8]>) -> Vec<ReadRow> {
    read_with(input, &[]).unwrap().1
}

fn customer(number: u64, email: &str, reference: Option<&str>) -> ReadRow {
    (number, Ok((email.to_owned(), reference.map(str::to_owned))))
}

/// A customer with all attributes that the vendor's exports have.
fn exported(email: &str) -> serde_json::Value {
    json!({
        "id": "xYZkjABcde", "type": "customers", "email": email, "status": "acquired", "has_password": true,
        "total_orders_count": 6, "shopper_reference": "xxx-yyy", "profile_id": null, "tax_exemption_code": null,
        "created_at": "2018-01-01T12:00:00.000Z", "updated_at": "2018-01-01T12:00:00.000Z", "reference": "C,]1\\\"",
        "reference_origin": null, "metadata": { "list": [1, { "a": "}" }] }, "anonymization_info": null,
        "anonymization_status": null, "jwt_custom_claim": {}, "customer_group_id": "aBcDeFgHiJ",
        "customer_addresses": [{ "id": "aBcDeFgHiK" }], "orders": [], "tags": [{ "name": "vip" }],
    })
}

#[test]
fn an_export_is_read_whatever_its_spaces_are() {
    let export = json!([exported("anna@example.com"), exported("Bert@example.com")]);
    let expected = ["anna@example.com", "bert@example.com"];
    for text in [
        export.to_string(),
        format!("\u{feff}{export:#}\r\n"),
        // Several exports, one after the other.
        format!("[{}]\n[]\n[{},]", export[0], export[1]),
    ] {
        let read = read(&text);
        let customers: Vec<_> = expected
            .iter()
            .zip(1..)
            .map(|(email, number)| customer(number, email, Some("C,]1\\\"")))
            .collect();
        assert_eq!(read, customers, "{text}");
    }
    assert!(read("[]").is_empty() && read(" [ ] ").is_empty());
}

#[test]
fn a_record_of_the_api_has_its_attributes_in_a_member() {
    let record = json!({
        "id": "xYZkjABcde", "type": "customers", "links": { "self": "https://…" },
        "attributes": { "email": "anna@example.com", "status": "prospect", "reference": "R" },
        "relationships": { "customer_group": {} }, "meta": { "mode": "live" },
    });
    assert_eq!(read(json!([record]).to_string()), [customer(1, "anna@example.com", Some("R"))]);
}

#[test]
fn a_map_replaces_what_the_export_has() {
    let ids = read_with(json!([exported("anna@example.com")]).to_string(), &["id=reference"]).unwrap();
    assert_eq!(ids, ("record", vec![customer(1, "anna@example.com", Some("xYZkjABcde"))]));
    let csv = "id,email,reference,created_at\nxYZkjABcde,anna@example.com,R,2018-01-01T12:00:00.000Z\n";
    assert_eq!(read(csv), [customer(2, "anna@example.com", Some("R"))]);
    let ids = read_with(csv, &["id=reference"]).unwrap();
    assert_eq!(ids, ("line", vec![customer(2, "anna@example.com", Some("xYZkjABcde"))]));
}

#[test]
fn what_is_wrong_is_named_by_its_record() {
    let order = r#"{"type":"orders","email":"a@example.com"}"#;
    let long = format!(r#"{{"email":"a@example.com","metadata":{{"a":"{}"}}}}"#, "x".repeat(MAX_LINE));
    let records =
        [order, "7", r#"{"email":"nobody"}"#, r#"{"emial":"a@example.com"}"#, &long, "{}}", "\"\0\""];
    let read = read(format!("[{},{{\"email\":\"fine@example.com\"}}]", records.join(",\n")));
    let errors: Vec<_> = read.iter().map(|(number, content)| (*number, content.as_ref().err())).collect();
    let texts: Vec<_> = errors.iter().filter_map(|(_, error)| Some((*error)?.to_string())).collect();
    assert_eq!(texts[0], r#"the member type is "orders", expected "customers": export customers"#);
    assert_eq!(texts[1], "it is not a JSON object");
    assert_eq!(texts[2], "email: is not an e-mail address");
    assert!(texts[3].starts_with(r#"the member "emial" is none of email, "#), "{}", texts[3]);
    assert_eq!(texts[4..], ["it is longer than 64 KiB", "it is not a JSON object", "it contains a NUL"]);
    assert_eq!(errors.last(), Some(&(8, None)));
}

#[test]
fn a_file_that_is_cut_or_is_something_else_is_reported() {
    let whole = "[{\"email\":\"a@example.com\"},{\"email\":\"b@example.com\"}]";
    for length in 1..whole.len() {
        let (_, last) = read(&whole[..length]).pop().unwrap();
        assert_eq!(last.unwrap_err(), Reason::OpenArray.into(), "{length}");
    }
    let (number, last) = read(format!("{whole} x")).pop().unwrap();
    assert_eq!((number, last.unwrap_err()), (3, Reason::AfterArray.into()));
    let error = read_with("{\"data\":[]}", &[]).unwrap_err().to_string();
    assert!(error.contains("expected an array or CSV") && error.contains("jq .data"), "{error}");
    let error = read_with("id,number\n1,2\n", &[]).unwrap_err().to_string();
    assert!(error.contains("\"number\" is none of email"), "{error}");
    let missing = read(json!([{ "customer_email": "a@example.com" }]).to_string());
    assert_eq!(missing, [(1, Err(Column::Email.error(Reason::Missing)))]);
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(noise in vec(any::<u8>(), 0..300)) {
        read([b"[", noise.as_slice()].concat());
    }
}
