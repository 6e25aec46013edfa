//! A cache of the registered API clients and their revoked tokens.

use std::{collections::HashSet, sync::Arc, time::Duration};

use moka::{future::Cache, policy::EvictionPolicy};
use rekey_core::{
    clients::{ClientStore, RegisteredClient},
    clock::Clock,
    error::StoreError,
    ids::AccessTokenId,
    sessions::Sessions,
};
use time::OffsetDateTime;
use tokio::time::timeout;

/// How long a look-up is used: for that long a revoked client, or a token that another process revoked, may still be let in, and
/// a new client be unknown.
const FRESH: time::Duration = time::Duration::seconds(5);
/// The most clients in a cache, and the most unknown ids: a few MB.
const CAPACITY: u64 = 10_000;
/// How long a request waits for another's look-up of the same client before it looks up on its own: far longer than one takes, unless
/// its connection is stuck.
const SHARED_LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);
/// How long this process remembers its own revocations: longer than a look-up that started before can take (two
/// statements of at most 6 s, each after a wait for a connection) and be used.
const OWN_REVOCATIONS_TTL: Duration = Duration::from_mins(2);
/// The most of them: some 15 MB. One that is dropped is known by the next look-up, 5 s later at most, as it is in all other processes. The
/// oldest are dropped first, which look-ups know already.
const OWN_REVOCATIONS_CAPACITY: u64 = 100_000;
/// How long a client is remembered for answers that must not cause a look-up.
const REMEMBERED_TTL: Duration = Duration::from_mins(10);

/// Looks clients up in a cache: every request needs one. The same look-up says whether its token is revoked.
pub struct ClientDirectory {
    store: Arc<dyn ClientStore>,
    sessions: Arc<dyn Sessions>,
    clock: Arc<dyn Clock>,
    look_ups: Cache<String, LookUp>,
    /// When unknown ids were looked up. Made-up ones drop no client from the cache.
    unknown: Cache<String, OffsetDateTime>,
    remembered: Cache<String, Arc<RegisteredClient>>,
    revoked_here: Cache<AccessTokenId, ()>,
}

#[derive(Clone)]
struct LookUp {
    started_at: OffsetDateTime,
    found: Found,
}

/// Why a client was not found.
#[derive(Clone)]
enum NotFound {
    Unknown,
    Store(Arc<StoreError>),
}

#[derive(Clone)]
struct Found {
    client: Arc<RegisteredClient>,
    revoked_tokens: Arc<HashSet<AccessTokenId>>,
}

impl ClientDirectory {
    #[must_use]
    pub fn new(store: Arc<dyn ClientStore>, sessions: Arc<dyn Sessions>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            sessions,
            clock,
            look_ups: Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED_TTL).build(),
            unknown: Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED_TTL).build(),
            remembered: Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED_TTL).build(),
            revoked_here: Cache::builder()
                .max_capacity(OWN_REVOCATIONS_CAPACITY)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(OWN_REVOCATIONS_TTL)
                .build(),
        }
    }

    /// Returns the client with that OAuth id, unless it was revoked.
    pub async fn find(&self, client_id: &str) -> Result<Option<Arc<RegisteredClient>>, Arc<StoreError>> {
        Ok(self.cached(client_id).await?.map(|found| found.client))
    }

    /// Returns the client with that OAuth id, unless it or its token was revoked.
    pub async fn find_by_token(
        &self,
        client_id: &str,
        token: AccessTokenId,
    ) -> Result<Option<Arc<RegisteredClient>>, Arc<StoreError>> {
        let found = self.cached(client_id).await?;
        let is_valid =
            |found: &Found| !found.revoked_tokens.contains(&token) && !self.revoked_here.contains_key(&token);
        Ok(found.filter(is_valid).map(|found| found.client))
    }

    /// Revokes an access token of the client that would be valid for `remaining`: at once in this process, within 5 seconds in
    /// all others.
    pub async fn revoke_token(
        &self,
        client: &RegisteredClient,
        token: AccessTokenId,
        remaining: time::Duration,
    ) -> Result<(), StoreError> {
        self.sessions.revoke_access_token(client.scope, client.id, token, remaining).await?;
        self.revoked_here.insert(token, ()).await;
        Ok(())
    }

    async fn cached(&self, client_id: &str) -> Result<Option<Found>, Arc<StoreError>> {
        let is_id = (1..=64).contains(&client_id.len())
            && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_id {
            return Ok(None);
        }
        let now = self.clock.now();
        if self.unknown.get(client_id).await.is_some_and(|looked_up_at| !is_stale(looked_up_at, now)) {
            return Ok(None);
        }
        if self.look_ups.get(client_id).await.is_some_and(|look_up| is_stale(look_up.started_at, now)) {
            self.look_ups.invalidate(client_id).await;
        }
        let look_up = async {
            match self.look_up(client_id).await {
                Ok(Some(found)) => Ok(LookUp { started_at: now, found }),
                Ok(None) => {
                    self.unknown.insert(client_id.to_owned(), now).await;
                    Err(NotFound::Unknown)
                }
                Err(error) => Err(NotFound::Store(Arc::new(error))),
            }
        };
        let shared = self.look_ups.try_get_with_by_ref(client_id, look_up);
        match timeout(SHARED_LOOK_UP_TIMEOUT, shared).await {
            Ok(Ok(look_up)) => Ok(Some(look_up.found)),
            Ok(Err(error)) => match &*error {
                NotFound::Unknown => Ok(None),
                NotFound::Store(error) => Err(Arc::clone(error)),
            },
            Err(_) => Ok(self.look_up(client_id).await?),
        }
    }

    async fn look_up(&self, client_id: &str) -> Result<Option<Found>, StoreError> {
        let found = self.store.find_api_client(client_id).await?;
        let Some(found) = found.filter(|found| found.revoked_at.is_none()) else {
            self.remembered.invalidate(client_id).await;
            return Ok(None);
        };
        let revoked = self.sessions.revoked_access_tokens(found.scope, found.id).await?;
        let client = Arc::new(found);
        self.remembered.insert(client_id.to_owned(), client.clone()).await;
        Ok(Some(Found { client, revoked_tokens: Arc::new(revoked.into_iter().collect()) }))
    }

    /// Returns the client as it was last found, without a look-up.
    pub async fn remembered(&self, client_id: &str) -> Option<Arc<RegisteredClient>> {
        self.remembered.get(client_id).await
    }
}

/// In both directions, as the clock may have been set back.
fn is_stale(looked_up_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    (now - looked_up_at).abs() >= FRESH
}
