//! Records that tests start with, complete enough to be written by a [`Store`].

use rekey_core::{
    attributes::{CommonAttributes, Patch},
    caller::Actor,
    clients::{ClientKind, ClientPermissions, RegisteredClient},
    clock::to_microseconds,
    customers::{
        CustomerAttributes, CustomerChange, NewCustomer,
        email_change::{EMAIL_UNDO_TTL, EmailChange},
    },
    deliveries::{MailJob, MailName},
    email::EmailAddress,
    events::{
        Event, EventBody, EventName, ResetCreated,
        audit::{Action, AuditEntry},
        outbox::{NewEvent, OutboxMessage},
    },
    ids::{ApplicationId, AuditId, CustomerId, EmailChangeId, EventId, OrganizationId, ResetId, WebhookId},
    organizations::{NewOrganization, Organization},
    passwords::PasswordHash,
    random::{OsRandom, RandomSource},
    resets::{CodeRules, CreatedReset, NewCode, NewReset, ResetOrigin, ResetQuota, store::ResetRecord},
    resources::{
        CUSTOMERS,
        record::{Record, Value},
    },
    scope::{Mode, Scope},
    secrets::{
        AccountDigest, AddressDigest, ClientSecret, KeyRing, ResetCode, ResetToken, SealedCode,
        SealedSharedSecret, SealedToken, SharedSecret, UndoToken,
    },
    webhooks::NewWebhook,
};
use time::{Duration, OffsetDateTime};

use crate::store::Store;

/// The token lifetime of [`new_reset`]: the vendor's documented default.
pub const TOKEN_TTL: Duration = Duration::hours(6);

/// A quota without a limit on self-service resets.
pub const PLENTY: ResetQuota =
    ResetQuota { cooldown: Duration::ZERO, budget: u32::MAX, window: Duration::hours(1) };

/// The key ring, the same in every test.
#[must_use]
pub fn keys() -> KeyRing {
    KeyRing::new([("test", &std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0xa5))]).unwrap()
}

/// A ring of another key than [`keys`] has.
#[must_use]
pub fn other_keys(id: &str) -> KeyRing {
    KeyRing::new([(id, &std::array::from_fn(|i| u8::try_from(i).unwrap()))]).unwrap()
}

/// A source of randomness that gives this byte always.
pub struct Always(pub u8);

impl RandomSource for Always {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// Parses an address.
#[must_use]
pub fn email(text: &str) -> EmailAddress {
    text.parse().expect("a test's address is an address")
}

/// Returns a hash that is unique to `text`. No password verifies against it: stores keep hashes and don't compute them.
#[must_use]
pub fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${text}"))
}

/// Creates an organization with that slug.
pub async fn organization(store: &impl Store, slug: &str) -> Organization {
    let new = NewOrganization {
        id: OrganizationId::generate(&OsRandom),
        slug: slug.parse().unwrap(),
        name: format!("The {slug} shop"),
    };
    store.create_organization(&new, &operator_audit(Action::Create)).await.unwrap()
}

/// Creates an organization with that slug, and returns its test-mode scope.
pub async fn scope(store: &impl Store, slug: &str) -> Scope {
    Scope { organization: organization(store, slug).await.id, mode: Mode::Test }
}

/// Registers an API client; a sales channel with sign-in and sign-up. The returned secret is an integration's; a sales channel has none,
/// and the secret is unused.
pub async fn api_client(
    store: &impl Store,
    scope: Scope,
    kind: ClientKind,
    self_service: bool,
) -> (RegisteredClient, ClientSecret) {
    let is_storefront = kind == ClientKind::SalesChannel;
    let permissions = ClientPermissions { self_service, sign_in: is_storefront, sign_up: is_storefront };
    api_client_with(store, scope, kind, permissions).await
}

/// Registers an API client with those permissions.
pub async fn api_client_with(
    store: &impl Store,
    scope: Scope,
    kind: ClientKind,
    permissions: ClientPermissions,
) -> (RegisteredClient, ClientSecret) {
    let secret = ClientSecret::generate(&OsRandom);
    let organizations = store.organizations().await.unwrap();
    let organization = organizations.into_iter().find(|known| known.id == scope.organization).unwrap();
    let client = RegisteredClient {
        id: ApplicationId::generate(&OsRandom),
        client_id: ClientSecret::generate(&OsRandom).expose().to_owned(),
        name: format!("A {}", kind.as_str()),
        scope,
        organization,
        kind,
        secret: (kind == ClientKind::Integration).then(|| secret.digest()),
        permissions,
        allowed_origins: Vec::new(),
        revoked_at: None,
        created_at: OffsetDateTime::UNIX_EPOCH,
    };
    (store.create_api_client(&client, &operator_audit(Action::Create)).await.unwrap(), secret)
}

/// A customer to create.
#[must_use]
pub fn new_customer(address: &str, password: Option<PasswordHash>) -> NewCustomer {
    NewCustomer {
        id: CustomerId::generate(&OsRandom),
        email: email(address),
        password,
        attributes: CustomerAttributes::default(),
    }
}

/// A customer that was written.
#[derive(Debug, Clone)]
pub struct SeededCustomer {
    /// Its id.
    pub id: CustomerId,
    /// Its address.
    pub email: EmailAddress,
    /// The record in the store.
    pub record: Record,
}

/// Creates a customer, with that password, if any.
pub async fn customer(
    store: &impl Store,
    scope: Scope,
    address: &str,
    password: Option<PasswordHash>,
) -> SeededCustomer {
    let new = new_customer(address, password);
    let event = event(scope, EventBody::CustomerCreated { customer: new.id });
    store.create_customer(scope, &new, &event, &audit(Action::Create)).await.unwrap();
    let record = store.find(scope, &CUSTOMERS, new.id.into()).await.unwrap().unwrap();
    SeededCustomer { id: new.id, email: new.email, record }
}

/// A change of the address that can be undone for [`EMAIL_UNDO_TTL`], and the token for that.
#[must_use]
pub fn email_change(old: &str, new: &str) -> (EmailChange, UndoToken) {
    let token = UndoToken::generate(&OsRandom);
    let change = EmailChange {
        id: EmailChangeId::generate(&OsRandom),
        old: email(old),
        new: email(new),
        undo_token: token.digest(),
        undo_ttl: EMAIL_UNDO_TTL,
    };
    (change, token)
}

/// Returns the same as a customer's change, without the token.
#[must_use]
pub fn moved(old: &str, new: &str) -> CustomerChange {
    CustomerChange { email: Some(email_change(old, new).0), ..CustomerChange::default() }
}

/// Returns a change of the reference.
#[must_use]
pub fn reference(text: &str) -> CommonAttributes {
    CommonAttributes { reference: Patch::Set(text.to_owned()), ..CommonAttributes::default() }
}

/// The same for a customer.
#[must_use]
pub fn customer_reference(text: &str) -> CustomerAttributes {
    CustomerAttributes { common: reference(text), ..CustomerAttributes::default() }
}

/// A webhook to create.
#[must_use]
pub fn new_webhook(scope: Scope, topic: EventName) -> NewWebhook {
    let id = WebhookId::generate(&OsRandom);
    NewWebhook {
        id,
        name: None,
        topic,
        callback_url: "https://receiver.example/hook".parse().unwrap(),
        include_resources: Vec::new(),
        secret: webhook_secret(scope, id),
        is_disabled: false,
        common: CommonAttributes::default(),
    }
}

/// A new secret of that webhook.
#[must_use]
pub fn webhook_secret(scope: Scope, id: WebhookId) -> SealedSharedSecret {
    SealedSharedSecret::seal(&SharedSecret::generate(&OsRandom), scope.organization, id, &keys(), &OsRandom)
}

/// A text as a value.
#[must_use]
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A JSON object as a value.
#[must_use]
pub fn object(json: &serde_json::Value) -> Value {
    Value::Object(json.as_object().expect("a test's object is an object").clone())
}

/// A reset to create, and the token that is sealed in it.
#[must_use]
pub fn new_reset(scope: Scope, address: &str, origin: ResetOrigin) -> (NewReset, ResetToken) {
    let (id, token) = (ResetId::generate(&OsRandom), ResetToken::generate(&OsRandom));
    let sealed_token = SealedToken::seal(&token, scope.organization, id, &keys(), &OsRandom);
    let reset = NewReset {
        id,
        customer_email: email(address),
        origin,
        token_digest: token.digest(),
        sealed_token,
        code: None,
        token_ttl: TOKEN_TTL,
        address_digests: AddressDigest::all(scope, &email(address), &keys()),
        account_digest: AccountDigest::new(scope, &email(address), &keys()),
        quota: PLENTY,
        attributes: CommonAttributes::default(),
    };
    (reset, token)
}

/// Adds a short code with these rules to a reset.
#[must_use]
pub fn with_code(scope: Scope, reset: NewReset, rules: CodeRules) -> (NewReset, ResetCode) {
    let code = ResetCode::generate(&OsRandom);
    let sealed = SealedCode::seal(&code, scope.organization, reset.id, &keys(), &OsRandom);
    let kept = NewCode { digest: code.digest(reset.id, &keys()), sealed, rules };
    (NewReset { code: Some(kept), ..reset }, code)
}

/// A reset that was written.
#[derive(Debug, Clone)]
pub struct SeededReset {
    /// Its id.
    pub id: ResetId,
    /// Its token.
    pub token: ResetToken,
    /// The id of its `customer_password_resets.create`.
    pub event: EventId,
    /// The reset as the store returned it.
    pub created: CreatedReset,
}

/// Creates a reset for that address; `None` if the store created none.
pub async fn try_reset(
    store: &impl Store,
    scope: Scope,
    address: &str,
    origin: ResetOrigin,
) -> Option<SeededReset> {
    let (reset, token) = new_reset(scope, address, origin);
    let event = reset_created(scope, &reset);
    let record = ResetRecord { reset: &reset, event: &event, audit: &audit(Action::Create) };
    let created = store.create_reset(scope, &record).await.unwrap()?;
    Some(SeededReset { id: reset.id, token, event: event.message.id, created })
}

/// Creates a reset for that address.
pub async fn reset(store: &impl Store, scope: Scope, address: &str, origin: ResetOrigin) -> SeededReset {
    try_reset(store, scope, address, origin)
        .await
        .expect("the address is known, or the reset is self-service")
}

/// `customer_password_resets.create` for `reset`, signed.
#[must_use]
pub fn reset_created(scope: Scope, reset: &NewReset) -> NewEvent {
    let created = created(reset.id, reset.sealed_token.clone());
    let code = reset.code.as_ref().map(|code| code.sealed.clone());
    event(scope, EventBody::ResetCreated(ResetCreated { code, ..created }))
}

/// The reset in an event, without the fields that older versions' events lack.
#[must_use]
pub fn created(reset: ResetId, token: SealedToken) -> ResetCreated {
    ResetCreated { reset, token, client_id: None, code: None, address: None }
}

/// The mail with the link of a reset.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the mails of tests are young")]
pub fn reset_mail(scope: Scope, event: EventId, reset: ResetId) -> MailJob {
    MailJob {
        event,
        scope,
        mail: MailName::ResetRequested,
        reset: Some(reset),
        customer: None,
        occurred_at: to_microseconds(OffsetDateTime::now_utc()),
        recipient: None,
        answer_unknown: false,
    }
}

/// An event, signed and unclaimed.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "an event's own time matters to no test that uses this")]
pub fn event(scope: Scope, body: EventBody) -> NewEvent {
    let occurred_at = to_microseconds(OffsetDateTime::now_utc());
    let event = Event {
        id: EventId::generate(&OsRandom),
        scope,
        occurred_at,
        traceparent: None,
        locales: Vec::new(),
        body,
    };
    NewEvent::unclaimed(event.sign(&keys()))
}

/// A message that is never decoded, for tests that only transport it.
#[must_use]
pub fn opaque_message(name: EventName) -> OutboxMessage {
    OutboxMessage { id: EventId::generate(&OsRandom), name, payload: vec![0xff; 64] }
}

/// An audit entry about an operator's command.
#[must_use]
pub fn operator_audit(action: Action) -> AuditEntry {
    AuditEntry::by_operator(action, vec!["name"], &OsRandom)
}

/// An audit entry about an API client's call.
#[must_use]
pub fn audit(action: Action) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(&OsRandom),
        actor: Actor::Client(ApplicationId::generate(&OsRandom)),
        session: None,
        address: Some("2001:db8::7".parse().unwrap()),
        action,
        attributes: vec!["reference", "metadata"],
    }
}
