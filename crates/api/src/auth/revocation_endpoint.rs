//! `POST /oauth/revoke` (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, web};
use rekey_core::{clients::ApiClient, ids::SessionId, secrets::RefreshToken, sessions::Ending};
use serde::Deserialize;
use serde_json::json;

use super::{
    jwt::Claims,
    oauth::{self, Refusal},
};
use crate::{api::Api, jsonapi::error::Problem};

/// What a client sends, as JSON or as a form. `token_type_hint` is not looked at: the two kinds are told apart by their form.
#[derive(Deserialize)]
struct Revocation {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// `POST /oauth/revoke`. The answer is an empty object, also when the token was no good before (RFC 7009 §2.2): the
/// vendor's clients read one.
pub async fn revoke(request: HttpRequest, body: web::Payload) -> HttpResponse {
    oauth::answer(revocation(&request, body).await.map(|()| HttpResponse::Ok().json(json!({}))))
}

async fn revocation(request: &HttpRequest, body: web::Payload) -> Result<(), Refusal> {
    let api = Api::of(request)?;
    let asked: Revocation = oauth::read(request, body).await?;
    let token = asked.token.ok_or(Refusal::InvalidRequest("token is missing"))?;
    let client_id = asked.client_id.ok_or(Refusal::NotRevocable)?;
    oauth::note_speaker(request, &client_id);
    let registration = match oauth::authenticate(api, &client_id, asked.client_secret.as_deref()).await {
        Err(Refusal::InvalidClient) => return Err(Refusal::NotRevocable),
        authenticated => authenticated?,
    };
    let client = &registration.client;
    if let Some(token) = RefreshToken::parse(&token) {
        let ending = api.sign_in.end_by_refresh_token(client, &token).await.map_err(Problem::from)?;
        return match ending {
            Ending::Ended | Ending::Unknown => Ok(()),
            Ending::WrongClient => Err(Refusal::NotRevocable),
        };
    }
    match api.issuer.read(&token).await {
        Ok(claims) => revoke_access_token(api, client, &claims).await,
        Err(_) => Ok(()),
    }
}

/// A customer's token ends its session, even when it has expired itself: the session may live on by its refresh token.
async fn revoke_access_token(api: &Api, client: &ApiClient, claims: &Claims) -> Result<(), Refusal> {
    if claims.application.id != client.id.as_str() {
        return Err(Refusal::NotRevocable);
    }
    if claims.owner.is_some() {
        if let Ok(session) = claims.jti.parse::<SessionId>() {
            api.sign_in.end(client, session).await.map_err(Problem::from)?;
        }
    } else if let (Ok(token), Some(remaining)) = (claims.jti.parse(), api.issuer.remaining(claims)) {
        api.clients.revoke_token(client, token, remaining).await.map_err(Problem::from)?;
    }
    Ok(())
}
