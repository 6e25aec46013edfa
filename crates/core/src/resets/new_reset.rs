use super::{CodeRules, NewCode, NewReset, ResetOrigin, rules::Rules};
use crate::{
    attributes::CommonAttributes,
    email::EmailAddress,
    events::{EventBody, ResetCreated, recorder::EventRecorder},
    ids::{OrganizationId, ResetId},
    scope::Scope,
    secrets::{AccountDigest, AddressDigest, ResetCode, ResetToken, SealedAddress, SealedCode, SealedToken},
};

impl NewReset {
    /// Makes a reset with a new token, and a code where the organization has them.
    pub(crate) fn generate(
        recorder: &EventRecorder,
        rules: &Rules,
        scope: Scope,
        id: ResetId,
        customer_email: EmailAddress,
        origin: ResetOrigin,
        attributes: CommonAttributes,
    ) -> Self {
        let EventRecorder { keys, random, .. } = recorder;
        let Rules { token_ttl, quota, code, .. } = *rules;
        let token = ResetToken::generate(&**random);
        Self {
            id,
            address_digests: AddressDigest::all(scope, &customer_email, keys),
            account_digest: AccountDigest::new(scope, &customer_email, keys),
            customer_email,
            origin,
            token_digest: token.digest(),
            sealed_token: SealedToken::seal(&token, scope.organization, id, keys, &**random),
            code: code.map(|rules| new_code(recorder, scope.organization, id, rules)),
            token_ttl,
            quota,
            attributes,
        }
    }

    /// Returns the content of its event, with the client that asked for it and the typed address, if the mailer needs them.
    pub(crate) fn created(&self, client_id: Option<String>, address: Option<SealedAddress>) -> EventBody {
        EventBody::ResetCreated(ResetCreated {
            reset: self.id,
            token: self.sealed_token.clone(),
            client_id,
            code: self.code.as_ref().map(|code| code.sealed.clone()),
            address,
        })
    }
}

fn new_code(
    recorder: &EventRecorder,
    organization: OrganizationId,
    id: ResetId,
    rules: CodeRules,
) -> NewCode {
    let EventRecorder { keys, random, .. } = recorder;
    let code = ResetCode::generate(&**random);
    let sealed = SealedCode::seal(&code, organization, id, keys, &**random);
    NewCode { digest: code.digest(id, keys), sealed, rules }
}
