//! The claims of access tokens.

use serde::{Deserialize, Serialize};

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub organization: OrganizationClaim,
    pub application: ApplicationClaim,
    pub scope: String,
    pub exp: i64,
    pub iat: i64,
    pub iss: String,
    /// Whether the client is in test mode.
    pub test: bool,
    /// Varies the payload, as the vendor's clients expect.
    pub rand: f64,
    /// The session's id in a customer's token; in others the token's own id, by which it can be revoked.
    pub jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerClaim>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrganizationClaim {
    pub id: String,
    pub slug: String,
    pub enterprise: bool,
    pub region: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplicationClaim {
    pub id: String,
    pub client_id: String,
    pub kind: String,
    pub public: bool,
    pub confidential: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnerClaim {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
}
