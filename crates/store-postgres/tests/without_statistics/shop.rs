//! The large shop, and all that is done in it.

use rekey_core::{
    attributes::CommonAttributes,
    customers::store::CustomerStore,
    customers::{CustomerChange, store::ChangeEvents},
    deliveries::{
        Outcome,
        ledger::{Claim, Ledger},
    },
    events::{
        EventBody,
        audit::Action,
        outbox::{Outbox, Settlement},
    },
    ids::{ApplicationId, CustomerId, RecordId, SessionId},
    random::OsRandom,
    resets::store::{CodeStore, Completion, ResetRecord, ResetStore, TokenStore},
    resets::{CodeRules, ResetOrigin},
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS,
        catalog::Catalog,
        listing::{Filter, Listing},
    },
    scope::Scope,
    secrets::{AddressDigest, RefreshToken, ResetCode},
    sessions::{
        NewSession, Sessions, SignInRecord, TokenScope,
        guesses::{GuessCharge, GuessCounter, GuessSource, PasswordGuesses},
    },
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{backdoor::PostgresBackdoor, seed};

pub const LEASE: time::Duration = time::Duration::minutes(5);

/// Writes customers with a password, a reset that was used or superseded, and its mail.
pub async fn fill(backdoor: &PostgresBackdoor, scope: Scope, from: usize, to: usize) {
    let (organization, mode) = (scope.organization, scope.mode.as_str());
    let id = "reverse(lpad(n::text, 10, '0'))";
    let statements = format!(
        "INSERT INTO customers (id, organization_id, mode, email, metadata)
         SELECT {id}, '{organization}', '{mode}', format('customer%s@example.com', n), '{{}}'
         FROM generate_series({from}, {to}) n;
         INSERT INTO customer_passwords (customer_id, hash, scheme)
         SELECT {id}, 'none', '{organization}/own/$argon2id$v=19$m=19456,t=2,p=1$43' FROM generate_series({from}, {to}) n;
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, account_digest, token_digest,
             sealed_token, expires_at, reset_password_at, superseded_at, metadata)
         SELECT {id}, '{organization}', '{mode}', {id}, 'self_service', sha256(n::text::bytea),
             sha256(n::text::bytea), sha256(n::text::bytea), '', now(), CASE n % 2 WHEN 0 THEN now() END, CASE n % 2 WHEN 1 THEN now() END, '{{}}'
         FROM generate_series({from}, {to}) n;
         INSERT INTO guess_counters (kind, account_digest, network_digest, window_started_at, last_guess_at, guess_count, signed_in_at)
         SELECT 'password', sha256(n::text::bytea), sha256(n::text::bytea), now(), now(), 0, now()
         FROM generate_series({from}, {to}) n;
         INSERT INTO sign_in_counts (hour_started_at, account_digest, action, customer_id, organization_id, mode, sign_in_count)
         SELECT date_trunc('hour', now(), 'UTC'), sha256(n::text::bytea), 'sign_in', {id}, '{organization}', '{mode}', 1
         FROM generate_series({from}, {to}) n;
         INSERT INTO audit_entries (id, organization_id, mode, resource_type, action, actor, attributes, personal_digest)
         SELECT {id}, '{organization}', '{mode}', 'customers', 'create', 'client', '{{}}', sha256('') FROM generate_series({from}, {to}) n;
         INSERT INTO audit_personal_data (entry_id, resource_id, customer_id, salt)
         SELECT {id}, {id}, {id}, uuid_send(gen_random_uuid()) FROM generate_series({from}, {to}) n;
         INSERT INTO mail_quotas (account_digest, mail, window_started_at, mail_count)
         SELECT sha256(n::text::bytea), 'reset_requested', now(), 1 FROM generate_series({from}, {to}) n;
         INSERT INTO reset_cooldowns (address_digest, last_reset_at)
         SELECT sha256(n::text::bytea), now() FROM generate_series({from}, {to}) n;
         INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status)
         SELECT {id}, '{organization}', '{mode}', {id}, {id}, 'reset_requested', 'sent'
         FROM generate_series({from}, {to}) n;
         INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, published_at)
         SELECT {id}, '{organization}', '{mode}', 'customer_password_resets.create', 'customer_password_resets', {id}, now()
         FROM generate_series({from}, {to}) n;"
    );
    backdoor.run(&statements).await.unwrap();
}

/// Writes customers with a reset that can still be used, and a mail that waits: its event is still to be published.
pub async fn fill_pending(backdoor: &PostgresBackdoor, scope: Scope, from: usize, to: usize) {
    let (organization, mode) = (scope.organization, scope.mode.as_str());
    let id = "reverse(lpad('p' || n::text, 10, '0'))";
    let statements = format!(
        "INSERT INTO customers (id, organization_id, mode, email, metadata)
         SELECT {id}, '{organization}', '{mode}', format('waiting%s@example.com', n), '{{}}' FROM generate_series({from}, {to}) n;
         INSERT INTO password_resets (id, organization_id, mode, customer_id, origin, address_digest, account_digest, token_digest,
             sealed_token, expires_at, metadata, code_guess_budget, code_window_seconds, code_digest)
         SELECT {id}, '{organization}', '{mode}', {id}, 'self_service', sha256(({id})::bytea),
             sha256(({id})::bytea), sha256(({id})::bytea), '', now() + interval '1 hour', '{{}}', 10, 86400, sha256(({id})::bytea)
         FROM generate_series({from}, {to}) n;
         INSERT INTO deliveries (event_id, organization_id, mode, customer_id, reset_id, mail, status)
         SELECT {id}, '{organization}', '{mode}', {id}, {id}, 'reset_requested', 'deferred' FROM generate_series({from}, {to}) n;
         INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, payload, available_at)
         SELECT {id}, '{organization}', '{mode}', 'customer_password_resets.create', 'customer_password_resets', {id}, '',
             now() + interval '1 hour'
         FROM generate_series({from}, {to}) n;"
    );
    backdoor.run(&statements).await.unwrap();
}

/// Runs each statement of a reset, a log-in and a mail.
pub async fn use_everything(store: &PostgresStore, scope: Scope, address: &str) {
    seed::reset(store, scope, address, ResetOrigin::SelfService).await;
    seed::reset(store, scope, &format!("nobody+{address}"), ResetOrigin::SelfService).await;
    let reset = seed::reset(store, scope, address, ResetOrigin::Integration).await;
    let email = seed::email(address);
    let customer = store.find_credentials(scope, &email).await.unwrap().unwrap().customer;
    let scheme = store.next_scheme(scope.organization, None).await.unwrap().unwrap().name;
    assert_eq!(store.next_scheme(scope.organization, Some(&scheme)).await.unwrap(), None);

    let source = GuessSource::new(scope, &email, Some("192.0.2.1".parse().unwrap()), &seed::keys());
    let charged = GuessCharge::Charged(GuessCounter::Others);
    assert_eq!(store.charge_guess(&source, 100).await.unwrap(), charged);
    store.accept_guess(&source, GuessCounter::Others).await.unwrap();
    for email in [&email, &seed::email(&format!("nobody+{address}"))] {
        let sign_in = seed::audit(Action::SignIn);
        let record = SignInRecord { email, account: &source.address, audit: &sign_in };
        store.record_sign_in(scope, &record).await.unwrap();
    }

    let claimed = store.claim_messages(LEASE, 10).await.unwrap();
    let id = claimed.first().unwrap().message.id;
    store.settle_messages(&[Settlement::Later(id, time::Duration::ZERO)]).await.unwrap();
    store.settle_messages(&[Settlement::Dead(id, "any".to_owned())]).await.unwrap();
    let settled: Vec<_> =
        claimed.into_iter().map(|claimed| Settlement::Published(claimed.message.id)).collect();
    store.settle_messages(&settled).await.unwrap();
    let job = seed::reset_mail(scope, reset.event, reset.id);
    assert!(matches!(store.claim(&job, LEASE).await.unwrap(), Claim::Granted(_)));
    let sent = Outcome::Sent { response: "250 ok".to_owned(), reply: None, relay: "relay".to_owned() };
    assert!(store.settle(job.event, 1, &sent).await.unwrap());

    guess(store, scope, address).await;
    read(store, scope, reset.id.into(), customer.into()).await;
    let audit = || seed::audit(Action::Update);
    assert!(store.update_reset(scope, reset.id, &seed::reference("R-1"), &audit()).await.unwrap());
    let holder = store.find_token_holder(reset.id, &reset.token.digest()).await.unwrap().unwrap();
    let completion = Completion {
        address_digest: AddressDigest::new(scope, &email, &seed::keys()),
        holder: &holder,
        token: &reset.token.digest(),
        password: &seed::hash("second"),
        changes: &CommonAttributes::default(),
        event: &seed::event(scope, EventBody::ResetUsed { reset: reset.id, customer, address: None }),
        audit: &audit(),
    };
    assert!(store.complete_reset(&completion).await.unwrap());
    log_in(store, scope, customer).await;

    let attributes = seed::customer_reference("R-1");
    let change = CustomerChange { attributes, ..CustomerChange::default() };
    assert!(
        store.update_customer(scope, customer, &change, ChangeEvents::default(), &audit()).await.unwrap()
    );
    let event = seed::event(scope, EventBody::ResetDestroyed { reset: reset.id });
    assert!(store.delete_reset(scope, reset.id, &event, &audit()).await.unwrap());
    let event = seed::event(scope, EventBody::CustomerDestroyed { customer });
    assert!(store.delete_customer(scope, customer, &event, &audit()).await.unwrap());
}

/// Uses up the guesses at a code, and one more.
async fn guess(store: &PostgresStore, scope: Scope, address: &str) {
    let (reset, _) = seed::new_reset(scope, address, ResetOrigin::SelfService);
    let rules = CodeRules { budget: 2, window: time::Duration::DAY };
    let (reset, _) = seed::with_code(scope, reset, rules);
    let (event, audit) = (seed::reset_created(scope, &reset), seed::audit(Action::Create));
    let record = ResetRecord { reset: &reset, event: &event, audit: &audit };
    assert!(store.create_reset(scope, &record).await.unwrap().is_some());
    for _ in 0..3 {
        let digests = ResetCode::generate(&OsRandom).digests(reset.id, &seed::keys());
        let audits = [seed::audit(Action::CodeThrottled)];
        assert_eq!(store.redeem_code(Some(scope), &[reset.id], &digests, &audits).await.unwrap(), None);
    }
}

/// Reads records by their ids, their included records, and a customer's resets.
async fn read(store: &PostgresStore, scope: Scope, reset: RecordId, customer: RecordId) {
    for (resource, id) in [(&CUSTOMER_PASSWORD_RESETS, reset), (&CUSTOMERS, customer)] {
        assert!(store.find(scope, resource, id).await.unwrap().is_some());
        for relationship in resource.relationships {
            let (owners, own) = if relationship.name == "customer" { (customer, 1) } else { (id, 0) };
            let related = store.related(scope, resource, relationship, &[owners]).await.unwrap();
            assert!(related.len() >= own, "{}", relationship.name);
        }
    }
    let resets = CUSTOMERS.relationship("customer_password_resets").unwrap();
    let filter = Filter::RelatedTo(&CUSTOMERS, resets, customer);
    let listing = Listing { filter, ..Listing::first_page(&CUSTOMER_PASSWORD_RESETS) };
    assert!(store.list(scope, &listing).await.unwrap().total >= Some(1));
}

async fn log_in(store: &PostgresStore, scope: Scope, customer: CustomerId) {
    let (random, password) = (OsRandom, seed::hash("third"));
    let session = NewSession {
        id: SessionId::generate(&random),
        customer,
        application: ApplicationId::generate(&random),
        token_scope: &TokenScope::default(),
        refresh_token: &RefreshToken::generate(&random).digest(),
        password: &password,
        ttl: time::Duration::minutes(1),
    };
    store.rehash_password(scope, customer, &seed::hash("second"), &password).await.unwrap();
    assert!(store.open_session(scope, &session).await.unwrap());
    assert!(store.session_is_live(scope, session.id, time::Duration::DAY).await.unwrap());
    store.end_session(scope, session.id).await.unwrap();
}
