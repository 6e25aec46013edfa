//! Hints to a better password: NIST SP 800-63B-4 §3.1.1.2 asks for guidance, above all when a password was rejected.

use strum::{EnumIter, IntoStaticStr};
use zeroize::Zeroizing;
use zxcvbn::feedback::{Suggestion, Warning};

use super::Person;

/// What makes a password easy to guess, or what would help: zxcvbn's warnings and suggestions, with those that mean the same merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Hint {
    /// It is a common password.
    CommonPassword,
    /// It is similar to a common password.
    LikeCommonPassword,
    /// It is one word.
    SingleWord,
    /// It is made of names.
    Names,
    /// It contains a date or a year.
    Dates,
    /// It repeats a character.
    RepeatedCharacter,
    /// It repeats a word.
    RepeatedWord,
    /// It contains a sequence.
    Sequence,
    /// It follows the keyboard.
    Keyboard,
    /// Use several words.
    UseSeveralWords,
    /// Add words.
    AddWords,
    /// Symbols are not needed.
    NoSymbolsNeeded,
    /// Capitals hardly help.
    Capitals,
    /// Writing backwards hardly helps.
    Backwards,
    /// `@` for `a` hardly helps.
    Substitutions,
}

/// At most three hints, the most important first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints([Option<Hint>; 3]);

/// The number of characters that zxcvbn analyses. Its work grows faster than their square: it takes up to 25 ms for these, as long as
/// a hash, and 375 ms for a hundred. A rejected password is simple from end to end.
const ANALYSED: usize = 24;

impl Hint {
    /// Returns the hint's name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Hints {
    /// Returns zxcvbn's hints for a rejected password. Its score is not used: an estimate of strength rejects nothing (NIST requires
    /// only a length and a blocklist).
    pub(super) fn for_password(password: &str, person: &Person<'_>) -> Self {
        let analysed = Zeroizing::new(password.chars().take(ANALYSED).collect::<String>());
        let estimate = zxcvbn::zxcvbn(&analysed, &[person.email.as_str(), person.shop]);
        let hints = estimate.feedback().into_iter().flat_map(|feedback| {
            let warning = feedback.warning().map(from_warning);
            warning
                .into_iter()
                .chain(feedback.suggestions().iter().filter_map(|&suggestion| from_suggestion(suggestion)))
        });
        // zxcvbn has no hints for passwords that it considers strong.
        let fallback = [Hint::UseSeveralWords, Hint::NoSymbolsNeeded];
        hints.chain(fallback).collect()
    }

    /// Iterates over the hints, the most important first.
    pub fn iter(&self) -> impl Iterator<Item = Hint> + '_ {
        self.0.iter().copied().flatten()
    }
}

/// Keeps the first three that differ.
impl FromIterator<Hint> for Hints {
    fn from_iter<I: IntoIterator<Item = Hint>>(hints: I) -> Self {
        let mut kept = Self::default();
        for hint in hints {
            if !kept.0.contains(&Some(hint))
                && let Some(free) = kept.0.iter_mut().find(|kept| kept.is_none())
            {
                *free = Some(hint);
            }
        }
        kept
    }
}

fn from_warning(warning: Warning) -> Hint {
    match warning {
        Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => {
            Hint::CommonPassword
        }
        Warning::ThisIsSimilarToACommonlyUsedPassword => Hint::LikeCommonPassword,
        Warning::AWordByItselfIsEasyToGuess => Hint::SingleWord,
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => Hint::Names,
        Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Hint::Dates,
        Warning::RepeatsLikeAaaAreEasyToGuess => Hint::RepeatedCharacter,
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => Hint::RepeatedWord,
        Warning::SequencesLikeAbcAreEasyToGuess => Hint::Sequence,
        Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
            Hint::Keyboard
        }
    }
}

/// `None` for suggestions that repeat a warning, or that we don't give.
fn from_suggestion(suggestion: Suggestion) -> Option<Hint> {
    match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => Some(Hint::UseSeveralWords),
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => Some(Hint::NoSymbolsNeeded),
        Suggestion::AddAnotherWordOrTwo => Some(Hint::AddWords),
        Suggestion::CapitalizationDoesntHelpVeryMuch
        | Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => Some(Hint::Capitals),
        Suggestion::ReversedWordsArentMuchHarderToGuess => Some(Hint::Backwards),
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => Some(Hint::Substitutions),
        Suggestion::UseALongerKeyboardPatternWithMoreTurns
        | Suggestion::AvoidRepeatedWordsAndCharacters
        | Suggestion::AvoidSequences
        | Suggestion::AvoidRecentYears
        | Suggestion::AvoidYearsThatAreAssociatedWithYou
        | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => None,
    }
}
