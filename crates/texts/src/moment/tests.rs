use super::*;

#[test]
fn spans_are_rounded_to_the_nearest_unit() {
    for (seconds, span) in [
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
        assert_eq!(Span::nearest(Duration::seconds(seconds)), span, "{seconds} s");
    }
}

// Fluent's plurals for Arabic are wrong from 103 on; the longest span that can be configured is of seven days.
#[test]
fn no_span_has_a_count_with_a_wrong_plural() {
    for minutes in 0..=7 * 24 * 60 {
        let (Span::Minutes(count) | Span::Hours(count) | Span::Days(count)) =
            Span::nearest(Duration::minutes(minutes));
        assert!(count <= 102, "{minutes}");
    }
}
