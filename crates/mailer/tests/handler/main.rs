//! The handler on a real ledger (SQLite, with a clock that the test moves), a real mailbox, and a scripted SMTP server.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

mod circuits;
mod codes;
mod failover;
mod late;
mod outage;
mod poison;
mod readers;
mod relay;
mod sending;
mod world;
