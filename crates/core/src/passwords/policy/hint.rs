//! What would be a better password: NIST SP 800-63B-4 §3.1.1.2 wants people to be guided to one, above all when one of theirs
//! was refused.

use strum::EnumIter;
use zeroize::Zeroizing;
use zxcvbn::feedback::{Suggestion, Warning};

use super::Person;

/// What makes a password easy to guess, or what would help. These are zxcvbn's warnings and suggestions; those that say the
/// same are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum Hint {
    /// Many people have it.
    CommonPassword,
    /// It is nearly what many people have.
    LikeCommonPassword,
    /// It is one word.
    SingleWord,
    /// It is made of names.
    Names,
    /// It holds a date or a year.
    Dates,
    /// It repeats a character.
    RepeatedCharacter,
    /// It repeats a word.
    RepeatedWord,
    /// It holds a sequence.
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

/// Characters of a password that zxcvbn is shown. Its work grows faster than the square of them: it takes some 25 ms at worst
/// for these, which is what a hash takes, and 375 ms for a hundred. A refused password is simple throughout.
const SHOWN: usize = 24;

impl Hint {
    /// The hint's name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CommonPassword => "common_password",
            Self::LikeCommonPassword => "like_common_password",
            Self::SingleWord => "single_word",
            Self::Names => "names",
            Self::Dates => "dates",
            Self::RepeatedCharacter => "repeated_character",
            Self::RepeatedWord => "repeated_word",
            Self::Sequence => "sequence",
            Self::Keyboard => "keyboard",
            Self::UseSeveralWords => "use_several_words",
            Self::AddWords => "add_words",
            Self::NoSymbolsNeeded => "no_symbols_needed",
            Self::Capitals => "capitals",
            Self::Backwards => "backwards",
            Self::Substitutions => "substitutions",
        }
    }
}

impl Hints {
    /// What zxcvbn says of a refused password. Its score is not asked: a guess at strength refuses nothing (NIST asks for length
    /// and a blocklist only).
    pub(super) fn of(password: &str, person: &Person<'_>) -> Self {
        let shown = Zeroizing::new(password.chars().take(SHOWN).collect::<String>());
        let estimate = zxcvbn::zxcvbn(&shown, &[person.email.as_str(), person.shop]);
        let said = estimate.feedback().into_iter().flat_map(|feedback| {
            let warning = feedback.warning().map(of_warning);
            warning.into_iter().chain(feedback.suggestions().iter().filter_map(|&said| of_suggestion(said)))
        });
        // It says nothing of what it takes for strong.
        let always = [Hint::UseSeveralWords, Hint::NoSymbolsNeeded];
        said.chain(always).collect()
    }

    /// The hints, the most important first.
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

fn of_warning(warning: Warning) -> Hint {
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

/// `None`: its warning has said it, or it is no advice of ours.
fn of_suggestion(suggestion: Suggestion) -> Option<Hint> {
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
