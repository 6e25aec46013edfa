use super::*;

#[test]
fn mjmls_tags_are_known_and_closed_by_their_like() {
    for right in [
        include_str!("../../../templates/layout.mjml"),
        include_str!("../../../templates/reset_requested.mjml"),
        "<!-- <mj-foo> --><mj-text a=\"x > y\"><p>Hello<br /></mj-text>\n<mj-spacer\n height='1/>' />",
        "<p>no MJML</p",
    ] {
        assert_eq!(check(right), Ok(()));
    }
    for (wrong, line, problem) in [
        ("<mj-text>\n</mj-txt>", 2, "MJML has no element `mj-txt`"),
        ("\n<mj-foo />", 2, "MJML has no element `mj-foo`"),
        ("<mj-raw>\n<mj-text>\n</mj-raw>", 3, "`mj-raw` is closed before `mj-text` of line 2"),
        ("</mj-text>", 1, "`mj-text` is closed and was not opened"),
        ("\n\n<mj-text>", 3, "`mj-text` is not closed"),
        ("<mj-text", 1, "`mj-text` is not closed"),
    ] {
        assert_eq!(check(wrong), Err(WrongTag { line, problem: problem.to_owned() }), "{wrong}");
    }
}
