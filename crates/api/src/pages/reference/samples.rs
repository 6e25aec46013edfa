//! Examples: `curl` lines that can be pasted, and bodies.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::description::{Description, Look, in_order, plain};

/// Something to paste, or what comes back.
#[derive(Debug, Serialize)]
pub struct Sample {
    pub title: String,
    pub text: String,
}

/// The requests that an operation's examples are, one at least.
pub fn requests(description: Description<'_>, method: &str, path: &str, operation: &Value) -> Vec<Sample> {
    let (media_type, content) = content(operation.at("requestBody")).unzip();
    let is_guarded = operation.at("security").as_array().is_some_and(|schemes| !schemes.is_empty());
    let headers = [
        is_guarded.then(|| "-H \"Authorization: Bearer $TOKEN\"".to_owned()),
        media_type.map(|media_type| format!("-H 'Content-Type: {media_type}'")),
    ];
    let lines: Vec<String> = headers.into_iter().flatten().collect();
    let call = |title: &str, body: Option<&Value>| {
        let method = if method == "GET" || (method == "POST" && body.is_some()) {
            String::new()
        } else {
            format!("-X {method} ")
        };
        let body = body.map(|body| format!("-d '{}'", pretty(body, 1)));
        let query = query(description, operation);
        let (globbing, mark) = if query.is_empty() { ("", "") } else { ("-g ", "?") };
        let path = path.replace("{id}", "$ID");
        let address = format!("curl {globbing}{method}\"$URL{path}{mark}{query}\"");
        let lines: Vec<String> = [address].into_iter().chain(lines.clone()).chain(body).collect();
        Sample { title: title.to_owned(), text: lines.join(" \\\n  ") }
    };
    match content {
        None => vec![call("Request", None)],
        Some(content) => match examples(content).as_slice() {
            [(_, only)] => vec![call("Request", Some(only))],
            several => several.iter().map(|(title, body)| call(title, Some(body))).collect(),
        },
    }
}

/// The query that the parameters' examples make.
fn query(description: Description<'_>, operation: &Value) -> String {
    let parameters = operation.at("parameters").as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| description.resolve(parameter));
    let pairs = parameters.filter(|parameter| *parameter.at("in") == "query").flat_map(|parameter| {
        let name = plain(parameter.at("name"));
        match parameter.at("example") {
            Value::Object(members) => {
                members.iter().map(|(member, value)| format!("{name}[{member}]={}", plain(value))).collect()
            }
            Value::Array(values) => {
                vec![format!("{name}={}", values.iter().map(plain).collect::<Vec<_>>().join(","))]
            }
            _ => Vec::new(),
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The answer to it, if it has a body.
pub fn answer(status: &str, response: &Value) -> Option<Sample> {
    let (_, content) = content(response)?;
    let example = content.get("example")?;
    Some(Sample { title: format!("Answer {status}"), text: pretty(example, 0) })
}

/// The first of the contents.
fn content(carrier: &Value) -> Option<(&str, &Value)> {
    let (media_type, content) = carrier.at("content").as_object()?.iter().next()?;
    Some((media_type, content))
}

fn examples(content: &Value) -> Vec<(&str, &Value)> {
    if let Some(example) = content.get("example") {
        return vec![("Request", example)];
    }
    let examples = content.at("examples").as_object().into_iter().flat_map(Map::values);
    examples
        .map(|example| (example.at("summary").as_str().unwrap_or_default(), example.at("value")))
        .collect()
}

/// JSON, its members in the order of the definitions, its lines but the first that deep.
fn pretty(value: &Value, depth: usize) -> String {
    let block = |open: char, items: Vec<String>, close: char| {
        let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        format!("{open}\n{inner}{}\n{outer}{close}", items.join(&format!(",\n{inner}")))
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, member)| format!("{}: {}", json!(name), pretty(member, depth + 1));
            block('{', in_order(value).into_iter().map(member).collect(), '}')
        }
        Value::Array(elements) if !elements.is_empty() => {
            block('[', elements.iter().map(|element| pretty(element, depth + 1)).collect(), ']')
        }
        other => other.to_string(),
    }
}
