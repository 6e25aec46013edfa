//! The real programs, end to end. In one program of tests, so that it is linked once, and those that mostly wait overlap. What needs the
//! machine for itself is a program of its own, next to this folder.

#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#[path = "../../../../crates/runtime/tests/process/collector.rs"]
mod collector;

mod audit;
mod bounces;
mod commerce_layer;
mod configuration;
mod console;
mod database_faults;
mod dead_letters;
mod deliveries;
mod doctor;
mod embedded;
mod enumeration;
mod guides;
mod import;
mod lost_messages;
mod mail_outages;
mod maintenance;
mod metrics;
mod openapi;
mod operator;
mod pooler;
mod postgres_failover;
mod production;
mod reload;
mod rolling_upgrade;
mod secrets;
mod signature;
mod start_and_stop;
mod storefront;
mod tool_output;
mod tracing;
mod webhooks;
mod wrong_servers;
mod wrong_settings;
