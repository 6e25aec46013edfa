use std::{collections::BTreeSet, path::Path};

use proptest::{prelude::*, string::string_regex};
use rekey_core::{
    email::{self, EmailAddress},
    events::EventName,
    idempotency::IdempotencyKey,
    ids,
    locale::{self, Locale},
    passwords::Hint,
    resources::{Attribute, RESOURCES, listing::Page},
    secrets,
};
use strum::IntoEnumIterator;

use super::*;
use crate::jsonapi::{
    error::ValidationError,
    query::value::{MAX_VALUE, MAX_VALUES},
};

/// Walks through a value and all in it.
fn walk<'a>(value: &'a Value, see: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            see(name, member);
            walk(member, see);
        }),
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, see)),
        _ => {}
    }
}

#[test]
fn the_committed_description_is_the_code_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        committed == *DESCRIPTION,
        "docs/openapi.json is not what the code says any more: `make openapi` writes it anew"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let mut referred = BTreeSet::new();
    walk(&DESCRIPTION, &mut |name, value| {
        if name == "$ref" {
            let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(DESCRIPTION.pointer(pointer).is_some(), "{pointer}");
            referred.insert(pointer.to_owned());
        }
    });
    for kind in ["schemas", "parameters", "headers", "responses"] {
        for name in DESCRIPTION["components"][kind].as_object().unwrap().keys() {
            assert!(referred.contains(&format!("/components/{kind}/{name}")), "{kind}/{name} is of no use");
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_links_lead_to_them() {
    let operations: Vec<&Value> = DESCRIPTION["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .collect();
    let names: BTreeSet<&str> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    let mut links = 0;
    walk(&DESCRIPTION["paths"], &mut |name, value| {
        if name == "links"
            && value
                .as_object()
                .is_some_and(|links| links.values().all(|link| link["operationId"].is_string()))
        {
            for link in value.as_object().unwrap().values() {
                links += 1;
                assert!(names.contains(link["operationId"].as_str().unwrap()), "{link}");
            }
        }
    });
    assert!(links > 10, "{links}");
}

#[test]
fn what_is_written_and_what_is_shown_derive_from_the_definitions() {
    let schema = |pointer: &str| DESCRIPTION.pointer(&format!("/components/schemas{pointer}")).cloned();
    let reset = schema("/CustomerPasswordReset/properties/attributes/properties").unwrap();
    let update =
        schema("/CustomerPasswordResetUpdate/properties/data/properties/attributes/properties").unwrap();
    let create = schema("/CustomerPasswordResetCreate/properties/data/properties/attributes").unwrap();
    assert_eq!(reset["reset_password_at"]["type"], json!(["string", "null"]));
    assert_eq!(reset["reset_password_at"]["readOnly"], true);
    assert_eq!(reset["created_at"]["type"], "string");
    assert_eq!(reset["customer_email"]["type"], json!(["string", "null"]), "others are not shown it");
    assert!(reset.get("customer_password").is_none() && reset.get("_reset_password_token").is_none());
    assert_eq!(update["customer_password"]["writeOnly"], true);
    assert!(update.get("customer_email").is_none());
    assert_eq!(create["required"], json!(["customer_email"]));
    assert!(create["properties"].get("reset_password_token").is_none());
    for resource in RESOURCES {
        let name = components::name(resource);
        let sort = &DESCRIPTION["components"]["parameters"][format!("{name}Sort")]["schema"]["items"]["enum"];
        let sortable = resource.attributes.iter().filter(|attribute| attribute.sort).count();
        assert_eq!(sort.as_array().unwrap().len(), 2 * sortable, "{name}");
    }
}

#[test]
fn texts_of_few_values_are_enumerated() {
    let attribute = |schema: &str, name: &str| {
        let pointer = format!("/components/schemas/{schema}/properties/attributes/properties/{name}");
        DESCRIPTION.pointer(&pointer).unwrap().clone()
    };
    let topics: Vec<&str> = EventName::iter().map(EventName::as_str).collect();
    for (schema, name) in [("Webhook", "topic"), ("Event", "name")] {
        assert_eq!(attribute(schema, name)["enum"], json!(topics), "{schema}");
    }
    for schema in ["WebhookCreate", "WebhookUpdate"] {
        let pointer =
            format!("/components/schemas/{schema}/properties/data/properties/attributes/properties/topic");
        assert_eq!(DESCRIPTION.pointer(&pointer).unwrap()["enum"], json!(topics), "{schema}");
    }
    let nullable = &attribute("Customer", "anonymization_status")["enum"];
    assert_eq!(*nullable, json!(["requested", "completed", "cancelled", null]));
}

#[test]
fn every_attribute_that_lists_can_be_filtered_by_is_described_with_its_values() {
    for resource in RESOURCES.iter().filter(|resource| components::is_listed(resource)) {
        let parameter = format!("/components/parameters/{}Filter", components::name(resource));
        let parameter = DESCRIPTION.pointer(&parameter).unwrap();
        let patterns = parameter["schema"]["patternProperties"].as_object().unwrap();
        for Attribute { name, .. } in resource.attributes.iter().filter(|attribute| attribute.filter) {
            let is_of = |pattern: &String| pattern[2..].split([')', '|']).any(|other| other == *name);
            assert!(patterns.keys().any(is_of), "{name} of {}", resource.name);
            assert!(parameter["description"].as_str().unwrap().contains(&format!("`{name}`")), "{name}");
        }
    }
    let values =
        DESCRIPTION.pointer("/components/parameters/WebhookFilter/schema/patternProperties").unwrap();
    let find = |predicate: &str| {
        let is_of = |pattern: &&String| {
            pattern.starts_with("^(circuit_failure_count)") && pattern.contains(predicate)
        };
        let pattern = values.as_object().unwrap().keys().find(is_of).unwrap();
        values[pattern]["$ref"].as_str().unwrap()
    };
    assert_eq!(find("|gt|"), "#/components/schemas/FilterInteger");
    assert_eq!(find("|in|"), "#/components/schemas/FilterIntegerList");
}

/// The response of an operation with that status.
fn response(path: &str, method: &str, status: &str) -> &'static Value {
    let response = &DESCRIPTION["paths"][path][method]["responses"][status];
    response["$ref"].as_str().map_or(response, |pointer| DESCRIPTION.pointer(&pointer[1..]).unwrap())
}

#[test]
fn every_code_that_an_operation_can_answer_with_is_listed() {
    let codes = |path: &str, method: &str, status: &str| {
        let content = response(path, method, status)["content"].as_object().unwrap().values().next().unwrap();
        let error = &content["schema"]["allOf"][1]["properties"]["errors"]["items"]["properties"];
        error["code"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("/api/customers", "get", "401"), ["INVALID_TOKEN", "UNAUTHORIZED"]);
    assert_eq!(
        codes("/api/customers", "get", "400"),
        [
            "FILTER_NOT_ALLOWED",
            "INVALID_FIELD",
            "INVALID_FILTER_VALUE",
            "INVALID_INCLUDE",
            "INVALID_PAGE_VALUE",
            "INVALID_SORT_CRITERIA"
        ]
    );
    assert!(codes("/api/customers/{id}", "patch", "400").contains(&"KEY_NOT_INCLUDED_IN_URL"));
    assert_eq!(codes("/api/customers", "post", "422"), ["IDEMPOTENCY_KEY_REUSED", "VALIDATION_ERROR"]);
    assert_eq!(codes("/api/customers/{id}", "patch", "422"), ["VALIDATION_ERROR"]);
    assert_eq!(codes("/api/customers", "get", "429"), ["TOO_MANY_REQUESTS"]);
    assert_eq!(codes("/oauth/token", "post", "401"), ["UNAUTHORIZED"]);
    assert_eq!(codes("/oauth/revoke", "post", "403"), ["UNAUTHORIZED"]);
    assert_eq!(DESCRIPTION["paths"]["/livez"]["get"]["responses"].as_object().unwrap().len(), 1);
}

#[test]
fn what_is_written_by_hand_agrees_with_the_code() {
    let component = |pointer: &str| DESCRIPTION["components"].pointer(pointer).unwrap().clone();
    let names = |pointer: &str| component(pointer).as_array().unwrap().iter().map(Value::to_string).collect();
    let quoted = |name: &str| format!("\"{name}\"");
    let faults: BTreeSet<String> =
        ValidationError::iter().map(|fault| fault.meta()["error"].to_string()).collect();
    assert_eq!(faults, names("/schemas/Error/properties/meta/properties/error/enum"));
    let hints: BTreeSet<String> = Hint::iter().map(|hint| quoted(hint.name())).collect();
    assert_eq!(hints, names("/schemas/Error/properties/meta/properties/hints/items/enum"));
    let id = format!("^[A-Za-z0-9]{{{}}}$", ids::LENGTH);
    assert_eq!(component("/parameters/Id/schema/pattern"), id);
    assert_eq!(component("/schemas/Meta/properties/organization_id/pattern"), id);
    let secret = format!("^[A-Za-z0-9]{{{}}}$", secrets::LENGTH);
    assert_eq!(component("/schemas/Token/properties/refresh_token/pattern"), secret);
    let key = component("/parameters/IdempotencyKey/schema/pattern");
    assert_eq!(key.as_str().unwrap().matches(&format!("{{1,{}}}", IdempotencyKey::MAX_LENGTH)).count(), 2);
    assert_eq!(component("/parameters/Page/schema/properties/size/maximum"), Page::MAX_SIZE);
    assert_eq!(component("/parameters/Page/schema/properties/size/default"), Page::DEFAULT_SIZE);
    assert_eq!(component("/parameters/Page/schema/properties/number/maximum"), u32::MAX);
    assert_eq!(component("/schemas/FilterText/maxLength"), MAX_VALUE);
    assert_eq!(component("/schemas/FilterObject/maxLength"), MAX_VALUE);
    for list in ["FilterBooleanList", "FilterIntegerList"] {
        let pattern = component(&format!("/schemas/{list}/pattern"));
        assert!(pattern.as_str().unwrap().contains(&format!("{{0,{}}}", MAX_VALUES - 1)), "{list}");
    }
    for kind in ["texts", "integers", "times or dates"] {
        let bound = format!("At most {MAX_VALUES} {kind}");
        assert!(DESCRIPTION["components"]["schemas"].to_string().contains(&bound), "{bound}");
    }
}

proptest! {
    #[test]
    fn what_matches_the_pattern_of_languages_is_a_tag(tag in string_regex(locale::PATTERN.trim_matches(['^', '$'])).unwrap()) {
        prop_assert_eq!(tag.parse::<Locale>().is_ok(), tag.len() <= locale::MAX_LENGTH);
    }

    #[test]
    fn what_matches_the_address_pattern_is_an_address(address in string_regex(email::PATTERN.trim_matches(['^', '$'])).unwrap()) {
        let fits = address.len() <= email::MAX_ADDRESS
            && address.split_once('@').is_some_and(|(local, domain)| {
                local.len() <= 64 && domain.split('.').all(|label| label.len() <= 63)
            });
        prop_assert_eq!(address.parse::<EmailAddress>().is_ok(), fits);
    }
}
