//! The bus port, twice: [`rabbitmq`] for production, [`local`] for the process that is API and mailer in one.

mod handling;
pub mod local;
pub mod rabbitmq;
