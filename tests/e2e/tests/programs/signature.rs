//! Tests that mails are signed with their organization's key, and verify by the record that `rekey mail dkim` prints.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use rekey_e2e::{
    mail::Mail,
    process::project,
    shop::{ANNA, Shop},
    stack::Stack,
};
use reqwest::StatusCode;
use tempfile::TempDir;

#[tokio::test]
async fn headers_dkim_verifies_by_the_record_that_the_operator_publishes() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("shop");
    fs::create_dir(&own).unwrap();
    let sender = "[mail]\nfrom = \"The Shop <post@mail.shop.example>\"\n[dkim]\ndomain = \"shop.example\"\n";
    fs::write(own.join("organization.toml"), sender).unwrap();
    let [own_key, deployments] = [own.join("dkim.pem"), folder.path().join(".dkim.pem")];
    for key in [&own_key, &deployments] {
        let make = ["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out"];
        let output = Command::new("openssl").args(make).arg(key).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let mut stack = Stack::prepare().await;
    stack.set("organizations.directory", folder.path().to_str().unwrap());
    stack.set("dkim.private_key_file", deployments.to_str().unwrap());

    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (_api, _mailer) = (stack.start_api().await, stack.start_mailer().await);
    let token = shop.register_anna().await;
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    let mail = stack.smtp.mail_to(ANNA, 1).await;

    let [own, others] = [record(stack, "shop").await, record(stack, "another").await];
    assert_eq!(own.0, "rekey._domainkey.shop.example");
    assert_eq!(verdict(&mail, &own), "good");
    assert_eq!(verdict(&mail, &(own.0, others.1)), "bad", "by the deployment's key");
    assert!(mail.header("From").contains("<post@mail.shop.example>"));
    assert!(mail.header("DKIM-Signature").contains(" d=shop.example; s=rekey;"));
}

/// Returns the name and the text of the record that `rekey mail dkim` prints.
async fn record(stack: &Stack, organization: &str) -> (String, String) {
    let printed = stack.tool(&["mail", "dkim", "--organization", organization]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let line = printed.stdout.lines().find(|line| !line.starts_with(';')).unwrap();
    let (name, rest) = line.split_once(". IN TXT ").unwrap();
    (name.to_owned(), rest.split('"').skip(1).step_by(2).collect())
}

/// Verifies a mail by dkimpy, with this record as the only one in DNS.
fn verdict(mail: &Mail, (name, text): &(String, String)) -> String {
    let mut dkimpy = Command::new(project().join("target/dkimpy/bin/python"))
        .arg(project().join("crates/mailer/tests/dkimpy/verify.py"))
        .args([name, text])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{error}: scripts/setup.sh installs dkimpy"));
    dkimpy.stdin.take().unwrap().write_all(&mail.raw).unwrap();
    let output = dkimpy.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}
