//! MJML's own tags: mrml passes over one that is misspelt or closed by another, and the mail would lose what is in it.

/// MJML 4's elements, without `mj-`.
const ELEMENTS: [&str; 36] = [
    "accordion",
    "accordion-element",
    "accordion-text",
    "accordion-title",
    "all",
    "attributes",
    "body",
    "breakpoint",
    "button",
    "carousel",
    "carousel-image",
    "class",
    "column",
    "divider",
    "font",
    "group",
    "head",
    "hero",
    "html-attribute",
    "html-attributes",
    "image",
    "include",
    "navbar",
    "navbar-link",
    "preview",
    "raw",
    "section",
    "selector",
    "social",
    "social-element",
    "spacer",
    "style",
    "table",
    "text",
    "title",
    "wrapper",
];

/// A tag that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongTag {
    /// Its line, from 1.
    pub line: usize,
    pub problem: String,
}

/// Whether each tag whose name begins with `mj-` is of an element that there is, and closed by its like.
pub fn check(source: &str) -> Result<(), WrongTag> {
    let mut open: Vec<Tag<'_>> = Vec::new();
    for tag in tags(source) {
        let wrong = |problem| Err(WrongTag { line: tag.line, problem });
        if !ELEMENTS.contains(&tag.name) {
            return wrong(format!("MJML has no element `mj-{}`", tag.name));
        }
        match tag.kind {
            Kind::Open => open.push(tag),
            Kind::Empty => {}
            Kind::Close => match open.pop() {
                Some(opened) if opened.name == tag.name => {}
                Some(Tag { name, line, .. }) => {
                    return wrong(format!("`mj-{}` is closed before `mj-{name}` of line {line}", tag.name));
                }
                None => return wrong(format!("`mj-{}` is closed and was not opened", tag.name)),
            },
        }
    }
    open.pop().map_or(Ok(()), |Tag { name, line, .. }| {
        Err(WrongTag { line, problem: format!("`mj-{name}` is not closed") })
    })
}

struct Tag<'a> {
    name: &'a str,
    kind: Kind,
    line: usize,
}

enum Kind {
    Open,
    Close,
    Empty,
}

/// All tags of MJML's, outside of comments.
fn tags(source: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = source;
    std::iter::from_fn(move || {
        loop {
            let (_, behind) = rest.split_once('<')?;
            if let Some(comment) = behind.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
                continue;
            }
            rest = behind;
            let offset = source.len() - behind.len();
            let line = source.bytes().take(offset).filter(|b| *b == b'\n').count() + 1;
            let (closes, tag) = behind.strip_prefix('/').map_or((false, behind), |tag| (true, tag));
            let Some(tag) = tag.strip_prefix("mj-") else { continue };
            let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tag.len());
            let (name, attributes) = tag.split_at(end);
            let kind = match (closes, closes_itself(attributes)) {
                (true, _) => Kind::Close,
                (false, true) => Kind::Empty,
                (false, false) => Kind::Open,
            };
            return Some(Tag { name, kind, line });
        }
    })
}

/// Whether the tag that these attributes are in closes itself.
fn closes_itself(attributes: &str) -> bool {
    let mut quote = None;
    let mut last = ' ';
    for c in attributes.chars() {
        if quote.is_some() {
            quote = quote.filter(|opened| *opened != c);
        } else if c == '>' {
            return last == '/';
        } else {
            quote = Some(c).filter(|c| "\"'".contains(*c));
        }
        last = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mjmls_tags_are_known_and_closed_by_their_like() {
        for right in [
            include_str!("../../templates/layout.mjml"),
            include_str!("../../templates/reset_requested.mjml"),
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
}
