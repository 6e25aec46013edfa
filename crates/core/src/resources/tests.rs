use std::collections::HashSet;

use strum::VariantArray;

use super::*;
use crate::deliveries::Status;

#[test]
fn every_definition_is_consistent() {
    for resource in Resource::all() {
        let names: HashSet<_> = resource.attributes.iter().map(|attribute| attribute.name).collect();
        assert_eq!(names.len(), resource.attributes.len(), "{}", resource.name);
        assert_eq!(Resource::all().filter(|other| *other == resource).count(), 1, "{}", resource.name);
        assert_eq!(Resource::named(resource.name), Some(resource));
        for attribute in resource.attributes {
            let Attribute { name, kind, source, .. } = *attribute;
            let is_column = matches!(source, Source::Column(_));
            assert!(is_column || !attribute.filter && !attribute.sort, "{name} is kept nowhere");
            let is_secret = matches!(kind, Kind::Password) || name.starts_with('_');
            assert_eq!(is_secret, source == Source::WriteOnly, "{name} is never shown");
            let has_order = matches!(
                kind,
                Kind::Id
                    | Kind::Email
                    | Kind::Text
                    | Kind::Locale
                    | Kind::Time
                    | Kind::Boolean
                    | Kind::Integer
            );
            assert!(has_order || !attribute.sort, "{name} has no order");
            let example = serde_json::from_str::<serde_json::Value>(attribute.example).unwrap();
            assert!(attribute.nullable || !example.is_null(), "{name}");
            let values = attribute.values;
            assert!(
                values.is_empty() || kind == Kind::Text && values.contains(&example.as_str().unwrap()),
                "{name}"
            );
            if let Source::Constant(json) = source {
                assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{name}");
            }
        }
    }
}

#[test]
fn every_status_that_clients_see_is_a_value_of_the_attribute() {
    let seen = Status::VARIANTS.iter().filter(|status| **status != Status::Discarded);
    let seen: Vec<&str> = seen.map(|status| status.as_str()).collect();
    assert_eq!(DELIVERIES.attribute("status").unwrap().values, seen);
}

#[test]
fn no_relation_path_hides_an_attribute() {
    for resource in RESOURCES {
        for relationship in resource.relationships.iter().filter(|relationship| relationship.filter) {
            for attribute in relationship.target.attributes.iter().filter(|attribute| attribute.filter) {
                let path = format!("{}_{}", relationship.name, attribute.name);
                let own = resource.attribute(&path).filter(|own| own.filter);
                assert!(own.is_none(), "{path} of {} is ambiguous", resource.name);
            }
        }
    }
}

#[test]
fn what_leads_around_in_a_circle_is_shown_by_its_name() {
    let listing = listing::Listing::first_page(&CUSTOMERS);
    assert!(format!("{listing:?}").starts_with("Listing { resource: Resource(customers), "));
    let resets = CUSTOMERS.relationship("customer_password_resets");
    assert_eq!(format!("{resets:?}"), "Some(Relationship(customer_password_resets))");
}
