//! The floor of a boot: how long it would have taken, had nothing waited but for what it needs. It is computed from what was seen
//! of this boot alone: the longest chain of starts and first successful checks, without the pauses between a service's checks and
//! without the time from a need's being met to the start of who needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::model::{Condition, Dependency};

/// The longest chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// How long it takes.
    pub took: Duration,
    /// The services in it, in the order in which they start.
    pub chain: Vec<String>,
}

/// What was seen of one service.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// What it waits for.
    pub needs: BTreeMap<String, Dependency>,
    /// From being told to start to running.
    pub start: Duration,
    /// From running to being up, but for the pauses between its checks.
    pub rise: Duration,
}

/// When a chain that ends with a service has it running, and when up.
#[derive(Clone, Debug, Default)]
struct Reached {
    running: Duration,
    up: Duration,
    chain: Vec<String>,
}

/// The floor of a boot, by what was seen of each service. Needs that were not part of it hold nothing up.
pub fn floor(stages: &BTreeMap<String, Stage>) -> Floor {
    let mut known = BTreeMap::new();
    stages.keys().for_each(|name| reach(name, stages, &mut known));
    let last = known.into_values().max_by_key(|reached| reached.up).unwrap_or_default();
    Floor { took: last.up, chain: last.chain }
}

fn reach(name: &str, stages: &BTreeMap<String, Stage>, known: &mut BTreeMap<String, Reached>) {
    let Some(stage) = stages.get(name).filter(|_| !known.contains_key(name)) else { return };
    // Compose refuses services that need each other in a ring; this entry ends one all the same.
    known.insert(name.to_owned(), Reached::default());
    let mut before = (Duration::ZERO, Vec::new());
    for (need, how) in &stage.needs {
        reach(need, stages, known);
        let Some(reached) = known.get(need) else { continue };
        let at = if how.condition == Condition::Started { reached.running } else { reached.up };
        if at > before.0 {
            before = (at, reached.chain.clone());
        }
    }
    let (begin, mut chain) = before;
    chain.push(name.to_owned());
    let running = begin + stage.start;
    known.insert(name.to_owned(), Reached { running, up: running + stage.rise, chain });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(needs: &[(&str, Condition)], start: u64, rise: u64) -> Stage {
        let need = |(name, condition): &(&str, Condition)| {
            ((*name).to_owned(), Dependency { condition: *condition, required: true, restart: false })
        };
        let needs = needs.iter().map(need).collect();
        Stage { needs, start: Duration::from_millis(start), rise: Duration::from_millis(rise) }
    }

    fn of(stages: &[(&str, Stage)]) -> (u128, String) {
        let stages = stages.iter().map(|(name, stage)| ((*name).to_owned(), stage.clone())).collect();
        let floor = floor(&stages);
        (floor.took.as_millis(), floor.chain.join(" "))
    }

    #[test]
    fn the_longest_chain_counts() {
        use Condition::{Completed, Healthy, Started};
        let stages = [
            ("db", stage(&[], 300, 1000)),
            ("cache", stage(&[], 400, 100)),
            ("prepare", stage(&[("db", Healthy)], 300, 50)),
            ("api", stage(&[("prepare", Completed), ("cache", Healthy)], 300, 200)),
            ("web", stage(&[("api", Started)], 100, 50)),
        ];
        assert_eq!(of(&stages), (2150, "db prepare api".to_owned()));
    }

    #[test]
    fn a_need_that_only_has_to_run_is_not_waited_for_longer() {
        let stages = [("a", stage(&[], 100, 900)), ("b", stage(&[("a", Condition::Started)], 100, 1000))];
        assert_eq!(of(&stages), (1200, "a b".to_owned()));
    }

    #[test]
    fn rings_strangers_and_nothing_at_all_have_a_floor() {
        let ring = [("a", stage(&[("b", Condition::Healthy)], 1, 1)), ("b", stage(&[("a", Condition::Healthy)], 1, 1))];
        assert!(of(&ring).0 >= 2);
        assert_eq!(of(&[("a", stage(&[("gone", Condition::Healthy)], 1, 1))]).0, 2);
        assert_eq!(of(&[]), (0, String::new()));
    }
}
