//! What an operator does with the `rekey` tool, on the production database.

use rekey_e2e::stack::Stack;

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
