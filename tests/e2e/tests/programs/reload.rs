//! SIGHUP: running programs read the settings of organizations again.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, path::Path};

use rekey_e2e::{
    page::Browser,
    process::{Program, signal},
    shop::{ANNA, Shop},
    stack::Stack,
    wait::eventually,
};
use reqwest::StatusCode;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_follow_the_settings_of_organizations_and_survive_a_mistake_in_them() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("shop");
    write(&own.join("organization.toml"), "[mail]\nfrom = \"Former <post@shop.example>\"\n");
    let mut stack = Stack::prepare().await;
    stack.set("organizations.directory", folder.path().to_str().unwrap());
    let shop = Shop::open(stack).await;
    let stack = &shop.stack;
    let (api, mailer) = (stack.start_api().await, stack.start_mailer().await);
    let maintenance = stack.spawn_tool("rekey_maintenance", &["maintain"]);
    logged(&maintenance, "old records are deleted from now on").await;
    let programs = [&api, &mailer, &maintenance];
    let token = shop.register_anna().await;
    let page = format!("{}/forgot-password?client_id={}", stack.api.url, shop.storefront.client_id);
    let title = async || Browser::default().get(&page).await.text().await.unwrap();
    assert!(!title().await.contains("Lost your key?"));

    write(&own.join("organization.toml"), "[mail]\nfrom = \"Renamed <post@shop.example>\"\n");
    write(&own.join("texts/en.ftl"), "pages-forgot-title = Lost your key?\n");
    for program in programs {
        signal(program.pid(), "HUP");
        logged(program, "the settings of organizations were read again").await;
    }
    assert!(title().await.contains("Lost your key?"));
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    assert!(stack.smtp.mail_to(ANNA, 1).await.header("From").contains("Renamed"));

    // Another shop's mistake stops nobody.
    let other = folder.path().join("other/organization.toml");
    write(&own.join("organization.toml"), "[mail]\nfrom = \"Third <post@shop.example>\"\n");
    write(&other, "[brand]\ncolour = \"#fff\"\n");
    for program in programs {
        signal(program.pid(), "HUP");
        let line = logged(program, "can't be read again, the former ones stay in force").await;
        assert!(line.contains("ERROR") && line.contains("brand.colour"), "{line}");
        assert!(line.contains(other.to_str().unwrap()), "{line}");
    }
    assert!(title().await.contains("Lost your key?"));
    stack.api.create_reset(&token, ANNA).await.expect(StatusCode::CREATED);
    assert!(stack.smtp.mail_to(ANNA, 2).await.header("From").contains("Renamed"));

    // But it stops a start.
    let refused = stack.spawn("rekey-mailer").end().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("brand.colour"), "{refused:?}");
    write(&other, "[brand]\ncolor = \"#ffffff\"\n");
    write(&own.join("texts/en.ftl"), "pages-forgot-title = { $unknown }\n");
    signal(api.pid(), "HUP");
    let line = logged(&api, "en.ftl").await;
    assert!(line.contains("ERROR") && line.contains("pages-forgot-title"), "{line}");
    for program in [api, mailer, maintenance] {
        let end = program.terminate().await;
        assert_eq!(end.code, Some(0), "{end:?}");
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Waits for a line of the program's log, and returns it.
async fn logged(program: &Program, text: &str) -> String {
    eventually(text, async || {
        let log = program.stderr();
        log.lines().find(|line| line.contains(text)).map(str::to_owned).ok_or(log)
    })
    .await
}
