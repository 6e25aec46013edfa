//! Dates, times and spans in each language.

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

/// Formats moments in one language, by Unicode CLDR's long form, with the names of time zones.
pub struct Moments {
    dates: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMDT>,
    zones: NoCalendarFormatter<SpecificShort>,
    first_day: Option<&'static str>,
}

/// A formatted moment in a time zone.
pub struct Moment {
    pub written: String,
    /// The zone's short name if the language commonly uses one (`MESZ` in German), else the offset from GMT.
    pub zone: String,
}

impl Moments {
    /// Makes the formatter; `None` if CLDR's data is missing.
    pub fn new(language: Language) -> Option<Self> {
        let locale = locale(language)?;
        let form = fieldsets::YMD::long().with_time_hm();
        let dates = FixedCalendarDateTimeFormatter::try_new((&locale).into(), form).ok()?;
        let zones = NoCalendarFormatter::try_new(locale.into(), SpecificShort).ok()?;
        Some(Self { dates, zones, first_day: first_day(language) })
    }

    /// Formats a moment to the minute; `None` outside the calendar's years.
    pub fn write(&self, at: OffsetDateTime, zone: &TimeZone) -> Option<Moment> {
        let local = zone.local(at);
        let date = Date::try_new_gregorian(local.year(), local.month().into(), local.day()).ok()?;
        let time = Time::try_new(local.hour(), local.minute(), 0, 0).ok()?;
        let written = self.dates.format(&DateTime { date, time }).to_string();
        let written = match self.first_day {
            Some(first) if local.day() == 1 => written.replacen('1', first, 1),
            _ => written,
        };
        Some(Moment { written: with_fixed_end(&written), zone: self.name(local, zone) })
    }

    /// Returns the zone's name. UTC keeps its name, which CLDR translates in French to `TU`.
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
    /// Returns the date in ISO 8601, for moments outside the calendar.
    pub fn plain(at: OffsetDateTime) -> Self {
        Self { written: at.date().to_string(), zone: TimeZone::UTC.name().to_owned() }
    }
}

/// The first day of a month, where it is no plain number. CLDR has no such form. Both languages write the day first.
fn first_day(language: Language) -> Option<&'static str> {
    match language {
        Language::French => Some("1er"),
        Language::Portuguese => Some("1º"),
        _ => None,
    }
}

/// Joins the last two words by a no-break space: `4:45` and `PM` must not be on different lines.
fn with_fixed_end(written: &str) -> String {
    match written.rsplit_once(' ') {
        Some((words, last)) => format!("{words}\u{a0}{last}"),
        None => written.to_owned(),
    }
}

/// The locale of dates. Arabic has the digits that the other numbers in its texts have.
fn locale(language: Language) -> Option<Locale> {
    if language == Language::Arabic { "ar-u-nu-latn" } else { language.tag() }.parse().ok()
}

/// A span of time in its customary unit.
#[derive(Debug, PartialEq, Eq)]
pub enum Span {
    /// Up to an hour and a half.
    Minutes(i64),
    /// Up to two days.
    Hours(i64),
    Days(i64),
}

impl Span {
    /// Rounds to the nearest unit, and to at least a minute: a link is never said to work for zero minutes.
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
mod tests;
