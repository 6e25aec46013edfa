//! Every endpoint for programs, once: the routes and the API's description are both made of this list.

use std::sync::LazyLock;

use actix_web::http::Method;
use rekey_core::resources::{
    CUSTOMER_PASSWORD_RESETS, CUSTOMERS, EVENTS, ORGANIZATIONS, RESOURCES, Relationship, Resource, WEBHOOKS,
};

/// All endpoints, in the order of the description.
pub static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(all);

/// A path and its operations.
#[derive(Debug)]
pub struct Endpoint {
    pub area: Area,
    /// The whole path, with `{id}` in the place of a record's id.
    pub path: String,
    /// The value of `Allow`.
    pub allow: String,
    pub operations: Vec<Operation>,
}

/// Endpoints that read requests and refuse them in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// JSON:API, for callers with an access token.
    Api,
    /// OAuth 2: POST only.
    OAuth,
    /// What anybody may read.
    Open,
}

/// What a method of a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    List(&'static Resource),
    Create(WritableResource),
    Retrieve(&'static Resource),
    /// Retrieves the caller's own record, without an id.
    Own(&'static Resource),
    Update(WritableResource),
    Delete(WritableResource),
    /// Reads the records at the other end of a relationship.
    Related(&'static Resource, &'static Relationship),
    /// Reads their identifiers.
    Identifiers(&'static Resource, &'static Relationship),
    /// `/oauth/token`.
    Token,
    /// `/oauth/revoke`.
    Revoke,
    /// The key set that access tokens are verified with.
    Keys,
    Live,
    Ready,
    /// The API's description itself.
    Description,
}

/// A resource that is not only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritableResource {
    Resets,
    Customers,
    Webhooks,
    /// Only updated, to send them to their webhooks again.
    Events,
}

impl WritableResource {
    /// Returns the writable resource with that definition.
    #[must_use]
    pub fn from_resource(resource: &Resource) -> Option<Self> {
        [Self::Resets, Self::Customers, Self::Webhooks, Self::Events]
            .into_iter()
            .find(|writable| writable.resource() == resource)
    }

    /// Returns its definition.
    #[must_use]
    pub fn resource(self) -> &'static Resource {
        match self {
            Self::Resets => &CUSTOMER_PASSWORD_RESETS,
            Self::Customers => &CUSTOMERS,
            Self::Webhooks => &WEBHOOKS,
            Self::Events => &EVENTS,
        }
    }

    /// Whether its records are created and deleted by callers.
    #[must_use]
    pub fn has_all_writes(self) -> bool {
        self != Self::Events
    }
}

impl Operation {
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Create(_) | Self::Token | Self::Revoke => Method::POST,
            Self::Update(_) => Method::PATCH,
            Self::Delete(_) => Method::DELETE,
            Self::List(_) | Self::Retrieve(_) | Self::Own(_) | Self::Related(..) | Self::Identifiers(..) => {
                Method::GET
            }
            Self::Keys | Self::Live | Self::Ready | Self::Description => Method::GET,
        }
    }
}

impl Area {
    /// Returns the beginning of its paths.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Api => "/api",
            Self::OAuth => "/oauth",
            Self::Open => "",
        }
    }
}

impl Endpoint {
    fn new(area: Area, path: &str, operations: Vec<Operation>) -> Self {
        let allow = operations.iter().map(|operation| match operation.method() {
            Method::GET => "GET, HEAD".to_owned(),
            method => method.to_string(),
        });
        let allow = allow.collect::<Vec<_>>().join(", ");
        Self { area, path: format!("{}{path}", area.prefix()), allow, operations }
    }

    /// Returns its path below the area's prefix.
    #[must_use]
    pub fn path_in_area(&self) -> &str {
        self.path.strip_prefix(self.area.prefix()).unwrap_or(&self.path)
    }
}

fn all() -> Vec<Endpoint> {
    let open = |path, operation| Endpoint::new(Area::Open, path, vec![operation]);
    let api = |path: String, operations| Endpoint::new(Area::Api, &path, operations);
    let mut endpoints = vec![
        Endpoint::new(Area::OAuth, "/token", vec![Operation::Token]),
        Endpoint::new(Area::OAuth, "/revoke", vec![Operation::Revoke]),
        open("/.well-known/jwks.json", Operation::Keys),
        // The vendor's path: the caller's own organization needs no id.
        api(format!("/{}", ORGANIZATIONS.singular), vec![Operation::Own(&ORGANIZATIONS)]),
    ];
    for resource in RESOURCES {
        let writable = WritableResource::from_resource(resource);
        let mut list = Vec::from_iter(resource.listed.then_some(Operation::List(resource)));
        let creatable = writable.filter(|writable| writable.has_all_writes());
        list.extend(creatable.map(Operation::Create));
        if !list.is_empty() {
            endpoints.push(api(format!("/{}", resource.name), list));
        }
        let path = format!("/{}/{{id}}", resource.name);
        let mut record = vec![Operation::Retrieve(resource)];
        record.extend(writable.map(Operation::Update));
        record.extend(creatable.map(Operation::Delete));
        endpoints.push(api(path.clone(), record));
        for relationship in resource.relationships {
            let name = relationship.name;
            let related = Operation::Related(resource, relationship);
            endpoints.push(api(format!("{path}/{name}"), vec![related]));
            let identifiers = Operation::Identifiers(resource, relationship);
            endpoints.push(api(format!("{path}/relationships/{name}"), vec![identifiers]));
        }
    }
    endpoints.extend([
        open("/livez", Operation::Live),
        open("/readyz", Operation::Ready),
        open("/openapi.json", Operation::Description),
    ]);
    endpoints
}
