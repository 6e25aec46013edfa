//! The figures of one program of `make bench`.

use serde_json::{Map, Value, json};

use super::quantile;
use crate::evidence;

/// The quantiles that are saved of a sample.
const QUANTILES: u32 = 200;

/// Figures, which are printed as they are added and saved at the end for `docs/evidence.md`.
pub struct Report {
    name: &'static str,
    title: &'static str,
    figures: Vec<Value>,
    samples: Map<String, Value>,
}

/// What one figure was in each round.
pub struct Figure {
    what: String,
    unit: &'static str,
    rounds: Vec<f64>,
    goal: Option<&'static str>,
    note: Option<String>,
}

impl Report {
    /// Begins the report of the program of that name.
    #[must_use]
    pub fn new(name: &'static str, title: &'static str) -> Self {
        println!("\n{title}: medians, and in brackets the quartiles of all rounds");
        Self { name, title, figures: Vec::new(), samples: Map::new() }
    }

    /// Adds a figure and prints it.
    pub fn add(&mut self, figure: Figure) {
        let Figure { what, unit, rounds, goal, note } = figure;
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| rounded(quantile(&rounds, share)));
        let wanted = goal.map(|goal| format!(", goal {goal}")).unwrap_or_default();
        println!("  {what}: {median} {unit} ({low} to {high}){wanted}");
        let count = rounds.len();
        let mut figure =
            json!({"what": what, "unit": unit, "low": low, "median": median, "high": high, "rounds": count});
        if let Some(goal) = goal {
            figure["goal"] = json!(goal);
        }
        if let Some(note) = note {
            println!("    {note}");
            figure["note"] = json!(note);
        }
        self.figures.push(figure);
    }

    /// Keeps the distribution of a sample, by its quantiles.
    pub fn add_sample(&mut self, name: &str, sample: &[f64]) {
        let shares = (0..QUANTILES).map(|n| (f64::from(n) + 0.5) / f64::from(QUANTILES));
        let quantiles = shares.map(|share| rounded(quantile(sample, share)));
        self.samples.insert(name.to_owned(), quantiles.collect());
    }

    /// Saves the figures.
    pub fn save(self) {
        let mut results = json!({"title": self.title, "figures": self.figures});
        if !self.samples.is_empty() {
            results["samples"] = Value::Object(self.samples);
        }
        evidence::save(self.name, &format!("make bench BENCH={}", self.name), &results);
    }
}

impl Figure {
    /// A figure in that unit, in each round.
    #[must_use]
    pub fn new(what: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self { what: what.into(), unit, rounds, goal: None, note: None }
    }

    /// Says what it should be.
    #[must_use]
    pub fn goal(self, goal: &'static str) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// Says what the figure alone doesn't.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// Returns four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap()
}
