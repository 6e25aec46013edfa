//! The registered API clients and their revoked tokens, as the store knew them a moment ago.

use std::{collections::HashSet, sync::Arc, time::Duration};

use moka::future::Cache;
use rekey_core::{
    clients::{ApiClient, ClientStore, RegisteredClient},
    clock::Clock,
    error::StoreError,
    ids::AccessTokenId,
    sessions::Sessions,
};
use time::OffsetDateTime;

/// How long a revoked client, or a token that another process revoked, may still be let in, and a new client be unknown.
const FRESH: time::Duration = time::Duration::seconds(5);
/// Clients remembered at most, unknown ones included: a few MB.
const CAPACITY: u64 = 10_000;
/// How long this process remembers a revocation of its own: longer than a look-up from before it can be under way (two
/// statements of at most 15 s, each after a wait for a connection) and then be believed.
const OWN_REVOCATIONS: Duration = Duration::from_mins(2);

/// How long a client is remembered that is asked for in vain, because somebody is over a limit.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Looks clients up, with a short memory: every request of every caller asks for one, and whether its token is revoked comes
/// with the same look-up.
pub struct ClientDirectory {
    store: Arc<dyn ClientStore>,
    sessions: Arc<dyn Sessions>,
    clock: Arc<dyn Clock>,
    known: Cache<String, LookUp>,
    remembered: Cache<String, Arc<RegisteredClient>>,
    revoked_here: Cache<AccessTokenId, ()>,
}

/// What the store answered, and when it was asked.
#[derive(Clone)]
struct LookUp {
    at: OffsetDateTime,
    found: Option<Arc<Known>>,
}

struct Known {
    registration: Arc<RegisteredClient>,
    revoked: HashSet<AccessTokenId>,
}

impl ClientDirectory {
    #[must_use]
    pub fn new(store: Arc<dyn ClientStore>, sessions: Arc<dyn Sessions>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            sessions,
            clock,
            known: Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED).build(),
            remembered: Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED).build(),
            revoked_here: Cache::builder().time_to_live(OWN_REVOCATIONS).build(),
        }
    }

    /// The client with that OAuth id, unless it was revoked.
    pub async fn find(&self, client_id: &str) -> Result<Option<Arc<RegisteredClient>>, Arc<StoreError>> {
        Ok(self.known(client_id).await?.map(|known| Arc::clone(&known.registration)))
    }

    /// The client with that OAuth id, unless it or this token of it was revoked.
    pub async fn find_by_token(
        &self,
        client_id: &str,
        token: AccessTokenId,
    ) -> Result<Option<Arc<RegisteredClient>>, Arc<StoreError>> {
        let known = self.known(client_id).await?;
        let known = known.filter(|known| !known.revoked.contains(&token));
        let revoked_here = self.revoked_here.contains_key(&token);
        Ok(known.filter(|_| !revoked_here).map(|known| Arc::clone(&known.registration)))
    }

    /// Revokes an access token of the client's own that would live for `remaining`: from now on in this process, and
    /// within 5 seconds in all others.
    pub async fn revoke_token(
        &self,
        client: &ApiClient,
        token: AccessTokenId,
        remaining: time::Duration,
    ) -> Result<(), StoreError> {
        self.sessions.revoke_access_token(client.scope, client.id, token, remaining).await?;
        self.revoked_here.insert(token, ()).await;
        Ok(())
    }

    async fn known(&self, client_id: &str) -> Result<Option<Arc<Known>>, Arc<StoreError>> {
        let is_id = (1..=64).contains(&client_id.len())
            && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_id {
            return Ok(None);
        }
        let now = self.clock.now();
        if self.known.get(client_id).await.is_some_and(|known| known.is_stale(now)) {
            self.known.invalidate(client_id).await;
        }
        let look_up = async { Ok(LookUp { at: now, found: self.look_up(client_id).await? }) };
        Ok(self.known.try_get_with_by_ref(client_id, look_up).await?.found)
    }

    async fn look_up(&self, client_id: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let found = self.store.find_api_client(client_id).await?;
        let Some(registration) = found.filter(|registration| registration.client.revoked_at.is_none()) else {
            self.remembered.invalidate(client_id).await;
            return Ok(None);
        };
        let client = &registration.client;
        let revoked = self.sessions.revoked_access_tokens(client.scope, client.id).await?;
        let revoked = revoked.into_iter().collect();
        let registration = Arc::new(registration);
        self.remembered.insert(client_id.to_owned(), Arc::clone(&registration)).await;
        Ok(Some(Arc::new(Known { registration, revoked })))
    }

    /// The client as it was when it was last found, without a look at the store: good enough to say who may read a refusal.
    pub async fn remembered(&self, client_id: &str) -> Option<Arc<RegisteredClient>> {
        self.remembered.get(client_id).await
    }
}

impl LookUp {
    /// Either way, as the clock may have been set back.
    fn is_stale(&self, now: OffsetDateTime) -> bool {
        (now - self.at).abs() >= FRESH
    }
}
