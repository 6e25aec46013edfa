use super::*;

fn read(input: &[u8]) -> Vec<(u64, Result<String, Reason>)> {
    let encoding = LineEncoding::detect(input, false);
    let mut lines = Lines::new(io::BufReader::with_capacity(7, input), encoding);
    let mut read = Vec::new();
    while let Some(line) = lines.next_filled().unwrap() {
        read.push((line.number, line.content));
    }
    assert_eq!(lines.position(), input.len() as u64);
    read
}

#[test]
fn lines_end_in_lf_or_crlf_and_empty_ones_are_only_counted() {
    let text = "\u{feff}one\r\n\n \t\ntwo\nthree".as_bytes();
    let expected = [(1, "one"), (4, "two"), (5, "three")];
    assert_eq!(read(text), expected.map(|(number, line)| (number, Ok(line.to_owned()))));
    assert!(read(b"").is_empty());
    assert!(read(b"\n\n\r\n").is_empty());
}

#[test]
fn a_line_that_cant_be_read_is_named_and_the_next_is_read() {
    let mut text = vec![b'x'; MAX_LINE + 1];
    text.extend(b"\nafter\n\xff\xfe\na\0b\nlast\n");
    let expected = [
        (1, Err(Reason::LineTooLong)),
        (2, Ok("after".to_owned())),
        (3, Err(Reason::NotUtf8)),
        (4, Err(Reason::Nul)),
        (5, Ok("last".to_owned())),
    ];
    assert_eq!(read(&text), expected);
    assert_eq!(read(&vec![b'x'; MAX_LINE])[0].1.as_ref().unwrap().len(), MAX_LINE);
    let whole = [vec![b'x'; MAX_LINE].as_slice(), b"\nlast"].concat();
    assert!(read(&whole).iter().all(|(_, content)| content.is_ok()));
}

#[test]
fn c4_lines_end_in_cr_where_the_first_one_does() {
    let expected = [(1, "one"), (3, "two"), (4, "three\nfour")];
    let expected = expected.map(|(number, line)| (number, Ok(line.to_owned())));
    assert_eq!(read(b"one\r\rtwo\rthree\nfour"), expected);
    assert_eq!(read(b"one\ntwo\rthree\n")[1], (2, Ok("two\rthree".to_owned())));
}

#[test]
fn c4_what_could_not_be_decoded_is_named() {
    let encoding = LineEncoding { end: b'\n', is_decoded: true };
    let mut lines = Lines::new("a\u{fffd}\nb\n".as_bytes(), encoding);
    assert_eq!(lines.next().unwrap().unwrap().content, Err(Reason::Undecodable));
    assert_eq!(lines.next().unwrap().unwrap().content, Ok("b".to_owned()));
}

#[test]
fn lines_are_given_back_in_their_order() {
    let encoding = LineEncoding { end: b'\n', is_decoded: false };
    let mut lines = Lines::new(&b"1\n2\n3\n4\n"[..], encoding);
    let next = |lines: &mut Lines<&[u8]>| lines.next().unwrap().unwrap();
    let read = [next(&mut lines), next(&mut lines), next(&mut lines)];
    lines.give_back(read.into_iter().skip(1).collect());
    let numbers = [0; 3].map(|_| next(&mut lines).number);
    assert_eq!(numbers, [2, 3, 4]);
}
