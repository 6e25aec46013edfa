//! `POST /oauth/token` (RFC 6749) and the key set.

use std::{net::IpAddr, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Payload},
};
use rekey_core::{
    clients::{ClientKind, RegisteredClient},
    email::EmailAddress,
    passwords::PlainPassword,
    secrets::RefreshToken,
    sessions::{TokenScope, sign_in::SignedIn},
};
use serde::{Deserialize, Serialize};

use super::{
    AuthorizationServer, OAuthError,
    error::{WRONG_CREDENTIALS, WRONG_REFRESH_TOKEN},
};
use crate::{
    auth::jwt::{Issuer, KEYS_MAX_AGE},
    caller,
    jsonapi::error::Problem,
};

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
pub async fn token(request: HttpRequest, server: Data<AuthorizationServer>, body: Payload) -> HttpResponse {
    super::answer(server.grant(&request, body).await.map(|answer| HttpResponse::Ok().json(answer)))
}

/// `GET /.well-known/jwks.json`: for everybody, and for the scripts of any page, as the vendor's `jwtVerify` is one.
pub async fn keys(issuer: Data<Issuer>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", KEYS_MAX_AGE.as_secs())))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(issuer.keys())
}

impl AuthorizationServer {
    async fn grant(&self, request: &HttpRequest, body: Payload) -> Result<Answer, OAuthError> {
        let grant: Grant = super::read(request, body).await?;
        if let Some(client_id) = &grant.client_id {
            super::set_cors_client(request, client_id);
        }
        let grant_type =
            grant.grant_type.as_deref().ok_or(OAuthError::InvalidRequest("grant_type is missing"))?;
        if !["client_credentials", "password", "refresh_token"].contains(&grant_type) {
            return Err(OAuthError::UnsupportedGrantType);
        }
        let scope = token_scope(grant.scope.as_ref())?;
        let client_id =
            grant.client_id.as_deref().ok_or(OAuthError::InvalidRequest("client_id is missing"))?;
        let client = self.authenticate(client_id, grant.client_secret.as_deref()).await?;
        if grant_type == "client_credentials" {
            return self.answer(client, scope, None).await;
        }
        // Customers sign in through storefronts only, and not through all of them.
        if client.kind == ClientKind::Integration || !client.permissions.sign_in {
            return Err(OAuthError::UnauthorizedClient);
        }
        let address = caller::address(request);
        let signed_in = if grant_type == "password" {
            self.sign_in(&client, grant.username.as_deref(), address, grant.password, scope).await?
        } else {
            // The scope is the session's, whatever the request asks for (RFC 6749 §3.3 and §6): the answer says which.
            self.refresh(&client, address, grant.refresh_token.as_deref()).await?
        };
        self.answer(client, signed_in.session.token_scope.clone(), Some(signed_in)).await
    }

    async fn sign_in(
        &self,
        client: &RegisteredClient,
        username: Option<&str>,
        address: Option<IpAddr>,
        password: Option<String>,
        scope: TokenScope,
    ) -> Result<SignedIn, OAuthError> {
        let refused = || OAuthError::InvalidGrant(WRONG_CREDENTIALS);
        let username = username.ok_or(OAuthError::InvalidRequest("username is missing"))?;
        let password = password.ok_or(OAuthError::InvalidRequest("password is missing"))?;
        // No account can have either, so an immediate answer reveals nothing about accounts.
        let email: EmailAddress = username.parse().map_err(|_| refused())?;
        let password = PlainPassword::parse(password).map_err(|_| refused())?;
        Ok(self.sign_in.with_password(client, &email, address, password, scope).await?)
    }

    async fn refresh(
        &self,
        client: &RegisteredClient,
        address: Option<IpAddr>,
        token: Option<&str>,
    ) -> Result<SignedIn, OAuthError> {
        let token = token.ok_or(OAuthError::InvalidRequest("refresh_token is missing"))?;
        let token = RefreshToken::parse(token).ok_or(OAuthError::InvalidGrant(WRONG_REFRESH_TOKEN))?;
        Ok(self.sign_in.with_refresh_token(client, address, &token).await?)
    }

    async fn answer(
        &self,
        client: Arc<RegisteredClient>,
        scope: TokenScope,
        signed_in: Option<SignedIn>,
    ) -> Result<Answer, OAuthError> {
        let (session, refresh_token) =
            signed_in.map(|signed_in| (signed_in.session, signed_in.refresh_token)).unzip();
        let owner_id = session.as_ref().map(|session| session.customer.to_string());
        let (signer, granted) = (self.issuer.clone(), scope.to_string());
        let issued = match web::block(move || signer.issue(&client, granted, session.as_ref())).await {
            Ok(Ok(issued)) => issued,
            Ok(Err(error)) => {
                tracing::error!(%error, "signing an access token failed");
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
            owner_type: owner_id.as_ref().map(|_| "customer"),
            owner_id,
            refresh_token: refresh_token.map(|token| token.expose().to_owned()),
        })
    }
}

fn token_scope(scope: Option<&ScopeParameter>) -> Result<TokenScope, OAuthError> {
    let words = match scope {
        None => return Ok(TokenScope::default()),
        Some(ScopeParameter::Words(words)) => words,
        Some(ScopeParameter::List(list)) => &list.join(" "),
    };
    words.parse().map_err(|_| OAuthError::InvalidScope)
}
