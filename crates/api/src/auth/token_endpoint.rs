//! `POST /oauth/token` (RFC 6749) and the key set.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use rekey_core::{
    clients::{ApiClient, ClientKind, RegisteredClient},
    email::EmailAddress,
    passwords::PlainPassword,
    secrets::RefreshToken,
    sessions::{TokenScope, sign_in::SignedIn},
};
use serde::{Deserialize, Serialize};

use super::oauth::{self, Refusal};
use crate::{api::Api, jsonapi::error::Problem};

/// What a client sends, as JSON or as a form.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the names of RFC 6749")]
struct Grant {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    username: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
    scope: Option<ScopeParameter>,
}

/// A scope as its words in one string, or as a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScopeParameter {
    Words(String),
    List(Vec<String>),
}

#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_type: Option<&'static str>,
}

/// `POST /oauth/token`.
pub async fn token(request: HttpRequest, body: web::Payload) -> HttpResponse {
    oauth::answer(grant(&request, body).await.map(|answer| HttpResponse::Ok().json(answer)))
}

/// `GET /.well-known/jwks.json`: for everybody, any page's scripts too, as the vendor's `jwtVerify` is one.
pub async fn keys(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(api.issuer.keys())
}

async fn grant(request: &HttpRequest, body: web::Payload) -> Result<Answer, Refusal> {
    let api = Api::of(request)?;
    let grant: Grant = oauth::read(request, body).await?;
    if let Some(client_id) = &grant.client_id {
        oauth::note_speaker(request, client_id);
    }
    let grant_type = grant.grant_type.as_deref().ok_or(Refusal::InvalidRequest("grant_type is missing"))?;
    let kind = GrantKind::parse(grant_type).ok_or(Refusal::UnsupportedGrantType)?;
    let scope = token_scope(grant.scope.as_ref())?;
    let client_id = grant.client_id.as_deref().ok_or(Refusal::InvalidRequest("client_id is missing"))?;
    let registration = oauth::authenticate(api, client_id, grant.client_secret.as_deref()).await?;
    let client = &registration.client;
    let signed_in = match kind {
        GrantKind::ClientCredentials => return answer(api, registration, scope, None).await,
        GrantKind::Password => {
            storefront(client)?;
            sign_in(api, client, grant.username.as_deref(), grant.password, scope).await?
        }
        // The scope is the session's, whatever is asked for (RFC 6749 §3.3 and §6): the answer tells which.
        GrantKind::RefreshToken => {
            storefront(client)?;
            refresh(api, client, grant.refresh_token.as_deref()).await?
        }
    };
    let scope = signed_in.session.token_scope.clone();
    answer(api, registration, scope, Some(signed_in)).await
}

enum GrantKind {
    ClientCredentials,
    Password,
    RefreshToken,
}

impl GrantKind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "client_credentials" => Some(Self::ClientCredentials),
            "password" => Some(Self::Password),
            "refresh_token" => Some(Self::RefreshToken),
            _ => None,
        }
    }
}

fn token_scope(asked: Option<&ScopeParameter>) -> Result<TokenScope, Refusal> {
    let words = match asked {
        None => return Ok(TokenScope::default()),
        Some(ScopeParameter::Words(words)) => words,
        Some(ScopeParameter::List(list)) => &list.join(" "),
    };
    words.parse().map_err(|_| Refusal::InvalidScope)
}

/// Customers are logged in through storefronts only.
fn storefront(client: &ApiClient) -> Result<(), Refusal> {
    match client.kind {
        ClientKind::SalesChannel => Ok(()),
        ClientKind::Integration => Err(Refusal::UnauthorizedClient),
    }
}

async fn sign_in(
    api: &Api,
    client: &ApiClient,
    username: Option<&str>,
    password: Option<String>,
    scope: TokenScope,
) -> Result<SignedIn, Refusal> {
    let refused = || Refusal::InvalidGrant("wrong username or password");
    let username = username.ok_or(Refusal::InvalidRequest("username is missing"))?;
    let password = password.ok_or(Refusal::InvalidRequest("password is missing"))?;
    // Neither can be anybody's, so saying so at once tells nobody anything.
    let email: EmailAddress = username.parse().map_err(|_| refused())?;
    let password = PlainPassword::parse(password).map_err(|_| refused())?;
    let signed_in = api.sign_in.with_password(client, &email, password, scope).await;
    signed_in.map_err(|error| Problem::try_from(error).map_or_else(|_| refused(), Refusal::Other))
}

async fn refresh(api: &Api, client: &ApiClient, token: Option<&str>) -> Result<SignedIn, Refusal> {
    let refused =
        || Refusal::InvalidGrant("the refresh token is invalid, expired, revoked or another client's");
    let token = token.ok_or(Refusal::InvalidRequest("refresh_token is missing"))?;
    let token = RefreshToken::parse(token).ok_or_else(refused)?;
    let signed_in = api.sign_in.with_refresh_token(client, &token).await;
    signed_in.map_err(|error| Problem::try_from(error).map_or_else(|_| refused(), Refusal::Other))
}

async fn answer(
    api: &Api,
    registration: Arc<RegisteredClient>,
    scope: TokenScope,
    signed_in: Option<SignedIn>,
) -> Result<Answer, Refusal> {
    let owner = signed_in.as_ref().map(|signed_in| (signed_in.session.customer, signed_in.session.id));
    let (tokens, granted) = (api.issuer.clone(), scope.to_string());
    let signing = web::block(move || tokens.issue(&registration, granted, owner));
    let issued = match signing.await {
        Ok(Ok(issued)) => issued,
        Ok(Err(error)) => {
            tracing::error!(%error, "an access token can't be signed");
            return Err(Problem::Internal.into());
        }
        Err(_) => return Err(Problem::Busy.into()),
    };
    Ok(Answer {
        access_token: issued.access_token,
        token_type: "bearer",
        expires_in: issued.expires_in,
        scope: scope.to_string(),
        created_at: issued.created_at,
        owner_id: owner.map(|(customer, _)| customer.to_string()),
        owner_type: owner.map(|_| "customer"),
        refresh_token: signed_in.map(|signed_in| signed_in.refresh_token.expose().to_owned()),
    })
}
