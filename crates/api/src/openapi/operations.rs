//! Operations: what each is called and does, and how they lead to each other.

use rekey_core::resources::Resource;
use serde_json::{Map, Value, json};

use super::{
    examples, oauth, parameters, pascal, responses, schema,
    schemas::{self, Purpose},
    service,
};
use crate::{
    endpoints::{Area, ENDPOINTS, Endpoint, Operation, WritableResource},
    jsonapi::MEDIA_TYPE,
};

/// An operation.
pub fn describe(endpoint: &'static Endpoint, call: Operation) -> Value {
    let (tag, summary, description) = parts(call);
    let responses = match endpoint.area {
        Area::Api => responses::of(endpoint, call, examples::response(call), links(call)),
        Area::OAuth => oauth::responses(call),
        Area::Open => service::responses(call),
    };
    let is_guarded = endpoint.area == Area::Api;
    let security = if is_guarded { json!([{ "oauth2": [] }, { "bearer": [] }]) } else { json!([]) };
    let parts = [
        ("operationId", Some(id(call).into())),
        ("tags", Some(json!([tag]))),
        ("summary", Some(summary.into())),
        ("description", Some(description.into())),
        ("security", Some(security)),
        ("parameters", Some(parameters::of(call)).filter(|all| !all.is_empty()).map(Value::Array)),
        ("requestBody", request(call)),
        ("responses", Some(responses.into())),
    ];
    parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))).collect::<Map<_, _>>().into()
}

fn request(call: Operation) -> Option<Value> {
    let of = |written: WritableResource, purpose, suffix: &str| {
        let resource = written.resource();
        let schema = schema(&format!("{}{suffix}", schemas::name(resource)));
        let content = json!({ "schema": schema, "example": examples::request(resource, purpose) });
        Some(json!({ "required": true, "content": { MEDIA_TYPE: content } }))
    };
    match call {
        Operation::Create(written) => of(written, Purpose::Create, "Create"),
        Operation::Update(written) => of(written, Purpose::Update, "Update"),
        Operation::Token | Operation::Revoke => Some(oauth::request(call)),
        _ => None,
    }
}

/// What programs call it.
fn id(call: Operation) -> String {
    let one = |resource: &Resource| pascal(resource.singular);
    match call {
        Operation::List(resource) => format!("list{}", pascal(resource.name)),
        Operation::Create(written) => format!("create{}", one(written.resource())),
        Operation::Retrieve(resource) | Operation::Own(resource) => format!("retrieve{}", one(resource)),
        Operation::Update(written) => format!("update{}", one(written.resource())),
        Operation::Delete(written) => format!("delete{}", one(written.resource())),
        Operation::Related(resource, relationship) => {
            format!("list{}{}", one(resource), pascal(relationship.name))
        }
        Operation::Identifiers(resource, relationship) => {
            format!("identify{}{}", one(resource), pascal(relationship.name))
        }
        Operation::Token => "requestToken".to_owned(),
        Operation::Revoke => "revokeToken".to_owned(),
        Operation::Keys => "retrieveKeys".to_owned(),
        Operation::Live => "isLive".to_owned(),
        Operation::Ready => "isReady".to_owned(),
        Operation::Description => "describeApi".to_owned(),
    }
}

/// Its tag, its summary and its description.
fn parts(call: Operation) -> (&'static str, String, &'static str) {
    let words = |name: &str| name.replace('_', " ");
    match call {
        Operation::List(resource) => (resource.name, format!("List {}", words(resource.name)), BACK_OFFICE),
        Operation::Create(written) => {
            let resource = written.resource();
            let description = match written {
                WritableResource::Resets => CREATE_RESET,
                WritableResource::Customers => CREATE_CUSTOMER,
            };
            (resource.name, format!("Create {}", a(resource)), description)
        }
        Operation::Retrieve(resource) => {
            let description =
                if WritableResource::from_resource(resource) == Some(WritableResource::Customers) {
                    KEPT
                } else {
                    BACK_OFFICE
                };
            (resource.name, format!("Retrieve {}", a(resource)), description)
        }
        Operation::Own(resource) => (resource.name, format!("Retrieve your {}", resource.singular), OWN),
        Operation::Update(written) => {
            let description = match written {
                WritableResource::Resets => UPDATE_RESET,
                WritableResource::Customers => UPDATE_CUSTOMER,
            };
            (written.resource().name, format!("Update {}", a(written.resource())), description)
        }
        Operation::Delete(written) => {
            let description = match written {
                WritableResource::Resets => BACK_OFFICE,
                WritableResource::Customers => KEPT,
            };
            (written.resource().name, format!("Delete {}", a(written.resource())), description)
        }
        Operation::Related(resource, relationship) => {
            (resource.name, format!("The {} of {}", words(relationship.name), a(resource)), BACK_OFFICE)
        }
        Operation::Identifiers(resource, relationship) => {
            let ends = words(relationship.name);
            (resource.name, format!("Identifiers: the {ends} of {}", a(resource)), BACK_OFFICE)
        }
        Operation::Token => (oauth::TAG, "Get an access token".to_owned(), TOKEN),
        Operation::Revoke => (oauth::TAG, "Revoke a token".to_owned(), REVOKE),
        Operation::Keys => (oauth::TAG, "The keys that access tokens are verified with".to_owned(), KEYS),
        Operation::Live => {
            (service::TAG, "Is it alive?".to_owned(), "This process answers; it looks at nothing else.")
        }
        Operation::Ready => (service::TAG, "Is it ready?".to_owned(), "What it depends on answers, too."),
        Operation::Description => {
            (service::TAG, "The API's description".to_owned(), "The document that you are reading.")
        }
    }
}

/// One of it, in a sentence.
fn a(resource: &Resource) -> String {
    let article = if resource.singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {}", resource.singular)
}

const BACK_OFFICE: &str = "For integration clients.";
const KEPT: &str = "For integration clients; and for customers, each of itself.";
const OWN: &str = "For everybody with an access token: the one that it is for.";
const CREATE_RESET: &str = "\
For integration clients, which are shown the token. The customer is sent a link.

And for guests of a sales channel with self-service: they are told nothing, whether the address is a customer's or not, and \
a link goes to the address in the customer's record. It makes the customer's older self-service links useless.";
const UPDATE_RESET: &str = "\
With `_reset_password_token` and `customer_password`, for everybody: sets the customer's password, uses the token up, and \
makes every other pending token of the customer useless, and its sessions, too. A password that is refused does not use \
the token up.

Without them, for integration clients: changes the other attributes.";
const CREATE_CUSTOMER: &str = "For integration clients, and for guests of a sales channel.";
const UPDATE_CUSTOMER: &str = "\
For integration clients; and for customers, each of itself. Another address or password makes the customer's pending tokens \
useless; another password ends its sessions, too.";
const TOKEN: &str = "\
RFC 6749, in JSON or as a form. Without a secret, an integration gets nothing; a sales channel has none. Whether a customer \
is unknown or a password wrong makes no difference in the answer.";
const REVOKE: &str = "\
RFC 7009, in JSON or as a form. A customer's token ends its session, access token and refresh token together. What was no \
good before is revoked as well; what is another client's is not.";
const KEYS: &str = "RFC 7517. A token's header says by `kid` which key it is signed with.";

/// What can be done with a record that was just created.
fn links(call: Operation) -> Value {
    let Operation::Create(written) = call else { return json!({}) };
    let resource = written.resource();
    let calls = ENDPOINTS.iter().flat_map(|endpoint| &endpoint.operations).copied();
    let leads = |next: &Operation| match *next {
        Operation::Retrieve(of) | Operation::Related(of, _) | Operation::Identifiers(of, _) => of == resource,
        Operation::Update(next) | Operation::Delete(next) => next == written,
        _ => false,
    };
    let link = |next: Operation| {
        let operation = id(next);
        let parameters = json!({ "id": "$response.body#/data/id" });
        (operation.clone(), json!({ "operationId": operation, "parameters": parameters }))
    };
    calls.filter(leads).map(link).collect::<Map<_, _>>().into()
}
