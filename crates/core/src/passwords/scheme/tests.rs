mod vectors;

use proptest::prelude::*;

use super::*;
use crate::passwords::PasswordHash;
use vectors::{PLAIN, UNICODE, VECTORS};

/// A thread's memory that keeps 64 KiB: some of the vectors need more.
fn memory() -> Memory {
    Memory::new(64)
}

fn matches(hash: &str, password: &str) -> bool {
    Scheme::parse(hash).unwrap().matches_bytes(password.as_bytes(), &mut memory()).unwrap()
}

#[test]
fn password_import_hashes_of_other_implementations_verify_as_they_are_and_as_they_are_stored() {
    for (from, password, hash) in VECTORS {
        let stored = PasswordHash::import(hash).unwrap_or_else(|error| panic!("{from}: {error}"));
        for form in [hash, stored.as_str()] {
            assert!(matches(form, password), "{from}: {form}");
            assert!(
                !matches(form, &format!("{password}!")) || from.contains("long password"),
                "{from}: {form}"
            );
            assert!(!matches(form, "something else"), "{from}: {form}");
        }
        assert_eq!(PasswordHash::import(stored.as_str()).unwrap(), stored, "{from}: stored in one form");
    }
}

#[test]
fn password_import_stores_one_form_of_each_algorithm() {
    let forms = ["$argon2", "$2b$", "bcrypt_sha256$$2b$", "$wp$2b$", "$pbkdf2-sha", "$scrypt$ln="];
    for (from, _, hash) in VECTORS {
        let stored = PasswordHash::import(hash).unwrap();
        assert!(forms.iter().any(|form| stored.as_str().starts_with(form)), "{from}: {}", stored.as_str());
    }
}

#[test]
fn password_import_a_hash_that_claims_4_gib_is_refused() {
    for hash in [
        "$argon2id$v=19$m=4194304,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=262145,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$scrypt$ln=22,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
        "$scrypt$ln=63,r=32768,p=16384$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
        "$scrypt$ln=1,r=32768,p=16384$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
        "scrypt:4194304:8:1$mZGfaZTwPayLNKTx$8f92c43f84b3feb76a29660775ce72db4d3b5ab79c3154ab1820c3eff2596778",
    ] {
        assert_eq!(PasswordHash::import(hash).unwrap_err(), HashImportError::Memory, "{hash}");
    }
}

#[test]
fn password_import_a_hash_that_claims_too_many_rounds_is_refused() {
    let bcrypt = |cost: u32| format!("$2b${cost:02}$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEkG");
    let pbkdf2 = |rounds: u32| {
        format!("pbkdf2_sha256${rounds}$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=")
    };
    let argon2 = |kib: u32, passes: u32| {
        format!(
            "$argon2id$v=19$m={kib},t={passes},p=1$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc"
        )
    };
    let scrypt = |p: u32| {
        format!("$scrypt$ln=17,r=8,p={p}$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0")
    };
    // By SHA-1, this output takes two blocks, each of all the rounds.
    let two_blocks =
        "$pbkdf2-sha1$i=750001$MDEyMzQ1Njc4OWFiY2RlZg$BVALGMmC/K/8ELErc5VgJxyPFApArIZRCQsqjEgZWJ4";
    for hash in [
        &bcrypt(15),
        &bcrypt(20),
        &bcrypt(31),
        &pbkdf2(1_500_001),
        &pbkdf2(u32::MAX),
        &argon2(262_144, 5),
        &argon2(8, 1_000_000),
        &argon2(8, u32::MAX),
        &scrypt(8),
        two_blocks,
    ] {
        assert_eq!(PasswordHash::import(hash).unwrap_err(), HashImportError::Rounds, "{hash}");
    }
    for hash in [&bcrypt(14), &pbkdf2(1_500_000), &argon2(262_144, 4), &scrypt(7)] {
        assert!(PasswordHash::import(hash).is_ok(), "{hash}");
    }
}

#[test]
fn password_import_what_cant_be_verified_is_refused_by_its_name() {
    for (hash, name) in [
        ("$P$B12345678abcdefghijklmnopqrstuv", "phpass"),
        ("$H$9abcdefghijklmnopqrstuvwxyz01234", "phpass"),
        ("$1$abcdefgh$0123456789abcdefghijkl", "MD5-crypt"),
        ("$2x$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm", "broken"),
        (
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
            "SHA-512-crypt",
        ),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "bare digest"),
        ("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", "bare digest"),
        ("{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0", "LDAP"),
        ("sha1$a1976$a36cc8cbf81742a8fb52e221aaeab48ed7f58ab4", "SHA-1"),
        // C4.
        ("5f4dcc3b5aa765d61d8327deb882cf99:Xy", "Magento 1"),
        (
            "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8:0a1b2c:1",
            "Magento's salted SHA-256",
        ),
        (
            "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8:0a1b2c3d4e5f6071:3_32_2_67108864",
            "Magento's Argon2id",
        ),
        (
            "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
            "Firebase",
        ),
        ("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9t$c2FsdA==$aGFzaA==", "Firebase"),
        ("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "MySQL"),
        ("{noop}hunter2", "in clear"),
        ("rl0uE1eVmkbjY", "DES-crypt"),
        ("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8:salt", "salted SHA-1"),
        ("!0123456789abcdefghijABCDEFGHIJ0123456789", "no password"),
        ("W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "20 bytes"),
        (&format!("$1${}", "x".repeat(509)), "MD5-crypt"),
    ] {
        let HashImportError::Unsupported(reason) = PasswordHash::import(hash).unwrap_err() else {
            panic!("{hash}")
        };
        assert!(reason.contains(name), "{reason}");
    }
}

#[test]
fn password_import_damaged_hashes_are_refused() {
    for hash in [
        "$argon2id$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg",
        "$argon2id$v=18$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=256,t=2$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=256,t=2,p=2,m=1$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=256,t=2,p=2,keyid=Hj5+$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=1,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$argon2id$v=19$m=256,t=2,p=2$c2FsdA$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
        "$2b$04$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEk",
        "$2b$03$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEkG",
        "$2b$+4$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEkG",
        "pbkdf2_sha256$0$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
        "pbkdf2_sha256$-1$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
        "pbkdf2_sha256$99999999999$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
        "pbkdf2_sha256$1000$seasalt2seasalt$JLsQ",
        "pbkdf2_md5$1000$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
        "$pbkdf2-sha256$i=1000,l=31$MDEyMzQ1Njc4OWFiY2RlZg$BVALGMmC/K/8ELErc5VgJxyPFApArIZRCQsqjEgZWJ4",
        "scrypt:1000:8:1$mZGfaZTwPayLNKTx$8f92c43f84b3feb76a29660775ce72db4d3b5ab79c3154ab1820c3eff2596778",
        "$scrypt$ln=0,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
        "$scrypt$ln=10,r=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
        "$scrypt$ln=10,r=4294967295,p=4294967295$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
    ] {
        assert!(matches!(PasswordHash::import(hash), Err(HashImportError::Malformed(_))), "{hash}");
    }
    for text in [
        "",
        "hunter2",
        "!",
        "AQAAAAEAAAPoAAAAEGRl",
        "AQAAAAEAAAPo/////2RlZmdoaWprbG1ub3BxcnM6HLqiKAJP9ywvIMgewhqA",
        &"$".repeat(600),
        &format!("$1${}", "x".repeat(510)),
        &format!("{}:salt", "x".repeat(32)),
        &format!("*{}", "x".repeat(40)),
        "thirteen-long",
        // Version 2 of ASP.NET, with a byte too many.
        &format!("{}=", "A".repeat(67)),
    ] {
        assert_eq!(PasswordHash::import(text).unwrap_err(), HashImportError::Unknown, "{text}");
    }
}

#[test]
fn blocks_beyond_those_that_are_kept_are_fresh() {
    let mut memory = memory();
    memory.with_blocks(64, |blocks| blocks[0].as_mut().fill(1));
    assert_eq!(memory.with_blocks(65, |blocks| (blocks.len(), blocks[0].as_ref()[0])), (65, 0));
    assert_eq!(memory.with_blocks(64, |blocks| (blocks.len(), blocks[0].as_ref()[0])), (64, 1));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_or_store_what_it_cant_read(
        (at, damage) in (0..VECTORS.len(), "[ -~]{0,3}|[$,=:.]{1,2}|[0-9]{1,12}|\\PC{1,2}"),
        cut in 0_usize..120,
        length in 0_usize..4,
    ) {
        let hash = VECTORS[at].2;
        let damaged: String = hash.chars().take(cut).chain(damage.chars()).chain(hash.chars().skip(cut + length)).collect();
        if let Ok(stored) = PasswordHash::import(&damaged) {
            prop_assert_eq!(PasswordHash::import(stored.as_str()).unwrap(), stored);
        }
    }
}

#[test]
fn refusals_and_debug_show_no_part_of_a_hash() {
    let secret = "JLsQ6q5RdWSbET";
    let refusal = PasswordHash::import(&format!("pbkdf2_sha256$0$seasalt2seasalt${secret}")).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("JLs"));
    assert_eq!(format!("{:?}", Scheme::parse(VECTORS[0].2).unwrap()), "Scheme(…)");
    assert!(matches(VECTORS[3].2, UNICODE) && !matches(VECTORS[3].2, PLAIN));
}
