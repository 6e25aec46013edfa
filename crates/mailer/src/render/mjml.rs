//! Checks MJML's own tags: mrml ignores one that is misspelt or closed by another, and the mail would lose its content.

use htmlparser::{ElementEnd, StrSpan, Token, Tokenizer};

/// MJML 4's elements, without `mj-`.
const ELEMENTS: &str = "accordion accordion-element accordion-text accordion-title all attributes body breakpoint button carousel \
    carousel-image class column divider font group head hero html-attribute html-attributes image include navbar navbar-link \
    preview raw section selector social social-element spacer style table text title wrapper";

/// A tag that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongTag {
    /// Its line, from 1.
    pub line: usize,
    pub problem: String,
}

/// Checks that each tag whose name begins with `mj-` is of a known element, and closed by a tag of the same name.
pub fn check(source: &str) -> Result<(), WrongTag> {
    let wrong = |tag: StrSpan<'_>, problem| {
        let before = source.bytes().take(tag.start());
        WrongTag { line: before.filter(|byte| *byte == b'\n').count() + 1, problem }
    };
    let known = |tag: StrSpan<'_>| match tag.as_str().strip_prefix("mj-") {
        Some(name) if !ELEMENTS.split(' ').any(|known| known == name) => {
            Err(wrong(tag, format!("MJML has no element `{tag}`")))
        }
        Some(_) => Ok(true),
        None => Ok(false),
    };
    let mut open: Vec<StrSpan<'_>> = Vec::new();
    let mut started = None;
    for token in Tokenizer::from_fragment(source, 0..source.len()) {
        match token {
            Ok(Token::ElementStart { local, .. }) => started = known(local)?.then_some(local),
            Ok(Token::ElementEnd { end: ElementEnd::Open, .. }) => open.extend(started.take()),
            Ok(Token::ElementEnd { end: ElementEnd::Empty, .. }) => started = None,
            Ok(Token::ElementEnd { end: ElementEnd::Close(_, tag), .. }) if known(tag)? => match open.pop() {
                Some(opened) if opened.as_str() == tag.as_str() => {}
                Some(opened) => {
                    let line = wrong(opened, String::new()).line;
                    return Err(wrong(tag, format!("`{tag}` is closed before `{opened}` of line {line}")));
                }
                None => return Err(wrong(tag, format!("`{tag}` is closed and was not opened"))),
            },
            Ok(_) => {}
            Err(_) if started.is_some() => break,
            // mrml reports it when it parses the whole mail.
            Err(_) => return Ok(()),
        }
    }
    let unclosed = started.or(open.pop());
    unclosed.map_or(Ok(()), |tag| Err(wrong(tag, format!("`{tag}` is not closed"))))
}

#[cfg(test)]
mod tests;
