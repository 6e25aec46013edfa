//! Reports on mails that the relay had accepted: a mail server's, and a provider's.
#![cfg(test)]

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use rekey_e2e::{
    client::http,
    metrics::Metrics,
    process::{free_ports, project},
    shop::{ANNA, OLD_PASSWORD, Shop},
    stack::Stack,
    wait::eventually,
};
use reqwest::{StatusCode, header::AUTHORIZATION};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

const STRANGER: [u8; 4] = [127, 0, 0, 2];
const BOB: &str = "bob@example.com";
/// Of Postmark's webhook, also in base64.
const LOGIN: [&str; 2] =
    ["rekey:a-long-password-of-theirs", "Basic cmVrZXk6YS1sb25nLXBhc3N3b3JkLW9mLXRoZWlycw=="];
/// The key of the signature of `sendgrid.json`, which `openssl dgst -sign` made, then its time and itself.
const SENDGRID: [&str; 3] = [
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAus5d4if92wiVWlJtkUbNq5jjj81sbsA6yhP0aund1L9FGJY79FXn5ezz7Sn1vv2v9YNcRRwCKxBsIu11NqpGg==",
    "1795947345",
    "MEQCIAcqy0mOyRFZlLURzd+UIIXLAi7Cj84X5C5lN5mTmWCoAiBG/zSSfxEdXvqenfc1OOlnRwEu3K+Dlvf/xb1yUSRUVw==",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_returned_later_is_bounced_and_its_address_suppressed() {
    let mut stack = Stack::prepare().await;
    let [port] = free_ports();
    stack.set("mail.bounce_domain", "bounces.shop.example");
    stack.set("bounces.listen", &format!("127.0.0.1:{port}"));
    stack.set("bounces.postmark_login", LOGIN[0]);
    stack.set("bounces.sendgrid_public_key", SENDGRID[0]);
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    stack.api.create_customer(&token, BOB, OLD_PASSWORD).await;
    for address in [ANNA, BOB] {
        stack.api.create_reset(&token, address).await.expect(StatusCode::CREATED);
    }
    let sender = stack.smtp.mail_to(ANNA, 1).await.sender;
    assert!(sender.starts_with("b+") && sender.ends_with("@bounces.shop.example"), "{sender}");
    let of_bob = stack.smtp.mail_to(BOB, 1).await;
    let (anna, bob) = (sent(stack, ANNA).await, sent(stack, BOB).await);
    let listener = Listener { url: format!("http://127.0.0.1:{port}/bounces") };

    let report = sample("postfix.eml").replace("VERP@bounces.shop.example", &sender);
    let digit = if sender.as_bytes()[30] == b'0' { "1" } else { "0" };
    let forged = report.replace(&sender, &format!("{}{digit}{}", &sender[..30], &sender[31..]));
    assert_eq!(listener.post("report", &forged).await.0, StatusCode::FORBIDDEN);
    let reply = sample("automatic-reply.eml").replace("VERP@bounces.shop.example", &sender);
    assert_eq!(listener.post("report", &reply).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    for (path, size) in [("report", 300_000), ("postmark", 3_000_000)] {
        assert_eq!(listener.post(path, &"x".repeat(size)).await.0, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    for path in ["mailgun", "ses", "../readyz", "../metrics"] {
        assert_eq!(listener.post(path, &report).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(listener.post_as_sendgrid(&sample("sendgrid.json")).await, StatusCode::NO_CONTENT);
    listener.flood().await;
    assert_eq!(
        (show(stack, &anna).await["status"].clone(), suppressed(stack).await.len()),
        ("sent".into(), 0)
    );

    let (status, answer) = listener.post("report", &report).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (status, &answer["delivery"], &answer["result"]),
        (StatusCode::OK, &anna.as_str().into(), &"recorded".into())
    );
    let life = show(stack, &anna).await;
    assert_eq!(
        (&life["status"], &life["smtp_code"], &life["smtp_enhanced_code"]),
        (&"bounced".into(), &550.into(), &"5.1.1".into())
    );
    let steps = life["timeline"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).rev().take(2).collect();
    assert_eq!(names, ["bounced", "sent"]);
    assert_eq!(steps.last().unwrap()["relay"], "mx.shop.example");
    assert_eq!(suppressed(stack).await, [ANNA]);
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    eventually("a mail that is not sent", async || match list(stack, ANNA, "suppressed").await.len() {
        1 => Ok(()),
        other => Err(other),
    })
    .await;

    ingest_by_hand(stack, &report, &forged, &anna).await;

    assert_eq!(of_bob.header("X-PM-Metadata-rekey"), bob);
    let complaint = sample("postmark.json").replace("EVENTEVENT", &bob).replace(ANNA, BOB);
    let complaint = complaint.replace("\"RecordType\":\"Bounce\"", "\"RecordType\":\"SpamComplaint\"");
    assert_eq!(listener.post("postmark", &complaint).await.0, StatusCode::FORBIDDEN);
    assert_eq!(listener.post_as(LOGIN[1], "postmark", &complaint).await.0, StatusCode::NO_CONTENT);
    assert_eq!(
        (show(stack, &bob).await["status"].clone(), suppressed(stack).await),
        ("sent".into(), vec![ANNA.to_owned(), BOB.to_owned()])
    );

    let metrics = Metrics::read(&stack.mailer()).await;
    let count =
        |source, result| metrics.get("rekey_mail_reports_total", &[("source", source), ("result", result)]);
    assert_eq!(count("sendgrid", "unknown"), Some(4.0), "events of mails that are not ours");
    let counts =
        [("report", "recorded"), ("report", "ignored"), ("postmark", "recorded"), ("postmark", "refused")];
    assert_eq!(counts.map(|(source, result)| count(source, result)), [Some(1.0); 4]);
}

/// `rekey bounce ingest`.
async fn ingest_by_hand(stack: &Stack, report: &str, forged: &str, delivery: &str) {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let again = stack.tool(&["bounce", "ingest", &file("report", report), "--json"]).await;
    let answer: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (again.code, &answer["delivery"], &answer["result"]),
        (Some(0), &delivery.into(), &"repeated".into())
    );
    let forged = stack.tool(&["bounce", "ingest", &file("forged", forged)]).await;
    assert_eq!(forged.code, Some(3));
    assert!(
        forged.stderr.starts_with("rekey: no address for bounces that this deployment signed"),
        "{forged:?}"
    );
}

struct Listener {
    url: String,
}

impl Listener {
    async fn post(&self, path: &str, body: &str) -> (StatusCode, String) {
        self.post_as("", path, body).await
    }

    async fn post_as(&self, authorization: &str, path: &str, body: &str) -> (StatusCode, String) {
        let request = http(|builder| builder).post(format!("{}/{path}", self.url)).body(body.to_owned());
        let answer = request.header(AUTHORIZATION, authorization).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn post_as_sendgrid(&self, body: &str) -> StatusCode {
        let request = http(|builder| builder).post(format!("{}/sendgrid", self.url)).body(body.to_owned());
        let request = request.header("X-Twilio-Email-Event-Webhook-Timestamp", SENDGRID[1]);
        let request = request.header("X-Twilio-Email-Event-Webhook-Signature", SENDGRID[2]);
        request.send().await.unwrap().status()
    }

    /// Keeps as many slow requests open as one address may have, and meanwhile sends a report from another one, which is answered.
    async fn flood(&self) {
        let address: SocketAddr = self.url["http://".len()..].split('/').next().unwrap().parse().unwrap();
        let mut slow = Vec::new();
        for _ in 0..16 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from((STRANGER, 0))).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            let head =
                format!("POST /bounces/report HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        let strangers = http(|builder| builder.local_address(IpAddr::from(STRANGER)));
        eventually("a refusal of one more", async || {
            let answer =
                strangers.post(format!("{}/report", self.url)).body("no report").send().await.unwrap();
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE { Ok(()) } else { Err(answer.status()) }
        })
        .await;
        assert_eq!(self.post("report", "no report").await.0, StatusCode::FORBIDDEN);
        let mut answered = 0;
        for mut stream in slow {
            stream.write_all(b"no report").await.unwrap();
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.unwrap();
            answered += usize::from(&status == b"HTTP/1.1 403");
        }
        // The refused one may have taken the place of one before.
        assert!(answered >= 15, "{answered} of the slow requests were answered");
    }
}

/// A report as a mail server or a provider writes it.
fn sample(name: &str) -> String {
    fs::read_to_string(project().join("crates/mailer/tests/reports").join(name)).unwrap()
}

/// Waits until the customer's mail is recorded as sent; returns the delivery's id.
async fn sent(stack: &Stack, address: &str) -> String {
    let found =
        eventually("a sent mail", async || list(stack, address, "sent").await.pop().ok_or("none")).await;
    found["id"].as_str().unwrap().to_owned()
}

async fn list(stack: &Stack, address: &str, status: &str) -> Vec<Value> {
    objects(
        &stack.tool(&["delivery", "list", "--address", address, "--status", status, "--json"]).await.stdout,
    )
}

async fn show(stack: &Stack, id: &str) -> Value {
    serde_json::from_str(&stack.tool(&["delivery", "show", id, "--json"]).await.stdout).unwrap()
}

async fn suppressed(stack: &Stack) -> Vec<String> {
    let all = objects(&stack.tool(&["suppression", "list", "--json"]).await.stdout);
    all.iter().map(|one| one["address"].as_str().unwrap().to_owned()).collect()
}

fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
