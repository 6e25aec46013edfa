//! The resources under `/api`: what is said of each here, and nothing about HTTP or JSON beyond reading and answering.

pub mod customer_password_resets;
pub mod customers;
pub mod organization;
pub mod path;
pub mod reading;
