//! What the stores on both databases share: the statements that read records of resources, built from the resources' definitions,
//! and the reading of rows.
//!
//! Names in a statement come from definitions; whatever a caller sent is bound. Every resource is read from a view `shown_<name>`, which
//! has a column for each that the definition names, and `organization_id` and `mode`.

mod columns;
mod containment;
mod dialect;
mod expression;
mod filter;
mod order;
mod purge;
mod query;
pub mod rows;
mod select;

pub use self::{
    dialect::Dialect,
    purge::Purgeable,
    query::Select,
    select::{RELATED_TO, count, find, page, related},
};

#[cfg(test)]
mod tests;
