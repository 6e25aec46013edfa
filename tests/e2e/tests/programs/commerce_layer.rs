//! The move from Commerce Layer: its export is imported, and the guide's scripts work. A second instance is in Commerce Layer's place.

use std::fs;

use rekey_e2e::{
    dev::{Dev, JOHN, OLD_PASSWORD},
    mail::Link,
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::{guides::Scripts, import::Shop};

const MORE: [&str; 4] = ["--format", "commerce-layer", "--map", "id=reference"];

#[tokio::test]
async fn an_export_is_imported_once_as_json_or_as_csv() {
    let record = |id: &str, email: &str| json!({ "id": id, "type": "customers", "email": email, "status": "acquired", "reference": "C-1", "customer_group_id": null, "metadata": { "tier": [1] } });
    let order = json!({ "id": "ordersorde", "type": "orders", "customer_email": "anna@example.com" });
    let export =
        json!([record("annaannaan", "anna@example.com"), order, record("bertbertbe", "Bert@example.com")]);
    let csv = "id,email,status,has_password,created_at,metadata\n\
               bertbertbe,bert@example.com,prospect,true,2018-01-01T12:00:00.000Z,{}\n\
               dorodorodo,doro@example.com,prospect,true,2018-01-01T12:00:00.000Z,\"{\"\"a\"\":1}\"\n";
    for shop in [Shop::embedded().await, Shop::production().await] {
        let json = shop.file("export.json", &format!("{export:#}"));
        for (more, customers) in [(&["--dry-run"][..], 0), (&[][..], 2)] {
            let exit = shop.import(&json, &[&MORE[..], more].concat()).await;
            assert_eq!(exit.code, Some(1), "{exit:?}");
            assert!(exit.stdout.ends_with("lines=3\ncreated=2\ntaken=0\nrefused=1\n"), "{exit:?}");
            let expected = "record 2: refused: the member type is \"orders\", expected \"customers\": export customers\n";
            assert!(exit.stderr.starts_with(expected), "{exit:?}");
            assert!(exit.stderr.contains("1 of 3 records were refused"), "{exit:?}");
            assert_eq!(shop.customers("%t@example.com").await + shop.customers("anna@%").await, customers);
        }
        let again = shop.import(&json, &MORE).await;
        assert!(again.stdout.ends_with("created=0\ntaken=2\nrefused=1\n"), "{again:?}");
        let exit = shop.import(&shop.file("export.csv", csv), &MORE).await;
        assert_eq!(
            (exit.code, &*exit.stdout),
            (Some(0), "lines=2\ncreated=1\ntaken=1\nrefused=0\n"),
            "{exit:?}"
        );

        for (email, id) in [("anna", "annaannaan"), ("bert", "bertbertbe"), ("doro", "dorodorodo")] {
            let reference = format!("SELECT reference FROM customers WHERE email = '{email}@example.com'");
            assert_eq!(shop.backdoor.text(&reference).await.as_deref(), Some(id));
        }
        let hashes = "customer_id IN (SELECT id FROM customers WHERE reference IN ('annaannaan', 'bertbertbe', 'dorodorodo'))";
        assert_eq!(shop.backdoor.count("customer_passwords", hashes).await, 0);
    }
}

/// Sends what is for Commerce Layer to the instance in its place.
const VENDOR: &str = "
    const network = globalThis.fetch
    globalThis.fetch = (input, init) => {
      const { host, pathname, search } = new URL(input)
      return network(host.endsWith('.commercelayer.io') ? process.env.CL_URL + pathname + search : input, init)
    }";

#[tokio::test]
async fn the_scripts_of_the_guide_move_passwords_and_links() {
    let [here, there] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let vendor = Dev::start_with(there.path(), &[("auth.domain", "commercelayer.io")]).await;
    let dev = Dev::start(here.path()).await;
    let mut scripts = Scripts::of(&["docs/storefront.md", "docs/migrate-from-commerce-layer.md"], &dev);
    let preload = scripts.folder.path().join("vendor.mjs");
    fs::write(&preload, VENDOR).unwrap();
    let options = format!("--import file://{}", preload.display());
    for (name, value) in [
        ("NODE_OPTIONS", &options),
        ("CL_URL", &vendor.api.url),
        ("CL_CLIENT_ID", &vendor.env["CLIENT_ID"]),
        ("CL_CLIENT_SECRET", &vendor.env["CLIENT_SECRET"]),
        ("CL_SALES_CLIENT_ID", &vendor.env["SALES_CLIENT_ID"]),
    ] {
        scripts.environment.insert(name.to_owned(), value.clone());
    }

    // Anna was imported, without a password. John has one here, which his old one must not replace.
    let (anna, old, new) = ("anna@example.com", "anna's old password", "john's new password");
    vendor.api.create_customer(&vendor.integration().await, anna, old).await;
    let token = dev.integration().await;
    let imported = json!({ "data": { "type": "customers", "attributes": { "email": anna } } });
    dev.api.call(Method::POST, "customers", &token, &imported).await.expect(StatusCode::CREATED);
    let reset = dev.reset(1).await;
    dev.api.complete(&token, &reset.id, &reset.token, new).await.expect(StatusCode::OK);

    let wrong = "Wrong address or password.\n";
    assert_eq!(scripts.run("log-in.mjs", &[anna, "another password"]).await, wrong);
    assert_eq!(scripts.run("log-in.mjs", &[anna, old]).await, "Welcome back.\n");
    dev.api.log_in(&dev.env["SALES_CLIENT_ID"], anna, old).await.expect(StatusCode::OK);
    assert_eq!(scripts.run("log-in.mjs", &[JOHN, OLD_PASSWORD]).await, wrong);
    dev.log_in(new).await.expect(StatusCode::OK);

    // A mail for the reset above, and one that says that its password was changed.
    let mailed = dev.mails(2).await.len();
    vendor.api.create_reset(&vendor.integration().await, JOHN).await.expect(StatusCode::CREATED);
    vendor.api.create_reset(&vendor.integration().await, JOHN).await.expect(StatusCode::CREATED);
    // A customer that was not imported. The newest comes first, and must not end the script.
    let there = vendor.integration().await;
    vendor.api.create_customer(&there, "mary@example.com", old).await;
    vendor.api.create_reset(&there, "mary@example.com").await.expect(StatusCode::CREATED);
    assert_eq!(scripts.run("waiting.mjs", &[]).await, "1 customers get a new link.\n");
    let mail = dev.mails(mailed + 1).await.remove(0);
    let link = Link::find(mail["text"].as_str().unwrap());
    dev.api.complete(&token, &link.id, &link.token, "john's third password").await.expect(StatusCode::OK);
}
