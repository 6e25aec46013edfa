//! Bodies of writes, and their attributes.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use rekey_core::{
    locale::Locale,
    passwords::{MAX_BYTES, PlainPassword},
    resources::{
        self, Kind, Resource, Write,
        record::{self, Changes},
    },
};
use serde_json::{Map, Value};

use super::{
    error::{Fault, Invalid, Problem},
    negotiation,
};
use crate::payload;

/// A body that is not read yet: a handler reads it once it knows that the caller may write at all.
pub struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads the attributes of a document of that resource; `id` is the URL's, for an update.
    pub async fn read(self, resource: &'static Resource, id: Option<&str>) -> Result<Attributes, Problem> {
        if !negotiation::is_jsonapi(&self.request) {
            return Err(Problem::UnsupportedMediaType);
        }
        let bytes = payload::read(&self.request, self.payload).await?;
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|_| Problem::InvalidDataFormat("The body is not JSON."))?;
        let Value::Object(mut document) = document else {
            return Err(Problem::InvalidDataFormat("The body is not an object."));
        };
        let Some(Value::Object(mut data)) = document.remove("data") else {
            return Err(Problem::InvalidDataFormat("The body has no data object."));
        };
        if data.get("type").and_then(Value::as_str) != Some(resource.name) {
            return Err(Problem::InvalidResource);
        }
        // A document without an id can only mean the URL's.
        if let (Some(id), Some(named)) = (id, data.get("id"))
            && named.as_str() != Some(id)
        {
            return Err(Problem::KeyNotIncludedInUrl);
        }
        if data.get("relationships").is_some_and(|relationships| !relationships.is_object()) {
            return Err(Problem::InvalidDataFormat("The relationships are not an object."));
        }
        match data.remove("attributes") {
            Some(Value::Object(attributes)) => Ok(Attributes::new(resource, attributes)),
            None => Ok(Attributes::new(resource, Map::new())),
            Some(_) => Err(Problem::InvalidDataFormat("The attributes are not an object.")),
        }
    }
}

/// The attributes of a write. Readers collect what is wrong, so that a caller is told all of it at once; what nobody
/// reads (unknown and read-only attributes) has no effect.
pub struct Attributes {
    resource: &'static Resource,
    values: Map<String, Value>,
    faults: Vec<Invalid>,
}

impl Attributes {
    fn new(resource: &'static Resource, values: Map<String, Value>) -> Self {
        Self { resource, values, faults: Vec::new() }
    }

    /// Says that an attribute can't be used.
    pub fn refuse(&mut self, attribute: &'static str, fault: Fault) {
        self.faults.push(Invalid { attribute, fault });
    }

    /// Whether an attribute is there and not null.
    #[must_use]
    pub fn has(&self, attribute: &str) -> bool {
        self.values.get(attribute).is_some_and(|value| !value.is_null())
    }

    /// The value of an attribute, once: `None` when it is absent.
    pub fn take(&mut self, attribute: &'static str) -> Option<Value> {
        self.values.remove(attribute)
    }

    /// A text; `Some(None)` is an explicit null.
    #[expect(clippy::option_option, reason = "absent, null and a text are three things in a PATCH")]
    pub fn text(&mut self, attribute: &'static str) -> Option<Option<String>> {
        match self.take(attribute)? {
            Value::String(text) => Some(Some(text)),
            Value::Null => Some(None),
            _ => {
                self.refuse(attribute, Fault::NotAString);
                None
            }
        }
    }

    /// A text that must be there and parse.
    pub fn required<T: FromStr>(&mut self, attribute: &'static str) -> Option<T> {
        let fault = match self.take(attribute) {
            Some(Value::String(text)) if !text.is_empty() => match text.parse() {
                Ok(value) => return Some(value),
                Err(_) => Fault::Invalid,
            },
            None | Some(Value::Null | Value::String(_)) => Fault::Blank,
            Some(_) => Fault::NotAString,
        };
        self.refuse(attribute, fault);
        None
    }

    /// A password; null is none.
    pub fn password(&mut self, attribute: &'static str) -> Option<PlainPassword> {
        let typed = self.text(attribute)??;
        let fault = match typed.len() {
            0 => Fault::Blank,
            1..=MAX_BYTES => Fault::Invalid,
            _ => Fault::TooManyBytes(MAX_BYTES),
        };
        PlainPassword::parse(typed).map_err(|_| self.refuse(attribute, fault)).ok()
    }

    /// A text that parses, if it is there; null is no value of it.
    pub fn optional<T: FromStr>(&mut self, attribute: &'static str) -> Option<T> {
        if self.values.contains_key(attribute) { self.required(attribute) } else { None }
    }

    /// The plain attributes of a new record.
    pub fn of_new(&mut self) -> Changes {
        self.plain(|attribute| attribute.create != Write::Ignored)
    }

    /// The plain attributes of a record to change.
    pub fn of_change(&mut self) -> Changes {
        self.plain(|attribute| attribute.update)
    }

    fn plain(&mut self, is_read: impl Fn(&resources::Attribute) -> bool) -> Changes {
        let mut changes = Changes::default();
        for (attribute, _) in self.resource.plain().filter(|(attribute, _)| is_read(attribute)) {
            let value = match attribute.kind {
                Kind::Object => self.object(attribute.name).map(record::Value::Object),
                Kind::Locale => self.locale(attribute.name),
                _ => self
                    .short_text(attribute.name)
                    .map(|text| text.map_or(record::Value::Null, record::Value::Text)),
            };
            if let Some(value) = value {
                changes.set(attribute, value);
            }
        }
        changes
    }

    /// What was read, unless something was wrong with it.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(Problem::Validation(self.faults)),
        }
    }

    /// NUL is refused with everything else that PostgreSQL can't keep in a text.
    #[expect(clippy::option_option, reason = "absent, null and a text are three things in a PATCH")]
    fn short_text(&mut self, attribute: &'static str) -> Option<Option<String>> {
        let text = self.text(attribute)?;
        let fault = match &text {
            Some(text) if text.chars().count() > Kind::MAX_TEXT => Fault::TooLong(Kind::MAX_TEXT),
            Some(text) if text.contains('\0') => Fault::Invalid,
            _ => return Some(text),
        };
        self.refuse(attribute, fault);
        None
    }

    /// A language tag, in its usual spelling.
    fn locale(&mut self, attribute: &'static str) -> Option<record::Value> {
        let Some(typed) = self.text(attribute)? else { return Some(record::Value::Null) };
        let tag = typed.parse::<Locale>().map_err(|_| self.refuse(attribute, Fault::Invalid)).ok()?;
        Some(record::Value::Text(tag.to_string()))
    }

    fn object(&mut self, attribute: &'static str) -> Option<Map<String, Value>> {
        match self.take(attribute)? {
            Value::Null => Some(Map::new()),
            nul if record::holds_nul(&nul) => {
                self.refuse(attribute, Fault::Invalid);
                None
            }
            Value::Object(object) => Some(object),
            _ => {
                self.refuse(attribute, Fault::NotAnObject);
                None
            }
        }
    }
}
