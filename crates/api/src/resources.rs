//! The resources under `/api`.

pub mod customer_password_resets;
pub mod customers;
mod path;
