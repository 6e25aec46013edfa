//! Operations: their names and texts, and how they lead to each other.

use rekey_core::resources::{CUSTOMERS, Relationship, Resource};
use serde_json::{Value, json};

use super::{
    components::{Named, extend, name, pascal_case, schema},
    parameters, responses,
};
use crate::{
    endpoints::{Area, ENDPOINTS, Endpoint, Operation, WritableResource},
    jsonapi::MEDIA_TYPE,
};

/// The tag of operations on access tokens.
pub const TOKENS: &str = "tokens";
/// The tag of operations that watch and describe the service.
pub const SERVICE: &str = "service";

/// Returns the description of an operation.
pub fn describe(endpoint: &'static Endpoint, operation: Operation) -> Value {
    let (id, summary) = names(operation);
    let mut described = json!({
        "operationId": id,
        "tags": [tag(operation)],
        "summary": summary,
        "description": description(operation),
        "parameters": parameters::for_operation(endpoint, operation),
        "responses": responses::for_operation(endpoint, operation, &links(operation)),
    });
    if let Some(body) = request_body(operation) {
        extend(&mut described, json!({ "requestBody": body }));
    }
    if endpoint.area != Area::Api {
        extend(&mut described, json!({ "security": [] }));
    }
    described
}

fn request_body(operation: Operation) -> Option<Value> {
    let (writable, suffix) = match operation {
        Operation::Create(writable) => (writable, "Create"),
        Operation::Update(writable) => (writable, "Update"),
        Operation::Token => return Some(oauth_body("TokenRequest", "TokenForm")),
        Operation::Revoke => return Some(oauth_body("RevocationRequest", "RevocationRequest")),
        _ => return None,
    };
    let schema = schema(&format!("{}{suffix}", name(writable.resource())));
    Some(json!({ "required": true, "content": { MEDIA_TYPE: { "schema": schema } } }))
}

/// Returns a body that is JSON or a form.
fn oauth_body(json: &str, form: &str) -> Value {
    let content = json!({
        "application/json": { "schema": schema(json) },
        "application/x-www-form-urlencoded": { "schema": schema(form) },
    });
    json!({ "required": true, "content": content })
}

/// Returns the name of an operation for programs, and its summary.
fn names(operation: Operation) -> (String, String) {
    let words = |name: &str| name.replace('_', " ");
    let on_record = |verb: &str, of: &Resource| {
        (format!("{verb}{}", name(of)), format!("{} {}", pascal_case(verb), with_article(of)))
    };
    let fixed = |id: &str, summary: &str| (id.to_owned(), summary.to_owned());
    match operation {
        Operation::List(of) => (format!("list{}", pascal_case(of.name)), format!("List {}", words(of.name))),
        Operation::Own(of) => (format!("retrieve{}", name(of)), format!("Retrieve your {}", of.singular)),
        Operation::Retrieve(of) => on_record("retrieve", of),
        Operation::Create(writable) => on_record("create", writable.resource()),
        Operation::Update(writable) => on_record("update", writable.resource()),
        Operation::Delete(writable) => on_record("delete", writable.resource()),
        Operation::Related(of, Relationship { name: related, .. }) => (
            format!("list{}{}", name(of), pascal_case(related)),
            format!("The {} of {}", words(related), with_article(of)),
        ),
        Operation::Identifiers(of, Relationship { name: related, .. }) => (
            format!("identify{}{}", name(of), pascal_case(related)),
            format!("Identifiers: the {} of {}", words(related), with_article(of)),
        ),
        Operation::Token => fixed("requestToken", "Get an access token"),
        Operation::Revoke => fixed("revokeToken", "Revoke a token"),
        Operation::Keys => fixed("retrieveKeys", "The keys that access tokens are verified with"),
        Operation::Live => fixed("isLive", "Is it alive?"),
        Operation::Ready => fixed("isReady", "Is it ready?"),
        Operation::Description => fixed("describeApi", "The API's description"),
    }
}

fn tag(operation: Operation) -> &'static str {
    match operation {
        Operation::Create(of) | Operation::Update(of) | Operation::Delete(of) => of.resource().name,
        Operation::List(of)
        | Operation::Retrieve(of)
        | Operation::Own(of)
        | Operation::Related(of, _)
        | Operation::Identifiers(of, _) => of.name,
        Operation::Token | Operation::Revoke | Operation::Keys => TOKENS,
        Operation::Live | Operation::Ready | Operation::Description => SERVICE,
    }
}

/// Returns a resource's name with its article.
fn with_article(resource: &Resource) -> String {
    let article = if resource.singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {}", resource.singular)
}

fn description(operation: Operation) -> &'static str {
    match operation {
        Operation::Create(WritableResource::Resets) => {
            "For integration clients, which are shown the token. The customer is sent a link.\n\n\
             And for guests of a sales channel with self-service. The answer does not show whether the address is a \
             customer's; the link goes to the address in the customer's record, and makes the customer's older \
             self-service links invalid."
        }
        Operation::Update(WritableResource::Resets) => {
            "With `_reset_password_token` and `customer_password`, for all clients: sets the customer's password, uses \
             the token up, and ends the customer's other pending tokens and sessions. A rejected password does not use \
             the token up.\n\n\
             Without them, for integration clients: changes the other attributes."
        }
        Operation::Create(WritableResource::Customers) => {
            "For integration clients, and for guests of a sales channel with sign-up. The answer to an address that is \
             taken shows that it has an account."
        }
        Operation::Update(WritableResource::Customers) => {
            "For integration clients, and for customers on themselves. A new address or password ends the customer's \
             pending tokens; a new password ends its sessions, too. A customer that changes its own address or password must have \
             signed in by password a short time ago (`auth.fresh_seconds`): otherwise it is a 401 with \
             `meta.error: fresh_sign_in_required`; and it may try to change its address five times a day. The old address \
             gets a mail by which the change can be undone for 7 days, and is taken until then."
        }
        Operation::Create(WritableResource::Webhooks) => {
            "For integration clients. A webhook has one topic. The answer has its secret, which signs what it is sent; `docs/webhooks.md` \
             says how receivers verify it."
        }
        Operation::Update(WritableResource::Webhooks) => {
            "For integration clients. What is sent from then on goes to the new address, what waits too."
        }
        Operation::Update(WritableResource::Events) => {
            "For integration clients: `_trigger` sends the event to the webhooks of its topic again."
        }
        // There are none.
        Operation::Create(WritableResource::Events) => "",
        Operation::Delete(WritableResource::Customers) => {
            "For integration clients, and for customers on themselves, who must have signed in by password a short time \
             ago (`auth.fresh_seconds`): otherwise it is a 401 with `meta.error: fresh_sign_in_required`."
        }
        Operation::Retrieve(of) if *of == CUSTOMERS => OWN_CUSTOMER,
        Operation::Own(_) => "For all clients: the organization of the access token.",
        Operation::List(_)
        | Operation::Retrieve(_)
        | Operation::Delete(_)
        | Operation::Related(..)
        | Operation::Identifiers(..) => "For integration clients.",
        Operation::Token => {
            "RFC 6749, in JSON or as a form. An integration needs its secret; a sales channel has none. Customers \
             sign in where the sales channel has sign-in. An unknown customer and a wrong password get the same answer."
        }
        Operation::Revoke => {
            "RFC 7009, in JSON or as a form. Either token of a customer ends its session with both. A token that was \
             invalid already is accepted; another client's token is not."
        }
        Operation::Keys => "RFC 7517. A token's header names its key by `kid`.",
        Operation::Live => "Whether this process answers; nothing else is checked.",
        Operation::Ready => "Whether its dependencies answer, too.",
        Operation::Description => "This document.",
    }
}

const OWN_CUSTOMER: &str = "For integration clients, and for customers on themselves.";

/// Returns links from a new record to the operations on it.
fn links(operation: Operation) -> Named {
    let Operation::Create(writable) = operation else { return Named::new() };
    let resource = writable.resource();
    let is_on_record = |next: &Operation| match *next {
        Operation::Retrieve(other) | Operation::Related(other, _) | Operation::Identifiers(other, _) => {
            other == resource
        }
        Operation::Update(next) | Operation::Delete(next) => next == writable,
        _ => false,
    };
    let link = |next: Operation| {
        let parameters = json!({ "id": "$response.body#/data/id" });
        let (id, _) = names(next);
        (id.clone(), json!({ "operationId": id, "parameters": parameters }))
    };
    let operations = ENDPOINTS.iter().flat_map(|endpoint| &endpoint.operations).copied();
    operations.filter(is_on_record).map(link).collect()
}
