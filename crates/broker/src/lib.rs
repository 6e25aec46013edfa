//! The two implementations of the port `Bus`: [`rabbitmq`] for production, and [`local`] for the process that is API and
//! mailer in one.

pub mod local;
pub mod rabbitmq;
mod run_handler;
