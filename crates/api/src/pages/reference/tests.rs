use std::collections::BTreeSet;

use super::*;

#[test]
fn every_operation_and_every_attribute_is_told() {
    let page = render().unwrap();
    for (path, operations) in DESCRIPTION["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("<article id=\"{id}\"")), "{path}: {id}");
        }
    }
    for resource in rekey_core::resources::RESOURCES {
        for attribute in resource.attributes.iter().filter(|attribute| attribute.is_shown()) {
            assert!(page.contains(&format!("<code>{}</code>", attribute.name)), "{}", attribute.name);
        }
    }
    for code in ["INVALID_TOKEN", "RECORD_NOT_FOUND", "VALIDATION_ERROR", "invalid_grant INVALID_GRANT"] {
        assert!(page.contains(&format!("<code>{code}</code>")), "{code}");
    }
}

#[test]
fn it_loads_nothing_but_its_stylesheet_and_its_links_lead_to_places_on_it() {
    let page = render().unwrap();
    let mut names = BTreeSet::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let mut parts = tag.split('"');
        let element = tag.split_whitespace().next().unwrap();
        assert!(
            !["script", "style", "img", "iframe", "object", "base", "form"].contains(&element),
            "<{tag}>"
        );
        while let Some(before) = parts.next() {
            names.extend(
                before.trim_end_matches('=').split_whitespace().last().filter(|_| before.ends_with('=')),
            );
            parts.next();
        }
    }
    let known = [
        "aria-label",
        "charset",
        "class",
        "content",
        "href",
        "id",
        "lang",
        "name",
        "rel",
        "scope",
        "start",
        "tabindex",
    ];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
    let attributes = |name: &str| {
        let begin = format!("{name}=\"");
        page.split(begin.as_str())
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let ids = attributes(" id");
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "an id is there twice");
    for target in attributes(" href") {
        match target.strip_prefix('#') {
            Some(id) => assert!(ids.contains(&id.to_owned()), "{id}"),
            None => assert!(["/docs/style.css", "/openapi.json"].contains(&target.as_str()), "{target}"),
        }
    }
    assert!(!include_str!("../templates/reference.css").contains("url("));
}
