//! Builds again when a migration was added: `sqlx::migrate!` reads their folder.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
