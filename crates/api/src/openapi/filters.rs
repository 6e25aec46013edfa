//! Filters of lists, from the resources' definitions and from the parser of filters.

use std::collections::BTreeMap;

use rekey_core::resources::{Attribute, Kind, Resource};
use serde_json::{Value, json};

use super::components::{Named, schema};
use crate::jsonapi::query::{MAX_ALTERNATIVES, MAX_ATTRIBUTES, Operand, predicates_of};

/// The kinds of attributes that differ in their predicates and values, and their names in the description.
const CLASSES: [(Kind, &str); 6] = [
    (Kind::Text, "text"),
    (Kind::Integer, "integer"),
    (Kind::Time, "time"),
    (Kind::Boolean, "boolean"),
    (Kind::Object, "object"),
    (Kind::Token, "token"),
];

/// Returns the parameter `filter[q]` of a resource's lists.
pub fn parameter(resource: &'static Resource) -> Value {
    let (mut patterns, mut rows) = (Named::new(), Vec::new());
    for (class, word) in CLASSES {
        let names = filterable(resource, class);
        if names.is_empty() {
            continue;
        }
        let mut by_operand = BTreeMap::<_, Vec<_>>::new();
        for (predicate, operand) in predicates_of(class) {
            by_operand.entry(operand).or_default().push(predicate);
        }
        let alternatives = names.join("|");
        for (operand, predicates) in &by_operand {
            let (others, predicates) = (MAX_ALTERNATIVES - 1, predicates.join("|"));
            let pattern = format!("^({alternatives})(_or_({alternatives})){{0,{others}}}_({predicates})$");
            patterns.insert(pattern, schema(value_schema(class, *operand)));
        }
        let predicates: Vec<String> = predicates_of(class).map(|(predicate, _)| predicate).collect();
        rows.push(format!("| {word} | `{}` | `{}` |", names.join("` `"), predicates.join("` `")));
    }
    json!({
        "name": "filter[q]",
        "in": "query",
        "description": format!("{ABOUT}\n\n| values | attributes | predicates |\n|---|---|---|\n{}", rows.join("\n")),
        "style": "deepObject",
        "explode": true,
        "schema": {
            "type": "object",
            "patternProperties": patterns,
            "additionalProperties": false,
            "maxProperties": MAX_ATTRIBUTES,
        },
        "example": { "created_at_gteq": "2018-01-01" },
    })
}

const ABOUT: &str = "\
Filters by `filter[q][ATTRIBUTE_PREDICATE]=value`. Several filters are AND; `a_or_b_eq` is OR over attributes with the same \
kind of values. A filter by an attribute of related records matches when one of them does. `in` and `not_in`, and what ends \
in `_any` or `_all`, take values separated by commas. In `matches`, a `_` stands for one character and a `%` for any number; \
texts are compared by case, except in `matches`, `start`, `end`, `cont` and their opposites.";

/// Returns the names of the attributes of a class that lists can be filtered by: own ones, and those of related records.
fn filterable(resource: &'static Resource, class: Kind) -> Vec<String> {
    let of = move |resource: &'static Resource| {
        let is_of_class =
            move |attribute: &&Attribute| attribute.filter && class_of(attribute.kind) == Some(class);
        resource.attributes.iter().filter(is_of_class)
    };
    let followed = resource.relationships.iter().filter(|relationship| relationship.filter);
    let related = followed.flat_map(|relationship| {
        of(relationship.target).map(|attribute| format!("{}_{}", relationship.name, attribute.name))
    });
    of(resource).map(|attribute| attribute.name.to_owned()).chain(related).collect()
}

fn class_of(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::Id | Kind::Email | Kind::Text | Kind::Locale => Some(Kind::Text),
        Kind::Time | Kind::Boolean | Kind::Integer | Kind::Object | Kind::Token => Some(kind),
        Kind::Password | Kind::Texts | Kind::SharedSecret | Kind::Payload => None,
    }
}

/// Returns the name of the schema of the values that a predicate takes.
fn value_schema(class: Kind, operand: Operand) -> &'static str {
    match (operand, class) {
        (Operand::YesOrNo, _) | (Operand::Value, Kind::Boolean) => "FilterBoolean",
        (Operand::Values, Kind::Boolean) => "FilterBooleanList",
        (Operand::Object, _) | (_, Kind::Object) => "FilterObject",
        (_, Kind::Token) => "FilterToken",
        (Operand::Value, Kind::Integer) => "FilterInteger",
        (Operand::Values, Kind::Integer) => "FilterIntegerList",
        (Operand::Value, Kind::Time) => "FilterTime",
        (Operand::Values, Kind::Time) => "FilterTimeList",
        (Operand::Value, _) => "FilterText",
        (Operand::Values, _) => "FilterTextList",
    }
}
