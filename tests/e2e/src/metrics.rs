//! What a program shows at `/metrics`.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{Api, http};

/// The metrics of a program at one time.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// As they were sent.
    pub text: String,
    /// Each series, by its name and its labels in the order of their names.
    series: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

impl Metrics {
    /// Reads them from an admin listener.
    pub async fn read(admin: &Api) -> Self {
        let answer = http(|builder| builder).get(format!("{}/metrics", admin.url)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4");
        let text = answer.error_for_status().unwrap().text().await.unwrap();
        let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (parse(name), value.parse().unwrap())
        });
        Self { series: series.collect(), text }
    }

    /// Returns the value of a series; all other labels than these may have any value, and the sum counts.
    #[must_use]
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |all: &BTreeMap<String, String>| {
            labels.iter().all(|(key, value)| all.get(*key).is_some_and(|found| found == value))
        };
        let found = self.series.iter().filter(|((of, all), _)| of == name && has(all));
        found.map(|(_, value)| *value).reduce(|sum, value| sum + value)
    }

    /// Returns the names of the metrics, with their kinds.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<String, String> {
        let kinds = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        kinds.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
    }

    /// Returns the names of the labels of a metric, those of buckets left out.
    #[must_use]
    pub fn labels(&self, name: &str) -> BTreeSet<String> {
        let of_it = |series: &str| {
            let rest = series.strip_prefix(name);
            rest.is_some_and(|rest| ["", "_bucket", "_count", "_sum"].contains(&rest))
        };
        let labels = self.series.keys().filter(|(series, _)| of_it(series)).flat_map(|(_, all)| all.keys());
        labels.filter(|label| *label != "le").cloned().collect()
    }

    /// Returns all series, without their values.
    #[must_use]
    pub fn all_series(&self) -> BTreeSet<String> {
        self.series.keys().map(|(name, labels)| format!("{name} {labels:?}")).collect()
    }
}

/// Parses `name{label="value",…}`; no value here has a quotation mark.
fn parse(series: &str) -> (String, BTreeMap<String, String>) {
    let Some((name, labels)) = series.split_once('{') else { return (series.to_owned(), BTreeMap::new()) };
    let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once("=\"").unwrap();
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    });
    (name.to_owned(), labels.collect())
}
