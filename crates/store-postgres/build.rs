//! Rebuilds the crate when a migration is added: `sqlx::migrate!` reads their folder.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
