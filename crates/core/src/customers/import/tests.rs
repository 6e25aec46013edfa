use std::collections::HashSet;

use super::*;
use crate::random::OsRandom;

#[test]
fn ids_follow_from_the_key_and_from_nothing_else() {
    let key = ImportKey::generate(&OsRandom);
    let same = ImportKey::from_bytes(key.as_bytes()).unwrap();
    let email = |n: u32| format!("customer-{n}@example.com").parse::<EmailAddress>().unwrap();
    let ids: HashSet<_> = (0..1_000).map(|n| key.customer_id(&email(n)).to_string()).collect();
    assert_eq!(ids.len(), 1_000);
    assert!((0..1_000).all(|n| ids.contains(same.customer_id(&email(n)).as_str())));
    assert!((1..1_000).all(|line| !ids.contains(key.audit_id(line).as_str())));
    let other = ImportKey::generate(&OsRandom);
    assert!((0..1_000).all(|n| !ids.contains(other.customer_id(&email(n)).as_str())));
    assert_eq!(key.audit_id(7), same.audit_id(7));
    assert_ne!(key.audit_id(7), key.audit_id(8));
}

#[test]
fn a_key_is_256_bits_and_is_not_shown() {
    let key = ImportKey::generate(&OsRandom);
    assert_eq!(format!("{key:?}"), "ImportKey(…)");
    assert!(ImportKey::from_bytes(&[0; 31]).is_none() && ImportKey::from_bytes(&[0; 33]).is_none());
}
