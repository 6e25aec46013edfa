//! One value, and where it came from.

use std::{fmt, path::PathBuf};

use zeroize::Zeroizing;

/// The value of a key; every key keeps the type of its default.
#[derive(Clone)]
pub(super) enum Value {
    Text(Zeroizing<String>),
    Integer(i64),
    Flag(bool),
    List(Vec<String>),
}

/// The layer a value came from.
#[derive(Debug, Clone)]
pub enum Origin {
    Default,
    Preset,
    File(PathBuf),
    Variable(String),
    VariableFile(String),
    Override,
}

impl Value {
    /// `None` for a type that no key has.
    pub(super) fn from_toml(value: toml::Value) -> Option<Self> {
        let text = |item| if let toml::Value::String(text) = item { Some(text) } else { None };
        match value {
            toml::Value::String(text) => Some(Self::Text(Zeroizing::new(text))),
            toml::Value::Integer(number) => Some(Self::Integer(number)),
            toml::Value::Boolean(flag) => Some(Self::Flag(flag)),
            toml::Value::Array(items) => items.into_iter().map(text).collect::<Option<_>>().map(Self::List),
            toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
        }
    }

    /// A value of this one's type, written as text.
    pub(super) fn parse_like(&self, text: &str) -> Option<Self> {
        match self {
            Self::Text(_) => Some(Self::Text(Zeroizing::new(text.to_owned()))),
            Self::Integer(_) => text.trim().parse().ok().map(Self::Integer),
            Self::Flag(_) => text.trim().parse().ok().map(Self::Flag),
            Self::List(_) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Self::List(items.map(str::to_owned).collect()))
            }
        }
    }

    /// Its type, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "an integer",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list of texts",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{:?}", text.as_str()),
            Self::Integer(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::List(items) => write!(f, "{items:?}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("from the defaults"),
            Self::Preset => f.write_str("from this program's defaults"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Variable(name) => write!(f, "from {name}"),
            Self::VariableFile(name) => write!(f, "from the file that {name} names"),
            Self::Override => f.write_str("from the command line"),
        }
    }
}
