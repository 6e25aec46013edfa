use super::*;

#[test]
fn demo_env_is_read_by_whole_keys() {
    let env = "SALES_CLIENT_ID=b\nCLIENT_ID=a\nCLIENT_SECRET=s\nSELF_SERVICE_CLIENT_ID=c\n";
    let clients = DemoClients { integration: "a".to_owned(), self_service: "c".to_owned() };
    assert_eq!(DemoClients::parse(env), Some(clients));
    assert_eq!(DemoClients::parse("CLIENT_ID=a\nSELF_SERVICE_CLIENT_ID=c\n"), None);
}
