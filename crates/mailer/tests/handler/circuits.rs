//! The mails about webhooks' circuits that opened.

use rekey_core::{
    clock::Clock,
    events::{EventName, audit::Action},
    ids::WebhookId,
    scope::Scope,
    webhooks::store::WebhookStore,
};
use rekey_mailer::{MailHandler, dkim::Signer};
use rekey_runtime::config::Support;
use rekey_testkit::{
    backdoor::Backdoor,
    seed,
    smtp::{Act, ScriptedSmtp},
};
use time::{Duration, OffsetDateTime, macros::format_description};
use tokio_util::sync::CancellationToken;

use crate::world::{World, organizations};

/// Creates a webhook with a circuit that opens now. Returns it, and the second.
async fn open_circuit(world: &World, scope: Scope) -> (WebhookId, i64) {
    let opened_at = world.clock.now().unix_timestamp();
    let mut webhook = seed::new_webhook(scope, EventName::CustomerCreate);
    webhook.name = Some("Back office\r\nBcc: all".to_owned());
    webhook.callback_url = "https://receiver.example/hook?token=secret".parse().unwrap();
    world.store.create_webhook(scope, &webhook, &seed::audit(Action::Create)).await.unwrap();
    let open = format!(
        "UPDATE webhooks SET circuit_failure_count = 30, circuit_cause = 'status 500', circuit_mail_due_at = 0,
             circuit_opened_at = {opened_at}000001 WHERE id = '{}'",
        webhook.id
    );
    world.backdoor().script(&open).await;
    (webhook.id, opened_at)
}

/// Sends the mails that are due. Returns how many are left.
async fn mail(world: &World, mailer: &MailHandler) -> u64 {
    mailer.mail_circuits(&world.store, &CancellationToken::new()).await;
    world.backdoor().count("webhooks", "circuit_mail_due_at IS NOT NULL").await
}

/// Sets where customers of all organizations get help.
fn set_support(mailer: &MailHandler, support: Option<&Support>) {
    let organizations = organizations().map(|own| {
        let mut own = own.clone();
        own.organization.brand.support = support.cloned();
        own
    });
    let signers = organizations.try_map(|own| Signer::new(&own.dkim)).unwrap();
    mailer.replace_organizations(organizations, signers).unwrap();
}

#[tokio::test]
async fn the_mail_about_a_circuit_is_tried_until_it_is_accepted() {
    let world = World::new().await;
    let relay =
        ScriptedSmtp::start(&[&[("RCPT", Act::ReplyAndClose("450 4.7.1 later"))], &[(".", Act::Close)], &[]])
            .await;
    let mailer = world.mailer(relay.port);
    set_support(&mailer, Some(&Support::Email("help@acme.example".to_owned())));
    let (id, opened_at) = open_circuit(&world, world.live).await;
    for left in [1, 1, 0] {
        assert_eq!(mail(&world, &mailer).await, left);
        let taken = relay.messages().len();
        assert_eq!((mail(&world, &mailer).await, relay.messages().len()), (left, taken), "not at once");
        world.clock.advance(Duration::minutes(5));
    }
    let messages = relay.messages();
    let [first, taken] = messages.as_slice() else { panic!("{messages:?}") };
    let message_id = format!("Message-ID: <{id}-{opened_at}@example.com>");
    let minute = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let opened = OffsetDateTime::from_unix_timestamp(opened_at).unwrap().format(minute).unwrap();
    assert!(first.contains(&message_id), "{first}");
    for line in [
        "To: help@acme.example",
        "Subject: Webhook \"Back office Bcc: all\": its circuit is open",
        &*message_id,
        "Content-Type: text/plain; charset=utf-8",
        "Receiver:    receiver.example",
        &format!("Open since:  {opened}"),
        &format!("  rekey webhook show {id} --organization acme --mode live"),
    ] {
        assert!(taken.lines().any(|found| found == line), "{line}: {taken}");
    }
    assert!(!taken.contains("secret"), "{taken}");
}

#[tokio::test]
async fn a_circuit_that_nobody_can_be_mailed_about_is_settled() {
    let world = World::new().await;
    let relay = ScriptedSmtp::start(&[&[("RCPT", Act::Reply("550 5.1.1 unknown"))]]).await;
    let mailer = world.mailer(relay.port);
    for support in [None, Some(Support::Page("https://acme.example/help".to_owned()))] {
        set_support(&mailer, support.as_ref());
        open_circuit(&world, world.live).await;
        assert_eq!((mail(&world, &mailer).await, relay.connections()), (0, 0));
        world.backdoor().script("DELETE FROM webhooks").await;
    }
    set_support(&mailer, Some(&Support::Email("gone@acme.example".to_owned())));
    open_circuit(&world, world.live).await;
    assert_eq!((mail(&world, &mailer).await, relay.connections()), (0, 1));
    world.backdoor().script("DELETE FROM webhooks").await;
    open_circuit(&world, world.test).await;
    assert_eq!(mail(&world, &mailer).await, 0);
    assert_eq!((relay.connections(), world.mails().len()), (1, 1), "test mode stays in the mailbox");
}
