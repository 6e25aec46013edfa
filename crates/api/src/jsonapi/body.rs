//! Bodies of writes, and their attributes.

use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev, web};
use rekey_core::{
    password::{MAX_OCTETS, PlainPassword},
    reset::{Reference, ReferenceChange},
};
use serde_json::{Map, Value};

use super::{
    error::{Fault, Invalid, Problem},
    negotiation,
};
use crate::payload;

/// A body that was not read yet: a handler reads it once it knows that the caller may write at all.
pub struct Body {
    request: HttpRequest,
    payload: web::Payload,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let taken = web::Payload::from_request(request, payload).into_inner();
        ready(
            taken
                .map(|payload| Self { request: request.clone(), payload })
                .map_err(|_| Problem::InvalidDataFormat("There is no body.")),
        )
    }
}

impl Body {
    /// Reads the attributes of a document of type `kind`; `id` is the URL's, for an update.
    pub async fn read(self, kind: &str, id: Option<&str>) -> Result<Attributes, Problem> {
        if !negotiation::is_ours(&self.request) {
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
        if data.get("type").and_then(Value::as_str) != Some(kind) {
            return Err(Problem::InvalidResource);
        }
        // A document without an id can only mean the URL's.
        if let (Some(id), Some(named)) = (id, data.get("id"))
            && named.as_str() != Some(id)
        {
            return Err(Problem::KeyNotIncludedInUrl);
        }
        match data.remove("attributes") {
            Some(Value::Object(attributes)) => Ok(Attributes::new(attributes)),
            None => Ok(Attributes::new(Map::new())),
            Some(_) => Err(Problem::InvalidDataFormat("The attributes are not an object.")),
        }
    }
}

/// The attributes of a write. Readers collect what is wrong, so that a caller is told all of it at once; what nobody
/// reads (unknown and read-only attributes) has no effect.
pub struct Attributes {
    values: Map<String, Value>,
    faults: Vec<Invalid>,
}

/// Characters of a `reference` or `reference_origin`, at most: as many as a name in any system we know of.
const MAX_REFERENCE: usize = 255;

impl Attributes {
    fn new(values: Map<String, Value>) -> Self {
        Self { values, faults: Vec::new() }
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
            1..=MAX_OCTETS => Fault::Invalid,
            _ => Fault::TooLong(MAX_OCTETS),
        };
        PlainPassword::parse(typed).map_err(|_| self.refuse(attribute, fault)).ok()
    }

    /// `reference`, `reference_origin` and `metadata` of a new record.
    pub fn reference(&mut self) -> Reference {
        let ReferenceChange { reference, reference_origin, metadata } = self.reference_change();
        Reference {
            reference: reference.flatten(),
            reference_origin: reference_origin.flatten(),
            metadata: metadata.unwrap_or_default(),
        }
    }

    /// `reference`, `reference_origin` and `metadata` of a record to change.
    pub fn reference_change(&mut self) -> ReferenceChange {
        ReferenceChange {
            reference: self.short_text("reference"),
            reference_origin: self.short_text("reference_origin"),
            metadata: self.object("metadata"),
        }
    }

    /// What was read, unless something was wrong with it.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(Problem::Validation(self.faults)),
        }
    }

    #[expect(clippy::option_option, reason = "absent, null and a text are three things in a PATCH")]
    /// NUL is refused with everything else that PostgreSQL can't keep in a text.
    fn short_text(&mut self, attribute: &'static str) -> Option<Option<String>> {
        let text = self.text(attribute)?;
        let fault = match &text {
            Some(text) if text.chars().count() > MAX_REFERENCE => Fault::TooLong(MAX_REFERENCE),
            Some(text) if text.contains('\0') => Fault::Invalid,
            _ => return Some(text),
        };
        self.refuse(attribute, fault);
        None
    }

    fn object(&mut self, attribute: &'static str) -> Option<Map<String, Value>> {
        match self.take(attribute)? {
            Value::Null => Some(Map::new()),
            Value::Object(object) if holds_nul(&object) => {
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

fn holds_nul(object: &Map<String, Value>) -> bool {
    fn in_value(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(in_value),
            Value::Object(object) => holds_nul(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    object.iter().any(|(key, value)| key.contains('\0') || in_value(value))
}
