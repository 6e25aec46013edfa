use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

/// A statement in the making: its text, and what is bound to its parameters.
#[derive(Debug)]
pub struct Statement {
    dialect: Dialect,
    text: String,
    binds: Vec<Bind>,
}

/// Which database a statement is for.
#[derive(Debug, Clone, Copy)]
pub enum Dialect {
    /// PostgreSQL; its clock is the time.
    Postgres,
    /// SQLite; times are microseconds since 1970, and this one is the present.
    Sqlite {
        /// Microseconds since 1970.
        now: i64,
    },
}

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Text(Option<String>),
    Texts(Vec<&'static str>),
    Bytes(Option<Vec<u8>>),
    Time(OffsetDateTime),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Json(Map<String, Json>),
}

impl Statement {
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), binds: Vec::new() }
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Appends text: of this crate's, a store's or a definition's.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter that stands for `value`.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        self.binds.push(value);
        let sign = match self.dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite { .. } => '?',
        };
        self.text.push(sign);
        self.text.push_str(&self.binds.len().to_string());
        self
    }

    /// Appends a parameter that stands for a text.
    pub fn bind_text(&mut self, text: &str) -> &mut Self {
        self.bind(Bind::Text(Some(text.to_owned())))
    }

    /// Appends the present.
    pub fn push_now(&mut self) -> &mut Self {
        match self.dialect {
            Dialect::Postgres => self.push("now()"),
            Dialect::Sqlite { now } => self.bind(Bind::Integer(now)),
        }
    }

    /// Appends parts with a separator between them.
    pub fn join<T>(
        &mut self,
        separator: &str,
        parts: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            push(self, part);
        }
        self
    }

    /// The text, and the values in the order of their parameters' numbers.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<Bind>) {
        (self.text, self.binds)
    }
}
