//! `POST /oauth/revoke` (RFC 7009).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use rekey_core::{
    clients::RegisteredClient, ids::SessionId, secrets::RefreshToken, sessions::EndSessionOutcome,
};
use serde::Deserialize;
use serde_json::json;

use super::{AuthorizationServer, OAuthError};
use crate::{auth::claims::Claims, jsonapi::error::Problem};

/// What a client sends, as JSON or as a form. `token_type_hint` is ignored: the two kinds of token differ in form.
#[derive(Deserialize)]
struct Revocation {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// `POST /oauth/revoke`. The answer is an empty object, also when the token was invalid before (RFC 7009 §2.2): the
/// vendor's clients read one.
pub async fn revoke(request: HttpRequest, server: Data<AuthorizationServer>, body: Payload) -> HttpResponse {
    super::answer(server.revoke(&request, body).await.map(|()| HttpResponse::Ok().json(json!({}))))
}

impl AuthorizationServer {
    async fn revoke(&self, request: &HttpRequest, body: Payload) -> Result<(), OAuthError> {
        let revocation: Revocation = super::read(request, body).await?;
        let token = revocation.token.ok_or(OAuthError::InvalidRequest("token is missing"))?;
        let client_id = revocation.client_id.ok_or(OAuthError::NotRevocable)?;
        super::set_cors_client(request, &client_id);
        let client = match self.authenticate(&client_id, revocation.client_secret.as_deref()).await {
            Err(OAuthError::InvalidClient) => return Err(OAuthError::NotRevocable),
            authenticated => authenticated?,
        };
        if let Some(token) = RefreshToken::parse(&token) {
            return match self.sign_in.end_by_refresh_token(&client, &token).await.map_err(Problem::from)? {
                EndSessionOutcome::Ended | EndSessionOutcome::Unknown => Ok(()),
                EndSessionOutcome::WrongClient => Err(OAuthError::NotRevocable),
            };
        }
        match self.issuer.read(&token).await {
            Ok(claims) => self.revoke_access_token(&client, &claims).await,
            Err(_) => Ok(()),
        }
    }

    /// A customer's token ends its session, even when it has expired: the session may go on by its refresh token.
    async fn revoke_access_token(
        &self,
        client: &RegisteredClient,
        claims: &Claims,
    ) -> Result<(), OAuthError> {
        if claims.application.id != client.id.as_str() {
            return Err(OAuthError::NotRevocable);
        }
        if claims.owner.is_some() {
            if let Ok(session) = claims.jti.parse::<SessionId>() {
                self.sign_in.end(client, session).await.map_err(Problem::from)?;
            }
        } else if let (Ok(token), Some(remaining)) = (claims.jti.parse(), self.issuer.remaining(claims)) {
            self.clients.revoke_token(client, token, remaining).await.map_err(Problem::from)?;
        }
        Ok(())
    }
}
