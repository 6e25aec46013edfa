//! The statements that read resources, for both stores, made from the resources' definitions: what a record is shown as, and
//! which of them a list has.
//!
//! Texts of a statement come from definitions and from this crate; whatever a caller sent is bound. Every resource is read
//! from a view `shown_<name>` with a column for each that its definition names, and `organization_id` and `mode`.

mod containment;
mod filter;
mod order;
mod select;
mod statement;

pub use self::{
    select::{RELATED_TO, columns, count, find, page, related},
    statement::{Bind, Dialect, Statement},
};

#[cfg(test)]
mod tests;
