use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn keys_are_created_once_and_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(&dir.path().join("data")).unwrap();
    let key = data.sealing_keys().unwrap();
    assert_eq!(data.sealing_keys().unwrap(), key);
    let mode = |name| std::fs::metadata(data.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("sealing-keys"), mode(".")), (0o600, 0o700));
    let other = tempfile::tempdir().unwrap();
    assert_ne!(DataDir::open(other.path()).unwrap().sealing_keys().unwrap(), key);
}
