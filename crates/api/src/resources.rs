//! The handlers of the resources under `/api`.

pub mod customer_password_resets;
pub mod customers;
pub mod events;
pub mod organization;
pub mod path;
pub mod reading;
pub mod webhooks;
