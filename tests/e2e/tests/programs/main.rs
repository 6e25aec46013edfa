//! The real programs, end to end. In one program of tests, so that it is linked once, and those that mostly wait overlap. What needs the
//! machine for itself is a program of its own, next to this folder.

mod audit;
mod configuration;
mod database_faults;
mod dead_letters;
mod deliveries;
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
mod production;
mod reload;
mod rolling_upgrade;
mod secrets;
mod signature;
mod start_and_stop;
mod storefront;
mod tool_output;
mod tracing;
mod wrong_servers;
mod wrong_settings;
