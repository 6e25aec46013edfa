use rekey_core::resources::Kind;

use super::{Base, Combine, QueryProblem, predicates, test};

/// The kind of value that a predicate takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operand {
    /// One value of the attribute's kind.
    Value,
    /// Several values, separated by commas.
    Values,
    /// A boolean.
    YesOrNo,
    /// A JSON object.
    Object,
}

/// Returns the predicates of attributes of that kind, and what they take: those that filters don't refuse for every value.
pub fn predicates_of(kind: Kind) -> impl Iterator<Item = (String, Operand)> {
    predicates().filter_map(move |(name, predicate)| {
        let operand = match predicate.base {
            Base::Null | Base::NotNull | Base::Present | Base::Blank | Base::True | Base::False => {
                Operand::YesOrNo
            }
            Base::Jcont => Operand::Object,
            Base::In | Base::NotIn => Operand::Values,
            _ if predicate.combine != Combine::One => Operand::Values,
            _ => Operand::Value,
        };
        let is_refused = matches!(test(kind, predicate, ""), Err(QueryProblem::Filter));
        (!is_refused).then_some((name, operand))
    })
}
