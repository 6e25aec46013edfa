//! The sales channel as which a page requests resets.

use std::sync::Arc;

use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    organizations::Slug,
};

use super::{params::PageParams, site::Pages};
use crate::{auth::clients::ClientDirectory, jsonapi::error::Problem};

/// Where clients are looked up.
#[derive(Clone, Copy)]
pub enum LookUp<'a> {
    Store(&'a ClientDirectory),
    /// Only what this process remembers.
    Memory(&'a ClientDirectory),
}

/// Returns the sales channel that the URL names; else that of the organization that the URL, or its host, names; else the
/// deployment's. Only one with self-service.
pub async fn find_client(
    pages: &Pages,
    look_up: LookUp<'_>,
    params: &PageParams,
    host: Option<&Slug>,
) -> Result<Option<Arc<RegisteredClient>>, Problem> {
    if let Some(client_id) = &params.client_id {
        return look_up.find(client_id).await;
    }
    let own = |slug| Some((slug, pages.for_organization(Some(slug)).settings.client_id.as_deref()?));
    if let Some((slug, client_id)) = params.organization.as_ref().or(host).and_then(own)
        && let Some(client) = look_up.find(client_id).await?
        && client.organization.slug == *slug
    {
        return Ok(Some(client));
    }
    // A link's organization is certain; a host's name may be any.
    match &pages.for_organization(None).settings.client_id {
        Some(client_id) if params.organization.is_none() => look_up.find(client_id).await,
        Some(_) | None => Ok(None),
    }
}

impl LookUp<'_> {
    async fn find(self, client_id: &str) -> Result<Option<Arc<RegisteredClient>>, Problem> {
        let found = match self {
            Self::Store(clients) => clients.find(client_id).await.map_err(|error| Problem::from(&*error))?,
            Self::Memory(clients) => clients.remembered(client_id).await,
        };
        let has_self_service = |client: &Arc<RegisteredClient>| {
            client.kind == ClientKind::SalesChannel && client.permissions.self_service
        };
        Ok(found.filter(has_self_service))
    }
}
