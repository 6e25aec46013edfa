//! The recipient and the language of a mail.

use rekey_core::{
    email::EmailAddress,
    events::{
        Event, EventBody, ResetCreated,
        audit::Action,
        bus::Verdict,
        outbox::{NewEvent, OutboxMessage},
    },
    resets::store::ResetRecord,
    resets::store::ResetStore,
    resets::{NewReset, ResetOrigin},
    secrets::SealedAddress,
};
use rekey_testkit::{backdoor::Backdoor, seed};
use time::{Duration, macros::datetime};

use crate::world::{World, handle};

/// Requests a self-service reset as a browser with these languages. The organization answers unknown addresses, or doesn't.
async fn ask(
    world: &World,
    address: &str,
    languages: &[&str],
    answers_all: bool,
) -> (NewReset, OutboxMessage) {
    let (reset, _) = seed::new_reset(world.test, address, ResetOrigin::SelfService);
    let keys = seed::keys();
    let typed: EmailAddress = address.parse().unwrap();
    let address = answers_all.then(|| {
        SealedAddress::seal(&typed, world.test.organization, reset.id, &keys, &rekey_core::random::OsRandom)
    });
    let created = ResetCreated { address, ..seed::created(reset.id, reset.sealed_token.clone()) };
    let event = seed::event(world.test, EventBody::ResetCreated(created));
    let event = Event::verify(&event.message.payload, &keys).unwrap();
    let locales = languages.iter().map(|tag| tag.parse().unwrap()).collect();
    let event = NewEvent::unclaimed(Event { locales, ..event }.sign(&keys));
    let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
    world.store.create_reset(world.test, &record).await.unwrap().unwrap();
    (reset, event.message)
}

#[tokio::test]
async fn a_mail_is_in_the_customers_language_else_the_requests_else_the_organizations() {
    for (of_customer, of_request, language) in [
        (Some("pl"), &["de"][..], "pl"),
        (Some("pt"), &[], "pt-BR"),
        (Some("tlh"), &["sv", "fr-CH"], "fr"),
        (None, &["ar"], "ar"),
        (None, &["sv"], "en"),
        (None, &[], "en"),
    ] {
        let world = World::new().await;
        seed::customer(&world.store, world.test, "john@example.com", None).await;
        if let Some(tag) = of_customer {
            let set = format!("UPDATE customers SET locale = '{tag}' RETURNING locale");
            assert_eq!(world.backdoor().text(&set).await.as_deref(), Some(tag));
        }
        let (_, event) = ask(&world, "john@example.com", of_request, false).await;
        assert_eq!(handle(&world.mailer(1), &event).await, Verdict::Done);
        let mail = world.mails().remove(0);
        let header = mail.headers.iter().find(|(name, _)| name == "Content-Language").unwrap();
        assert_eq!(header.1.trim(), language, "{of_customer:?} {of_request:?}");
        assert!(mail.html.contains(&format!("lang=\"{language}\"")), "{}", mail.html);
    }
}

#[tokio::test]
async fn an_address_without_an_account_is_answered_only_where_the_organization_wants_it() {
    let world = World::new().await;
    let (_, event) = ask(&world, "nobody@example.com", &["de"], false).await;
    assert_eq!(handle(&world.mailer(1), &event).await, Verdict::Done);
    assert!(world.mails().is_empty());

    let (_, event) = ask(&world, "somebody.else@example.com", &["de"], true).await;
    for _twice in 0..2 {
        assert_eq!(handle(&world.mailer(1), &event).await, Verdict::Done);
    }
    let [mail] = world.mails().try_into().unwrap();
    assert_eq!(mail.to, "somebody.else@example.com");
    assert!(mail.subject.contains("Kein Kundenkonto"), "{}", mail.subject);
    assert!(!mail.text.contains("token=") && !mail.html.contains("token="), "{}", mail.text);
}

#[tokio::test]
async fn where_unknown_addresses_are_answered_known_ones_get_their_link() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    let (reset, event) = ask(&world, "john@example.com", &[], true).await;
    assert_eq!(handle(&world.mailer(1), &event).await, Verdict::Done);
    let [mail] = world.mails().try_into().unwrap();
    assert!(mail.text.contains(&format!("id={}", reset.id)), "{}", mail.text);
}

// C12: mail programs thread mails of one subject, and fold what they have shown before.
#[tokio::test]
async fn c12_a_second_mail_differs_from_the_first_near_the_top() {
    for (address, answers_all) in [("john@example.com", false), ("nobody@example.com", true)] {
        for language in ["en", "ja", "ar"] {
            let world = World::new().await;
            seed::customer(&world.store, world.test, "john@example.com", None).await;
            for minute in [45, 52] {
                let (_, message) = ask(&world, address, &[language], answers_all).await;
                let event = Event::verify(&message.payload, &seed::keys()).unwrap();
                let occurred_at = datetime!(2026-09-30 16:00 UTC) + Duration::minutes(minute);
                let event = NewEvent::unclaimed(Event { occurred_at, ..event }.sign(&seed::keys()));
                assert_eq!(handle(&world.mailer(1), &event.message).await, Verdict::Done);
            }
            let mails = world.mails();
            assert_eq!((mails.len(), &mails[0].subject), (2, &mails[1].subject));
            for minute in ["45", "52"] {
                let times = |text: &str| text.contains(&format!(":{minute}"));
                // The title, an empty line, and the time.
                let first = mails.iter().filter(|mail| times(mail.text.lines().nth(2).unwrap()));
                let preheader = |html: &str| -> String {
                    html.split_once("overflow:hidden;\">").unwrap().1.chars().take(50).collect()
                };
                let previews = mails.iter().filter(|mail| times(&preheader(&mail.html)));
                assert_eq!((first.count(), previews.count()), (1, 1), "{language}: {:?}", mails[0].text);
            }
        }
    }
}
