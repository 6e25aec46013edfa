//! The statements over resources that both stores have in common, made from the resources' definitions: what a record is
//! shown as, which of them a list has, and how plain attributes are written.
//!
//! Texts of a statement come from definitions and from this crate; whatever a caller sent is bound. Every resource is read
//! from a view `shown_<name>` with a column for each that its definition names, and `organization_id` and `mode`.

mod containment;
mod filter;
mod order;
mod select;
mod statement;
mod write;

pub use self::{
    select::{RELATED_TO, columns, count, find, page, related},
    statement::{Bind, Dialect, Statement},
    write::{assign_changes, plain_columns, plain_from_json, plain_json, plain_values, push_whose},
};

#[cfg(test)]
mod tests;
