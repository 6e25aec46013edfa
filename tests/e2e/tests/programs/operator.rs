//! The operator's commands of `rekey` on the production database.

use rekey_e2e::{
    process::{Program, free_ports},
    stack::Stack,
    wait::eventually,
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn the_origins_of_a_client_are_given_and_listed() {
    let stack = Stack::prepare().await;
    stack.organization("shop").await;
    let origins =
        ["sales-channel", "--origin", "https://Shop.example:443", "--origin", "http://localhost:3000"];
    let open = stack.client("shop", &origins).await;
    let closed = stack.client("shop", &["sales-channel"]).await;

    let listed = stack.tool(&["client", "list"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let line = |id: &str| listed.stdout.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line(&open.client_id).contains(" https://shop.example,http://localhost:3000 "), "{listed:?}");
    assert!(line(&closed.client_id).contains(" none "), "{listed:?}");

    let create = ["client", "create", "--organization", "shop", "--name", "x", "--kind", "sales-channel"];
    for wrong in ["https://shop.example/", "shop.example", "https://*.shop.example", ""] {
        let refused = stack.tool(&[&create[..], &["--origin", wrong]].concat()).await;
        assert_eq!(refused.code, Some(2), "{wrong:?}: {refused:?}");
        assert!(refused.stderr.contains("an origin is"), "{wrong:?}: {refused:?}");
    }
    assert_eq!(stack.texts("SELECT client_id FROM api_clients").await.len(), 2);
}

#[tokio::test]
async fn an_unusable_database_is_reported_at_once_in_one_line() {
    let [closed] = free_ports();
    let nowhere = format!("postgres://rekey:s3cr3t@127.0.0.1:{closed}/rekey");
    let stack = Stack::prepare().await;
    let missing = stack.database.url().replacen("/rekey_", "/not_there_", 1);
    for (url, cause) in [(nowhere, "Connection refused"), (missing, "does not exist")] {
        for command in [&["client", "list"][..], &["migrate"], &["suppression", "list"]] {
            let settings = [("REKEY__DATABASE__URL".to_owned(), url.clone())];
            let refused = Program::start("rekey", command, &settings).end().await;
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
            assert!(refused.stderr.starts_with("rekey: the database can't be used: "), "{refused:?}");
            assert!(refused.stderr.contains(cause) && refused.stderr.lines().count() == 1, "{refused:?}");
            assert!(!refused.stderr.contains("s3cr3t"), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn a_name_is_on_one_line() {
    let stack = Stack::prepare().await;
    for name in ["", " ", "Two\r\nLines", &"x".repeat(101)] {
        let refused = stack.tool(&["organization", "create", "--slug", "shop", "--name", name]).await;
        assert_eq!(refused.code, Some(2), "{name:?}: {refused:?}");
        assert!(refused.stderr.contains("a name is 1 to 100 visible characters on one line"), "{refused:?}");
    }
    assert!(stack.texts("SELECT slug FROM organizations").await.is_empty());
}

/// B12.
#[tokio::test]
async fn purge_deletes_what_is_older_than_the_configuration_keeps() {
    let mut stack = Stack::prepare().await;
    stack.organization("shop").await;
    let entries = "INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest, created_at)
        SELECT 'ENTRY' || (10000 + days), id, 'live', 'customers', 'update', 'operator', '{}', sha256(''), now() - days * interval '1 day'
        FROM organizations, (VALUES (1), (99), (401), (500)) AS old (days) RETURNING id";
    assert_eq!(stack.texts(entries).await.len(), 4);
    // None that is not chained is deleted.
    let counted = stack.tool(&["purge", "--dry-run"]).await;
    assert!(counted.stdout.contains("audit=0\n"), "{counted:?}");
    let api = stack.start_api().await;
    eventually("the entries to be chained", async || {
        let chained =
            stack.texts("SELECT entry_id FROM audit_chain WHERE entry_id LIKE 'ENTRY%'").await.len();
        if chained == 4 { Ok(()) } else { Err(chained) }
    })
    .await;
    drop(api);
    let left = async |stack: &Stack| {
        stack.texts("SELECT id FROM audit_entries WHERE resource_type = 'customers'").await.len()
    };

    let counted = stack.tool(&["purge", "--dry-run"]).await;
    assert_eq!(
        counted.stdout, "deliveries=0\nresets=0\nevents=0\naudit=2\nevent_callbacks=0\n",
        "{counted:?}"
    );
    assert_eq!((counted.code, left(&stack).await), (Some(0), 4));
    let purged = stack.tool(&["purge"]).await;
    assert_eq!((purged.code, purged.stdout, left(&stack).await), (Some(0), counted.stdout, 2));
    stack.set("retention.audit_days", "30");
    stack.set("retention.events_days", "0");
    let counted = stack.tool(&["purge", "--dry-run"]).await;
    assert_eq!(counted.stdout, "deliveries=0\nresets=0\naudit=1\nevent_callbacks=0\n", "{counted:?}");
    // A11: where it may, as with one role for all.
    let _api = stack.spawn_with("rekey-api", &[("database.url", stack.database.url())]);
    eventually("the API to purge by itself", async || {
        let left = left(&stack).await;
        if left == 1 { Ok(()) } else { Err(left) }
    })
    .await;
}

/// A3.
#[tokio::test]
async fn what_a_sales_channel_may_do_is_chosen_changed_and_listed() {
    let stack = Stack::prepare().await;
    stack.organization("shop").await;
    let default = stack.client("shop", &["sales-channel"]).await.client_id;
    let alias = stack.client("shop", &["sales-channel", "--self-service"]).await.client_id;
    let all = ["sales-channel", "--allow", "self-service,sign-in,sign-up"];
    let all = stack.client("shop", &all).await.client_id;
    let none = stack.client("shop", &["sales-channel", "--allow", "none"]).await.client_id;
    let back_office = stack.client("shop", &["integration"]).await.client_id;
    let allowed = async |id: &str| {
        let listed = stack.tool(&["client", "list"]).await;
        let line = listed.stdout.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
        line.split_whitespace().nth(4).unwrap().to_owned()
    };
    for (id, expected) in [
        (&default, "sign-in"),
        (&alias, "self-service,sign-in"),
        (&all, "self-service,sign-in,sign-up"),
        (&none, "none"),
        (&back_office, "all"),
    ] {
        assert_eq!(allowed(id).await, expected);
    }

    let update = async |id: &str, options: &[&str]| {
        let arguments = [&["client", "update", id], options].concat();
        stack.tool(&arguments).await
    };
    let changed = update(&all, &["--allow", "sign-up"]).await;
    assert_eq!((changed.code, changed.stdout.as_str()), (Some(0), "Allowed: sign-up. Origins: none.\n"));
    let changed = update(&all, &["--origin", "https://a.example", "--origin", "https://b.example"]).await;
    let expected = "Allowed: sign-up. Origins: https://a.example,https://b.example.\n";
    assert_eq!((changed.code, changed.stdout.as_str()), (Some(0), expected));
    let changed = update(&all, &["--allow", "none", "--origin", "none"]).await;
    assert_eq!((changed.code, changed.stdout.as_str()), (Some(0), "Allowed: none. Origins: none.\n"));
    assert_eq!((allowed(&all).await, allowed(&default).await), ("none".to_owned(), "sign-in".to_owned()));

    let refused = update(&back_office, &["--allow", "sign-in"]).await;
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.stderr, "rekey: permissions are for sales channels only\n");
    let refused = update("nobody", &["--allow", "sign-in"]).await;
    assert_eq!(refused.stderr, "rekey: no client has the id nobody\n");
    for wrong in [&[][..], &["--allow", "everything"], &["--allow", ""]] {
        assert_eq!(update(&all, wrong).await.code, Some(2), "{wrong:?}");
    }
    let create = ["client", "create", "--organization", "shop", "--name", "x", "--kind"];
    let refused = stack.tool(&[&create[..], &["integration", "--self-service"]].concat()).await;
    assert_eq!(refused.stderr, "rekey: permissions are for sales channels only\n");
}

/// A11.
#[tokio::test]
async fn a11_changes_of_organizations_clients_and_keys_are_in_the_audit_log() {
    let mut stack = Stack::prepare().await;
    stack.organization("shop").await;
    let client = stack.client("shop", &["sales-channel", "--allow", "sign-in"]).await.client_id;
    let change = async |arguments: &[&str]| {
        let done = stack.tool(&[&["client"], arguments].concat()).await;
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    for _ in 0..2 {
        change(&["update", &client, "--allow", "sign-in,sign-up"]).await;
        change(&["update", &client, "--allow", "sign-in,sign-up", "--origin", "https://a.example"]).await;
    }
    change(&["revoke", &client]).await;
    change(&["revoke", &client]).await;
    assert_eq!(
        log(&stack, "resource_type IN ('organizations', 'api_clients')").await,
        [
            "operator organizations create slug,name live t",
            "operator api_clients create name,kind,permissions,allowed_origins live t",
            "operator api_clients update permissions live t",
            "operator api_clients update allowed_origins live t",
            "operator api_clients revoke  live t",
        ]
    );

    let api = stack.start_api().await;
    eventually("the keys to be recorded", async || {
        let known = stack.texts("SELECT kind FROM known_keys").await;
        if known.len() == 2 { Ok(()) } else { Err(known) }
    })
    .await;
    drop(api);
    let rotated = "action = 'rotate_keys'";
    assert!(log(&stack, rotated).await.is_empty(), "the first start");
    stack.unset("keys.sealing_file");
    stack.set("keys.sealing", "k2:AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=");
    let _api = stack.start_api().await;
    eventually("the rotation to be recorded", async || {
        let log = log(&stack, rotated).await;
        if log.len() == 2 { Ok(()) } else { Err(log) }
    })
    .await;
    let kept = stack.texts("SELECT concat_ws(' ', kind, key_ids[1]) FROM known_keys ORDER BY kind").await;
    assert_eq!(kept[0], "sealing_keys k2");
    assert_eq!(kept.len(), 2);
}

#[tokio::test]
async fn organizations_and_clients_are_shown_renamed_and_given_new_secrets() {
    let stack = Stack::prepare().await;
    stack.organization("shop").await;
    let client = stack.client("shop", &["integration"]).await;
    let id = client.client_id.as_str();
    let renamed = stack.tool(&["organization", "update", "shop", "--name", "A New Name"]).await;
    assert!(renamed.code == Some(0) && renamed.stdout.ends_with("A New Name\n"), "{renamed:?}");
    let renamed = stack.tool(&["client", "update", id, "--name", "The Back Office"]).await;
    assert_eq!(renamed.code, Some(0), "{renamed:?}");
    for (command, name) in
        [(["organization", "show", "shop"], "A New Name"), (["client", "show", id], "The Back Office")]
    {
        let shown = stack.tool(&command).await;
        assert!(shown.code == Some(0) && shown.stdout.ends_with(&format!("  {name}\n")), "{shown:?}");
    }
    for command in [
        ["organization", "show", "nobody"],
        ["client", "show", "nobody"],
        ["client", "rotate-secret", "nobody"],
    ] {
        assert_eq!(stack.tool(&command).await.code, Some(3), "{command:?}");
    }

    let _api = stack.start_api().await;
    client.token(&stack.api).await;
    let rotated = stack.tool(&["client", "rotate-secret", id]).await;
    let prefix = format!("CLIENT_ID={id}\nCLIENT_SECRET=");
    let secret = rotated.stdout.strip_prefix(&prefix).unwrap_or_else(|| panic!("{rotated:?}")).trim();
    let grant = async |secret: Option<&str>| {
        let request = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret});
        stack.api.grant(&request).await.status
    };
    eventually("the old secret to be refused", async || match grant(client.secret.as_deref()).await {
        StatusCode::UNAUTHORIZED => Ok(()),
        status => Err(status),
    })
    .await;
    assert_eq!(grant(Some(secret)).await, StatusCode::OK);
    let storefront = stack.client("shop", &["sales-channel"]).await.client_id;
    let refused = stack.tool(&["client", "rotate-secret", &storefront]).await;
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (Some(1), "rekey: only integrations have a secret\n")
    );
    let changes = log(&stack, "action = 'update'").await;
    let expected = ["operator organizations update name live t", "operator api_clients update name live t"];
    assert_eq!(changes[..2], expected);
    assert_eq!(changes[2..], ["operator api_clients update secret live t"]);
}

#[tokio::test]
async fn what_a_wrong_relay_suppressed_is_lifted_by_reply_and_time() {
    let stack = Stack::prepare().await;
    stack.organization("shop").await;
    let inserted = "INSERT INTO suppressions (organization_id, mode, email, reason, smtp_code, event_id, created_at)
        SELECT id, 'live', x.name || '@example.com', reason, 550, rpad('EVENT' || x.name, 10, 'X'), at::timestamptz
        FROM organizations, (VALUES ('early', 'one: 550 5.1.1 no', '2026-01-01T00:00:00Z'), ('late', 'one: 550 5.1.1 No', '2026-01-02T00:00:00Z'),
            ('other', 'two: 550 5.1.10 null MX', '2026-01-02T00:00:00Z')) AS x (name, reason, at)
        RETURNING email";
    assert_eq!(stack.texts(inserted).await.len(), 3);
    let suppressed = async || stack.texts("SELECT email FROM suppressions ORDER BY email").await;
    let lift = async |options: &[&str]| {
        let command = [&["suppression", "lift-many", "--organization", "shop"][..], options].concat();
        stack.tool(&command).await
    };
    assert_eq!(lift(&[]).await.code, Some(2), "no condition");
    let dry = lift(&["--reply", "ONE:", "--dry-run"]).await;
    assert_eq!((dry.code, dry.stdout.lines().count(), suppressed().await.len()), (Some(0), 3, 3), "{dry:?}");
    let lifted = lift(&["--reply", "5.1.1 no", "--since", "2026-01-02T00:00:00Z"]).await;
    assert_eq!(lifted.code, Some(0), "{lifted:?}");
    assert_eq!(suppressed().await, ["early@example.com", "other@example.com"]);
    assert_eq!(lift(&["--until", "2026-01-01T00:00:00Z"]).await.code, Some(3));
    let shown = stack.tool(&["suppression", "show", "other@example.com", "--organization", "shop"]).await;
    assert!(shown.stdout.contains("null MX"), "{shown:?}");
    let gone = stack.tool(&["suppression", "show", "late@example.com", "--organization", "shop"]).await;
    assert_eq!(gone.code, Some(3), "{gone:?}");
    let entries = "SELECT id FROM audit_entries WHERE action = 'lift_suppression' AND actor = 'operator'";
    assert_eq!(stack.texts(entries).await.len(), 1);
}

/// The entries of operators, oldest first, and whether they are about one of the records.
async fn log(stack: &Stack, condition: &str) -> Vec<String> {
    stack
        .texts(&format!(
            "SELECT concat_ws(' ', actor, resource_type, action, array_to_string(attributes, ','), mode,
                 resource_id IN (SELECT id FROM organizations UNION ALL SELECT id FROM api_clients) OR action = 'rotate_keys')
             FROM audit_entries JOIN audit_personal_data ON entry_id = id WHERE {condition} ORDER BY created_at, id"
        ))
        .await
}
