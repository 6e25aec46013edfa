//! The fuzzer: libFuzzer calls the check that `REKEY_FUZZ_TARGET` names. scripts/fuzz.sh runs it.
#![no_main]
#![expect(clippy::expect_used, reason = "a wrong name ends the program")]

use std::sync::LazyLock;

static CHECK: LazyLock<rekey_parsers::Check> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "libFuzzer reads the arguments")]
    let name = std::env::var("REKEY_FUZZ_TARGET").expect("REKEY_FUZZ_TARGET, the name of a parser");
    let found = rekey_parsers::CHECKS.iter().find(|(known, _)| *known == name);
    found.expect("REKEY_FUZZ_TARGET, a name in rekey_parsers::CHECKS").1
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (*CHECK)(input));
