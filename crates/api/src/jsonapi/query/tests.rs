mod meanings;
mod predicates;
mod wire;

use rekey_core::resources::{
    CUSTOMER_PASSWORD_RESETS, CUSTOMERS,
    listing::{Comparison, Page, Test},
    record::Value,
};

use super::*;

fn list(query: &str) -> Result<ListQuery, Problem> {
    Query::parse(query).list(&CUSTOMER_PASSWORD_RESETS)
}

fn refused(query: &str) -> QueryProblem {
    match list(query) {
        Err(Problem::Query(problem, parameter)) => {
            assert!(!parameter.is_empty());
            problem
        }
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn a_page_is_read_within_its_bounds() {
    assert_eq!(list("").unwrap().listing.page, Page::Number { number: 1, size: 10 });
    assert_eq!(
        list("page%5Bnumber%5D=3&page[size]=25").unwrap().listing.page,
        Page::Number { number: 3, size: 25 }
    );
    for query in ["page[after]=&page[size]=7", "page[size]=7&page[number]=1&page[after]="] {
        assert_eq!(list(query).unwrap().listing.page, Page::After { cursor: None, size: 7 }, "{query}");
    }
    for query in [
        "page[number]=0",
        "page[number]=-1",
        "page[number]=x",
        "page[size]=0",
        "page[size]=26",
        "page[number]=4294967296",
        "page[x]=1",
        "page=2",
        "page[after]=nonsense",
        "page[after]=&page[number]=2",
    ] {
        assert_eq!(refused(query), QueryProblem::Page, "{query}");
    }
}

#[test]
fn links_lead_around_and_keep_the_query() {
    let query = list("x=a%26b&sort=id&page[number]=2&page[size]=5").unwrap();
    let links = query.links.numbered("http://shop.test/api/things", 2, 5, 3);
    assert_eq!(links.keys().collect::<Vec<_>>(), ["first", "last", "next", "prev"]);
    assert_eq!(
        links["next"],
        "http://shop.test/api/things?x=a%26b&sort=id&page%5Bnumber%5D=3&page%5Bsize%5D=5"
    );
    let ends = |number| query.links.numbered("", number, 5, 3).keys().cloned().collect::<Vec<_>>();
    assert_eq!(ends(1), ["first", "last", "next"]);
    assert_eq!(ends(3), ["first", "last", "prev"]);
    assert_eq!(ends(9), ["first", "last", "prev"]);
    let after = query.links.after("http://shop.test/api/things", 5, Some("abc"));
    assert_eq!(
        after["next"],
        "http://shop.test/api/things?x=a%26b&sort=id&page%5Bafter%5D=abc&page%5Bsize%5D=5"
    );
    assert_eq!(query.links.after("", 5, None).keys().collect::<Vec<_>>(), ["first"]);
}

#[test]
fn a_filter_is_split_at_its_longest_predicate() {
    let read = |query: &str| match list(query).unwrap().listing.filter {
        Filter::All(mut filters) => filters.remove(0),
        other => panic!("{other:?}"),
    };
    let Filter::Test(path, Test::NotNull) = read("filter[q][reset_password_at_not_null]=true") else {
        panic!()
    };
    assert_eq!((path.via.is_none(), path.attribute.name), (true, "reset_password_at"));
    let Filter::Test(path, Test::Compare(Comparison::Equal, value)) =
        read("filter[q][customer_email_eq]=John@Example.com")
    else {
        panic!()
    };
    assert_eq!((path.via.map(|via| via.name), path.attribute.name), (Some("customer"), "email"));
    assert_eq!(value, Value::Text("john@example.com".to_owned()));
    let Filter::Any(alternatives) =
        read("filter[q][reference_or_reference_origin_or_customer_id_in_or_null]=a,b")
    else {
        panic!()
    };
    assert_eq!(alternatives.len(), 3);
    for alternative in alternatives {
        let Filter::Test(_, Test::Any(tests)) = alternative else { panic!() };
        assert!(matches!(&tests[..], [Test::In(values), Test::Null] if values.len() == 2));
    }
    let Filter::Test(_, Test::NotNull) = read("filter[q][reset_password_at_null]=0") else { panic!() };
}

#[test]
fn what_cannot_be_asked_is_refused_by_its_own_code() {
    for query in [
        "filter[q][customer_password_eq]=x",
        "filter[q][nothing_eq]=x",
        "filter[q][reference_like]=x",
        "filter[q][reference_eq_any]=x",
        "filter[q][reset_password_token_start]=x",
        "filter[q][reset_password_token_eq_or_null]=x",
        "filter[q][metadata_eq]=x",
        "filter[q][created_at_cont]=2024",
        "filter[reference_eq]=x",
        "filter=x",
        "filter[q][reference_true]=1",
        "filter[q][_eq]=x",
        "filter[q][eq]=x",
    ] {
        assert_eq!(refused(query), QueryProblem::Filter, "{query}");
    }
    let long = format!("filter[q][reference_eq]={}", "x".repeat(2_000));
    let many = format!("filter[q][reference_in]={}", "x,".repeat(200));
    let deep = format!("filter[q][metadata_jcont]={}", "{\"a\":".repeat(40));
    let wide = format!("filter[q][metadata_jcont]={{\"a\":[{}1]}}", "1,".repeat(100));
    for query in [
        "filter[q][created_at_gt]=yesterday",
        "filter[q][created_at_gt]=2024-13-01",
        "filter[q][created_at_gt]=0000-01-01",
        "filter[q][reset_password_at_null]=perhaps",
        "filter[q][metadata_jcont]=[1]",
        "filter[q][metadata_jcont]={",
        "filter[q][reference_eq]=%00",
        "filter[q][reference_eq]=%ff",
        &long,
        &many,
        &deep,
        &wide,
    ] {
        assert_eq!(refused(query), QueryProblem::FilterValue, "{query}");
    }
    let attributes = |times: usize| format!("filter[q][reference{}_eq]=x", "_or_reference".repeat(times - 1));
    let values = |times: usize| format!("filter[q][reference_in]={}", vec!["x"; times].join(","));
    assert!(list(&vec![attributes(10); 5].join("&")).is_ok());
    assert!(list(&vec![values(100); 5].join("&")).is_ok());
    for query in
        [format!("{}&{}", vec![attributes(10); 5].join("&"), attributes(1)), vec![values(84); 6].join("&")]
    {
        assert_eq!(refused(&query), QueryProblem::FilterValue, "{query}");
    }
    assert_eq!(refused(&attributes(11)), QueryProblem::Filter);
    for query in ["sort=customer_email", "sort=metadata", "sort=x", "sort=,", "sort=id,id,id,id,id,id"] {
        assert_eq!(refused(query), QueryProblem::Sort, "{query}");
    }
    for query in [
        "include=orders",
        "include=customer,,events",
        "include=customer.x",
        "include=customer.events.event_stores.events",
        "include=customer,events,event_stores,deliveries,customer,customer,customer,customer,customer",
        "include=customer,events,event_stores,deliveries&include=customer,customer,customer,customer,customer",
    ] {
        assert_eq!(refused(query), QueryProblem::Include, "{query}");
    }
    for query in
        ["fields[customers]=x", "fields[customers]=email,", "fields=", "fields[orders]=id", "fields[x=id"]
    {
        assert_eq!(refused(query), QueryProblem::Field, "{query}");
    }
}

#[test]
fn a_view_shows_what_was_asked_for() {
    assert!(list("sort=&include=&fields[customers]=").is_ok(), "nothing is named");
    assert!(
        list("include=customer,events,event_stores,deliveries,customer,customer,customer,customer").is_ok()
    );
    let query = "include=customer,events&include=customer.events&fields[customers]=email&fields=id,customer";
    let view = Query::parse(query).one(&CUSTOMER_PASSWORD_RESETS, Audience::BackOffice).unwrap();
    let names: Vec<_> = view.includes.iter().map(|include| include.relationship.name).collect();
    assert_eq!((names, view.includes[0].nested.len()), (vec!["customer", "events"], 1));
    assert!(view.shows(&CUSTOMERS, "email") && !view.shows(&CUSTOMERS, "status"));
    assert!(!view.shows(&CUSTOMER_PASSWORD_RESETS, "reference"));
    assert!(view.shows(CUSTOMERS.relationship("events").unwrap().target, "name"));
    let guest = Query::parse(query).one(&CUSTOMER_PASSWORD_RESETS, Audience::Everyone);
    assert!(matches!(guest, Err(Problem::Unauthorized)));
}

#[test]
fn times_are_read_as_people_write_them_and_cut_to_what_is_shown() {
    for (text, expected) in [
        ("2024-10-28T14:36:05.408Z", "2024-10-28 14:36:05.408 +00:00:00"),
        ("2024-10-28T14:36:05.408999Z", "2024-10-28 14:36:05.408 +00:00:00"),
        ("2024-10-28T16:36:05+02:00", "2024-10-28 14:36:05.0 +00:00:00"),
        ("2024-10-28T14:36:05", "2024-10-28 14:36:05.0 +00:00:00"),
        ("2024-10-28", "2024-10-28 0:00:00.0 +00:00:00"),
    ] {
        assert_eq!(value::time(text).unwrap().to_string(), expected);
    }
    // In UTC they are outside the years that every database can store.
    for text in ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
        assert_eq!(value::time(text), Err(QueryProblem::FilterValue), "{text}");
    }
}

#[test]
fn a_token_is_found_by_itself_and_by_nothing_else() {
    let text = format!("filter[q][reset_password_token_eq]={}", "secret".repeat(8).split_at(43).0);
    // A14.
    let shown = format!("{:?} {:?}", Query::parse(&text), list(&text).unwrap());
    assert!(shown.contains("TokenDigest(…)") && !shown.contains("secret"), "{shown}");
    for predicate in ["eq_or_null", "null", "not_eq", "in", "cont", "lt_any"] {
        assert_eq!(refused(&format!("filter[q][reset_password_token_{predicate}]=x")), QueryProblem::Filter);
    }
}
