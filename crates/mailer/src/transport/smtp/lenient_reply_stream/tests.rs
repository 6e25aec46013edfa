use tokio::io::AsyncReadExt;

use super::*;

async fn read(stream: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    LenientReplyStream::new(stream, SocketAddr::from(([127, 0, 0, 1], 25)))
        .read_to_string(&mut text)
        .await
        .unwrap();
    text
}

#[tokio::test]
async fn replies_come_in_the_one_form_that_lettre_reads() {
    for (came, expected) in [
        (&b"250 2.0.0 Ok\r\n"[..], "250 2.0.0 Ok\r\n"),
        (b"250-one\r\n250 two\r\n", "250-one\r\n250 two\r\n"),
        (b"250\r\n", "250 \r\n"),
        (b"250\n", "250 \r\n"),
        (b"250 taken\n", "250 taken\r\n"),
        (b"550 unbekannter Empf\xe4nger\r\n", "550 unbekannter Empf?nger\r\n"),
        (b"250 a\tb\x00c\rd\r\n", "250 a b cd\r\n"),
        (b"250 cut off", "250 cut off"),
    ] {
        assert_eq!(read(came).await, expected);
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_kept_in_part() {
    let endless = tokio::io::repeat(b'2').take(10 << 20).chain(&b"\r\n250 x\r\n"[..]);
    assert_eq!(read(endless).await, format!("{}\r\n250 x\r\n", "2".repeat(MAX_LINE)));
}

#[tokio::test]
async fn what_is_read_comes_whole_whatever_the_size_of_the_buffer() {
    let mut stream =
        LenientReplyStream::greeted(&b"250\r\n250 two\r\n"[..], SocketAddr::from(([127, 0, 0, 1], 25)));
    let mut text = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        text.push(byte);
    }
    assert_eq!(text, b"220 \r\n250 \r\n250 two\r\n");
}
