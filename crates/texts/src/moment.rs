//! Times as readers write them.

use icu_calendar::{Date, Gregorian};
use icu_datetime::{
    FixedCalendarDateTimeFormatter, NoCalendarFormatter,
    fieldsets::{self, zone::SpecificShort},
    input::DateTime,
};
use icu_locale_core::Locale;
use icu_time::{
    Time,
    zone::{UtcOffset, ZoneNameTimestamp},
};
use rekey_core::time_zone::TimeZone;
use time::{Duration, OffsetDateTime};

use crate::language::Language;

/// A language's form of a date with the time (Unicode CLDR's long one), and its names of time zones.
pub struct Moments {
    dates: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMDT>,
    zones: NoCalendarFormatter<SpecificShort>,
    /// The first day of a month, where it is no plain number.
    first: Option<&'static str>,
}

/// A moment, by the clocks of a zone.
pub struct Moment {
    pub written: String,
    /// The zone's short name, where the language has one that its readers know (`MESZ` in German), else how far it is from
    /// Greenwich.
    pub zone: String,
}

impl Moments {
    /// None if CLDR's data is not there.
    pub fn new(language: Language) -> Option<Self> {
        let locale = locale(language)?;
        let form = fieldsets::YMD::long().with_time_hm();
        let dates = FixedCalendarDateTimeFormatter::try_new((&locale).into(), form).ok()?;
        let zones = NoCalendarFormatter::try_new(locale.into(), SpecificShort).ok()?;
        Some(Self { dates, zones, first: first(language) })
    }

    /// The moment, to the minute. None outside the years that calendars know.
    pub fn write(&self, at: OffsetDateTime, zone: &TimeZone) -> Option<Moment> {
        let local = zone.local(at);
        let date = Date::try_new_gregorian(local.year(), local.month().into(), local.day()).ok()?;
        let time = Time::try_new(local.hour(), local.minute(), 0, 0).ok()?;
        let written = self.dates.format(&DateTime { date, time }).to_string();
        let written = match self.first {
            Some(first) if local.day() == 1 => written.replacen('1', first, 1),
            Some(_) | None => written,
        };
        Some(Moment { written: together(&written), zone: self.name(local, zone) })
    }

    /// UTC is UTC to everybody; CLDR knows it as `TU` in French.
    fn name(&self, local: OffsetDateTime, zone: &TimeZone) -> String {
        if *zone == TimeZone::UTC {
            return zone.name().to_owned();
        }
        let id = icu_time::TimeZone::from_iana_id(zone.name());
        let offset = UtcOffset::try_from_seconds(local.offset().whole_seconds()).ok();
        let at = ZoneNameTimestamp::from_epoch_seconds(local.unix_timestamp());
        self.zones.format(&id.with_offset(offset).with_zone_name_timestamp(at)).to_string()
    }
}

impl Moment {
    /// The day alone, where calendars end.
    pub fn plain(at: OffsetDateTime) -> Self {
        Self { written: at.date().to_string(), zone: TimeZone::UTC.name().to_owned() }
    }
}

/// CLDR knows no such form. Both languages write the day first.
fn first(language: Language) -> Option<&'static str> {
    match language {
        Language::French => Some("1er"),
        Language::Portuguese => Some("1º"),
        Language::English
        | Language::German
        | Language::Spanish
        | Language::Italian
        | Language::Dutch
        | Language::Polish
        | Language::Japanese
        | Language::Arabic => None,
    }
}

/// With the last word kept on the line of the one before: `4:45` alone at the end of a line is no time of the afternoon.
fn together(written: &str) -> String {
    match written.rsplit_once(' ') {
        Some((words, last)) => format!("{words}\u{a0}{last}"),
        None => written.to_owned(),
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

    // Fluent's plurals for Arabic are wrong from 103 on; the longest span that can be configured is of seven days.
    #[test]
    fn no_span_counts_so_high_that_a_plural_is_wrong() {
        for minutes in 0..=7 * 24 * 60 {
            let (Span::Minutes(count) | Span::Hours(count) | Span::Days(count)) =
                Span::nearest(Duration::minutes(minutes));
            assert!(count <= 102, "{minutes}");
        }
    }
}
