//! Times as readers write them.

use icu_calendar::{Date, Gregorian};
use icu_datetime::{FixedCalendarDateTimeFormatter, fieldsets, input::DateTime};
use icu_locale_core::Locale;
use icu_time::Time;
use time::{Duration, OffsetDateTime};

use crate::language::Language;

/// A language's form of a date with the time (Unicode CLDR's long one).
pub struct Moments(FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMDT>);

impl Moments {
    /// None if CLDR's data is not there.
    pub fn new(language: Language) -> Option<Self> {
        let form = fieldsets::YMD::long().with_time_hm();
        FixedCalendarDateTimeFormatter::try_new(locale(language)?.into(), form).ok().map(Self)
    }

    /// The moment in UTC, without saying so. None outside the years that calendars know.
    pub fn write(&self, at: OffsetDateTime) -> Option<String> {
        let at = at.to_utc();
        let date = Date::try_new_gregorian(at.year(), at.month().into(), at.day()).ok()?;
        let time = Time::try_new(at.hour(), at.minute(), 0, 0).ok()?;
        Some(self.0.format(&DateTime { date, time }).to_string())
    }
}

/// Arabic gets the digits that its other numbers are written in here, for both are read in one sentence.
fn locale(language: Language) -> Option<Locale> {
    let tag = match language {
        Language::Arabic => "ar-u-nu-latn",
        Language::English
        | Language::German
        | Language::French
        | Language::Spanish
        | Language::Italian
        | Language::Portuguese
        | Language::Dutch
        | Language::Polish
        | Language::Japanese => language.tag(),
    };
    tag.parse().ok()
}

/// A span of time in the unit that a reader would count it in.
#[derive(Debug, PartialEq, Eq)]
pub enum Span {
    /// Up to an hour and a half.
    Minutes(i64),
    /// Up to two days.
    Hours(i64),
    Days(i64),
}

impl Span {
    /// To the nearest unit, and at least a minute: nobody is told of a link that works for none.
    pub fn nearest(span: Duration) -> Self {
        let minutes = (span.whole_seconds() + 30) / 60;
        match minutes {
            ..=1 => Self::Minutes(1),
            60 => Self::Hours(1),
            2..=90 => Self::Minutes(minutes),
            91..=2879 => Self::Hours((minutes + 30) / 60),
            _ => Self::Days((minutes + 720) / 1440),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_nearest_unit() {
        for (seconds, told) in [
            (-5, Span::Minutes(1)),
            (20, Span::Minutes(1)),
            (60, Span::Minutes(1)),
            (119, Span::Minutes(2)),
            (1799, Span::Minutes(30)),
            (3599, Span::Hours(1)),
            (3601, Span::Hours(1)),
            (5400, Span::Minutes(90)),
            (7199, Span::Hours(2)),
            (21_599, Span::Hours(6)),
            (86_400, Span::Hours(24)),
            (172_799, Span::Days(2)),
            (604_800, Span::Days(7)),
        ] {
            assert_eq!(Span::nearest(Duration::seconds(seconds)), told, "{seconds} s");
        }
    }
}
