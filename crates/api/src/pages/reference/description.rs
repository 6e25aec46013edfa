//! Reading an OpenAPI document, as far as ours goes.

use pulldown_cmark::{Options, Parser, html};
use rekey_core::resources::Resource;
use serde_json::{Map, Value};

/// Looks into JSON.
pub trait Look {
    /// The member of that name, or null.
    fn at(&self, name: &str) -> &Value;
    /// The first of the elements of the member of that name, or null.
    fn first(&self, name: &str) -> &Value;
}

static NULL: Value = Value::Null;

impl Look for Value {
    fn at(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }

    fn first(&self, name: &str) -> &Value {
        self.at(name).get(0).unwrap_or(&NULL)
    }
}

/// The document.
#[derive(Clone, Copy)]
pub struct Description<'a>(pub &'a Value);

impl<'a> Description<'a> {
    /// What a reference leads to, or the value itself.
    pub fn resolve(self, value: &'a Value) -> &'a Value {
        let pointer = value.at("$ref").as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.0.pointer(pointer)).unwrap_or(value)
    }

    /// Which values a schema has, in words.
    pub fn kind(self, schema: &'a Value) -> String {
        let schema = self.resolve(schema);
        if let Some(constant) = schema.get("const") {
            return format!("always {}", plain(constant));
        }
        if let Some(values) = schema.at("enum").as_array() {
            return choices(values);
        }
        if let Some(choices) = schema.at("anyOf").as_array().or_else(|| schema.at("oneOf").as_array()) {
            let kinds: Vec<String> = choices.iter().map(|choice| self.kind(choice)).collect();
            return kinds.join(" or ");
        }
        let types: Vec<&str> = match schema.at("type") {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let kind = if types.first() == Some(&"array") {
            format!("list of {}", self.kind(schema.at("items")))
        } else {
            types.join(" or ")
        };
        let notes = [format_note(schema), bounds(schema)].into_iter().flatten();
        [kind].into_iter().chain(notes).collect::<Vec<_>>().join(" · ")
    }
}

/// A value as people write it.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The values that there are to choose from; orders from the greatest down, and paths, go without saying.
fn choices(values: &[Value]) -> String {
    let values = || values.iter().filter_map(Value::as_str);
    let plain: Vec<&str> = values().filter(|value| !value.starts_with('-') && !value.contains('.')).collect();
    match values().find(|value| value.contains('.')) {
        Some(path) => format!("{}; or a path, such as {path}", plain.join(", ")),
        None => plain.join(", "),
    }
}

fn format_note(schema: &Value) -> Option<String> {
    schema.at("format").as_str().map(str::to_owned)
}

fn bounds(schema: &Value) -> Option<String> {
    let number = |name: &str| schema.at(name).as_u64();
    match (number("minLength"), number("maxLength"), number("minimum"), number("maximum")) {
        (Some(least), Some(most), ..) => Some(format!("{least} to {most} characters")),
        (None, Some(most), ..) => Some(format!("at most {most} characters")),
        (_, _, Some(least), Some(most)) => Some(format!("{least} to {most}")),
        _ => None,
    }
}

/// Prose in Markdown as HTML. The document's texts are our own.
pub fn prose(markdown: &Value) -> String {
    let mut html = String::new();
    let markdown = markdown.as_str().unwrap_or_default();
    html::push_html(&mut html, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    html
}

/// The members of an object; attributes and relationships in the order of the definition that knows most of them.
pub fn in_order(object: &Value) -> Vec<(&str, &Value)> {
    let members = object.as_object().into_iter().flat_map(Map::iter);
    let mut members: Vec<(&str, &Value)> = members.map(|(name, member)| (name.as_str(), member)).collect();
    let known =
        |resource: &Resource| members.iter().filter(|(name, _)| place_in(resource, name).is_some()).count();
    if let Some(resource) = Resource::all().max_by_key(|resource| known(resource)) {
        members.sort_by_key(|(name, _)| {
            let others = FIRST.iter().position(|first| first == name);
            others.or_else(|| place_in(resource, name).map(|place| FIRST.len() + place)).unwrap_or(usize::MAX)
        });
    }
    members
}

/// Members of documents and of grants, in the order in which people read them.
const FIRST: [&str; 14] = [
    "data",
    "number",
    "size",
    "grant_type",
    "client_id",
    "client_secret",
    "username",
    "access_token",
    "type",
    "id",
    "links",
    "attributes",
    "relationships",
    "meta",
];

fn place_in(resource: &Resource, name: &str) -> Option<usize> {
    let attributes = resource.attributes.iter().map(|attribute| attribute.name);
    attributes
        .chain(resource.relationships.iter().map(|relationship| relationship.name))
        .position(|known| known == name)
}
