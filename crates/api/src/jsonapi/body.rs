//! The bodies of writes, and their attributes.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use rekey_core::{
    attributes::{CommonAttributes, Patch},
    locale::Locale,
    passwords::{MAX_BYTES, PlainPassword},
    resources::{Attribute, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, Resource, record},
};
use serde_json::{Map, Value};

use super::{
    error::{Problem, ValidationError},
    negotiation,
};
use crate::{
    json::{self, JsonError},
    payload,
};

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
        read_document(&bytes, resource, id)
    }
}

/// Reads the attributes of a document of that resource; `id` is the URL's, for an update.
pub fn read_document(bytes: &[u8], resource: &Resource, id: Option<&str>) -> Result<Attributes, Problem> {
    let document = json::read(bytes).map_err(|error| {
        Problem::InvalidDataFormat(match error {
            JsonError::Malformed => "The body is not JSON.",
            JsonError::DuplicateName => "An object in the body has a member twice.",
        })
    })?;
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
        Some(Value::Object(attributes)) => Ok(Attributes::new(attributes)),
        None => Ok(Attributes::new(Map::new())),
        Some(_) => Err(Problem::InvalidDataFormat("The attributes are not an object.")),
    }
}

/// The attributes of a write. The methods collect errors, so that a caller gets all of them at once. Attributes that are not
/// read (unknown and read-only ones) have no effect.
pub struct Attributes {
    values: Map<String, Value>,
    errors: Vec<(&'static str, ValidationError)>,
}

impl Attributes {
    fn new(values: Map<String, Value>) -> Self {
        Self { values, errors: Vec::new() }
    }

    /// Records that an attribute can't be used.
    pub fn refuse(&mut self, attribute: &Attribute, error: ValidationError) {
        self.errors.push((attribute.name, error));
    }

    /// Whether an attribute is there and not null.
    #[must_use]
    pub fn has(&self, attribute: &Attribute) -> bool {
        self.values.get(attribute.name).is_some_and(|value| !value.is_null())
    }

    /// Takes the value of an attribute; `None` when it is absent.
    pub fn take(&mut self, attribute: &Attribute) -> Option<Value> {
        self.values.remove(attribute.name)
    }

    /// Takes a text that may be null.
    fn text(&mut self, attribute: &Attribute) -> Patch<String> {
        match self.take(attribute) {
            Some(Value::String(text)) => Patch::Set(text),
            Some(Value::Null) => Patch::Clear,
            None => Patch::Keep,
            Some(_) => {
                self.refuse(attribute, ValidationError::NotAString);
                Patch::Keep
            }
        }
    }

    /// Takes a text that has no effect, so that it may have any length.
    pub fn ignored_text(&mut self, attribute: &Attribute) {
        self.text(attribute);
    }

    /// Takes a text that must be there and parse.
    pub fn required<T: FromStr>(&mut self, attribute: &Attribute) -> Option<T> {
        self.required_or(attribute, ValidationError::Invalid)
    }

    /// Takes a text that must be there and parse, or else has that error.
    pub fn required_or<T: FromStr>(&mut self, attribute: &Attribute, invalid: ValidationError) -> Option<T> {
        let error = match self.take(attribute) {
            Some(Value::String(text)) if !text.trim().is_empty() => match text.parse() {
                Ok(value) => return Some(value),
                Err(_) => invalid,
            },
            None | Some(Value::Null | Value::String(_)) => ValidationError::Blank,
            Some(_) => ValidationError::NotAString,
        };
        self.refuse(attribute, error);
        None
    }

    /// Takes a password; null counts as absent.
    pub fn password(&mut self, attribute: &Attribute) -> Option<PlainPassword> {
        let Patch::Set(typed) = self.text(attribute) else { return None };
        let error = match typed.len() {
            0 => ValidationError::Blank,
            1..=MAX_BYTES => ValidationError::Invalid,
            _ => ValidationError::TooManyBytes(MAX_BYTES),
        };
        PlainPassword::parse(typed).map_err(|_| self.refuse(attribute, error)).ok()
    }

    /// Takes a text that must parse if it is there; null is refused.
    pub fn optional<T: FromStr>(&mut self, attribute: &Attribute) -> Option<T> {
        if self.values.contains_key(attribute.name) { self.required(attribute) } else { None }
    }

    /// Takes a text of limited length that is not blank if it is there; null counts as absent.
    pub fn name(&mut self, attribute: &Attribute) -> Option<String> {
        let name = self.short_text(attribute).value().cloned()?;
        if name.trim().is_empty() {
            self.refuse(attribute, ValidationError::Blank);
        }
        Some(name)
    }

    /// Lets a blank text count as absent.
    pub fn ignore_blank(&mut self, attribute: &Attribute) {
        let text = self.values.get(attribute.name).and_then(Value::as_str);
        if text.is_some_and(|text| text.trim().is_empty()) {
            self.values.remove(attribute.name);
        }
    }

    /// Takes an array of texts; null becomes an empty one.
    pub fn texts(&mut self, attribute: &Attribute) -> Option<Vec<String>> {
        let texts = match self.take(attribute)? {
            Value::Null => Some(Vec::new()),
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        if texts.is_none() {
            self.refuse(attribute, ValidationError::NotAnArrayOfStrings);
        }
        texts
    }

    /// Takes two triggers that undo each other: true for the first, false for the second.
    pub fn either(&mut self, first: &Attribute, second: &Attribute) -> Option<bool> {
        match (self.trigger(first), self.trigger(second)) {
            (true, true) => {
                self.refuse(first, ValidationError::Contradictory);
                self.refuse(second, ValidationError::Contradictory);
                None
            }
            (true, false) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Takes a boolean that makes something happen when it is true. Null counts as absent.
    pub fn trigger(&mut self, attribute: &Attribute) -> bool {
        match self.take(attribute) {
            Some(Value::Bool(is_set)) => is_set,
            None | Some(Value::Null) => false,
            Some(_) => {
                self.refuse(attribute, ValidationError::NotABoolean);
                false
            }
        }
    }

    /// Takes the attributes that every record has and this service only stores.
    pub fn common(&mut self) -> CommonAttributes {
        CommonAttributes {
            reference: self.short_text(&REFERENCE),
            reference_origin: self.short_text(&REFERENCE_ORIGIN),
            metadata: self.object(&METADATA),
        }
    }

    /// Takes a language tag.
    pub fn locale(&mut self, attribute: &Attribute) -> Patch<Locale> {
        match self.text(attribute) {
            Patch::Set(typed) => {
                typed.parse().map_err(|_| self.refuse(attribute, ValidationError::Invalid)).ok().into()
            }
            Patch::Clear => Patch::Clear,
            Patch::Keep => Patch::Keep,
        }
    }

    /// Returns what was read, unless there are errors.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(Problem::Validation(self.errors)),
        }
    }

    /// Takes a text of limited length. NUL is refused, as PostgreSQL can't store it.
    fn short_text(&mut self, attribute: &Attribute) -> Patch<String> {
        let text = self.text(attribute);
        let error = match &text {
            Patch::Set(text) if text.chars().count() > Kind::MAX_TEXT => {
                ValidationError::TooLong(Kind::MAX_TEXT)
            }
            Patch::Set(text) if text.contains('\0') => ValidationError::Invalid,
            _ => return text,
        };
        self.refuse(attribute, error);
        Patch::Keep
    }

    /// Takes a JSON object; null becomes an empty one.
    fn object(&mut self, attribute: &Attribute) -> Option<Map<String, Value>> {
        match self.take(attribute)? {
            Value::Null => Some(Map::new()),
            nul if record::holds_nul(&nul) => {
                self.refuse(attribute, ValidationError::Invalid);
                None
            }
            Value::Object(object) => Some(object),
            _ => {
                self.refuse(attribute, ValidationError::NotAnObject);
                None
            }
        }
    }
}
