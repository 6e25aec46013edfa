//! Lists, by page numbers and by places, and related records.

use rekey_core::{
    customers::{CustomerAttributes, CustomerChange, store::ChangeEvents},
    events::audit::Action,
    ids::{CustomerId, RecordId},
    resets::ResetOrigin,
    resources::{
        CUSTOMER_PASSWORD_RESETS, CUSTOMERS, Resource,
        listing::{Comparison, Cursor, Filter, Listing, Order, Page, Path, Test},
        record::{Record, Value},
    },
    scope::Scope,
};
use serde_json::json;

use super::{JOHN, StoreUnderTest, other_scopes, use_up};
use crate::seed;
use crate::store::prelude::*;

fn ids(items: &[Record]) -> Vec<RecordId> {
    items.iter().map(Record::id).collect()
}

pub async fn a_list_is_newest_first_in_pages_and_always_has_the_total<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let page = async |number, size| {
        let page = Page::Number { number, size };
        let listing = Listing { page, ..Listing::first_page(&CUSTOMER_PASSWORD_RESETS) };
        let listed = store.list(scope, &listing).await.unwrap();
        (ids(&listed.items), listed.total.unwrap())
    };
    assert_eq!(page(1, 10).await, (vec![], 0));
    let mut made = Vec::new();
    for _ in 0..6 {
        made.push(RecordId::from(seed::reset(store, scope, JOHN, ResetOrigin::Integration).await.id));
    }
    // Three with the same time are ordered by their ids.
    let same = format!(
        "UPDATE password_resets SET created_at = (SELECT max(created_at) FROM password_resets) WHERE id IN ('{}', '{}') RETURNING id",
        made[3], made[4]
    );
    scene.backdoor().text(&same).await;
    let mut expected = made;
    expected[3..].sort_unstable();
    expected.reverse();

    assert_eq!(page(1, 10).await, (expected.clone(), 6));
    assert_eq!(page(1, 4).await, (expected[..4].to_vec(), 6));
    assert_eq!(page(2, 4).await, (expected[4..].to_vec(), 6));
    assert_eq!(page(2, 3).await, (expected[3..].to_vec(), 6));
    assert_eq!(page(3, 3).await, (vec![], 6));
    assert_eq!(page(u32::MAX, Page::MAX_SIZE).await, (vec![], 6));
}

pub async fn places_in_a_list_lead_through_all_of_it_in_every_order<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    for (n, reference) in
        [None, Some("b"), Some("a"), None, Some("b"), Some("B"), Some("é")].iter().enumerate()
    {
        let john = seed::customer(store, scope, &format!("customer{n}@example.com"), None).await;
        let change = CustomerChange {
            attributes: reference.map_or_else(CustomerAttributes::default, seed::customer_reference),
            ..CustomerChange::default()
        };
        store
            .update_customer(scope, john.id, &change, ChangeEvents::default(), &seed::audit(Action::Update))
            .await
            .unwrap();
    }
    let by = |name: &str, descending| Order { attribute: CUSTOMERS.attribute(name).unwrap(), descending };
    for order in [
        vec![],
        vec![by("created_at", false)],
        vec![by("reference", false)],
        vec![by("reference", true)],
        vec![by("reference", true), by("created_at", false)],
        vec![by("reference_origin", false), by("email", true)],
        vec![by("id", true)],
    ] {
        let listing =
            Listing { order, page: Page::Number { number: 1, size: 25 }, ..Listing::first_page(&CUSTOMERS) };
        let whole = ids(&store.list(scope, &listing).await.unwrap().items);
        assert_eq!(whole.len(), 7);
        for size in [1, 2, 7] {
            assert_eq!(walk(store, scope, &listing, size).await, whole, "{:?} by {size}", listing.order);
        }
    }
    // Null comes last, and first when descending; texts are compared by their bytes.
    let first = async |order: Order| {
        let listing = Listing { order: vec![order], ..Listing::first_page(&CUSTOMERS) };
        let items = store.list(scope, &listing).await.unwrap().items;
        items.iter().map(|item| item.get("reference").as_text().map(str::to_owned)).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    let ascending = vec![some("B"), some("a"), some("b"), some("b"), some("é"), None, None];
    assert_eq!(first(by("reference", false)).await, ascending);
    assert_eq!(first(by("reference", true)).await, ascending.into_iter().rev().collect::<Vec<_>>());
}

/// Returns the ids of a whole list, place by place; each place is encoded and decoded.
async fn walk(store: &impl Store, scope: Scope, listing: &Listing, size: u32) -> Vec<RecordId> {
    let order = listing.total_order();
    let (mut walked, mut cursor) = (Vec::new(), None);
    loop {
        let listing = Listing { page: Page::After { cursor, size }, ..listing.clone() };
        let listed = store.list(scope, &listing).await.unwrap();
        assert_eq!(listed.total, None);
        walked.extend(ids(&listed.items));
        let Some(next) = listed.next else { return walked };
        assert_eq!(listed.items.len(), size as usize, "a page is full while the list goes on");
        cursor = Some(Cursor::decode(&next.encode(&order), &order).unwrap());
    }
}

pub async fn filters_follow_relationships_in_both_directions<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let jane = seed::customer(store, scope, "jane@example.com", None).await;
    seed::customer(store, scope, "jim@example.com", None).await;
    let used = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    use_up(store, &used, "new").await;
    let pending = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let hers = seed::reset(store, scope, "jane@example.com", ResetOrigin::Integration).await;

    let found = async |resource: &'static Resource, via: &str, name: &str, test: Test| {
        let relationship = resource.relationship(via).unwrap();
        let path = Path { via: Some(relationship), attribute: relationship.target.attribute(name).unwrap() };
        let listing = Listing { filter: Filter::Test(path, test), ..Listing::first_page(resource) };
        let listed = store.list(scope, &listing).await.unwrap();
        assert_eq!(listed.total, Some(listed.items.len() as u64));
        ids(&listed.items)
    };
    let is = |text: &str| Test::Compare(Comparison::Equal, seed::text(text));
    let of_john = vec![RecordId::from(pending.id), used.id.into()];
    let resets = &CUSTOMER_PASSWORD_RESETS;
    assert_eq!(found(resets, "customer", "email", is(JOHN)).await, of_john);
    assert_eq!(found(resets, "customer", "id", is(john.id.as_str())).await, of_john);
    assert_eq!(found(resets, "customer", "email", is("nobody@example.com")).await, []);
    assert_eq!(
        found(resets, "events", "name", is("customer_password_resets.reset_password")).await,
        [RecordId::from(used.id)]
    );
    let used_ones = found(&CUSTOMERS, "customer_password_resets", "reset_password_at", Test::NotNull).await;
    assert_eq!(used_ones, [RecordId::from(john.id)]);
    let with_resets = found(&CUSTOMERS, "customer_password_resets", "id", Test::NotNull).await;
    assert_eq!(with_resets, [RecordId::from(jane.id), john.id.into()]);
    let of_jane = Filter::RelatedTo(
        &CUSTOMERS,
        CUSTOMERS.relationship("customer_password_resets").unwrap(),
        jane.id.into(),
    );
    let listed =
        store.list(scope, &Listing { filter: of_jane, ..Listing::first_page(resets) }).await.unwrap();
    assert_eq!((ids(&listed.items), listed.total), (vec![RecordId::from(hers.id)], Some(1)));
}

pub async fn a_token_is_found_only_while_it_can_be_used<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let found = async || {
        let attribute = CUSTOMER_PASSWORD_RESETS.attribute("reset_password_token").unwrap();
        let filter = Filter::Test(Path { via: None, attribute }, Test::Token(reset.token.digest()));
        let listing = Listing { filter, ..Listing::first_page(&CUSTOMER_PASSWORD_RESETS) };
        ids(&store.list(scope, &listing).await.unwrap().items)
    };
    assert_eq!(found().await, [RecordId::from(reset.id)]);
    use_up(store, &reset, "new").await;
    assert_eq!(found().await, []);
}

pub async fn related_records_come_with_the_records_they_belong_to<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let jane = seed::customer(store, scope, "jane@example.com", None).await;
    let first = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let second = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let of = [john.id.into(), jane.id.into()];
    let related = async |owner: &'static Resource, name: &str, of: &[RecordId]| {
        let related = store.related(scope, owner, owner.relationship(name).unwrap(), of).await.unwrap();
        related.into_iter().map(|related| (related.key, related.record.id())).collect::<Vec<_>>()
    };
    let resets = related(&CUSTOMERS, "customer_password_resets", &of).await;
    assert_eq!(resets, [(of[0], second.id.into()), (of[0], first.id.into())]);
    let mut customers = related(&CUSTOMER_PASSWORD_RESETS, "customer", &of).await;
    customers.sort_unstable();
    let mut expected = of.map(|id| (id, id));
    expected.sort_unstable();
    assert_eq!(customers, expected);
    let events = related(&CUSTOMER_PASSWORD_RESETS, "events", &[first.id.into()]).await;
    assert_eq!(events, [(first.id.into(), first.event.into())]);
    let wrong_type = related(&CUSTOMERS, "events", &[first.id.into()]).await;
    assert_eq!(wrong_type, []);
}

pub async fn the_audit_log_shows_who_and_from_where_and_no_value<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let log = CUSTOMER_PASSWORD_RESETS.relationship("event_stores").unwrap();
    let entries = store.related(scope, &CUSTOMER_PASSWORD_RESETS, log, &[reset.id.into()]).await.unwrap();
    let [entry] = &entries[..] else { panic!("one entry, not {entries:?}") };
    for (attribute, value) in [
        ("resource_type", "customer_password_resets"),
        ("resource_id", reset.id.as_str()),
        ("event", "create"),
        ("ip_address", "2001:db8::7"),
    ] {
        assert_eq!(entry.record.get(attribute), &seed::text(value), "{attribute}");
    }
    let expected = json!({"attributes": ["reference", "metadata"]});
    assert_eq!(entry.record.get("payload"), &seed::object(&expected));
    let Value::Object(who) = entry.record.get("who") else { panic!("who is an object") };
    let application = who["application"]["id"].as_str().unwrap();
    assert_eq!((application.len(), who.len()), (10, 1));
    let found = store.find(scope, entry.record.resource(), entry.record.id()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&entry.record));
}

pub async fn tenant_no_list_shows_another_scopes_records<F: StoreUnderTest>() {
    let scene = F::start().await;
    let store = scene.store();
    let scope = seed::scope(store, "shop").await;
    let john = seed::customer(store, scope, JOHN, None).await;
    let reset = seed::reset(store, scope, JOHN, ResetOrigin::Integration).await;
    let of_john: RecordId = CustomerId::into(john.id);
    for other in other_scopes(store, scope).await {
        for resource in [&CUSTOMER_PASSWORD_RESETS, &CUSTOMERS] {
            let listed = store.list(other, &Listing::first_page(resource)).await.unwrap();
            assert_eq!((listed.items.len(), listed.total), (0, Some(0)));
            for relationship in resource.relationships {
                let of = [of_john, reset.id.into()];
                let related = store.related(other, resource, relationship, &of).await.unwrap();
                assert_eq!(related, [], "{}", relationship.name);
            }
        }
    }
}
