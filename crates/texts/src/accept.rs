//! What a browser says its reader understands.

use std::cmp::Reverse;

use rekey_core::locale::Locale;

/// Octets of the header that are looked at. Browsers send some 100.
const MAX_LENGTH: usize = 1024;
/// Languages that are looked at.
const MAX_RANGES: usize = 32;
/// The weight of a language without one, in thousandths.
const FULL: u16 = 1000;

/// The languages of an `Accept-Language` header (RFC 9110 §12.5.4), the most wanted first. `*`, languages with the weight 0, and
/// whatever is no language tag are left out; of a longer header the beginning counts.
#[must_use]
pub fn accepted(header: &str) -> Vec<Locale> {
    let start = header.floor_char_boundary(MAX_LENGTH);
    let ranges = header.get(..start).unwrap_or_default().split(',').take(MAX_RANGES);
    let mut weighed: Vec<_> = ranges.filter_map(range).filter(|(_, weight)| *weight > 0).collect();
    weighed.sort_by_key(|(_, weight)| Reverse(*weight));
    weighed.into_iter().map(|(locale, _)| locale).collect()
}

/// One range and its weight.
fn range(text: &str) -> Option<(Locale, u16)> {
    let (tag, parameter) = text.split_once(';').unwrap_or((text, ""));
    let locale = tag.trim().parse().ok()?;
    match parameter.trim() {
        "" => Some((locale, FULL)),
        parameter => {
            let (name, value) = parameter.split_once('=')?;
            let is_weight = name.trim().eq_ignore_ascii_case("q");
            Some((locale, weight(value.trim()).filter(|_| is_weight)?))
        }
    }
}

/// A weight in thousandths: 0 to 1, with three decimals at most.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(header: &str) -> Vec<String> {
        accepted(header).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_most_wanted_comes_first() {
        assert_eq!(tags("de-AT"), ["de-AT"]);
        assert_eq!(tags("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"), ["fr-CH", "fr", "en", "de"]);
        assert_eq!(tags("en;q=0.5,de;q=1.0 , ja ; q=0.75, nl;Q=.9"), ["de", "ja", "en"]);
        assert_eq!(tags("pl;q=0.300, es;q=0.3, it;q=0.301"), ["it", "pl", "es"]);
    }

    #[test]
    fn what_is_not_wanted_or_not_understood_is_left_out() {
        for header in [
            "",
            ",",
            ",,, ;",
            "*",
            "*;q=1",
            "de;q=0",
            "de;q=0.000",
            "de;q=2",
            "de;q=-1",
            "de;q=1.001",
            "de;q=0.1234",
            "de;q=NaN",
            "de;q=",
            "de;q",
            "de;q=1;q=1",
            "de;level=1",
            "d",
            "deutsch1",
            "../../etc/passwd",
            "de\r\nX: y",
            "日本語",
            "<script>",
        ] {
            assert_eq!(tags(header), Vec::<String>::new(), "{header:?}");
        }
        assert_eq!(tags("nonsense!, de;q=9, fr;q=0.1"), ["fr"]);
    }

    #[test]
    fn a_huge_header_costs_no_more_than_its_beginning() {
        assert_eq!(tags(&"de,".repeat(1_000_000)).len(), MAX_RANGES);
        assert_eq!(tags(&format!("{}de", " ".repeat(5_000_000))), Vec::<String>::new());
        assert_eq!(tags(&"日".repeat(500_000)), Vec::<String>::new());
    }
}
