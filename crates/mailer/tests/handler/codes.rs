//! The short code in the mail.

use rekey_core::{
    events::{audit::Action, bus::Verdict},
    resets::store::ResetRecord,
    resets::store::{CodeStore, ResetStore},
    resets::{CodeRules, ResetOrigin},
    secrets::ResetCode,
};
use rekey_testkit::seed;
use time::Duration;

use crate::world::{World, handle};

const RULES: CodeRules = CodeRules { budget: 2, window: Duration::hours(1) };

#[tokio::test]
async fn a_mail_shows_its_code_while_the_code_works() {
    let world = World::new().await;
    seed::customer(&world.store, world.test, "john@example.com", None).await;
    for guesses in [0, 2] {
        let (reset, _) = seed::new_reset(world.test, "john@example.com", ResetOrigin::Integration);
        let (reset, code) = seed::with_code(world.test, reset, RULES);
        let event = seed::reset_created(world.test, &reset);
        let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
        world.store.create_reset(world.test, &record).await.unwrap();
        let wrong = [ResetCode::parse("CDFH-JK34").unwrap().digest(reset.id, &seed::keys())];
        for _ in 0..guesses {
            let audits = [seed::audit(Action::CodeThrottled)];
            assert!(world.store.redeem_code(None, &[reset.id], &wrong, &audits).await.unwrap().is_none());
        }

        assert_eq!(handle(&world.mailer(1), &event.message).await, Verdict::Done);
        let mails = world.mails();
        let of_reset = mails.iter().find(|mail| mail.text.contains(&format!("id={}", reset.id))).unwrap();
        let code = code.expose();
        assert_eq!(of_reset.text.contains(code.as_str()), guesses == 0, "{}", of_reset.text);
        assert_eq!(of_reset.html.contains(code.as_str()), guesses == 0);
    }
}
