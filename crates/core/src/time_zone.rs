//! Time zones.

use std::str::FromStr;

use jiff::{Timestamp, tz};
use time::{OffsetDateTime, UtcOffset};

/// A zone of the IANA time zone database, such as `Europe/Berlin`. Its clock changes are taken from the system's database, which is
/// updated with the system, or from the program's own if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(tz::TimeZone);

/// A text that is not a [`TimeZone`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone's name")]
pub struct InvalidTimeZone;

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(tz::TimeZone::UTC);

    /// Returns its name in the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Converts a time to local time; UTC outside the years -9999 to 9999.
    #[must_use]
    pub fn local(&self, at: OffsetDateTime) -> OffsetDateTime {
        let offset =
            Timestamp::from_second(at.unix_timestamp()).ok().map(|at| self.0.to_offset(at).seconds());
        let offset = offset.and_then(|seconds| UtcOffset::from_whole_seconds(seconds).ok());
        offset.and_then(|offset| at.checked_to_offset(offset)).unwrap_or(at)
    }
}

impl FromStr for TimeZone {
    type Err = InvalidTimeZone;

    /// Parses a name, ignoring case.
    fn from_str(name: &str) -> Result<Self, InvalidTimeZone> {
        let zone = tz::TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
        zone.map(Self).ok_or(InvalidTimeZone)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn clocks_go_forward_and_back_when_the_zone_s_do() {
        let berlin: TimeZone = "Europe/Berlin".parse().unwrap();
        for (at, local) in [
            (datetime!(2026-03-29 00:59:59 UTC), datetime!(2026-03-29 01:59:59 +1)),
            (datetime!(2026-03-29 01:00:00 UTC), datetime!(2026-03-29 03:00:00 +2)),
            (datetime!(2026-10-25 00:59:59 UTC), datetime!(2026-10-25 02:59:59 +2)),
            (datetime!(2026-10-25 01:00:00 UTC), datetime!(2026-10-25 02:00:00 +1)),
        ] {
            let converted = berlin.local(at);
            assert_eq!(
                (converted.date(), converted.time(), converted.offset()),
                (local.date(), local.time(), local.offset())
            );
        }
        let converted =
            "America/Sao_Paulo".parse::<TimeZone>().unwrap().local(datetime!(2026-01-01 01:30 UTC));
        assert_eq!((converted.year(), converted.hour(), converted.minute()), (2025, 22, 30));
        let at = datetime!(2026-10-25 01:00:00 UTC);
        assert_eq!(TimeZone::UTC.local(at).offset(), UtcOffset::UTC);
    }

    #[test]
    fn zones_are_known_by_their_names_in_the_database() {
        for (name, known) in
            [("Asia/Tokyo", "Asia/Tokyo"), ("europe/berlin", "Europe/Berlin"), ("UTC", "UTC")]
        {
            assert_eq!(name.parse::<TimeZone>().unwrap().name(), known);
        }
        for name in [
            "",
            "Europe/Berlim",
            "+02:00",
            "CET-1CEST",
            "Etc/Unknown",
            "local",
            "../etc/localtime",
            "/etc/localtime",
            "Europe",
        ] {
            assert_eq!(name.parse::<TimeZone>(), Err(InvalidTimeZone), "{name}");
        }
    }
}
