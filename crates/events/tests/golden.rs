//! The contract's golden bytes: what an earlier build wrote, every later build must read; what this build writes must
//! not change unnoticed. A new field or event adds a file; the files that are there never change.

#![expect(clippy::unwrap_used, reason = "a test that can't read its golden bytes fails")]

use std::fmt::Write;

use prost::Message;
use rekey_events::{SCHEMA_VERSION, v1};
use v1::event::Body;

fn event(body: Body) -> v1::Event {
    v1::Event {
        schema_version: SCHEMA_VERSION,
        id: "EvEnT00001".to_owned(),
        organization_id: "OrGaN00001".to_owned(),
        mode: v1::Mode::Live.into(),
        occurred_at: 1_730_126_165_408_123,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        locales: Vec::new(),
        body: Some(body),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex = hex.trim().as_bytes();
    hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn check<M: Message + Default + PartialEq + std::fmt::Debug>(message: &M, golden: &str) {
    assert_eq!(hex(&message.encode_to_vec()), golden.trim(), "this build writes other bytes");
    assert_eq!(&M::decode(bytes(golden).as_slice()).unwrap(), message, "this build reads something else");
}

#[test]
fn customer_password_reset_created() {
    let body = v1::PasswordResetCreated {
        reset_id: "ReSeT00001".to_owned(),
        sealed_token: vec![0, 1, 2, 0xff],
        ..v1::PasswordResetCreated::default()
    };
    check(
        &event(Body::CustomerPasswordResetCreated(body)),
        include_str!("golden/customer_password_resets.create.hex"),
    );
}

#[test]
fn customer_password_reset_created_with_all_that_came_later() {
    let body = v1::PasswordResetCreated {
        reset_id: "ReSeT00001".to_owned(),
        sealed_token: vec![0, 1, 2, 0xff],
        client_id: "ClIeNt0001".to_owned(),
        sealed_address: vec![3, 4],
        sealed_code: vec![5, 6],
    };
    let event = v1::Event {
        locales: vec!["de-AT".to_owned(), "fr".to_owned()],
        ..event(Body::CustomerPasswordResetCreated(body))
    };
    check(&event, include_str!("golden/customer_password_resets.create.whole.hex"));
}

#[test]
fn customer_password_reset_used() {
    let body = v1::PasswordResetUsed {
        reset_id: "ReSeT00001".to_owned(),
        customer_id: "CuStO00001".to_owned(),
        sealed_address: Vec::new(),
    };
    check(
        &event(Body::CustomerPasswordResetUsed(body)),
        include_str!("golden/customer_password_resets.reset_password.hex"),
    );
}

#[test]
fn customer_password_reset_destroyed() {
    let body = v1::PasswordResetDestroyed { reset_id: "ReSeT00001".to_owned() };
    check(
        &event(Body::CustomerPasswordResetDestroyed(body)),
        include_str!("golden/customer_password_resets.destroy.hex"),
    );
}

#[test]
fn customer_password_reset_disavowed() {
    let body = v1::PasswordResetDisavowed { reset_id: "ReSeT00001".to_owned() };
    check(
        &event(Body::CustomerPasswordResetDisavowed(body)),
        include_str!("golden/customer_password_resets.disavow.hex"),
    );
}

#[test]
fn customer_created() {
    let body = v1::CustomerCreated { customer_id: "CuStO00001".to_owned() };
    check(&event(Body::CustomerCreated(body)), include_str!("golden/customers.create.hex"));
}

#[test]
fn customer_password_created() {
    let body =
        v1::CustomerPasswordCreated { customer_id: "CuStO00001".to_owned(), sealed_address: Vec::new() };
    check(&event(Body::CustomerPasswordCreated(body)), include_str!("golden/customers.create_password.hex"));
}

#[test]
fn password_changes_with_the_address_that_came_later() {
    let body = v1::PasswordResetUsed {
        reset_id: "ReSeT00001".to_owned(),
        customer_id: "CuStO00001".to_owned(),
        sealed_address: vec![3, 4],
    };
    check(
        &event(Body::CustomerPasswordResetUsed(body)),
        include_str!("golden/customer_password_resets.reset_password.whole.hex"),
    );
    let body =
        v1::CustomerPasswordCreated { customer_id: "CuStO00001".to_owned(), sealed_address: vec![3, 4] };
    check(
        &event(Body::CustomerPasswordCreated(body)),
        include_str!("golden/customers.create_password.whole.hex"),
    );
}

#[test]
fn customer_email_changed_and_restored() {
    let body = v1::CustomerEmailChanged {
        customer_id: "CuStO00001".to_owned(),
        email_change_id: "ChAnG00001".to_owned(),
        sealed_token: vec![0, 1, 2, 0xff],
        sealed_address: vec![3, 4],
    };
    check(&event(Body::CustomerEmailChanged(body)), include_str!("golden/customers.change_email.hex"));
    let body = v1::CustomerEmailRestored { customer_id: "CuStO00001".to_owned() };
    check(&event(Body::CustomerEmailRestored(body)), include_str!("golden/customers.restore_email.hex"));
}

#[test]
fn customer_anonymization() {
    let customer_id = "CuStO00001".to_owned();
    let body = v1::CustomerAnonymizationStarted { customer_id: customer_id.clone() };
    check(
        &event(Body::CustomerAnonymizationStarted(body)),
        include_str!("golden/customers.anonymization_started.hex"),
    );
    let body = v1::CustomerAnonymizationCompleted { customer_id: customer_id.clone() };
    check(
        &event(Body::CustomerAnonymizationCompleted(body)),
        include_str!("golden/customers.anonymization_completed.hex"),
    );
    let body = v1::CustomerAnonymizationCancelled { customer_id };
    check(
        &event(Body::CustomerAnonymizationCancelled(body)),
        include_str!("golden/customers.anonymization_cancelled.hex"),
    );
}

#[test]
fn customer_destroyed() {
    let body = v1::CustomerDestroyed { customer_id: "CuStO00001".to_owned() };
    check(&event(Body::CustomerDestroyed(body)), include_str!("golden/customers.destroy.hex"));
}

#[test]
fn signed_event() {
    let signed = v1::SignedEvent { event: vec![1, 2, 3], key_id: "2026-a".to_owned(), tag: vec![0xab; 32] };
    check(&signed, include_str!("golden/signed_event.hex"));
}

#[test]
fn unknown_fields_of_a_later_build_are_skipped() {
    let body = v1::CustomerCreated { customer_id: "CuStO00001".to_owned() };
    let known = event(Body::CustomerCreated(body));
    let mut later = known.encode_to_vec();
    // Field 100, length-delimited, "new".
    later.extend([0xa2, 0x06, 0x03, b'n', b'e', b'w']);
    assert_eq!(v1::Event::decode(later.as_slice()).unwrap(), known);
}
