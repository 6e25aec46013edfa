//! Texts in one language, for code and for templates.

use std::sync::Arc;

use minijinja::{
    Error, ErrorKind, State, Value,
    value::{Kwargs, Object, from_args},
};
use time::{Duration, OffsetDateTime};

use crate::{
    language::Language,
    moment::{Moment, Span},
    texts::{Arg, SayError, Texts},
};

/// An organization's texts in one language.
#[derive(Clone)]
pub struct Reader {
    texts: Texts,
    language: Language,
}

impl Reader {
    /// Returns the language of these texts.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Formats the text with that key.
    pub fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> Result<String, SayError> {
        self.texts.say(self.language, key, args)
    }

    /// Formats a span to the nearest minute, hour or day: "6 hours". The unit is in its basic form; texts of languages that would
    /// inflect it inside a sentence put it after a colon.
    pub fn span(&self, span: Duration) -> Result<String, SayError> {
        let (key, count) = match Span::nearest(span) {
            Span::Minutes(count) => ("time-minutes", count),
            Span::Hours(count) => ("time-hours", count),
            Span::Days(count) => ("time-days", count),
        };
        self.say(key, &[("count", Arg::Number(count))])
    }

    /// Formats a moment to the minute in the organization's time zone, with the zone's name.
    pub fn moment(&self, at: OffsetDateTime) -> Result<String, SayError> {
        let moment = self.texts.moment(self.language, at).unwrap_or_else(|| Moment::plain(at));
        self.say("time-moment", &[("moment", (&moment.written).into()), ("zone", (&moment.zone).into())])
    }

    /// Returns the function `t` of templates: `{{ t("…", shop=shop) }}` formats a text, which is escaped like any value.
    #[must_use]
    pub fn function(&self) -> Value {
        Value::from_object(Function(self.clone()))
    }
}

impl Texts {
    /// Returns these texts in one language.
    #[must_use]
    pub fn reader(&self, language: Language) -> Reader {
        Reader { texts: self.clone(), language }
    }
}

struct Function(Reader);

// `Object` requires it.
impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "texts in {}", self.0.language)
    }
}

impl Object for Function {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (key, variables) = from_args::<(&str, Kwargs)>(args)?;
        let mut named = Vec::new();
        for name in variables.args() {
            named.push((name, variables.peek::<Value>(name)?));
        }
        let args: Vec<_> = named.iter().filter_map(|(name, value)| Some((*name, arg(value)?))).collect();
        let text = self.0.say(key, &args);
        text.map(Value::from).map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
    }
}

/// Converts texts and whole numbers. Any other value counts as missing.
fn arg(value: &Value) -> Option<Arg<'_>> {
    match value.as_str() {
        Some(text) => Some(Arg::Text(text)),
        None => i64::try_from(value.clone()).ok().map(Arg::Number),
    }
}
