use std::net::IpAddr;

use super::KeyRing;
use crate::{
    email::EmailAddress,
    network::{Network, SUBSCRIBER},
    newtypes::digest_newtype,
    scope::Scope,
};

digest_newtype! {
    /// The keyed digest of a customer's address in its scope: the same for all its self-service resets, whether a customer has it or not.
    /// Nobody without the key can find out which addresses were typed.
    AddressDigest
}

digest_newtype! {
    /// The keyed digest of an account in its scope, by which mails and guesses are counted. Addresses that differ only after a `+` are
    /// one account.
    AccountDigest
}

digest_newtype! {
    /// The keyed digest of a client's network in a scope, by which the networks are recognised from which an account has signed in.
    NetworkDigest
}

impl AddressDigest {
    /// Makes the digest under the current key.
    #[must_use]
    pub fn new(scope: Scope, email: &EmailAddress, keys: &KeyRing) -> Self {
        Self(keys.mac(|key| &key.addresses, &parts(&scope, b"address", email.as_str())))
    }

    /// Returns the digests to compare with, one for each key of the ring, the current one's first.
    #[must_use]
    pub fn all(scope: Scope, email: &EmailAddress, keys: &KeyRing) -> Vec<Self> {
        let macs = keys.macs(|key| &key.addresses, &parts(&scope, b"address", email.as_str()));
        macs.into_iter().map(Self).collect()
    }
}

impl AccountDigest {
    /// Makes the digest under the current key: another key starts all counts anew.
    #[must_use]
    pub fn new(scope: Scope, email: &EmailAddress, keys: &KeyRing) -> Self {
        Self(keys.mac(|key| &key.addresses, &parts(&scope, b"account", &email.account())))
    }

    /// Makes the digest of an account that has this address only, for what the owners of its other addresses must not use up.
    #[must_use]
    pub fn of_address(scope: Scope, email: &EmailAddress, keys: &KeyRing) -> Self {
        Self(AddressDigest::new(scope, email, keys).0)
    }
}

impl NetworkDigest {
    /// Makes the digest of the client's network under the current key.
    #[must_use]
    pub fn new(scope: Scope, client: IpAddr, keys: &KeyRing) -> Self {
        let network = Network::new(client, SUBSCRIBER).to_string();
        Self(keys.mac(|key| &key.addresses, &parts(&scope, b"network", &network)))
    }
}

/// Returns the parts of a digest. The kind keeps the digest of an address without a `+` apart from its account's.
fn parts<'a>(scope: &'a Scope, kind: &'a [u8], text: &'a str) -> [&'a [u8]; 4] {
    [kind, scope.organization.as_str().as_bytes(), scope.mode.as_str().as_bytes(), text.as_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{scope::Mode, testing::ring};

    #[test]
    fn addresses_of_one_account_share_its_digest_in_their_scope_and_key_only() {
        let keys = ring([("new", 2), ("old", 1)]);
        let old = ring([("old", 1)]);
        let email = |text: &str| text.parse::<EmailAddress>().unwrap();
        let (john, plus) = (email("john@example.com"), email("John+shop@example.com"));
        let test = Scope { organization: "SHOPSHOPAA".parse().unwrap(), mode: Mode::Test };
        let live = Scope { mode: Mode::Live, ..test };

        assert_eq!(AccountDigest::new(test, &john, &keys), AccountDigest::new(test, &plus, &keys));
        assert_ne!(AccountDigest::new(test, &john, &keys), AccountDigest::new(live, &john, &keys));
        assert_ne!(AccountDigest::new(test, &john, &keys), AccountDigest::new(test, &john, &old));
        assert_ne!(AddressDigest::new(test, &john, &keys), AddressDigest::new(test, &plus, &keys));
        let (address, account) =
            (AddressDigest::new(test, &john, &keys), AccountDigest::new(test, &john, &keys));
        assert_ne!(address.as_bytes(), account.as_bytes());
        assert_eq!(AddressDigest::all(test, &john, &keys), [address, AddressDigest::new(test, &john, &old)]);
    }

    #[test]
    fn a_subscriber_has_one_network() {
        let keys = ring([("a", 1)]);
        let scope = Scope { organization: "SHOPSHOPAA".parse().unwrap(), mode: Mode::Test };
        let digest = |address: &str| NetworkDigest::new(scope, address.parse().unwrap(), &keys);
        assert_eq!(digest("2001:db8:1:2::1"), digest("2001:db8:1:2::ffff"));
        assert_ne!(digest("2001:db8:1:2::1"), digest("2001:db8:1:3::1"));
        assert_ne!(digest("192.0.2.1"), digest("192.0.2.2"));
    }
}
