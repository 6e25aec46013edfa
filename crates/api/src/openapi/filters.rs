//! Filters of lists, from the definitions and from the reader of filters itself.

use std::collections::BTreeMap;

use rekey_core::resources::{Attribute, Kind, Resource};
use serde_json::{Map, Value, json};

use super::schema;
use crate::jsonapi::query::{
    MAX_ALTERNATIVES, MAX_ATTRIBUTES, MAX_VALUE, MAX_VALUES, Operand, predicates_of,
};

/// The parameter `filter[q]` of a resource's lists.
pub fn parameter(resource: &'static Resource) -> Value {
    json!({
        "name": "filter[q]",
        "in": "query",
        "description": about(resource),
        "style": "deepObject",
        "explode": true,
        "schema": {
            "type": "object",
            "patternProperties": patterns(resource),
            "additionalProperties": false,
            "maxProperties": MAX_ATTRIBUTES,
        },
        "example": { "created_at_gteq": "2018-01-01" },
    })
}

/// Values as attributes of some kinds are compared with: attributes of one class have the same predicates and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Text,
    Time,
    Boolean,
    Object,
    Token,
}

impl Class {
    /// None for what nothing can be filtered by.
    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Id | Kind::Email | Kind::Text | Kind::Locale => Some(Self::Text),
            Kind::Time => Some(Self::Time),
            Kind::Boolean => Some(Self::Boolean),
            Kind::Object => Some(Self::Object),
            Kind::Token => Some(Self::Token),
            Kind::Integer | Kind::Password => None,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::Time => Kind::Time,
            Self::Boolean => Kind::Boolean,
            Self::Object => Kind::Object,
            Self::Token => Kind::Token,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Time => "time",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Token => "token",
        }
    }

    /// The schema of what a predicate takes.
    fn operand(self, operand: Operand) -> &'static str {
        match (operand, self) {
            (Operand::YesOrNo, _) | (Operand::Value, Self::Boolean) => "FilterYesOrNo",
            (Operand::Values, Self::Boolean) => "FilterYesOrNoList",
            (Operand::Value | Operand::Values, Self::Token) => "FilterToken",
            (Operand::Value, Self::Time) => "FilterTime",
            (Operand::Values, Self::Time) => "FilterTimeList",
            (Operand::Object, _) | (_, Self::Object) => "FilterObject",
            (Operand::Value, Self::Text) => "FilterText",
            (Operand::Values, Self::Text) => "FilterTextList",
        }
    }
}

/// Attributes that a list can be filtered by, its own and those of related records, by class.
fn attributes(resource: &'static Resource) -> BTreeMap<Class, Vec<String>> {
    let own = filterable(resource).map(|attribute| (attribute.kind, attribute.name.to_owned()));
    let followed = resource.relationships.iter().filter(|relationship| relationship.filter);
    let related = followed.flat_map(|relationship| {
        filterable(relationship.target)
            .map(|attribute| (attribute.kind, format!("{}_{}", relationship.name, attribute.name)))
    });
    let mut attributes = BTreeMap::<_, Vec<_>>::new();
    for (kind, name) in own.chain(related) {
        if let Some(class) = Class::of(kind) {
            attributes.entry(class).or_default().push(name);
        }
    }
    attributes
}

fn filterable(resource: &'static Resource) -> impl Iterator<Item = &'static Attribute> {
    resource.attributes.iter().filter(|attribute| attribute.filter)
}

/// The names of filters, and their values: of each class those with one kind of operand.
fn patterns(resource: &'static Resource) -> Map<String, Value> {
    let mut patterns = BTreeMap::new();
    for (class, names) in attributes(resource) {
        let mut predicates = BTreeMap::<_, Vec<_>>::new();
        for (predicate, operand) in predicates_of(class.kind()) {
            predicates.entry(operand).or_default().push(predicate);
        }
        let names = names.join("|");
        for (operand, predicates) in predicates {
            let others = MAX_ALTERNATIVES - 1;
            let predicates = predicates.join("|");
            let pattern = format!("^({names})(_or_({names})){{0,{others}}}_({predicates})$");
            patterns.insert((class, operand), (pattern, schema(class.operand(operand))));
        }
    }
    patterns.into_values().collect()
}

fn about(resource: &'static Resource) -> String {
    let attributes = attributes(resource);
    let rows = attributes.iter().map(|(class, names)| {
        let predicates: Vec<String> =
            predicates_of(class.kind()).map(|(predicate, _)| format!("`{predicate}`")).collect();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("| {} | {} | {} |", class.word(), names.join(" "), predicates.join(" "))
    });
    let rows: Vec<String> = rows.collect();
    format!(
        "Which records: `filter[q][ATTRIBUTE_PREDICATE]=value`. Several filters are AND, `a_or_b_eq` is OR over at most \
         {MAX_ALTERNATIVES} attributes with the same kind of values. \
         A filter by an attribute of related records is true when one of them fulfils it. `in` and `not_in`, and what ends in \
         `_any` or `_all`, take values separated by commas. A `_` in `matches` stands for one character and a `%` for any; \
         texts are compared by case, except in `matches`, `start`, `end`, `cont` and their opposites.\n\n\
         | values | attributes | predicates |\n|---|---|---|\n{}",
        rows.join("\n")
    )
}

/// The schemas of values. A format of ours says what a pattern can't.
pub fn schemas() -> Vec<(&'static str, Value)> {
    // What is no UTF-8 arrives as U+FFFD.
    let clean = "^[^\\u0000\\ufffd]*$";
    vec![
        ("FilterText", json!({ "type": "string", "maxLength": MAX_VALUE, "pattern": clean })),
        (
            "FilterTextList",
            json!({
                "description": format!("At most {MAX_VALUES} texts, separated by commas."),
                "type": "string",
                "pattern": clean,
            }),
        ),
        (
            "FilterTime",
            json!({
                "description": "A time in RFC 3339, or a date: its beginning, in UTC. Compared in milliseconds.",
                "type": "string",
                "anyOf": [{ "format": "date-time" }, { "format": "date" }],
                "examples": ["2018-01-01T12:00:00.000Z", "2018-01-01"],
            }),
        ),
        (
            "FilterTimeList",
            json!({
                "description": format!("At most {MAX_VALUES} times or dates, separated by commas."),
                "type": "string",
                "format": "times",
                "examples": ["2018-01-01T12:00:00.000Z,2018-01-02"],
            }),
        ),
        ("FilterYesOrNo", json!({ "enum": ["true", "false", "1", "0"] })),
        (
            "FilterYesOrNoList",
            json!({ "type": "string", "pattern": "^(true|false|1|0)(,(true|false|1|0)){0,99}$" }),
        ),
        (
            "FilterObject",
            json!({
                "description": "A JSON object that the attribute's value contains.",
                "type": "string",
                "format": "json-object",
                "maxLength": MAX_VALUE,
                "examples": [r#"{"foo":"bar"}"#],
            }),
        ),
        ("FilterToken", json!({ "type": "string" })),
    ]
}
