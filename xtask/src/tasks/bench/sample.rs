//! What was measured, and how it is told: medians, spreads and ratios. Pure.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::report::table::{Align, Table};
use crate::stack::Bytes;

/// One way of doing something, measured several times.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    name: String,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    samples: Vec<Duration>,
}

impl Side {
    /// A side that has not been measured yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), samples: Vec::new() }
    }

    /// Adds a measurement.
    pub fn add(&mut self, took: Duration) {
        self.samples.push(took);
        self.samples.sort();
    }

    /// The middle one, or the mean of the two in the middle; nothing where nothing was measured.
    pub fn median(&self) -> Duration {
        let count = self.samples.len();
        match (self.samples.get(count / 2), count % 2) {
            (None, _) => Duration::ZERO,
            (Some(middle), 1) => *middle,
            (Some(upper), _) => (self.samples[count / 2 - 1] + *upper) / 2,
        }
    }
}

/// What one benchmark has measured.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Its name.
    pub bench: &'static str,
    /// Ours first.
    pub sides: Vec<Side>,
    /// Of the medians, as the goal means it; none where there is nothing to compare with.
    pub ratio: Option<f64>,
    /// The most memory that our side took; none where that was not measured.
    pub peak_bytes: Option<u64>,
    /// What is wanted; told, never insisted on.
    pub goal: &'static str,
}

/// How often `smaller` goes into `larger`.
pub fn ratio(larger: &Side, smaller: &Side) -> f64 {
    let hundredths = larger.median().as_secs_f64() / smaller.median().as_secs_f64().max(1e-9) * 100.0;
    hundredths.round() / 100.0
}

/// The table: a line for each side.
pub fn table(comparisons: &[Comparison]) -> String {
    let left = |name| (name, Align::Left);
    let number = |name| (name, Align::Right);
    let mut table = Table::new([
        left("bench"),
        left("side"),
        number("median"),
        number("spread"),
        number("ratio"),
        number("memory"),
        left("goal"),
    ]);
    for one in comparisons {
        for (index, side) in one.sides.iter().enumerate() {
            let first = |text: String| if index == 0 { text } else { String::new() };
            table.row([
                first(one.bench.to_owned()),
                side.name.clone(),
                shown(side.median()),
                spread(side),
                first(one.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default()),
                first(one.peak_bytes.map(|bytes| Bytes(bytes).to_string()).unwrap_or_default()),
                first(one.goal.to_owned()),
            ]);
        }
    }
    table.render()
}

fn spread(side: &Side) -> String {
    match &side.samples[..] {
        [first, .., last] => format!("{} – {}", shown(*first), shown(*last)),
        _ => "measured once".to_owned(),
    }
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

fn seconds<S: Serializer>(samples: &[Duration], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(samples.iter().map(|took| (took.as_secs_f64() * 1e6).round() / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, millis: &[u64]) -> Side {
        let mut side = Side::new(name);
        millis.iter().for_each(|time| side.add(Duration::from_millis(*time)));
        side
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(side("a", &[9, 1, 5]).median(), Duration::from_millis(5));
        assert_eq!(side("a", &[4, 1, 2, 90]).median(), Duration::from_millis(3));
        assert_eq!(side("a", &[]).median(), Duration::ZERO);
    }

    #[test]
    fn sides_stand_below_each_other() {
        let (ours, theirs) = (side("ours", &[100, 120, 300]), side("theirs", &[72_700]));
        let ratio = Some(ratio(&theirs, &ours));
        let peak_bytes = Some(2_000_000);
        let comparison = Comparison { bench: "b", sides: vec![ours, theirs], ratio, peak_bytes, goal: "≥ 15" };
        assert_eq!(
            table(&[comparison]),
            "bench  side      median               spread   ratio  memory  goal\n\
             b      ours    120.0 ms  100.0 ms – 300.0 ms  605.83  2.0 MB  ≥ 15\n       \
                    theirs   72.70 s        measured once\n"
        );
    }
}
