//! The registered API clients, as the store knew them a moment ago.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use rekey_core::{access::Registration, store::Store, store::StoreError};

/// How long a revoked client may still be let in, and a new one be unknown.
const TTL: Duration = Duration::from_secs(5);
/// Clients remembered at most, unknown ones included: a few MB.
const CAPACITY: u64 = 10_000;

/// How long a client is remembered that is asked for in vain, because somebody is over a limit.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Looks clients up, with a short memory: every request of every caller asks for one.
#[derive(Clone)]
pub struct ClientDirectory {
    store: Arc<dyn Store>,
    known: Cache<String, Option<Arc<Registration>>>,
    remembered: Cache<String, Arc<Registration>>,
}

impl ClientDirectory {
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        let cache = |life| Cache::builder().max_capacity(CAPACITY).time_to_live(life).build();
        let remembered = Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED).build();
        Self { store, known: cache(TTL), remembered }
    }

    /// The client with that OAuth id, unless it was revoked.
    pub async fn find(&self, client_id: &str) -> Result<Option<Arc<Registration>>, Arc<StoreError>> {
        let is_id = (1..=64).contains(&client_id.len())
            && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_id {
            return Ok(None);
        }
        let look_up = async {
            let found = self.store.find_api_client(client_id).await?;
            let found = found.filter(|registration| registration.client.revoked_at.is_none()).map(Arc::new);
            match &found {
                Some(client) => self.remembered.insert(client_id.to_owned(), Arc::clone(client)).await,
                None => self.remembered.invalidate(client_id).await,
            }
            Ok(found)
        };
        self.known.try_get_with_by_ref(client_id, look_up).await
    }

    /// The client as it was when it was last found, without a look at the store: good enough to say who may read a refusal.
    pub async fn remembered(&self, client_id: &str) -> Option<Arc<Registration>> {
        self.remembered.get(client_id).await
    }
}
