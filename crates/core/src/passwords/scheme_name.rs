use super::PasswordHash;
use crate::ids::OrganizationId;

/// Who made a hash, and its algorithm and costs: all hashes with the same name take the same time to verify. `own/…` is a hash of
/// ours, `imported/…` another system's: `own/$argon2id$v=19$m=19456,t=2,p=1$43`, `imported/$2b$12`. The last number is the length of
/// the output in Base64, on which PBKDF2's time depends.
///
/// Stores keep it with the hash, below its organization's id, so that the schemes in use can be listed without reading all hashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemeName(String);

const OWN: &str = "own/";
const IMPORTED: &str = "imported/";

impl SchemeName {
    /// Names the scheme of a hash of ours.
    #[must_use]
    pub fn own(hash: &PasswordHash) -> Self {
        Self(format!("{OWN}{}", costs(hash)))
    }

    /// Names the scheme of an imported hash.
    #[must_use]
    pub fn imported(hash: &PasswordHash) -> Self {
        Self(format!("{IMPORTED}{}", costs(hash)))
    }

    /// Whether another system made the hash.
    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.0.starts_with(IMPORTED)
    }

    /// Returns the name as it is stored.
    #[must_use]
    pub fn key(&self, organization: OrganizationId) -> String {
        format!("{organization}/{}", self.0)
    }

    /// Returns a key that is before all keys of the organization, and one that is after them.
    #[must_use]
    pub fn key_range(organization: OrganizationId) -> (String, String) {
        // `0` is the character after `/`.
        (format!("{organization}/"), format!("{organization}0"))
    }

    /// Reads the name from a key; `None` if it is malformed.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let (_, name) = key.split_once('/')?;
        (name.starts_with(OWN) || name.starts_with(IMPORTED)).then(|| Self(name.to_owned()))
    }
}

/// Returns a stored hash without its salt and output. The migrations have the same in SQL.
fn costs(hash: &PasswordHash) -> String {
    let (before, output) = hash.as_str().rsplit_once('$').unwrap_or_default();
    if before.contains("$2b$") {
        return before.to_owned();
    }
    let (costs, _salt) = before.rsplit_once('$').unwrap_or_default();
    format!("{costs}${}", output.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_name_has_all_costs_and_neither_salt_nor_output() {
        let organization = OrganizationId::generate(&OsRandom);
        for (hash, costs) in [
            ("$2a$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm", "$2b$04"),
            (
                "bcrypt_sha256$$2b$04$u0WEyleICueniwwyZoAgf.5gp2HmymKOBdSqe8icxeiDKNFop8p4K",
                "bcrypt_sha256$$2b$04",
            ),
            (
                "pbkdf2_sha256$1000$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
                "$pbkdf2-sha256$i=1000$43",
            ),
            (
                "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$96/PyMoTf7QyEfKHKtuWpQ",
                "$argon2id$v=19$m=64,t=1,p=1$22",
            ),
        ] {
            let hash = PasswordHash::import(hash).unwrap();
            for (name, origin) in [(SchemeName::own(&hash), OWN), (SchemeName::imported(&hash), IMPORTED)] {
                let key = name.key(organization);
                assert_eq!(key, format!("{organization}/{origin}{costs}"));
                assert_eq!(SchemeName::from_key(&key), Some(name.clone()));
                assert_eq!(name.is_imported(), origin == IMPORTED);
                let others = name.key(OrganizationId::generate(&OsRandom));
                let (first, last) = SchemeName::key_range(organization);
                assert!(first < key && key < last && !(first < others && others < last));
            }
        }
        assert_eq!(SchemeName::from_key("own/$2b$04"), None);
    }
}
