mod documented;

pub use self::documented::{Operand, predicates_of};

use rekey_core::{
    clock::to_microseconds,
    resources::{
        Kind, Resource,
        listing::{Comparison, Filter, Path, Pattern, Test},
        record::Value,
    },
    secrets::ResetToken,
};
use time::Duration;

use super::{QueryProblem, value};

/// What a predicate tests. The names of predicates are the vendor's, which are Ransack's.
#[derive(Debug, Clone, Copy)]
enum Base {
    Compare(Comparison),
    Like(fn(&str) -> Pattern),
    NotLike(fn(&str) -> Pattern),
    In,
    NotIn,
    Null,
    NotNull,
    Present,
    Blank,
    True,
    False,
    Jcont,
}

/// How a predicate of several values, separated by commas, combines them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combine {
    /// There is one value, which may contain commas.
    One,
    Any,
    All,
}

/// A predicate: its test, how it combines values, and whether null passes as well.
#[derive(Debug, Clone, Copy)]
struct Predicate {
    base: Base,
    combine: Combine,
    or_null: bool,
}

/// Each name with its test, and whether it has the compounds `_any`, `_all` and `_or_null`.
const BASES: [(&str, Base, [bool; 3]); 23] = [
    ("eq", Base::Compare(Comparison::Equal), [false, false, true]),
    ("not_eq", Base::Compare(Comparison::NotEqual), [false, true, true]),
    ("lt", Base::Compare(Comparison::Less), [true, true, false]),
    ("lteq", Base::Compare(Comparison::LessOrEqual), [true, true, false]),
    ("gt", Base::Compare(Comparison::Greater), [true, true, false]),
    ("gteq", Base::Compare(Comparison::GreaterOrEqual), [true, true, false]),
    ("matches", Base::Like(Pattern::parse), [true, true, false]),
    ("does_not_match", Base::NotLike(Pattern::parse), [true, true, false]),
    ("start", Base::Like(Pattern::starts_with), [true, true, false]),
    ("not_start", Base::NotLike(Pattern::starts_with), [true, true, false]),
    ("end", Base::Like(Pattern::ends_with), [true, true, false]),
    ("not_end", Base::NotLike(Pattern::ends_with), [true, true, false]),
    ("cont", Base::Like(Pattern::contains), [true, true, false]),
    ("not_cont", Base::NotLike(Pattern::contains), [false, true, false]),
    ("in", Base::In, [false, false, true]),
    ("not_in", Base::NotIn, [false, false, true]),
    ("null", Base::Null, [false; 3]),
    ("not_null", Base::NotNull, [false; 3]),
    ("present", Base::Present, [false; 3]),
    ("blank", Base::Blank, [false; 3]),
    ("true", Base::True, [false; 3]),
    ("false", Base::False, [false; 3]),
    ("jcont", Base::Jcont, [false; 3]),
];

/// The most attributes that one filter joins by `_or_`.
pub const MAX_ALTERNATIVES: usize = 10;

/// Reads `filter[q][ATTRIBUTE_PREDICATE]=value`. ATTRIBUTE may be several attributes joined by `_or_`, and each of them may belong to
/// a related record, with the relationship's name in front.
pub(super) fn read(resource: &'static Resource, name: &str, value: &str) -> Result<Filter, QueryProblem> {
    let expression = name
        .strip_prefix("filter[q][")
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or(QueryProblem::Filter)?;
    let (paths, predicate) = split(resource, expression).ok_or(QueryProblem::Filter)?;
    let tests =
        paths.iter().map(|path| Ok(Filter::Test(*path, test(path.attribute.kind, predicate, value)?)));
    let mut tests = tests.collect::<Result<Vec<_>, QueryProblem>>()?;
    Ok(if tests.len() == 1 { tests.remove(0) } else { Filter::Any(tests) })
}

/// Splits attributes and predicate: the predicate is the longest one that leaves attributes which can be filtered by.
fn split(resource: &'static Resource, expression: &str) -> Option<(Vec<Path>, Predicate)> {
    let mut candidates: Vec<(&str, Predicate)> = predicates()
        .filter_map(|(name, predicate)| {
            Some((expression.strip_suffix(name.as_str())?.strip_suffix('_')?, predicate))
        })
        .collect();
    candidates.sort_by_key(|(attributes, _)| attributes.len());
    candidates.into_iter().find_map(|(attributes, predicate)| {
        let paths = attributes.split("_or_").take(MAX_ALTERNATIVES + 1).map(|name| path(resource, name));
        let paths = paths.collect::<Option<Vec<_>>>()?;
        (paths.len() <= MAX_ALTERNATIVES).then_some((paths, predicate))
    })
}

fn predicates() -> impl Iterator<Item = (String, Predicate)> {
    BASES.into_iter().flat_map(|(name, base, [any, all, or_null])| {
        let plain = Predicate { base, combine: Combine::One, or_null: false };
        let compounds = [
            (any, "_any", Predicate { combine: Combine::Any, ..plain }),
            (all, "_all", Predicate { combine: Combine::All, ..plain }),
            (or_null, "_or_null", Predicate { or_null: true, ..plain }),
        ];
        let compounds = compounds.into_iter().filter(|(there_is, ..)| *there_is);
        let compounds = compounds.map(move |(_, suffix, predicate)| (format!("{name}{suffix}"), predicate));
        std::iter::once((name.to_owned(), plain)).chain(compounds)
    })
}

#[cfg(test)]
pub(super) fn predicate_names() -> impl Iterator<Item = String> {
    predicates().map(|(name, _)| name)
}

fn path(resource: &'static Resource, name: &str) -> Option<Path> {
    let of =
        |resource: &'static Resource, name| resource.attribute(name).filter(|attribute| attribute.filter);
    if let Some(attribute) = of(resource, name) {
        return Some(Path { via: None, attribute });
    }
    resource.relationships.iter().filter(|relationship| relationship.filter).find_map(|relationship| {
        let name = name.strip_prefix(relationship.name)?.strip_prefix('_')?;
        Some(Path { via: Some(relationship), attribute: of(relationship.target, name)? })
    })
}

fn test(kind: Kind, predicate: Predicate, value: &str) -> Result<Test, QueryProblem> {
    let Predicate { base, combine, or_null } = predicate;
    if or_null && kind == Kind::Token {
        return Err(QueryProblem::Filter);
    }
    let test = match combine {
        Combine::One => single(kind, base, value)?,
        Combine::Any | Combine::All => {
            let tests = value::list(value)?.into_iter().map(|value| single(kind, base, value));
            let tests = tests.collect::<Result<Vec<_>, _>>()?;
            if combine == Combine::Any { Test::Any(tests) } else { Test::All(tests) }
        }
    };
    Ok(if or_null { Test::Any(vec![test, Test::Null]) } else { test })
}

fn single(kind: Kind, base: Base, value: &str) -> Result<Test, QueryProblem> {
    let is_text = matches!(kind, Kind::Text | Kind::Locale | Kind::Email | Kind::Id);
    match base {
        // A token is only found by its whole value: anything else would reveal parts of other tokens.
        Base::Compare(Comparison::Equal) if kind == Kind::Token => {
            Ok(ResetToken::parse(value).map_or(Test::Any(Vec::new()), |token| Test::Token(token.digest())))
        }
        _ if kind == Kind::Token => Err(QueryProblem::Filter),
        Base::Null => boolean_test(value, Test::Null, Test::NotNull),
        Base::NotNull => boolean_test(value, Test::NotNull, Test::Null),
        Base::Blank => boolean_test(value, Test::Blank, Test::Present),
        Base::Present => boolean_test(value, Test::Present, Test::Blank),
        Base::True | Base::False if kind == Kind::Boolean => {
            let is = value::boolean(value)? == matches!(base, Base::True);
            Ok(Test::Compare(Comparison::Equal, Value::Boolean(is)))
        }
        Base::Jcont if kind == Kind::Object => Ok(Test::Contains(value::object(value)?)),
        Base::Compare(comparison) if kind == Kind::Time => {
            value::time(value).map(|at| compare_time(comparison, at))
        }
        Base::In | Base::NotIn if kind == Kind::Time => {
            let times = value::list(value)?.into_iter().map(value::time).collect::<Result<Vec<_>, _>>()?;
            let compare = |comparison| times.iter().map(|at| compare_time(comparison, *at)).collect();
            Ok(match base {
                Base::In => Test::Any(compare(Comparison::Equal)),
                _ => Test::All(compare(Comparison::NotEqual)),
            })
        }
        Base::Compare(comparison) => Ok(Test::Compare(comparison, value::read(kind, value)?)),
        Base::In | Base::NotIn => {
            let values = value::list(value)?.into_iter().map(|value| value::read(kind, value));
            let values = values.collect::<Result<_, _>>()?;
            Ok(if matches!(base, Base::In) { Test::In(values) } else { Test::NotIn(values) })
        }
        Base::Like(pattern) if is_text => Ok(Test::Like(pattern(&value::text(value)?))),
        Base::NotLike(pattern) if is_text => Ok(Test::NotLike(pattern(&value::text(value)?))),
        _ => Err(QueryProblem::Filter),
    }
}

/// Returns the test of a predicate that takes a boolean.
fn boolean_test(value: &str, yes: Test, no: Test) -> Result<Test, QueryProblem> {
    Ok(if value::boolean(value)? { yes } else { no })
}

/// Compares times. They are shown in milliseconds and stored in microseconds; a stored time equals the time that is shown for it.
fn compare_time(comparison: Comparison, at: time::OffsetDateTime) -> Test {
    let bound = |comparison, at| Test::Compare(comparison, Value::Time(at));
    let next = to_microseconds(at.saturating_add(Duration::MILLISECOND));
    match comparison {
        Comparison::Equal => {
            Test::All(vec![bound(Comparison::GreaterOrEqual, at), bound(Comparison::Less, next)])
        }
        Comparison::NotEqual => {
            Test::Any(vec![bound(Comparison::Less, at), bound(Comparison::GreaterOrEqual, next)])
        }
        Comparison::Less => bound(Comparison::Less, at),
        Comparison::LessOrEqual => bound(Comparison::Less, next),
        Comparison::Greater => bound(Comparison::GreaterOrEqual, next),
        Comparison::GreaterOrEqual => bound(Comparison::GreaterOrEqual, at),
    }
}
