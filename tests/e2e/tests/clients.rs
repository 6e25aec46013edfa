//! Runs the tests in `tests/clients`: the vendor's unmodified clients on a running instance.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{fs, process::Command, time::Duration};

use rekey_e2e::{
    dev::Dev,
    process::{Program, project},
    shop::Shop,
    stack::{Registered, Stack},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

/// The default of `auth.domain`.
const DOMAIN: &str = "rekey.localhost";
/// The maximum, since a busy machine may pause between two calls that a test makes at the same time.
const LEEWAY: (&str, &str) = ("auth.refresh_leeway_seconds", "60");
/// How long a sign-in is fresh: far longer than other tests take to change a password after it, and one test waits for its end.
const FRESH: (&str, &str) = ("auth.fresh_seconds", "60");
/// Many times their duration on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(20);

/// The clients' settings for a running service.
struct Running<'a> {
    url: &'a str,
    organization: &'a str,
    mode: &'a str,
    signing_key: &'a str,
    back_office: &'a Registered,
    /// The sales channel with sign-up and without self-service.
    storefront: &'a str,
    self_service: &'a str,
}

#[tokio::test]
async fn everything_in_one_process() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start_with(
        data.path(),
        &[LEEWAY, FRESH, ("limits.token_per_minute", "0"), ("limits.test_per_minute", "0")],
    )
    .await;
    let back_office = Registered {
        client_id: dev.env["CLIENT_ID"].clone(),
        secret: Some(dev.env["CLIENT_SECRET"].clone()),
    };
    let signing_key = data.path().join("signing-key.pem");
    let running = Running {
        url: &dev.api.url,
        organization: "demo",
        mode: "test",
        signing_key: signing_key.to_str().unwrap(),
        back_office: &back_office,
        storefront: &dev.env["SALES_CLIENT_ID"],
        self_service: &dev.env["SELF_SERVICE_CLIENT_ID"],
    };
    running.satisfies_the_clients(&[]).await;
}

#[tokio::test]
async fn the_programs_of_production() {
    let mut stack = Stack::prepare().await;
    stack.set(LEEWAY.0, LEEWAY.1);
    stack.set(FRESH.0, FRESH.1);
    // The tests' receivers are on this machine.
    stack.set("webhooks.allowed_networks", "127.0.0.0/8");
    let shop = Shop::open(stack).await;
    let storefront = shop.stack.client("shop", &["sales-channel", "--allow", "sign-in,sign-up"]).await;
    let (_api, _mailer) = (shop.stack.start_api().await, shop.stack.start_mailer().await);
    let _webhooks = shop.stack.start_another("rekey-webhooks").await;
    let running = Running {
        url: &shop.stack.api.url,
        organization: "shop",
        mode: "live",
        signing_key: shop.stack.get("auth.signing_key_file").unwrap(),
        back_office: &shop.back_office,
        storefront: &storefront.client_id,
        self_service: &shop.storefront.client_id,
    };
    running.satisfies_the_clients(&[]).await;
}

/// A12. The phases in docs/operations.md; a token from before them all works until its key is removed.
#[tokio::test]
async fn a12_js_auth_verifies_tokens_in_each_phase_of_a_rotation() {
    let mut shop = Shop::open(Stack::prepare().await).await;
    let storefront = shop.stack.client("shop", &["sales-channel"]).await;
    let (folder, old) = (TempDir::new().unwrap(), shop.stack.unset("auth.signing_key_file").unwrap().1);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (new, keys) = (path("new"), path("keys"));
    let generate =
        ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", &new];
    assert!(Command::new("openssl").args(generate).status().unwrap().success());
    shop.stack.set("auth.signing_keys_file", &keys);
    let mut before = None;
    for (phase, expected) in [
        (vec![&old], StatusCode::OK),
        (vec![&old, &new], StatusCode::OK),
        (vec![&new, &old], StatusCode::OK),
        (vec![&new], StatusCode::UNAUTHORIZED),
    ] {
        let pems: Vec<_> = phase.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        fs::write(&keys, pems.concat()).unwrap();
        let api = shop.stack.start_api().await;
        let token = shop.back_office.token(&shop.stack.api).await;
        let before = before.get_or_insert(token);
        shop.stack.api.call(Method::GET, "organization", before, &Value::Null).await.expect(expected);
        let running = Running {
            url: &shop.stack.api.url,
            organization: "shop",
            mode: "live",
            signing_key: phase[0],
            back_office: &shop.back_office,
            storefront: &storefront.client_id,
            self_service: &storefront.client_id,
        };
        running.satisfies_the_clients(&["--test-name-pattern=jwtVerify", "jwt.test.js"]).await;
        let exit = api.terminate().await;
        assert_eq!(exit.code, Some(0), "{exit:?}");
    }
}

impl Running<'_> {
    /// Runs tests in `tests/clients`, all of them without further arguments of Node's, and prints their names.
    async fn satisfies_the_clients(&self, arguments: &[&str]) {
        let folder = project().join("tests/clients");
        assert!(
            folder.join("node_modules").exists(),
            "the clients are not there: scripts/setup.sh installs them"
        );
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=spec"]).args(arguments).current_dir(folder).envs([
            ("REKEY_URL", self.url),
            ("REKEY_DOMAIN", DOMAIN),
            ("REKEY_ORGANIZATION", self.organization),
            ("REKEY_MODE", self.mode),
            ("REKEY_SIGNING_KEY", self.signing_key),
            ("REKEY_CLIENT_ID", &self.back_office.client_id),
            ("REKEY_CLIENT_SECRET", self.back_office.secret.as_ref().unwrap()),
            ("REKEY_SALES_CLIENT_ID", self.storefront),
            ("REKEY_SELF_SERVICE_CLIENT_ID", self.self_service),
            ("REKEY_FRESH_SECONDS", FRESH.1),
        ]);
        let exit = Program::spawn("node --test", &mut node).end_within(TIMEOUT).await;
        println!("{}{}", exit.stdout, exit.stderr);
        assert_eq!(exit.code, Some(0), "a test of tests/clients failed, see above");
        let passed = exit.stdout.lines().find_map(|line| line.split_once("pass ")?.1.parse::<u32>().ok());
        assert!(passed.is_some_and(|passed| passed > 0), "Node found no tests");
    }
}
