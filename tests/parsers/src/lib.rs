//! The parsers of whatever comes from outside, each with what must hold for every input.
//!
//! A check calls the parser and panics if it panics, accepts what is out of bounds, or reads what it has accepted as something else the second
//! time. `tests/corpus.rs` runs the checks on the inputs of `corpus/`, and the program `fuzz` on those that libFuzzer makes of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "all of this is test code: a panic is how a check fails"
)]

pub mod bounces;
pub mod config;
pub mod http;
pub mod imports;
pub mod text;
pub mod wire;

use std::sync::LazyLock;

use rekey_core::secrets::KeyRing;

/// Panics unless a parser does what it must with the input.
pub type Check = fn(&[u8]);

/// Each parser's name, which is that of its folder in `corpus/`, with its check.
pub const CHECKS: [(&str, Check); 20] = [
    ("bounce_mailgun", bounces::mailgun),
    ("bounce_postmark", bounces::postmark),
    ("bounce_report", wire::bounce_report),
    ("bounce_sendgrid", bounces::sendgrid),
    ("bounce_ses", bounces::ses),
    ("bounce_sns", bounces::sns),
    ("config", config::config),
    ("email", text::email),
    ("event", wire::event),
    ("forwarded_for", http::forwarded_for),
    ("hash", text::hash),
    ("header", http::header),
    ("import_csv", imports::csv),
    ("import_export", imports::export),
    ("import_jsonl", imports::jsonl),
    ("jsonapi", http::jsonapi),
    ("link_template", text::link_template),
    ("query", http::query),
    ("secret", text::secret),
    ("smtp_reply", wire::smtp_reply),
];

/// The keys of the checks.
static KEYS: LazyLock<KeyRing> = LazyLock::new(|| keys(0));
/// Keys that sign nothing. libFuzzer sees what is compared, so in time its inputs have what [`KEYS`] have signed.
static OTHER_KEYS: LazyLock<KeyRing> = LazyLock::new(|| keys(1));

fn keys(first: u8) -> KeyRing {
    let key = std::array::from_fn(|at| first + u8::try_from(at).unwrap());
    KeyRing::new([("fuzz", &key)]).unwrap()
}

/// Panics unless a text is what may be logged and stored of another server's: a line of at most 512 characters without addresses.
fn assert_is_clean(text: &str) {
    assert!(text.chars().count() <= 512, "{text:?}");
    assert!(!text.contains(|c: char| c == '@' || c.is_control()), "{text:?}");
}
