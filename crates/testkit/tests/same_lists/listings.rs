//! Generates queries of lists.

use proptest::{
    collection,
    prelude::*,
    sample::{Index, select},
    strategy::Union,
};
use rekey_core::resources::{
    Attribute, Kind, RESOURCES, Resource,
    listing::{Comparison, Filter, Listing, Order, Page, Path, Pattern, Test},
    record::{Record, Value},
};
use rekey_testkit::evaluator::{Sample, World, json_numbers, object, text, time};
use serde_json::{Map, Value as Json};

/// A list, and the parts of it to compare.
#[derive(Clone)]
pub struct Case {
    pub listing: Listing,
    pub number: u32,
    pub size: u32,
    /// The record of the resource that is the place, which may be outside the list.
    pub place: Index,
}

impl Case {
    pub fn place<'a>(&self, world: &'a World) -> Option<&'a Record> {
        let records: Vec<&Record> = world.of(self.listing.resource).map(|row| &row.record).collect();
        (!records.is_empty()).then(|| *self.place.get(&records))
    }
}

pub fn cases(sample: &Sample) -> impl Strategy<Value = Case> {
    let weights = RESOURCES.map(|resource| match resource.name {
        "customer_password_resets" | "customers" => (4, resource),
        "deliveries" => (3, resource),
        // The sample has none.
        "event_callbacks" => (0, resource),
        _ => (1, resource),
    });
    let listed = weights.into_iter().filter(|(weight, _)| *weight > 0);
    let listing = Union::new_weighted(listed.map(|(weight, of)| (weight, listing(sample, of))).collect());
    (listing, 1..5_u32, 1..=Page::MAX_SIZE, any::<Index>()).prop_map(|(listing, number, size, place)| Case {
        listing,
        number,
        size,
        place,
    })
}

fn listing(sample: &Sample, resource: &'static Resource) -> BoxedStrategy<Listing> {
    let sortable: Vec<_> = resource.attributes.iter().filter(|attribute| attribute.sort).collect();
    let part = (select(sortable), any::<bool>());
    let order = part.prop_map(|(attribute, descending)| Order { attribute, descending });
    (filters(sample, resource), collection::vec(order, 0..4))
        .prop_map(move |(filter, order)| Listing { filter, order, ..Listing::first_page(resource) })
        .boxed()
}

fn filters(sample: &Sample, resource: &'static Resource) -> BoxedStrategy<Filter> {
    let mut leaves: Vec<BoxedStrategy<Filter>> = Vec::new();
    for path in paths(resource) {
        let target = path.via.map_or(resource, |via| via.target);
        let tests = tests(sample, target, path.attribute);
        leaves.push(tests.prop_map(move |test| Filter::Test(path, test)).boxed());
    }
    for owner in RESOURCES {
        let to_here =
            owner.relationships.iter().filter(|there| there.target == resource && !there.is_to_one());
        for relationship in to_here {
            let ids: Vec<_> = sample.world.of(owner).map(|row| row.record.id()).collect();
            // The sample has no callbacks.
            if !ids.is_empty() {
                let related = select(ids).prop_map(move |id| Filter::RelatedTo(owner, relationship, id));
                leaves.push(related.boxed());
            }
        }
    }
    let leaf = Union::new(leaves);
    let combined = leaf.prop_recursive(3, 10, 3, |inner| {
        let parts = collection::vec(inner, 0..4);
        prop_oneof![parts.clone().prop_map(Filter::All), parts.prop_map(Filter::Any)]
    });
    prop_oneof![1 => Just(Filter::All(Vec::new())), 20 => combined].boxed()
}

/// Every attribute by which lists of the resource can be filtered, including those of related records.
fn paths(resource: &'static Resource) -> Vec<Path> {
    let of = |resource: &'static Resource| resource.attributes.iter().filter(|attribute| attribute.filter);
    let own = of(resource).map(|attribute| Path { via: None, attribute });
    let ways = resource.relationships.iter().filter(|relationship| relationship.filter);
    let related =
        ways.flat_map(|via| of(via.target).map(move |attribute| Path { via: Some(via), attribute }));
    own.chain(related).collect()
}

fn tests(sample: &Sample, resource: &'static Resource, attribute: &'static Attribute) -> BoxedStrategy<Test> {
    // A token can only be compared for equality.
    if attribute.kind == Kind::Token {
        return select(sample.tokens().collect::<Vec<_>>()).prop_map(Test::Token).boxed();
    }
    let any_kind = select(vec![Test::Null, Test::NotNull, Test::Blank, Test::Present]);
    let of_kind = match attribute.kind {
        Kind::Object => contains(sample, resource, attribute).boxed(),
        Kind::Id | Kind::Email | Kind::Text | Kind::Locale => {
            let values = values(sample, resource, attribute);
            prop_oneof![2 => comparisons(values.clone()), 1 => patterns(values)].boxed()
        }
        _ => comparisons(values(sample, resource, attribute)).boxed(),
    };
    prop_oneof![1 => any_kind, 3 => of_kind]
        .prop_recursive(2, 6, 3, |inner| {
            let tests = collection::vec(inner, 0..4);
            prop_oneof![tests.clone().prop_map(Test::All), tests.prop_map(Test::Any)]
        })
        .boxed()
}

/// Generates values that rows have, and others.
fn values(
    sample: &Sample,
    resource: &'static Resource,
    attribute: &'static Attribute,
) -> BoxedStrategy<Value> {
    let other = match attribute.kind {
        Kind::Time => time().prop_map(Value::Time).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Integer => select(&[i64::MIN, 0, 249, 251, 550, i64::MAX][..]).prop_map(Value::Integer).boxed(),
        _ => text().prop_map(Value::Text).boxed(),
    };
    let rows = sample.world.of(resource).map(|row| row.record.get(attribute.name).clone());
    let known: Vec<Value> = rows.filter(|value| *value != Value::Null).collect();
    if known.is_empty() { other } else { prop_oneof![select(known), other].boxed() }
}

fn comparisons(values: BoxedStrategy<Value>) -> impl Strategy<Value = Test> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let comparison = select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
    let several = collection::vec(values.clone(), 0..5);
    prop_oneof![
        3 => (comparison, values).prop_map(|(comparison, value)| Test::Compare(comparison, value)),
        1 => several.clone().prop_map(Test::In),
        1 => several.prop_map(Test::NotIn),
    ]
}

fn patterns(values: BoxedStrategy<Value>) -> impl Strategy<Value = Test> {
    let makes: [fn(&str) -> Pattern; 4] =
        [Pattern::parse, Pattern::starts_with, Pattern::ends_with, Pattern::contains];
    let piece = (values, any::<Index>(), 0..4_usize).prop_map(|(value, at, length)| {
        let characters: Vec<char> = value.as_text().unwrap_or_default().chars().collect();
        let at = if characters.is_empty() { 0 } else { at.index(characters.len()) };
        characters.into_iter().skip(at).take(length).collect::<String>()
    });
    (prop_oneof![piece, text()], select(makes.to_vec()), any::<bool>()).prop_map(|(text, make, negative)| {
        if negative { Test::NotLike(make(&text)) } else { Test::Like(make(&text)) }
    })
}

fn contains(
    sample: &Sample,
    resource: &'static Resource,
    attribute: &'static Attribute,
) -> impl Strategy<Value = Test> + use<> {
    let rows = sample.world.of(resource).filter_map(|row| match row.record.get(attribute.name) {
        Value::Object(object) => Some(object.clone()),
        _ => None,
    });
    let part =
        (select(rows.collect::<Vec<_>>()), any::<u32>()).prop_map(|(whole, mut dice)| part(whole, &mut dice));
    prop_oneof![3 => part, 1 => object()].prop_map(Test::Contains)
}

/// Generates a part of an object, recursively; numbers are sometimes replaced by others.
fn part(whole: Map<String, Json>, dice: &mut u32) -> Map<String, Json> {
    let mut kept = |_: &Json| {
        *dice = dice.rotate_left(1);
        *dice & 1 == 1
    };
    let members = whole.into_iter().filter(|(_, value)| kept(value)).collect::<Vec<_>>();
    let inside = |value, dice: &mut u32| match value {
        Json::Object(members) => Json::Object(part(members, dice)),
        Json::Array(elements) => Json::Array(elements.into_iter().rev().collect()),
        Json::Number(_) if *dice & 2 == 0 => {
            let numbers = json_numbers();
            Json::Number(numbers[*dice as usize % numbers.len()].clone())
        }
        value => value,
    };
    members.into_iter().map(|(key, value)| (key, inside(value, dice))).collect()
}
