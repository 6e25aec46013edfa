//! The bus on a real RabbitMQ, with outages and crashes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod conformance;
mod consuming;
mod crash;
mod dead_letters;
mod outage;
mod publishing;
mod stage;
mod webhooks;
