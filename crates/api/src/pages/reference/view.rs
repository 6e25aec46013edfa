//! What the page says, in the order in which it says it.

use rekey_core::resources::Resource;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    description::{Description, Look, in_order, prose},
    samples::{self, Sample},
};
use crate::{endpoints::ENDPOINTS, openapi::schema_name};

/// The whole page.
#[derive(Debug, Serialize)]
pub struct Page {
    title: String,
    summary: String,
    version: String,
    about: String,
    groups: Vec<Group>,
    objects: Vec<Object>,
}

/// Operations on one thing.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    parameters: Vec<Row>,
    body: Vec<Row>,
    /// The statuses of answers without a body.
    bare: Vec<String>,
    samples: Vec<Sample>,
    errors: Vec<Error>,
}

/// A parameter, or a member of an object.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    kind: String,
    about: String,
    notes: Vec<&'static str>,
    /// The place on this page where the rest of it is told.
    more: Option<String>,
}

/// A resource: its attributes, and how its lists are filtered.
#[derive(Debug, Serialize)]
struct Object {
    name: String,
    about: String,
    attributes: Vec<Row>,
    relationships: Vec<Row>,
    /// The place on the page where its filters are.
    filter: String,
    filters: String,
}

/// A way to be refused.
#[derive(Debug, Serialize)]
struct Error {
    status: String,
    code: String,
    detail: String,
}

/// Reads the document.
pub fn page(document: &Value) -> Page {
    let description = Description(document);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tags = document.at("tags").as_array().into_iter().flatten();
    let groups: Vec<Group> = tags
        .map(|tag| Group {
            name: text(tag.at("name")),
            about: text(tag.at("description")),
            operations: operations(description, tag.at("name")),
        })
        .collect();
    Page {
        title: text(document.at("info").at("title")),
        summary: text(document.at("info").at("summary")),
        version: text(document.at("info").at("version")),
        about: prose(document.at("info").at("description")),
        groups,
        objects: objects(description),
    }
}

fn operations(description: Description<'_>, tag: &Value) -> Vec<Operation> {
    let all = ENDPOINTS.iter().flat_map(|endpoint| {
        endpoint.operations.iter().map(|operation| (&endpoint.path, operation.method().to_string()))
    });
    let described = all.map(|(path, method)| {
        let operation = description.0.at("paths").at(path).at(&method.to_ascii_lowercase());
        (path, method, operation)
    });
    let of_tag = described.filter(|(.., operation)| operation.first("tags") == tag);
    of_tag.map(|(path, method, operation)| self::operation(description, path, &method, operation)).collect()
}

fn operation(description: Description<'_>, path: &str, method: &str, operation: &Value) -> Operation {
    let text = |name: &str| operation.at(name).as_str().unwrap_or_default().to_owned();
    let parameters = operation.at("parameters").as_array().into_iter().flatten();
    let responses = || operation.at("responses").as_object().into_iter().flat_map(Map::iter);
    let (succeeded, refused): (Vec<_>, Vec<_>) = responses().partition(|(status, _)| status.starts_with('2'));
    let answers = succeeded
        .iter()
        .filter_map(|(status, response)| samples::answer(status, description.resolve(response)));
    let refused =
        refused.into_iter().flat_map(|(status, response)| errors(status, description.resolve(response)));
    Operation {
        id: text("operationId"),
        method: method.to_owned(),
        path: path.to_owned(),
        summary: text("summary"),
        about: prose(operation.at("description")),
        parameters: parameters.flat_map(|parameter| parameter_rows(description, parameter)).collect(),
        body: body_rows(description, operation.at("requestBody")),
        bare: succeeded
            .iter()
            .filter(|(status, response)| samples::answer(status, description.resolve(response)).is_none())
            .map(|(status, _)| (*status).clone())
            .collect(),
        samples: samples::requests(description, method, path, operation).into_iter().chain(answers).collect(),
        errors: refused.collect(),
    }
}

/// A parameter's row; of one that is an object, one a member.
fn parameter_rows<'a>(description: Description<'a>, parameter: &'a Value) -> Vec<Row> {
    let component = parameter.at("$ref").as_str().and_then(|reference| reference.rsplit('/').next());
    let parameter = description.resolve(parameter);
    let (name, schema) = (parameter.at("name").as_str().unwrap_or_default(), parameter.at("schema"));
    let notes = || if *parameter.at("required") == true { vec!["required"] } else { Vec::new() };
    let row = |name: &str, kind: String, about: &Value| Row {
        name: name.to_owned(),
        kind,
        about: prose(about),
        notes: notes(),
        more: None,
    };
    match name {
        "filter[q]" => vec![Row {
            more: component.map(str::to_owned),
            ..row("filter[q][ATTRIBUTE_PREDICATE]", String::new(), &"Which records.".into())
        }],
        "fields" => {
            vec![row("fields[TYPE]", "names, separated by commas".to_owned(), parameter.at("description"))]
        }
        "page" => in_order(schema.at("properties"))
            .into_iter()
            .map(|(member, schema)| {
                row(&format!("page[{member}]"), description.kind(schema), schema.at("description"))
            })
            .collect(),
        _ => vec![row(name, description.kind(schema), parameter.at("description"))],
    }
}

/// The members of a body: those of the attributes, where it has them, and of each kind of body, where there are several.
fn body_rows<'a>(description: Description<'a>, body: &'a Value) -> Vec<Row> {
    let Some(content) = body.at("content").as_object().and_then(|content| content.values().next()) else {
        return Vec::new();
    };
    let schema = description.resolve(content.at("schema"));
    let attributes = schema.at("properties").at("data").at("properties").at("attributes");
    if attributes.is_object() {
        return rows(description, attributes);
    }
    let Some(kinds) = schema.at("oneOf").as_array() else { return rows(description, schema) };
    kinds_of_body(description, kinds)
}

/// The members of a body of several kinds, which their first member tells apart.
fn kinds_of_body<'a>(description: Description<'a>, kinds: &'a [Value]) -> Vec<Row> {
    let mut all = Vec::<(Row, Vec<String>)>::new();
    for kind in kinds {
        let name = kind.at("properties").at("grant_type").at("const").as_str().unwrap_or_default();
        for row in rows(description, kind) {
            match all.iter_mut().find(|(known, _)| known.name == row.name) {
                Some((_, of)) => of.push(name.to_owned()),
                None => all.push((row, vec![name.to_owned()])),
            }
        }
    }
    let only = |(row, of): (Row, Vec<String>)| {
        if row.name == "grant_type" {
            Row { kind: of.join(", "), ..row }
        } else if of.len() < kinds.len() {
            Row { kind: format!("{} · with grant_type {}", row.kind, of.join(" or ")), ..row }
        } else {
            row
        }
    };
    all.into_iter().map(only).collect()
}

/// The members of an object.
fn rows<'a>(description: Description<'a>, object: &'a Value) -> Vec<Row> {
    let required: Vec<&str> =
        object.at("required").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(name, schema): (&str, &'a Value)| {
        let marks = [("readOnly", "read-only"), ("writeOnly", "write-only")];
        let marks = marks.into_iter().filter(|(mark, _)| *schema.at(mark) == true).map(|(_, note)| note);
        let required = required.contains(&name).then_some("required");
        Row {
            name: name.to_owned(),
            kind: description.kind(schema),
            about: prose(schema.at("description")),
            notes: required.into_iter().chain(marks).collect(),
            more: None,
        }
    };
    in_order(object.at("properties")).into_iter().map(row).collect()
}

fn objects(description: Description<'_>) -> Vec<Object> {
    let components = &description.0.at("components");
    let object = |schema: String, name: &str| {
        let described = components.at("schemas").at(&schema);
        let of = |member: &str| described.at("properties").at(member);
        let id = format!("{schema}Filter");
        Object {
            about: prose(described.at("description")),
            attributes: rows(description, of("attributes")),
            relationships: relationships(of("relationships")),
            filters: prose(components.at("parameters").at(&id).at("description")),
            name: name.to_owned(),
            filter: id,
        }
    };
    Resource::all().map(|resource| object(schema_name(resource), resource.name)).collect()
}

fn relationships(object: &Value) -> Vec<Row> {
    let row = |(name, schema): (&str, &Value)| Row {
        name: name.to_owned(),
        kind: if *schema.at("properties").at("data").at("type") == "array" { "to many" } else { "to one" }
            .to_owned(),
        about: prose(schema.at("description")),
        notes: Vec::new(),
        more: None,
    };
    in_order(object.at("properties")).into_iter().map(row).collect()
}

/// What a response's examples say.
fn errors(status: &str, response: &Value) -> Vec<Error> {
    let content = response.at("content").as_object().and_then(|content| content.values().next());
    let examples = content.and_then(|content| content.at("examples").as_object());
    let error = |example: &Value| {
        let error = example.at("value").first("errors");
        let text = |name: &str| error.at(name).as_str().unwrap_or_default().to_owned();
        let oauth = example.at("value").at("error").as_str();
        Error {
            status: status.to_owned(),
            code: oauth.map_or_else(|| text("code"), |oauth| format!("{oauth} {}", text("code"))),
            detail: text("detail"),
        }
    };
    examples.into_iter().flat_map(Map::values).map(error).collect()
}
