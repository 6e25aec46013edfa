//! kill -9 of the broker.
