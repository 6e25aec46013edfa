//! Measures how fast `rekey-mailer` sends mails, next to a client that only hands the same mail to the same SMTP server, over as many connections:
//! `make bench`.
//!
//! They run in turn. All mails wait in the queue when the mailer starts.
#![expect(clippy::unwrap_used, reason = "a measurement that fails is to stop")]

use std::time::Instant;

use futures_util::future::join_all;
use rekey_e2e::{
    bench::{Figure, Report, Run, all_published, column, create_resets, drain, processor_time, ratios, run},
    shop::Shop,
    smtp::SmtpServer,
    stack::Stack,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const ROUNDS: usize = 7;
/// How many mails are sent in a run.
const MAILS: u32 = 1_200;
/// The default of `smtp.connections`.
const CONNECTIONS: u32 = 4;

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let stack = &shop.stack;
    let _api = stack.start_api().await;
    let token = shop.register_anna().await;
    let (mut alone, mut mailer, mut in_server) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        create_resets(&stack.api, &token, MAILS).await;
        all_published(stack).await;
        let used = processor_time(stack.smtp.pid());
        mailer.push(by_mailer(stack).await);
        in_server[0].push((processor_time(stack.smtp.pid()) - used) / f64::from(MAILS));
        let mail = stack.smtp.mails().pop().unwrap().raw;
        let [rate, used] = by_client(&stack.smtp, &mail).await;
        alone.push(rate);
        in_server[1].push(used);
    }
    let mut report =
        Report::new("mailer", "Mails sent by rekey-mailer, next to a client that only sends them");
    let (rates, title) = (column(&mailer, 0), "mails a second, rekey-mailer next to a client alone");
    report.add(Figure::new(title, "times", ratios(&rates, &alone)));
    report.add(Figure::new("mails by rekey-mailer", "per second", rates));
    report.add(Figure::new("mails by a client alone", "per second", alone));
    let [with_mailer, with_client] = in_server;
    report.add(Figure::new("processor time of rekey-mailer for a mail", "µs", column(&mailer, 1)));
    report.add(Figure::new(
        "processor time of the SMTP server for a mail of rekey-mailer",
        "µs",
        with_mailer,
    ));
    report.add(Figure::new("processor time of the SMTP server for a mail of the client", "µs", with_client));
    report.save();
}

async fn by_mailer(stack: &Stack) -> Run {
    let mails = stack.smtp.taken() + usize::try_from(MAILS).unwrap();
    let mailer = stack.spawn("rekey-mailer");
    let run = drain(&stack.smtp, mailer.pid(), mails).await;
    mailer.stop().await;
    run
}

/// Returns how many mails a second the server takes at most, and its processor time for each.
async fn by_client(smtp: &SmtpServer, mail: &[u8]) -> Run {
    let (start, used) = (Instant::now(), processor_time(smtp.pid()));
    join_all((0..CONNECTIONS).map(|_| send(smtp.port, mail, MAILS / CONNECTIONS))).await;
    run(start, used, smtp.pid(), MAILS)
}

/// Sends a mail that often over one connection.
async fn send(port: u16, mail: &[u8], times: u32) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    expect(&mut stream, "220").await;
    say(&mut stream, b"HELO localhost\r\n", "250").await;
    let mail = [mail, b"\r\n.\r\n"].concat();
    for _ in 0..times {
        say(&mut stream, b"MAIL FROM:<no-reply@shop.example>\r\n", "250").await;
        say(&mut stream, b"RCPT TO:<anna@example.com>\r\n", "250").await;
        say(&mut stream, b"DATA\r\n", "354").await;
        say(&mut stream, &mail, "250").await;
    }
}

async fn say(stream: &mut BufReader<TcpStream>, bytes: &[u8], reply: &str) {
    stream.write_all(bytes).await.unwrap();
    expect(stream, reply).await;
}

async fn expect(stream: &mut BufReader<TcpStream>, code: &str) {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.starts_with(code), "{line}");
}
