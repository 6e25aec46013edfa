//! Lists: filters, orders, both kinds of paging, sparse fields, includes, and related records.

use rekey_testkit::backdoor::{Backdoor, SqliteBackdoor};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::app::{Answer, PUBLIC_URL, RESETS, TestApp};

/// A shop with three customers, John with a used and a pending reset, Jane with a pending one.
struct Shop {
    app: TestApp,
    token: String,
    john: String,
    jane: String,
    used: String,
    pending: String,
    hers: String,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let token = app.integration().await;
        let customer = async |email: &str, attributes: Value| {
            let mut all = json!({ "email": email, "password": "the first password" });
            all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
            app.create("customers", &token, all).await.id().to_owned()
        };
        let john =
            customer("john@example.com", json!({ "reference": "C-1", "metadata": { "vip": true } })).await;
        let jane =
            customer("jane@example.com", json!({ "reference": "c_2", "reference_origin": "ERP" })).await;
        customer("jim@example.org", json!({})).await;
        let ask = async |email: &str, reference: &str, metadata: Value| {
            let attributes = json!({ "customer_email": email, "reference": reference, "metadata": metadata });
            let reset = app.create("customer_password_resets", &token, attributes).await;
            // Times are shown and filtered in milliseconds.
            app.clock.forward(Duration::SECOND);
            reset
        };
        let used = ask("john@example.com", "R-1", json!({ "tags": ["a", "b"], "n": 1 })).await;
        let password = json!({ "customer_password": "the second password", "_reset_password_token": used.attribute("reset_password_token") });
        assert_eq!(app.patch(&token, used.id(), password).await.status, 200);
        let pending = ask("john@example.com", "R-2", json!({ "tags": ["b"], "n": 2.5 })).await;
        let hers = ask("jane@example.com", "r-3", json!({})).await;
        let [used, pending, hers] = [used, pending, hers].map(|reset| reset.id().to_owned());
        Self { app, token, john, jane, used, pending, hers }
    }

    async fn get(&self, path: &str) -> Answer {
        let answer = self.app.get(path, &self.token).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    }

    /// Returns the ids of a list, and its record count.
    async fn ids(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        let ids = ids(&answer.body["data"]);
        if !path.contains("page") {
            assert_eq!(answer.body["meta"]["record_count"], ids.len(), "{path}");
        }
        ids
    }
}

fn ids(data: &Value) -> Vec<String> {
    data.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_they_say() {
    let shop = Shop::open().await;
    let [used, pending, hers] = [&shop.used, &shop.pending, &shop.hers].map(String::as_str);
    let created = shop.get(&format!("{RESETS}/{pending}")).await;
    let (at, secret) = (created.attribute("created_at"), created.attribute("reset_password_token"));
    let at = at.as_str().unwrap();
    for (filter, found) in [
        ("reference_eq=R-1", vec![used]),
        ("reference_not_eq=R-1", vec![hers, pending]),
        ("reference_start=r-", vec![hers, pending, used]),
        ("reference_end_any=1,2", vec![pending, used]),
        ("reference_matches=_-%25", vec![hers, pending, used]),
        ("reference_does_not_match=R-%25", vec![]),
        ("reference_in=R-1,r-3,x", vec![hers, used]),
        ("reference_gt=R-1", vec![hers, pending]),
        ("reference_origin_null=true", vec![hers, pending, used]),
        ("reference_origin_present=true", vec![]),
        ("reference_or_reference_origin_cont=-3", vec![hers]),
        ("reset_password_at_null=true", vec![hers, pending]),
        ("reset_password_at_not_null=1", vec![used]),
        ("customer_email_eq=John@Example.com", vec![pending, used]),
        ("customer_email_not_cont=jane", vec![pending, used]),
        ("customer_metadata_jcont={%22vip%22:true}", vec![pending, used]),
        ("metadata_jcont={%22tags%22:[%22b%22]}", vec![pending, used]),
        ("metadata_jcont={%22n%22:2.5,%22tags%22:[]}", vec![pending]),
        ("metadata_blank=true", vec![hers]),
        ("events_name_eq=customer_password_resets.reset_password", vec![used]),
        (&format!("id_in={used},{hers}"), vec![hers, used]),
        (&format!("customer_id_eq={}", shop.jane), vec![hers]),
        (&format!("created_at_eq={at}"), vec![pending]),
        (&format!("created_at_gteq={at}"), vec![hers, pending]),
        (&format!("created_at_lt={at}"), vec![used]),
        (&format!("reset_password_token_eq={}", secret.as_str().unwrap()), vec![pending]),
        ("reset_password_token_eq=nonsense", vec![]),
    ] {
        assert_eq!(
            shop.ids(&format!("{RESETS}?filter[q][{}", filter.replacen('=', "]=", 1))).await,
            found,
            "{filter}"
        );
    }
    let both = format!(
        "{RESETS}?filter[q][reference_start]=R&filter[q][reset_password_at_null]=true&filter[q][customer_id_eq]={}",
        shop.john
    );
    assert_eq!(shop.ids(&both).await, [pending]);
    let customers = |filter: &str| format!("/api/customers?filter[q]{filter}");
    assert_eq!(
        shop.ids(&customers("[customer_password_resets_reset_password_at_not_null]=true")).await,
        [shop.john.as_str()]
    );
    assert_eq!(shop.ids(&customers("[has_password_false]=true")).await, Vec::<String>::new());
    assert_eq!(shop.ids(&customers("[email_end]=@EXAMPLE.org")).await.len(), 1);
    // An underscore is no wildcard in `cont` and similar predicates.
    assert_eq!(shop.ids(&customers("[reference_cont]=_")).await, [shop.jane.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_places_lead_through_the_whole_list() {
    let shop = Shop::open().await;
    let by = async |order: &str| shop.ids(&format!("{RESETS}?sort={order}")).await;
    let [used, pending, hers] = [&shop.used, &shop.pending, &shop.hers].map(String::as_str);
    assert_eq!(by("created_at").await, [used, pending, hers]);
    assert_eq!(by("-reference").await, [hers, pending, used]);
    assert_eq!(by("reference_origin,-created_at").await, [hers, pending, used]);

    // Follows the links, as a client would.
    let mut path = format!(
        "{RESETS}?sort=-reference&fields[customer_password_resets]=reference&page[after]=&page[size]=1"
    );
    let (mut walked, mut pages) = (Vec::new(), 0);
    loop {
        let page = shop.get(&path).await;
        pages += 1;
        assert_eq!(page.body["meta"], json!({}), "nobody counts");
        walked.extend(ids(&page.body["data"]));
        let Some(next) = page.body["links"]["next"].as_str() else { break };
        assert!(next.contains("sort=-reference") && next.contains("page%5Bsize%5D=1"), "{next}");
        path = next.strip_prefix(PUBLIC_URL).unwrap().to_owned();
    }
    assert_eq!(walked, [hers, pending, used]);
    assert_eq!(pages, 3, "none is empty");
    // A cursor is valid for one order only.
    let elsewhere = path.replace("-reference", "reference");
    shop.app.get(&elsewhere, &shop.token).await.assert_error(400, "INVALID_PAGE_VALUE", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn includes_come_once_with_their_links_in_place() {
    let shop = Shop::open().await;
    let page = shop.get(&format!("{RESETS}?include=customer,events,customer.event_stores")).await;
    let data = page.body["data"].as_array().unwrap();
    let customer = |id: &str| json!({ "type": "customers", "id": id });
    let linked: Vec<_> = data.iter().map(|reset| &reset["relationships"]["customer"]["data"]).collect();
    assert_eq!(linked, [&customer(&shop.jane), &customer(&shop.john), &customer(&shop.john)]);
    assert!(data[0]["relationships"]["customer"]["links"]["related"].is_string());
    assert_eq!(data[2]["relationships"]["events"]["data"].as_array().unwrap().len(), 2);
    assert!(data[0]["relationships"]["event_stores"].get("data").is_none());
    let included = page.body["included"].as_array().unwrap();
    let of = |kind: &str| included.iter().filter(|record| record["type"] == kind).count();
    assert_eq!((of("customers"), of("events"), of("event_stores"), included.len()), (2, 4, 2, 8));
    let john = included.iter().find(|record| record["id"] == shop.john.as_str()).unwrap();
    assert_eq!(john["attributes"]["email"], "john@example.com");
    assert_eq!(john["relationships"]["event_stores"]["data"].as_array().unwrap().len(), 1);

    // On one record, and on a write.
    let one = shop.get(&format!("{RESETS}/{}?include=customer", shop.hers)).await;
    assert_eq!(one.body["included"][0]["id"], shop.jane.as_str());
    let body = json!({ "data": { "type": "customer_password_resets", "attributes": { "customer_email": "jane@example.com" } } });
    let created =
        shop.app.call(Method::POST, &format!("{RESETS}?include=customer"), &shop.token, Some(&body)).await;
    assert_eq!((created.status.as_u16(), &created.body["included"][0]["id"]), (201, &json!(shop.jane)));
    let empty = shop.get("/api/customers?filter[q][email_eq]=nobody@example.com&include=events").await;
    assert_eq!(empty.body["included"], json!([]));
}

/// B10.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_includes_2500_records_at_most() {
    let shop = Shop::open().await;
    let scope = shop.app.scope;
    let database = SqliteBackdoor::open(&shop.app.folder.path().join("rekey.db"));
    database
        .text(&format!(
            "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 22)
             INSERT INTO customers (id, organization_id, mode, email, metadata, created_at, updated_at)
             SELECT 'customer' || (10 + value), '{organization}', '{mode}', value || '@example.net', '{{}}', 1, 1
             FROM n",
            organization = scope.organization,
            mode = scope.mode.as_str(),
        ))
        .await;
    database
        .text(
            "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 120)
             INSERT INTO events (id, organization_id, mode, name, resource_type, resource_id, published_at, created_at,
                 available_at)
             SELECT printf('E%09d', row_number() OVER ()), c.organization_id, c.mode, 'customers.create', 'customers', c.id,
                 1, value, 1
             FROM customers c, n",
        )
        .await;
    let all = shop.get("/api/customers?page[size]=25&include=events").await;
    assert_eq!(all.body["included"].as_array().unwrap().len(), 2_500);
    let too_many = "/api/customers?page[size]=25&include=events,customer_password_resets";
    let refused = shop.app.get(too_many, &shop.token).await;
    refused.assert_error(400, "INVALID_INCLUDE", None);
    assert_eq!(refused.body["errors"][0]["source"]["parameter"], "include");
    shop.get(&too_many.replace("25", "24")).await;
}

/// B10.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_decrypted_is_null_and_the_others_are_shown() {
    let shop = Shop::open().await;
    let database = SqliteBackdoor::open(&shop.app.folder.path().join("rekey.db"));
    database
        .text(&format!("UPDATE password_resets SET sealed_token = x'00' WHERE id = '{}'", shop.hers))
        .await;
    let page = shop.get(RESETS).await;
    let tokens = page.body["data"].as_array().unwrap().iter();
    let tokens =
        tokens.map(|reset| (reset["id"].clone(), reset["attributes"]["reset_password_token"].is_string()));
    let expected = [(&shop.hers, false), (&shop.pending, true), (&shop.used, false)];
    assert_eq!(tokens.collect::<Vec<_>>(), expected.map(|(id, is_shown)| (json!(id), is_shown)));
    let one = shop.get(&format!("{RESETS}/{}", shop.hers)).await;
    assert_eq!(one.attribute("reset_password_token"), &Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn sparse_fields_leave_out_what_was_not_asked_for() {
    let shop = Shop::open().await;
    let query =
        "fields[customer_password_resets]=reference,customer&fields[customers]=email&include=customer";
    let page = shop.get(&format!("{RESETS}?{query}")).await;
    let reset = &page.body["data"][0];
    assert_eq!(reset["attributes"], json!({ "reference": "r-3" }));
    assert_eq!(reset["relationships"].as_object().unwrap().keys().collect::<Vec<_>>(), ["customer"]);
    assert_eq!(page.body["included"][0]["attributes"], json!({ "email": "jane@example.com" }));
    assert_eq!(page.body["included"][0]["relationships"], json!({}));
    assert!(reset["links"]["self"].is_string() && reset["meta"]["mode"] == "test");
    let none = shop.get(&format!("{RESETS}/{}?fields[customer_password_resets]=", shop.hers)).await;
    assert_eq!(none.body["data"]["attributes"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_records_are_related_to_has_places_of_its_own() {
    let shop = Shop::open().await;
    let of_used = format!("{RESETS}/{}", shop.used);
    let customer = shop.get(&format!("{of_used}/customer")).await;
    assert_eq!(customer.id(), shop.john);
    let identifier = shop.get(&format!("{of_used}/relationships/customer")).await;
    assert_eq!(identifier.body["data"], json!({ "type": "customers", "id": shop.john }));
    let links = &identifier.body["links"];
    assert_eq!(links["self"], format!("{PUBLIC_URL}{of_used}/relationships/customer"));
    assert_eq!(links["related"], format!("{PUBLIC_URL}{of_used}/customer"));

    let events = shop.get(&format!("{of_used}/events?sort=created_at&page[size]=1")).await;
    assert_eq!(events.body["meta"], json!({ "record_count": 2, "page_count": 2 }));
    assert!(
        events.body["links"]["next"].as_str().unwrap().starts_with(&format!("{PUBLIC_URL}{of_used}/events?"))
    );
    let event = &events.body["data"][0];
    assert_eq!(event["attributes"]["name"], "customer_password_resets.create");
    let again = shop.get(&format!("/api/events/{}", event["id"].as_str().unwrap())).await;
    assert_eq!(&again.body["data"], event);
    let identifiers = shop.get(&format!("{of_used}/relationships/events")).await;
    assert_eq!(identifiers.body["data"].as_array().unwrap().len(), 2);

    let log = shop.get(&format!("{of_used}/event_stores?filter[q][event_eq]=reset_password")).await;
    let entry = &log.body["data"][0];
    assert_eq!(entry["attributes"]["payload"], json!({ "attributes": ["customer_password"] }));
    assert_eq!(entry["attributes"]["ip_address"], "127.0.0.1");
    assert_eq!(entry["attributes"]["who"]["application"]["id"].as_str().unwrap().len(), 10);
    let again = shop.get(&format!("/api/event_stores/{}", entry["id"].as_str().unwrap())).await;
    assert_eq!(&again.body["data"], entry);

    let resets = shop.ids(&format!("/api/customers/{}/customer_password_resets", shop.john)).await;
    assert_eq!(resets, [shop.pending.as_str(), &shop.used]);
    let filtered =
        format!("/api/customers/{}/customer_password_resets?filter[q][reference_eq]=r-3", shop.john);
    assert_eq!(shop.ids(&filtered).await, Vec::<String>::new());
    for path in [
        format!("{RESETS}/aaaaaaaaaa/customer"),
        format!("{RESETS}/aaaaaaaaaa/events"),
        format!("{RESETS}/aaaaaaaaaa/relationships/customer"),
        format!("{of_used}/relationships/orders"),
        format!("{of_used}/orders"),
        "/api/events/aaaaaaaaaa".to_owned(),
    ] {
        shop.app.get(&path, &shop.token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_nothing_of_another_shop_is_listed_related_or_included() {
    let shop = Shop::open().await;
    let other = rekey_testkit::seed::scope(&shop.app.store, "other").await;
    let stranger = shop.app.client_in(other, rekey_core::clients::ClientKind::Integration, false).await;
    let token = shop.app.access_token(&stranger).await;
    for list in [RESETS, "/api/customers"] {
        let page = shop.app.get(&format!("{list}?include=events"), &token).await;
        assert_eq!((&page.body["data"], &page.body["included"]), (&json!([]), &json!([])));
    }
    let event = ids(&shop.get(&format!("{RESETS}/{}/events", shop.used)).await.body["data"]).remove(0);
    for path in [
        format!("{RESETS}/{}/customer", shop.used),
        format!("{RESETS}/{}/relationships/events", shop.used),
        format!("/api/customers/{}/customer_password_resets", shop.john),
        format!("/api/customers/{}", shop.john),
        format!("/api/events/{event}"),
    ] {
        shop.app.get(&path, &token).await.assert_error(404, "RECORD_NOT_FOUND", None);
    }
}
