//! Passwords that follow a simple pattern: short repetitions and plain sequences.

use zeroize::Zeroizing;

/// Letters and digits in the orders that people type them, each a ring, in which the first follows the last: digits, the alphabet, and
/// the keyboards QWERTY, QWERTZ, AZERTY and ЙЦУКЕН row by row.
const RINGS: [&str; 6] = [
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "йцукенгшщзхъфывапролджэячсмитьбю",
];

/// The longest unit whose repetition is simple whatever the unit is: `aaaaaaaa`, `abababab`, `123123123`.
const SHORT_UNIT: usize = 3;
/// The shortest sequence whose repetition is simple: `12341234`.
const SHORT_SEQUENCE: usize = 4;

/// Whether the folded password is, from end to end, a short repetition, a sequence, or a repetition of a sequence.
pub(super) fn is_simple(folded: &str) -> bool {
    let text = Zeroizing::new(folded.chars().collect::<Vec<char>>());
    let half = text.len() / 2;
    (1..=half).any(|period| {
        let unit = text.get(..period).unwrap_or_default();
        has_period(&text, period) && (period <= SHORT_UNIT || period >= SHORT_SEQUENCE && is_sequence(unit))
    }) || is_sequence(&text)
}

fn has_period(text: &[char], period: usize) -> bool {
    text.iter().zip(text.iter().skip(period)).all(|(one, next)| one == next)
}

/// Whether all characters are neighbours in one of the rings or in Unicode's order, in one direction.
fn is_sequence(text: &[char]) -> bool {
    let steps = |forward: fn(char, char) -> bool| {
        let pairs = || text.iter().copied().zip(text.iter().copied().skip(1));
        pairs().all(|(one, next)| forward(one, next)) || pairs().all(|(one, next)| forward(next, one))
    };
    steps(|one, next| u32::from(one) + 1 == u32::from(next)) || RINGS.iter().any(|ring| is_along(ring, text))
}

fn is_along(ring: &str, text: &[char]) -> bool {
    let position = |letter: char| ring.chars().position(|other| other == letter);
    let Some(positions) = text.iter().map(|&letter| position(letter)).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let length = ring.chars().count();
    let follows = |one: usize, next: usize| (one + 1) % length == next;
    let pairs = || positions.iter().copied().zip(positions.iter().copied().skip(1));
    pairs().all(|(one, next)| follows(one, next)) || pairs().all(|(one, next)| follows(next, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_sequences_are_simple() {
        for text in [
            "aaaaaaaa",
            "abababab",
            "ababababa",
            "123123123",
            "🦀🦀🦀🦀🦀🦀🦀🦀",
            "🦀 🦀 🦀 🦀 ",
            "        ",
            "12345678",
            "87654321",
            "67890123",
            "abcdefgh",
            "zyxwvuts",
            "qwertyuiop",
            "poiuytrewq",
            "qwertyuiopasdfghjkl",
            "qwertzuiop",
            "azertyuiop",
            "йцукенгш",
            "αβγδεζηθ",
            "12341234",
            "qwertyqwerty",
            "12345678901234567890",
        ] {
            assert!(is_simple(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_ends_is_not_simple() {
        for text in
            ["aaaaaaab", "12345679", "abcdefgj", "abcxabcx abc", "12 34 56", "1324354657", "qwertasdfg"]
        {
            assert!(!is_simple(text), "{text}");
        }
    }
}
